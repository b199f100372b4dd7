//! Metrics: what an invocation counts, in `CloudWatch`'s embedded metric format.
//!
//! `AWS/SecretsManager` has no metric of rotations that fail (Secrets Manager user guide, "Monitor with Amazon `CloudWatch`"): it
//! is made here. Dimensions are few and bounded: function, rule, severity, account and Region; never a secret. A metric costs in
//! the hours in which it gets data (`CloudWatch` pricing): a zero is printed, and is no metric.

use std::collections::BTreeMap;

use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::Handler;
use responder_core::severity::Severity;
use serde_json::{Value, json};

use crate::log::EventOutcome;
use crate::port::Region;

/// The rule whose events are rotations that failed, and the one of its events that is none.
const ROTATION_FAILED: &str = "rotation-failed";
const TEST: &str = "TestRotationFailed";

/// The heartbeat: alarms wait for it, so that it is a metric whatever it counts.
const RECEIVED: &str = "EventsReceived";

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
    pub quarantined: usize,
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
    pub observations_dropped: usize,
    /// Deployments that wait for the sweep, because another invocation was first.
    pub deployments_held: usize,
    /// Effects that another invocation is at: their events come again.
    pub claims_held: usize,
    /// Effects that had been had before.
    pub duplicates: usize,
    /// Events that are noted for the daily summary.
    pub digests: usize,
    /// Events that an exception kept from counting.
    pub suppressed: usize,
    /// How long it took from a change to the first read of the new value by a task of a consumer, one a consumer.
    pub seconds_to_consume: Vec<i64>,
    /// What became of incidents, by rule and severity.
    pub incidents: BTreeMap<(String, Severity), IncidentCounts>,
    /// Rotations that failed, by account and Region.
    pub rotation_failures: BTreeMap<(String, String), usize>,
}

/// What became of incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IncidentCounts {
    /// Paged as new.
    pub opened: usize,
    /// Paged again, as worse.
    pub raised: usize,
    /// Closed.
    pub resolved: usize,
}

impl Counters {
    /// Counts one event and its end.
    pub(crate) fn end(&mut self, end: EventOutcome) {
        self.received += 1;
        *match end {
            EventOutcome::Answered => &mut self.answered,
            EventOutcome::Coalesced => &mut self.coalesced,
            EventOutcome::Ignored => &mut self.ignored,
            EventOutcome::Quarantined => &mut self.quarantined,
            EventOutcome::Failed => &mut self.failed,
        } += 1;
    }

    /// The counts of incidents of a rule and severity.
    pub(crate) fn of(&mut self, rule: &str, severity: Severity) -> &mut IncidentCounts {
        self.incidents.entry((rule.to_owned(), severity)).or_default()
    }

    /// Counts what a plan that was carried out says by itself.
    pub(crate) fn planned(&mut self, plan: &Plan, (account, region): (&str, &str)) {
        let has = |kind: fn(&PlanStep) -> bool| usize::from(plan.steps.iter().any(kind));
        self.digests += has(|step| matches!(step, PlanStep::Digest { .. }));
        self.suppressed += has(|step| matches!(step, PlanStep::Suppress { .. }));
        if plan.rules.iter().any(|rule| rule == ROTATION_FAILED) && plan.name.raw() != TEST {
            // A dimension costs for as long as it has values: only what is an account and a Region becomes one.
            let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            let known = is_account.then(|| Region::of(region)).flatten();
            let place = known.map_or(("unknown", "unknown"), |_| (account, region));
            *self.rotation_failures.entry((place.0.to_owned(), place.1.to_owned())).or_default() += 1;
        }
    }

