//! Alarms and heartbeats: silence must be noticed from outside the functions.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};

use crate::finding::Findings;
use crate::snapshot::{Alarm, Look, Observed};
use crate::wiring::{Part, Watch};

/// Every alarm that should be there, and what those wait for that watch for silence.
pub(super) fn check(part: &Part, now: Timestamp, observed: &Observed, found: &mut Findings<'_>) {
    match &observed.alarms {
        Look::Seen(alarms) => part.alarms.iter().for_each(|watch| one(watch, alarms, found)),
        Look::Unseen(why) => found.unseen("alarm", "alarms", why),
    }
    dead(observed, found);
    match &observed.heartbeats {
        Look::Seen(beats) => part.heartbeats().for_each(|watch| beat(watch, beats, now, found)),
        Look::Unseen(why) => found.unseen("heartbeat", "heartbeats", why),
    }
}

fn one(watch: &Watch, alarms: &BTreeMap<String, Alarm>, found: &mut Findings<'_>) {
    let name = &watch.name;
    let Some(alarm) = alarms.get(name) else {
        found.fail(
            "alarm",
            name,
            "it does not exist",
            "what it should notice is noticed by nobody",
            "deploy the stack of this Region again",
        );
        return;
    };
    let watches = (&alarm.namespace, &alarm.metric, &alarm.dimensions);
    if watches != (&watch.namespace, &watch.metric, &watch.dimensions) {
        found.fail(
            "alarm-metric",
            name,
            format!(
                "it watches {}/{} with other dimensions or under another name",
                alarm.namespace, alarm.metric
            ),
            "where there is no such metric it is green for ever",
            format!("deploy the stack of this Region again: it watches {}/{}", watch.namespace, watch.metric),
        );
    } else if alarm.actions.is_empty() || !alarm.enabled {
        let what = if alarm.actions.is_empty() { "it has no action" } else { "its actions are switched off" };
        found.fail(
            "alarm-action",
            name,
            what,
            "it turns red and tells nobody",
            "deploy the stack of this Region again, or aws cloudwatch enable-alarm-actions",
        );
    } else if alarm.state == "ALARM" && watch.silence.is_none() {
        found.warn(
            "alarm-state",
            name,
            "it is in ALARM",
            "what it watches is wrong now",
            "follow its description",
        );
    } else {
        found.ok("alarm", name, alarm.state.clone());
    }
}

/// Alarms on metrics that nobody publishes: of secrets there is only the number (Secrets Manager: monitoring with `CloudWatch`).
pub(super) fn dead(observed: &Observed, found: &mut Findings<'_>) {
    let published = |metric: &str| matches!(metric, "ResourceCount" | "SecretCount");
    for (name, alarm) in observed.alarms.seen().into_iter().flatten() {
        if alarm.namespace == "AWS/SecretsManager" && !published(&alarm.metric) {
            found.fail(
                "alarm-dead",
                name,
                format!("it watches {}/{}", alarm.namespace, alarm.metric),
                "Secrets Manager publishes no such metric: the alarm is green for ever",
                "delete it; rotation failures are paged by the rule rotation-failed",
            );
        }
    }
}

/// Whether the heartbeat was counted lately. Where it is old, the alarm's state is no news.
fn beat(watch: &Watch, beats: &BTreeMap<String, Timestamp>, now: Timestamp, found: &mut Findings<'_>) {
    let patience = watch.silence.unwrap_or_default();
    let last = beats.get(&watch.name);
    if let Some(at) = last.filter(|at| at.plus(Span::from_secs(patience)) >= now) {
        return found.ok("heartbeat", &watch.name, at.to_string());
    }
    let what = match last {
        Some(at) => format!("the last one was at {at}"),
        None => "there was none in three hours".to_owned(),
    };
    let (means, fix) = if watch.namespace == "AWS/SQS" {
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
    found.fail("heartbeat", &watch.name, what, means, fix);
}
