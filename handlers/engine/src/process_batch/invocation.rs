//! One invocation, and the results of its events.

use responder_core::facts::Facts;
use responder_core::plan::Plan;
use responder_core::time::Timestamp;

use crate::error::EngineError;
use crate::outcome::EventOutcome;

/// One invocation of the function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When Lambda ends it.
    pub until: Timestamp,
    /// The owner of its claims: the invocation's request id.
    pub owner: String,
    /// The function's own account, or empty if it is unknown. Services of other accounts are out of its reach.
    pub account: String,
    /// The function's own ARN, or empty if it is unknown. It says where its queues are.
    pub function_arn: String,
    /// Whether the results hold the facts that were known.
    pub keeps_facts: bool,
}

/// The result of one event.
#[derive(Debug)]
pub struct EventResult {
    /// How it ended.
    pub outcome: EventOutcome,
    /// The errors, if it failed.
    pub errors: Vec<EngineError>,
    /// The facts that were known when it was decided, if the invocation keeps them.
    pub facts: Facts,
    /// The plan, if any rule matches.
    pub plan: Option<Plan>,
}

impl EventResult {
    /// Whether the queue must keep the message, to deliver it again or to put it aside.
    pub fn is_kept(&self) -> bool {
        matches!(self.outcome, EventOutcome::Failed | EventOutcome::Quarantined)
    }

    pub(super) fn with_outcome(outcome: EventOutcome) -> Self {
        Self { outcome, errors: Vec::new(), facts: Facts::default(), plan: None }
    }
}
