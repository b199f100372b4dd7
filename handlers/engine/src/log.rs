//! The log of an invocation: one line of JSON for each event, and the counters as `CloudWatch` embedded metrics.
//!
//! No line holds a value of an event: only rule ids, hashes, step names, and our own words.

use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::Handler;
use responder_core::text::to_json_line;
use responder_core::time::Span;
use serde::Serialize;
use serde_json::json;

use crate::error::EngineError;
use crate::metrics::Counters;
use crate::outcome::EventOutcome;
use crate::port::AwsPort;

/// How one event ended.
pub(crate) struct EventLog<'e> {
    /// The event's key.
    pub(crate) key: &'e str,
    /// The plan, if any rule matches.
    pub(crate) plan: Option<&'e Plan>,
    pub(crate) outcome: EventOutcome,
    pub(crate) errors: &'e [EngineError],
    /// The time from the decision to the end of its execution.
    pub(crate) duration: Span,
}

/// Prints the counters.
pub(crate) fn print_counters(aws: &impl AwsPort, handler: Handler, counters: &Counters) {
    for document in counters.build_documents(handler, aws.now().millis()) {
        print_json(aws, &document);
    }
}

/// Prints that a notification for the chats was not sent, and why.
pub(crate) fn print_failed_chat(aws: &impl AwsPort, error: &EngineError) {
    print_json(aws, &json!({ "chat": "failed", "error": error.to_string() }));
}

/// Prints how one event ended.
pub(crate) fn print_event(aws: &impl AwsPort, handler: Handler, event: &EventLog<'_>) {
    print_json(aws, &build_line(handler, event));
}

#[derive(Serialize)]
struct LogLine<'e> {
    handler: Handler,
    event: &'e str,
    rules: &'e [String],
    outcome: EventOutcome,
    steps: Vec<&'static str>,
    incidents: Vec<&'e str>,
    errors: Vec<String>,
    millis: i64,
}

fn build_line<'e>(handler: Handler, event: &EventLog<'e>) -> LogLine<'e> {
    let mut line = LogLine {
        handler,
        event: event.key,
        rules: &[],
        outcome: event.outcome,
        steps: Vec::new(),
        incidents: Vec::new(),
        errors: event.errors.iter().map(ToString::to_string).collect(),
        millis: event.duration.millis(),
    };
    if let Some(plan) = event.plan {
        line.rules = &plan.rules;
        for step in &plan.steps {
            line.steps.push(step_name(step));
            line.incidents.extend(incident_key(step));
        }
    }
    line
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

/// Prints a value as one line. There is nobody to report a line to that cannot be written.
fn print_json<T: Serialize>(aws: &impl AwsPort, value: &T) {
    if let Ok(line) = to_json_line(value) {
        aws.print_line(&line);
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
            counters.count_event(end);
        }
        let ends = counters.answered
            + counters.coalesced
            + counters.ignored
            + counters.quarantined
            + counters.failed;
        assert_eq!((counters.received, ends, counters.answered), (6, 6, 2));
    }
}
