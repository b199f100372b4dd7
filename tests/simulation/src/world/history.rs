//! The history of a world, apart from what the functions did.

use std::collections::BTreeMap;

use responder_core::rules::Handler;
use responder_core::time::Timestamp;

/// The history of a world, apart from what the functions did.
#[derive(Debug, Default)]
pub struct WorldHistory {
    /// When each secret, by ARN, got a new value.
    pub changes: BTreeMap<String, Vec<Timestamp>>,
    /// The changes of state of all deployments, in the order in which ECS sent them.
    pub state_changes: Vec<DeploymentStateChange>,
    /// How many invocations there were, by handler.
    pub invocations: BTreeMap<Handler, u64>,
    /// How many of them died.
    pub deaths: u64,
}

/// An event of ECS about a deployment.
#[derive(Debug)]
pub struct DeploymentStateChange {
    /// When ECS sent it.
    pub at: Timestamp,
    /// The service's ARN.
    pub service: String,
    /// The deployment's id.
    pub deployment: String,
    /// The event's name, such as `SERVICE_DEPLOYMENT_COMPLETED`.
    pub name: String,
    /// Whether the bus lost it.
    pub is_lost: bool,
}

impl WorldHistory {
    /// When a secret (an ARN) got new values.
    pub fn changes_of(&self, secret: &str) -> &[Timestamp] {
        self.changes.get(secret).map(Vec::as_slice).unwrap_or_default()
    }
}
