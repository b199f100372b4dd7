//! Metrics: what an invocation counts, in `CloudWatch`'s embedded metric format.
//!
//! `AWS/SecretsManager` has no metric of rotations that fail (Secrets Manager user guide, "Monitor with Amazon
//! `CloudWatch`"), so it is made here. Dimensions are few and bounded: function, rule, severity, account and Region; never a
//! secret. A metric costs in the hours in which it gets data (`CloudWatch` pricing): a zero is printed, and is no metric.

use std::collections::BTreeMap;

use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::Handler;
use responder_core::severity::Severity;
use serde_json::{Value, json};

use crate::outcome::EventOutcome;
use crate::port::Region;

/// The heartbeat. Alarms expect it, so that it is a metric even when it is zero.
const HEARTBEAT_METRIC: &str = "EventsReceived";

/// A metric has at most 100 values (`CloudWatch` user guide, "Specification: Embedded metric format").
const MAX_VALUES_OF_METRIC: usize = 100;

/// The counts of an invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Texts that arrived.
    pub received: usize,
    /// Events that were answered.
    pub answered: usize,
    /// Events that were answered by another event or an earlier delivery.
    pub coalesced: usize,
    /// Events that no rule matches.
    pub ignored: usize,
    /// Texts that cannot be read as events.
    pub quarantined: usize,
    /// Events that come again.
    pub failed: usize,
    /// Pages that SNS accepted.
    pub pages_sent: usize,
    /// Notifications that the topic of the chats accepted.
    pub chats_sent: usize,
    /// Notifications for the chats that were not sent. They are not sent again.
    pub chats_failed: usize,
    /// Deployments that ECS started.
    pub deployments_forced: usize,
    /// Deployments that ECS refused.
    pub redeploys_refused: usize,
    /// Pages that were sent without a claim, or not marked as sent.
    pub ledger_bypassed: usize,
    /// Observations for which the ledger had no room.
    pub observations_dropped: usize,
    /// Deployments that wait for the sweep, because another invocation was faster.
    pub deployments_deferred: usize,
    /// Effects leased by another invocation. Their events come again.
    pub claims_held: usize,
    /// Effects already applied.
    pub duplicates: usize,
    /// Events that have an entry in the daily digest.
    pub digest_entries: usize,
    /// Events that an exception suppressed.
    pub suppressed: usize,
    /// The seconds from a change to the first read of the new value by a task of a consumer, one value for each consumer.
    pub seconds_to_consume: Vec<i64>,
    /// Pages and resolutions of incidents, by rule and severity.
    pub incidents: BTreeMap<(String, Severity), IncidentCounts>,
    /// Rotations that failed, by account and Region.
    pub rotation_failures: BTreeMap<(String, String), usize>,
}

/// Pages and resolutions of the incidents of one rule and severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IncidentCounts {
    /// Incidents that were paged as new.
    pub opened: usize,
    /// Incidents that were paged again, as more severe.
    pub raised: usize,
    /// Incidents that were resolved.
    pub resolved: usize,
}

impl Counters {
    /// Counts an event by its outcome.
    pub(crate) fn count_event(&mut self, outcome: EventOutcome) {
        self.received += 1;
        *match outcome {
            EventOutcome::Answered => &mut self.answered,
            EventOutcome::Coalesced => &mut self.coalesced,
            EventOutcome::Ignored => &mut self.ignored,
            EventOutcome::Quarantined => &mut self.quarantined,
            EventOutcome::Failed => &mut self.failed,
        } += 1;
    }

    /// The counts of the incidents of a rule and severity.
    pub(crate) fn incident_counts(&mut self, rule: &str, severity: Severity) -> &mut IncidentCounts {
        self.incidents.entry((rule.to_owned(), severity)).or_default()
    }

