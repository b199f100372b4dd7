//! Alarms and heartbeats: silence must be noticed from outside the functions.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::expected::ExpectedAlarm;
use crate::snapshot::ObservedAlarm;

/// The metrics that Secrets Manager publishes: the number of secrets, and nothing else (Secrets Manager: monitoring with
/// `CloudWatch`).
const SECRETS_MANAGER_METRICS: [&str; 2] = ["ResourceCount", "SecretCount"];

/// Checks every alarm that should be there, and the heartbeats that some of them wait for.
pub(super) fn check_alarms(check: &mut RegionCheck<'_>) {
    let observed = check.observed;
    if let Some(alarms) = check.require_seen("alarm", "alarms", &observed.alarms) {
        for alarm in &check.expected.alarms {
            check_alarm(check, alarm, alarms);
        }
    }
    check_dead_metrics(check);
    if let Some(heartbeats) = check.require_seen("heartbeat", "heartbeats", &observed.heartbeats) {
        for alarm in check.expected.heartbeat_alarms() {
            check_heartbeat(check, alarm, heartbeats.get(&alarm.name));
        }
    }
}

/// Reports the first fault that applies: 1. the alarm is missing; 2. it watches something else; 3. it has no action; 4. its actions
/// are switched off; 5. it rings.
fn check_alarm(
    check: &mut RegionCheck<'_>,
    expected: &ExpectedAlarm,
    alarms: &BTreeMap<String, ObservedAlarm>,
) {
    let name = &expected.name;
    // 1. Missing.
    let Some(alarm) = alarms.get(name) else {
        return check.report(WiringFault::AlarmMissing, name, &[]);
    };
    let watched = format!("{}/{}", alarm.namespace, alarm.metric);
    let wanted = format!("{}/{}", expected.namespace, expected.metric);
    if watched != wanted || alarm.dimensions != expected.dimensions {
        // 2. Another metric.
        check.report(WiringFault::AlarmMetricWrong, name, &[("watched", &watched), ("wanted", &wanted)]);
    } else if alarm.actions.is_empty() {
        // 3. No action.
        check.report(WiringFault::AlarmWithoutAction, name, &[("what", "it has no action")]);
    } else if !alarm.enabled {
        // 4. Switched off.
        check.report(WiringFault::AlarmWithoutAction, name, &[("what", "its actions are switched off")]);
    } else if alarm.state == "ALARM" && expected.max_silence.is_none() {
        // 5. It rings. The state of an alarm on a heartbeat does not matter here: `check_heartbeat` knows more.
        check.report(WiringFault::AlarmRings, name, &[]);
    } else {
        check.ok("alarm", name, &*alarm.state);
    }
}

/// Reports all alarms on metrics that Secrets Manager does not publish, also those that are not ours.
pub(super) fn check_dead_metrics(check: &mut RegionCheck<'_>) {
    for (name, alarm) in check.observed.alarms.seen().into_iter().flatten() {
        let metric = alarm.metric.as_str();
        if alarm.namespace == "AWS/SecretsManager" && !SECRETS_MANAGER_METRICS.contains(&metric) {
            let watched = format!("{}/{metric}", alarm.namespace);
            check.report(WiringFault::AlarmDead, name, &[("watched", &watched)]);
        }
    }
}

/// Checks whether a heartbeat was counted lately.
fn check_heartbeat(check: &mut RegionCheck<'_>, alarm: &ExpectedAlarm, latest: Option<&Timestamp>) {
    let max_silence = Span::from_secs(alarm.max_silence.unwrap_or_default());
    let what = match latest {
        Some(latest) if latest.plus(max_silence) >= check.snapshot.at => {
            return check.ok("heartbeat", &alarm.name, latest.to_string());
        }
        Some(latest) => format!("the last one was at {latest}"),
        None => "there was none in three hours".to_owned(),
    };
    // The canary is counted by its queue, the heartbeat of a function by the function.
    let fault =
        if alarm.namespace == "AWS/SQS" { WiringFault::CanarySilent } else { WiringFault::FunctionSilent };
    check.report(fault, &alarm.name, &[("what", &what)]);
}
