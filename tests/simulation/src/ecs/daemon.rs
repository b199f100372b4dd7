//! A managed daemon. Its tasks and updates are not modelled: nothing here updates a daemon.

use responder_core::time::Timestamp;

/// A managed daemon with one revision.
#[derive(Clone, Debug)]
pub struct SimulatedDaemon {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its cluster.
    pub cluster: String,
    /// The ARN of its revision.
    pub revision: String,
    /// When the revision was created.
    pub created_at: Timestamp,
    /// The ARN of the revision's task definition.
    pub task_definition: String,
}