    /// Counts what an executed plan says of its event.
    pub(crate) fn count_plan(&mut self, plan: &Plan, account: &str, region: &str) {
        let steps = &plan.steps;
        self.digest_entries += usize::from(steps.iter().any(|step| matches!(step, PlanStep::Digest { .. })));
        self.suppressed += usize::from(steps.iter().any(|step| matches!(step, PlanStep::Suppress { .. })));
        if plan.is_about_failed_rotation() {
            // Both come from the event, and each new value of a dimension is a metric that costs.
            let dimensions = if is_account_id(account) && Region::parse(region).is_some() {
                (account.to_owned(), region.to_owned())
            } else {
                ("unknown".to_owned(), "unknown".to_owned())
            };
            *self.rotation_failures.entry(dimensions).or_default() += 1;
        }
    }

    /// The function's own metrics.
    fn own_metrics(&self) -> [(&'static str, usize); 18] {
        [
            (HEARTBEAT_METRIC, self.received),
            ("EventsAnswered", self.answered),
            ("EventsCoalesced", self.coalesced),
            ("EventsIgnored", self.ignored),
            ("EventsQuarantined", self.quarantined),
            ("EventsFailed", self.failed),
            ("PagesSent", self.pages_sent),
            ("ChatsSent", self.chats_sent),
            ("ChatsFailed", self.chats_failed),
            ("DeploymentsForced", self.deployments_forced),
            ("RedeployRefused", self.redeploys_refused),
            ("LedgerBypassed", self.ledger_bypassed),
            ("ObservationsDropped", self.observations_dropped),
            ("DeploymentsDeferred", self.deployments_deferred),
            ("ClaimsHeld", self.claims_held),
            ("Duplicates", self.duplicates),
            ("DigestEntries", self.digest_entries),
            ("Suppressed", self.suppressed),
        ]
    }

    /// The lines to print: the function's own metrics, then one line for each rule and severity, and one for each account and
    /// Region.
    pub(crate) fn build_documents(&self, handler: Handler, millis: i64) -> Vec<Value> {
        let handler_dimension = ("Handler", handler.as_str());
        let mut own = count_metrics(&self.own_metrics());
        // Even a batch of the largest size has fewer events that could be evidence of a read.
        if !self.seconds_to_consume.is_empty() {
            let values: Vec<i64> =
                self.seconds_to_consume.iter().take(MAX_VALUES_OF_METRIC).copied().collect();
            own.push(MetricValue { name: "SecondsToConsume", unit: "Seconds", value: json!(values) });
        }
        let mut documents = vec![build_document(millis, &[handler_dimension], &own)];
        for ((rule, severity), incidents) in &self.incidents {
            let metrics = count_metrics(&[
                ("IncidentsOpened", incidents.opened),
                ("IncidentsRaised", incidents.raised),
                ("IncidentsResolved", incidents.resolved),
            ]);
            let dimensions = [handler_dimension, ("Rule", rule), ("Severity", severity.as_str())];
            documents.push(build_document(millis, &dimensions, &metrics));
        }
        for ((account, region), failures) in &self.rotation_failures {
            let metrics = count_metrics(&[("RotationFailures", *failures)]);
            documents.push(build_document(millis, &[("Account", account), ("Region", region)], &metrics));
        }
        documents
    }
}

/// A metric with its value.
struct MetricValue {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

impl MetricValue {
    /// Whether it is declared as a metric: a zero would cost as any value does.
    fn is_declared(&self) -> bool {
        self.name == HEARTBEAT_METRIC || self.value != json!(0)
    }
}

fn count_metrics(counts: &[(&'static str, usize)]) -> Vec<MetricValue> {
    counts.iter().map(|(name, count)| MetricValue { name, unit: "Count", value: json!(count) }).collect()
}

/// An account id has 12 digits.
fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Embedded metric format: `_aws` declares the metrics with their units, and their values stand at the root, where other
/// members may stand as well (`CloudWatch` user guide, "Specification: Embedded metric format"). The zeros are such members,
/// so that the counts of a line balance.
fn build_document(millis: i64, dimensions: &[(&str, &str)], metrics: &[MetricValue]) -> Value {
    let dimension_names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut declared = Vec::new();
    for metric in metrics {
        if metric.is_declared() {
            declared.push(json!({ "Name": metric.name, "Unit": metric.unit }));
        }
    }
    let mut document = json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [
                { "Namespace": "SecretsResponder", "Dimensions": [dimension_names], "Metrics": declared }
            ],
        },
    });
    for (name, value) in dimensions {
        document[name] = json!(value);
    }
    for metric in metrics {
        document[metric.name] = metric.value.clone();
    }
    document
}

#[cfg(test)]
mod tests {
    use responder_core::time::Timestamp;

