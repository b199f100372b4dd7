//! Deployments of ECS services, and how far they are.

use serde::{Deserialize, Serialize};

use crate::text::Untrusted;
use crate::time::Timestamp;

/// The text in `rolloutStateReason`, and in the events of ECS, of a deployment to which ECS goes back after another one
/// failed (developer guide of ECS, "Amazon ECS service deployment state change events").
pub(crate) const ROLLBACK_TEXT: &str = "rolling back";

/// A deployment of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcsDeployment {
    /// Its id (`ecs-svc/…`); empty while the id is not known: ECS alone gives one, and no replay can.
    pub id: String,
    /// When it was created. Of a deployment to which ECS went back, this may be the time of the rollback.
    pub created_at: Timestamp,
    /// How far it is, where ECS says so: not of a service behind a Classic Load Balancer.
    #[serde(alias = "state", default, skip_serializing_if = "Option::is_none")]
    pub rollout_state: Option<RolloutState>,
    /// The reason that ECS gives for the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout_state_reason: Option<Untrusted>,
    /// How many tasks it should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<u32>,
    /// How many of its tasks run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_count: Option<u32>,
    /// How many of its tasks failed to start in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_tasks: Option<u32>,
}

/// How far a deployment is (`rolloutState` in the API reference of ECS, `Deployment`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// It goes on.
    InProgress,
    /// It is done.
    Completed,
    /// The circuit breaker or an alarm ended it.
    Failed,
}

impl EcsDeployment {
    /// Whether the circuit breaker, an alarm or a person ended it.
    pub fn has_failed(&self) -> bool {
        self.rollout_state == Some(RolloutState::Failed)
    }

    /// Whether ECS says that it goes back to this deployment.
    pub fn is_rollback(&self) -> bool {
        self.rollout_state_reason.as_ref().is_some_and(|reason| reason.raw().contains(ROLLBACK_TEXT))
    }
}
