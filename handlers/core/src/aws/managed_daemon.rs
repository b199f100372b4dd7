//! Managed daemons: containers that ECS runs once on each instance of a capacity provider.

use serde::{Deserialize, Serialize};

/// The parameters of a command that updates a managed daemon (API reference of ECS, `UpdateDaemon`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedDaemon {
    /// The ARN of the task definition of its newest revision.
    pub task_definition: String,
    /// The ARNs of the capacity providers on whose instances it runs.
    #[serde(default)]
    pub capacity_providers: Vec<String>,
}
