//! What happened in a world, apart from what the functions did.

use std::collections::BTreeMap;

use responder_core::rules::Handler;
use responder_core::time::Timestamp;

/// What happened, apart from what the functions did.
#[derive(Debug, Default)]
pub struct History {
    /// When each secret, by ARN, got a new value.
    pub changes: BTreeMap<String, Vec<Timestamp>>,
    /// The changes of state of all deployments, as ECS told them.
    pub(crate) states: Vec<StateChange>,
    /// How many invocations there were, by handler.
    pub invocations: BTreeMap<Handler, u64>,
    /// How many of them died.
    pub deaths: u64,
}

#[derive(Debug)]
pub(crate) struct StateChange {
    pub(crate) at: Timestamp,
    pub(crate) service: String,
    pub(crate) deployment: String,
    /// The event's name.
    pub(crate) name: String,
    /// Whether the bus lost it.
    pub(crate) lost: bool,
}