    fn rows(&self) -> [(&'static str, usize); 18] {
        [
            (RECEIVED, self.received),
            ("EventsAnswered", self.answered),
            ("EventsCoalesced", self.coalesced),
            ("EventsIgnored", self.ignored),
            ("EventsParked", self.quarantined),
            ("EventsFailed", self.failed),
            ("PagesSent", self.pages_sent),
            ("ChatsSent", self.chats_sent),
            ("ChatsFailed", self.chats_failed),
            ("DeploymentsForced", self.deployments_forced),
            ("RedeployRefused", self.redeploys_refused),
            ("LedgerBypassed", self.ledger_bypassed),
            ("MarksDropped", self.observations_dropped),
            ("DeploymentsHeld", self.deployments_held),
            ("ClaimsHeld", self.claims_held),
            ("Duplicates", self.duplicates),
            ("Digests", self.digests),
            ("Suppressed", self.suppressed),
        ]
    }

    /// The lines to print: the function's own, then one for each rule and severity, and one for each account and Region.
    pub(crate) fn documents(&self, handler: Handler, millis: i64) -> Vec<Value> {
        let count = |(name, value): &(&'static str, usize)| (*name, "Count", json!(value));
        let mut own: Vec<_> = self.rows().iter().map(count).collect();
        // A metric has at most 100 values; a batch has fewer events that could prove anything.
        if !self.seconds_to_consume.is_empty() {
            let values: Vec<i64> = self.seconds_to_consume.iter().take(100).copied().collect();
            own.push(("SecondsToConsume", "Seconds", json!(values)));
        }
        let mut documents = vec![document(millis, &[("Handler", handler.as_str())], &own)];
        for ((rule, severity), incidents) in &self.incidents {
            let rows = [
                ("IncidentsOpened", incidents.opened),
                ("IncidentsRaised", incidents.raised),
                ("IncidentsResolved", incidents.resolved),
            ];
            let dimensions = [("Handler", handler.as_str()), ("Rule", rule), ("Severity", severity.as_str())];
            documents.push(document(millis, &dimensions, &rows.iter().map(count).collect::<Vec<_>>()));
        }
        for ((account, region), failures) in &self.rotation_failures {
            let dimensions = [("Account", account.as_str()), ("Region", region)];
            documents.push(document(millis, &dimensions, &[count(&("RotationFailures", *failures))]));
        }
        documents
    }
}

/// Embedded metric format: the metrics' names and units in `_aws`, their values beside it at the root, where other members may
/// stand as well (`CloudWatch` user guide, "Specification: Embedded metric format"): there are the zeros, so that lines balance.
fn document(millis: i64, dimensions: &[(&str, &str)], metrics: &[(&str, &str, Value)]) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let is_metric = |(name, _, value): &&(&str, &str, Value)| *name == RECEIVED || *value != json!(0);
    let declared =
        metrics.iter().filter(is_metric).map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }));
    let declared: Vec<Value> = declared.collect();
    let mut document = json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [
                { "Namespace": "SecretsResponder", "Dimensions": [names], "Metrics": declared }
            ],
        },
    });
    for (name, value) in dimensions {
        document[name] = json!(value);
    }
    for (name, _, value) in metrics {
        document[name] = value.clone();
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
        counters.of("bulk-read", Severity::High).opened += 1;
        counters.of("bulk-read", Severity::High).raised += 1;
        counters.rotation_failures.insert(("111122223333".to_owned(), "us-west-2".to_owned()), 2);
        let documents = counters.documents(Handler::Access, 5);
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
        let nothing = counters.documents(Handler::Sweep, 5);
        assert_eq!(declared(&nothing[0]), ["EventsReceived"]);
        counters.end(EventOutcome::Ignored);
        counters.of("bulk-read", Severity::High).resolved += 1;
        let documents = counters.documents(Handler::Sweep, 5);
        assert_eq!(declared(&documents[0]), ["EventsReceived", "EventsIgnored"]);
        assert_eq!(declared(&documents[1]), ["IncidentsResolved"]);
        for (name, value) in counters.rows() {
            assert_eq!(documents[0][name], json!(value), "what is no metric is in the line");
        }
        assert_eq!(documents[1]["IncidentsOpened"], json!(0));
    }

    #[test]
    fn what_is_no_account_and_no_region_becomes_no_dimension() {
        let rules = responder_core::rules::builtin().unwrap();
        let now = Timestamp::default();
        let mut plan = responder_core::decide::quarantine(&rules, Handler::Failure, b"", "", now);
        plan.rules = vec![ROTATION_FAILED.to_owned()];
        let mut counters = Counters::default();
        for place in [("111122223333", "us-west-2"), ("1", "us-west-2"), ("111122223333", "us-west-2.evil")] {
            counters.planned(&plan, place);
        }
        let known: Vec<(&str, usize)> = counters
            .rotation_failures
            .iter()
            .map(|((account, _), count)| (account.as_str(), *count))
            .collect();
        assert_eq!(known, [("111122223333", 1), ("unknown", 2)]);
    }
}