    use super::*;

    #[test]
    fn every_metric_and_dimension_that_is_declared_stands_at_the_root() {
        let mut counters =
            Counters { pages_sent: 3, seconds_to_consume: vec![70, 90], ..Counters::default() };
        counters.incident_counts("bulk-read", Severity::High).opened += 1;
        counters.incident_counts("bulk-read", Severity::High).raised += 1;
        counters.rotation_failures.insert(("111122223333".to_owned(), "us-west-2".to_owned()), 2);
        let documents = counters.build_documents(Handler::Access, 5);
        assert_eq!(documents.len(), 3);
        for document in &documents {
            let directive = &document["_aws"]["CloudWatchMetrics"][0];
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!(!metrics.is_empty() && metrics.len() <= 100);
            for metric in metrics {
                let value = &document[metric["Name"].as_str().unwrap()];
                assert!(value.is_u64() || value == &json!([70, 90]), "{metric}");
            }
            for dimension in directive["Dimensions"][0].as_array().unwrap() {
                assert!(document[dimension.as_str().unwrap()].is_string(), "{dimension}");
            }
        }
        assert_eq!((&documents[0]["PagesSent"], &documents[0]["Handler"]), (&json!(3), &json!("access")));
        assert_eq!(
            (&documents[1]["Rule"], &documents[1]["IncidentsOpened"]),
            (&json!("bulk-read"), &json!(1))
        );
        assert_eq!(documents[2]["RotationFailures"], json!(2));
    }

    fn declared(document: &Value) -> Vec<&str> {
        let metrics = document["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_zero_is_printed_and_is_no_metric_but_for_the_heartbeat() {
        let mut counters = Counters::default();
        let nothing = counters.build_documents(Handler::Sweep, 5);
        assert_eq!(declared(&nothing[0]), ["EventsReceived"]);
        counters.count_event(EventOutcome::Ignored);
        counters.incident_counts("bulk-read", Severity::High).resolved += 1;
        let documents = counters.build_documents(Handler::Sweep, 5);
        assert_eq!(declared(&documents[0]), ["EventsReceived", "EventsIgnored"]);
        assert_eq!(declared(&documents[1]), ["IncidentsResolved"]);
        for (name, value) in counters.own_metrics() {
            assert_eq!(documents[0][name], json!(value), "what is no metric is in the line");
        }
        assert_eq!(documents[1]["IncidentsOpened"], json!(0));
    }

    #[test]
    fn what_is_no_account_and_no_region_becomes_no_dimension() {
        let rules = responder_core::rules::builtin().unwrap();
        let now = Timestamp::default();
        let mut plan = responder_core::decide::quarantine(&rules, Handler::Failure, "", b"", "", now);
        plan.rules = vec!["rotation-failed".to_owned()];
        let mut counters = Counters::default();
        for (account, region) in
            [("111122223333", "us-west-2"), ("1", "us-west-2"), ("111122223333", "us-west-2.evil")]
        {
            counters.count_plan(&plan, account, region);
        }
        let known: Vec<(&str, usize)> = counters
            .rotation_failures
            .iter()
            .map(|((account, _), count)| (account.as_str(), *count))
            .collect();
        assert_eq!(known, [("111122223333", 1), ("unknown", 2)]);
    }
}
