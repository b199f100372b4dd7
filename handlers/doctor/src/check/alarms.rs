//! Alarms and heartbeats: silence must be noticed from outside the functions.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};

use crate::expected::{ExpectedAlarm, ExpectedRegion};
use crate::finding::RegionFindings;
use crate::snapshot::{ObservedAlarm, RegionSnapshot};

/// The metrics that Secrets Manager publishes: the number of secrets, and nothing else (Secrets Manager: monitoring with
/// `CloudWatch`).
const SECRETS_MANAGER_METRICS: [&str; 2] = ["ResourceCount", "SecretCount"];

/// Checks every alarm that should be there, and the heartbeats that some of them wait for.
pub(super) fn check_alarms(
    expected: &ExpectedRegion,
    now: Timestamp,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    if let Some(alarms) = findings.require_seen("alarm", "alarms", &observed.alarms) {
        for alarm in &expected.alarms {
            check_alarm(alarm, alarms, findings);
        }
    }
    check_dead_metrics(observed, findings);
    if let Some(heartbeats) = findings.require_seen("heartbeat", "heartbeats", &observed.heartbeats) {
        for alarm in expected.heartbeat_alarms() {
            check_heartbeat(alarm, heartbeats.get(&alarm.name), now, findings);
        }
    }
}

/// Reports the first of these faults: the alarm is missing, watches something else, tells nobody, or rings.
fn check_alarm(
    expected: &ExpectedAlarm,
    alarms: &BTreeMap<String, ObservedAlarm>,
    findings: &mut RegionFindings<'_>,
) {
    let name = &expected.name;
    let Some(alarm) = alarms.get(name) else {
        return findings.fail(
            "alarm",
            name,
            "it does not exist",
            "what it should notice is noticed by nobody",
            "deploy the stack of this Region again",
        );
    };
    let watches_metric = alarm.namespace == expected.namespace
        && alarm.metric == expected.metric
        && alarm.dimensions == expected.dimensions;
    if !watches_metric {
        let watched = format!("{}/{}", alarm.namespace, alarm.metric);
        let wanted = format!("{}/{}", expected.namespace, expected.metric);
        findings.fail(
            "alarm-metric",
            name,
            format!("it watches {watched} with other dimensions or under another name"),
            "where there is no such metric it is green for ever",
            format!("deploy the stack of this Region again: it watches {wanted}"),
        );
    } else if alarm.actions.is_empty() || !alarm.enabled {
        let what = if alarm.actions.is_empty() { "it has no action" } else { "its actions are switched off" };
        findings.fail(
            "alarm-action",
            name,
            what,
            "it turns red and tells nobody",
            "deploy the stack of this Region again, or aws cloudwatch enable-alarm-actions",
        );
    } else if alarm.state == "ALARM" && expected.max_silence.is_none() {
        // The heartbeats themselves say more than the state of an alarm that waits for one.
        findings.warn(
            "alarm-state",
            name,
            "it is in ALARM",
            "what it watches is wrong now",
            "follow its description",
        );
    } else {
        findings.ok("alarm", name, &*alarm.state);
    }
}

/// Reports alarms, whoever made them, on metrics that nobody publishes.
pub(super) fn check_dead_metrics(observed: &RegionSnapshot, findings: &mut RegionFindings<'_>) {
    for (name, alarm) in observed.alarms.seen().into_iter().flatten() {
        let is_dead = alarm.namespace == "AWS/SecretsManager"
            && !SECRETS_MANAGER_METRICS.contains(&alarm.metric.as_str());
        if is_dead {
            findings.fail(
                "alarm-dead",
                name,
                format!("it watches {}/{}", alarm.namespace, alarm.metric),
                "Secrets Manager publishes no such metric: the alarm is green for ever",
                "delete it; rotation failures are paged by the rule rotation-failed",
            );
        }
    }
}

/// Checks whether a heartbeat was counted lately.
fn check_heartbeat(
    alarm: &ExpectedAlarm,
    latest: Option<&Timestamp>,
    now: Timestamp,
    findings: &mut RegionFindings<'_>,
) {
    let max_silence = Span::from_secs(alarm.max_silence.unwrap_or_default());
    let what = match latest {
        Some(latest) if latest.plus(max_silence) >= now => {
            return findings.ok("heartbeat", &alarm.name, latest.to_string());
        }
        Some(latest) => format!("the last one was at {latest}"),
        None => "there was none in three hours".to_owned(),
    };
    // The canary is counted by its queue, the heartbeats of the functions by themselves.
    let (means, fix) = if alarm.namespace == "AWS/SQS" {
        (
            "the sweep's own reads do not come back as events: whoever reads secrets is not seen either",
            "look at the trail, at the canary's rule (state, target) and at the sweep's log; newly deployed, wait half an hour",
        )
    } else {
        (
            "nothing has come through schedule, queue and function since",
            "look at the schedule's rule, the queue, the mapping and the function's log; newly deployed, wait ten minutes",
        )
    };
    findings.fail("heartbeat", &alarm.name, what, means, fix);
}
