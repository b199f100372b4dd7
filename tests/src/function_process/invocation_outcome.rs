//! The end of one invocation, as the Lambda Runtime API hears of it.

use serde_json::Value;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationOutcome {
    /// The function answered.
    Response(Value),
    /// The function reported an error.
    Error(Value),
    /// The process ended without an answer.
    Died,
}
