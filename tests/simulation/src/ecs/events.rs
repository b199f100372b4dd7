//! The effects of ECS: the events that it sends to `EventBridge`, and the tasks that it launches.

use responder_core::time::Timestamp;
use serde_json::Value;

/// Something that ECS did.
#[derive(Clone, Debug, PartialEq)]
pub enum EcsEvent {
    /// It sent an `ECS Deployment State Change` to `EventBridge`.
    StateChange {
        /// When.
        at: Timestamp,
        /// The event.
        event: Value,
    },
    /// It launched a task, which reads its secrets.
    Launched(TaskLaunch),
}

impl EcsEvent {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::StateChange { at, .. } => *at,
            Self::Launched(launch) => launch.started_at,
        }
    }
}

/// A new task. The execution role reads the secrets, under the task's id as its session name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskLaunch {
    /// The service's ARN.
    pub service: String,
    /// The id of the deployment that launched it.
    pub deployment: String,
    /// The ARN of the execution role, if the task definition names one.
    pub execution_role: Option<String>,
    /// The task's id.
    pub task: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The references to secrets, as the task definition and the service spell them.
    pub reads: Vec<String>,
}
