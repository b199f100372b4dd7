//! Thresholds: how many distinct things within how long make a counted response fire.

use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::time::Span;

/// The things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistinctBy {
    /// Secrets; the spellings of one secret count once.
    Secret,
    /// Regions.
    Region,
    /// Principals.
    Principal,
    /// Events.
    Event,
}

/// The subject that has a count of its own, and that one incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountPer {
    /// One count for each principal.
    Principal,
    /// One count for each secret.
    Secret,
    /// One count for each account.
    Account,
    /// One count for each person behind sessions, as far as a record names the person: the source identity of the session, or
    /// the user of IAM Identity Center.
    Person,
    /// One count for each source address within an account, of the calls that name no person and are no workload's.
    Address,
}

/// When a counted response fires: `at_least` distinct things in a sliding window of `within`, in event time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The things that are counted.
    pub distinct: DistinctBy,
    /// The count from which on the response fires.
    pub at_least: usize,
    /// The length of the window; events exactly so far apart still count together.
    pub within: Span,
    /// The subject that has a count of its own.
    pub per: CountPer,
    /// A rule of which an event must come first, at most `within` before the events that count; it does not count itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many principals must have made the events of the window.
    #[serde(default = "one_principal", skip_serializing_if = "is_one_principal")]
    pub principals: usize,
    /// Higher severities from higher counts on, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<EscalationStep>,
}

fn one_principal() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one_principal(principals: &usize) -> bool {
    *principals == 1
}

/// One step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// The count from which on the step holds.
    pub at_least: usize,
    /// The severity from there on.
    pub severity: Severity,
}
