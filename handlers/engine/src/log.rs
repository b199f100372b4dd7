//! What an invocation leaves behind: one line of JSON an event, and its counters as `CloudWatch` embedded metrics.
//!
//! No value of an event is in either: rule ids, hashes, step names, our own words.

use responder_core::plan::{Plan, Step};
use responder_core::rules::Handler;
use responder_core::text::json_line;
use responder_core::time::Span;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::port::Aws;

/// How an event ended, for this delivery of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Something was done or counted.
    Answered,
    /// Another event was answered for it.
    Coalesced,
    /// No rule matches it.
    Ignored,
    /// It cannot be read; a human was told.
    Parked,
    /// The queue delivers it again.
    Failed,
}

/// What is counted of an invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Texts that arrived.
    pub received: usize,
    /// Those that were answered.
    pub answered: usize,
    /// Those that another was answered for.
    pub coalesced: usize,
    /// Those that no rule matches.
    pub ignored: usize,
    /// Those that cannot be read.
    pub parked: usize,
    /// Those that come again.
    pub failed: usize,
    /// Pages that SNS took.
    pub pages_sent: usize,
    /// Notifications for chats that went out.
    pub chats_sent: usize,
    /// Notifications for chats that did not, and never will.
    pub chats_failed: usize,
    /// Deployments that ECS started.
    pub deployments_forced: usize,
    /// Deployments that ECS refuses.
    pub redeploys_refused: usize,
    /// Pages that went out without a claim or a mark.
    pub ledger_bypassed: usize,
    /// Marks for which the ledger had no room.
    pub marks_dropped: usize,
    /// Deployments that wait for the sweep, because another invocation was first.
    pub deployments_held: usize,
    /// How long it took from a change to the first read of the new value by a task of a consumer, one a consumer.
    pub seconds_to_consume: Vec<i64>,
}

impl Counters {
    /// Counts one event and its end.
    pub(crate) fn end(&mut self, end: End) {
        self.received += 1;
        *match end {
            End::Answered => &mut self.answered,
            End::Coalesced => &mut self.coalesced,
            End::Ignored => &mut self.ignored,
            End::Parked => &mut self.parked,
            End::Failed => &mut self.failed,
        } += 1;
    }

    fn rows(&self) -> [(&'static str, usize); 14] {
        [
            ("EventsReceived", self.received),
            ("EventsAnswered", self.answered),
            ("EventsCoalesced", self.coalesced),
            ("EventsIgnored", self.ignored),
            ("EventsParked", self.parked),
            ("EventsFailed", self.failed),
            ("PagesSent", self.pages_sent),
            ("ChatsSent", self.chats_sent),
            ("ChatsFailed", self.chats_failed),
            ("DeploymentsForced", self.deployments_forced),
            ("RedeployRefused", self.redeploys_refused),
            ("LedgerBypassed", self.ledger_bypassed),
            ("MarksDropped", self.marks_dropped),
            ("DeploymentsHeld", self.deployments_held),
        ]
    }
}

/// Prints the counters.
pub(crate) fn metrics(aws: &impl Aws, handler: Handler, counters: &Counters) {
    print(aws, &embedded(handler, counters, aws.now().millis()));
}

/// Prints that a notification did not go out, and why.
pub(crate) fn chat_failed(aws: &impl Aws, error: &Error) {
    print(aws, &json!({ "chat": "failed", "error": error.to_string() }));
}

/// Prints how one event ended.
pub(crate) fn event(
    aws: &impl Aws,
    handler: Handler,
    key: &str,
    plan: Option<&Plan>,
    ended: (End, &[Error]),
    took: Span,
) {
    print(aws, &line(handler, key, plan, ended, took));
}

#[derive(Serialize)]
struct Line<'l> {
    handler: Handler,
    event: &'l str,
    rules: &'l [String],
    outcome: End,
    steps: Vec<&'static str>,
    incidents: Vec<&'l str>,
    errors: Vec<String>,
    millis: i64,
}

fn line<'l>(
    handler: Handler,
    event: &'l str,
    plan: Option<&'l Plan>,
    (outcome, errors): (End, &[Error]),
    took: Span,
) -> Line<'l> {
    let steps = plan.map(|plan| plan.steps.as_slice()).unwrap_or_default();
    Line {
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

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Redeploy { .. } => "redeploy",
        Step::Skip { .. } => "skip",
        Step::Page { .. } => "page",
        Step::Join { .. } => "join",
        Step::Digest { .. } => "digest",
        Step::Suppress { .. } => "suppress",
        Step::Resolve { .. } => "resolve",
        Step::Count { .. } => "count",
        Step::Hold { .. } => "hold",
        Step::Note { .. } => "note",
        Step::Settle { .. } => "settle",
        Step::Adopt { .. } => "adopt",
        Step::End { .. } => "end",
        Step::Prove { .. } => "prove",
        Step::Unknown { .. } => "unknown",
        Step::Nothing { .. } => "nothing",
        Step::Ignore { .. } => "ignore",
    }
}

fn incident_key(step: &Step) -> Option<&str> {
    match step {
        Step::Page { incident, .. } => Some(&incident.key),
        Step::Join { key, .. } | Step::Digest { key, .. } | Step::Resolve { key, .. } => Some(key),
        _ => None,
    }
}

/// Embedded metric format: the metrics' names and units in `_aws`, their values beside it at the root.
fn embedded(handler: Handler, counters: &Counters, millis: i64) -> Value {
    let rows = counters.rows();
    let metrics: Vec<Value> = rows.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut document = json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [
                { "Namespace": "SecretsResponder", "Dimensions": [["Handler"]], "Metrics": metrics }
            ],
        },
        "Handler": handler.name(),
    });
    for (name, value) in rows {
        document[name] = json!(value);
    }
    // A metric has at most 100 values; a batch has fewer events that could prove anything.
    if !counters.seconds_to_consume.is_empty() {
        let (name, values) = ("SecondsToConsume", counters.seconds_to_consume.iter().take(100));
        document[name] = json!(values.collect::<Vec<_>>());
        let declared =
            document.pointer_mut("/_aws/CloudWatchMetrics/0/Metrics").and_then(Value::as_array_mut);
        if let Some(metrics) = declared {
            metrics.push(json!({ "Name": name, "Unit": "Seconds" }));
        }
    }
    document
}

/// A line that cannot be written has nobody who could be told.
fn print<T: Serialize>(aws: &impl Aws, value: &T) {
    if let Ok(line) = json_line(value) {
        aws.print(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_counted_once_and_the_counters_balance() {
        let mut counters = Counters::default();
        for end in [End::Answered, End::Answered, End::Coalesced, End::Ignored, End::Parked, End::Failed] {
            counters.end(end);
        }
        let ends =
            counters.answered + counters.coalesced + counters.ignored + counters.parked + counters.failed;
        assert_eq!((counters.received, ends, counters.answered), (6, 6, 2));
    }

    #[test]
    fn every_metric_that_is_declared_stands_at_the_root() {
        let counters = Counters { pages_sent: 3, seconds_to_consume: vec![70, 90], ..Counters::default() };
        let document = embedded(Handler::Access, &counters, 5);
        let declared = &document["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        for metric in declared.as_array().unwrap() {
            let value = &document[metric["Name"].as_str().unwrap()];
            assert!(value.is_u64() || value == &json!([70, 90]), "{metric}");
        }
        assert_eq!((&document["PagesSent"], &document["Handler"]), (&json!(3), &json!("access")));
        assert_eq!(declared.as_array().unwrap().len(), 15);
    }
}
