//! What an invocation leaves behind: one line of JSON an event, and its counters as `CloudWatch` embedded metrics.
//!
//! No value of an event is in either: rule ids, hashes, step names, our own words.

use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::Handler;
use responder_core::text::to_json_line;
use responder_core::time::Span;
use serde::Serialize;
use serde_json::json;

use crate::error::EngineError;
use crate::metrics::Counters;
use crate::port::AwsPort;

/// How an event ended, for this delivery of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventOutcome {
    /// Something was done or counted.
    Answered,
    /// Another event was answered for it.
    Coalesced,
    /// No rule matches it.
    Ignored,
    /// It cannot be read; a human was told.
    Quarantined,
    /// The queue delivers it again.
    Failed,
}

/// Prints the counters.
pub(crate) fn metrics(aws: &impl AwsPort, handler: Handler, counters: &Counters) {
    for document in counters.documents(handler, aws.now().millis()) {
        print(aws, &document);
    }
}

/// Prints that a notification did not go out, and why.
pub(crate) fn chat_failed(aws: &impl AwsPort, error: &EngineError) {
    print(aws, &json!({ "chat": "failed", "error": error.to_string() }));
}

/// Prints how one event ended.
pub(crate) fn event(
    aws: &impl AwsPort,
    handler: Handler,
    key: &str,
    plan: Option<&Plan>,
    ended: (EventOutcome, &[EngineError]),
    took: Span,
) {
    print(aws, &line(handler, key, plan, ended, took));
}

#[derive(Serialize)]
struct LogLine<'l> {
    handler: Handler,
    event: &'l str,
    rules: &'l [String],
    outcome: EventOutcome,
    steps: Vec<&'static str>,
    incidents: Vec<&'l str>,
    errors: Vec<String>,
    millis: i64,
}

fn line<'l>(
    handler: Handler,
    event: &'l str,
    plan: Option<&'l Plan>,
    (outcome, errors): (EventOutcome, &[EngineError]),
    took: Span,
) -> LogLine<'l> {
    let steps = plan.map(|plan| plan.steps.as_slice()).unwrap_or_default();
    LogLine {
        handler,
        event,
        rules: plan.map(|plan| plan.rules.as_slice()).unwrap_or_default(),
        outcome,
        steps: steps.iter().map(step_name).collect(),
        incidents: steps.iter().filter_map(incident_key).collect(),
        errors: errors.iter().map(ToString::to_string).collect(),
        millis: took.millis(),
    }
}

fn step_name(step: &PlanStep) -> &'static str {
    match step {
        PlanStep::Redeploy { .. } => "redeploy",
        PlanStep::Skip { .. } => "skip",
        PlanStep::Page { .. } => "page",
        PlanStep::ExtendIncident { .. } => "join",
        PlanStep::Digest { .. } => "digest",
        PlanStep::Suppress { .. } => "suppress",
        PlanStep::Resolve { .. } => "resolve",
        PlanStep::Count { .. } => "count",
        PlanStep::Defer { .. } => "hold",
        PlanStep::RecordChange { .. } => "note",
        PlanStep::ResolveChange { .. } => "settle",
        PlanStep::ReconcileDeployment { .. } => "adopt",
        PlanStep::EndDeployment { .. } => "end",
        PlanStep::Prove { .. } => "prove",
        PlanStep::UpdateLastSeen { .. } => "see",
        PlanStep::Unknown { .. } => "unknown",
        PlanStep::Nothing { .. } => "nothing",
        PlanStep::Ignore { .. } => "ignore",
    }
}

fn incident_key(step: &PlanStep) -> Option<&str> {
    match step {
        PlanStep::Page { incident, .. } => Some(&incident.key),
        PlanStep::ExtendIncident { key, .. }
        | PlanStep::Digest { key, .. }
        | PlanStep::Resolve { key, .. } => Some(key),
        _ => None,
    }
}

/// A line that cannot be written has nobody who could be told.
fn print<T: Serialize>(aws: &impl AwsPort, value: &T) {
    if let Ok(line) = to_json_line(value) {
        aws.print(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_counted_once_and_the_counters_balance() {
        let mut counters = Counters::default();
        for end in [
            EventOutcome::Answered,
            EventOutcome::Answered,
            EventOutcome::Coalesced,
            EventOutcome::Ignored,
            EventOutcome::Quarantined,
            EventOutcome::Failed,
        ] {
            counters.end(end);
        }
        let ends = counters.answered
            + counters.coalesced
            + counters.ignored
            + counters.quarantined
            + counters.failed;
        assert_eq!((counters.received, ends, counters.answered), (6, 6, 2));
    }
}
