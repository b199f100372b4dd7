//! Alarms, heartbeats and stacks: silence must be noticed from outside the functions.

use responder_core::time::{Span, Timestamp};

use crate::finding::Findings;
use crate::snapshot::{Look, Observed};
use crate::wiring::Wiring;

/// How old a heartbeat may be.
const BEAT: Span = Span::from_secs(900);

/// The alarms of these names.
pub(super) fn check(names: &[String], observed: &Observed, found: &mut Findings<'_>) {
    let alarms = match &observed.alarms {
        Look::Seen(alarms) => alarms,
        Look::Unseen(why) => return found.unseen("alarm", "alarms", why),
    };
    for name in names {
        let Some(alarm) = alarms.get(name) else {
            found.fail(
                "alarm",
                name,
                "it does not exist",
                "what it should notice is noticed by nobody",
                "deploy the stack again",
            );
            continue;
        };
        if alarm.actions.is_empty() || !alarm.enabled {
            let what =
                if alarm.actions.is_empty() { "it has no action" } else { "its actions are switched off" };
            found.fail(
                "alarm-action",
                name,
                what,
                "it turns red and tells nobody",
                "deploy the stack again, or aws cloudwatch enable-alarm-actions",
            );
        } else if alarm.state == "ALARM" {
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
    // A metric that nobody publishes: green for ever.
    for (name, alarm) in alarms {
        let dead = alarm.namespace == "AWS/SecretsManager" && alarm.metric != "ResourceCount";
        if dead {
            found.fail(
                "alarm-metric",
                name,
                format!("it watches {}/{}", alarm.namespace, alarm.metric),
                "Secrets Manager publishes no such metric: the alarm is green for ever",
                "delete it; rotation failures are paged by the rule rotation-failed",
            );
        }
    }
}

/// Whether every function has shown lately that it lives.
pub(super) fn heartbeats(wiring: &Wiring, now: Timestamp, observed: &Observed, found: &mut Findings<'_>) {
    let beats = match &observed.heartbeats {
        Look::Seen(beats) => beats,
        Look::Unseen(why) => return found.unseen("heartbeat", "heartbeats", why),
    };
    for heartbeat in &wiring.heartbeats {
        let name = &heartbeat.function;
        match beats.get(name) {
            Some(at) if at.plus(BEAT) >= now => found.ok("heartbeat", name, at.to_string()),
            Some(at) => found.fail(
                "heartbeat",
                name,
                format!("the last one was at {at}"),
                "nothing has come through rule, queue and function since",
                "look at the schedule's rule, the queue and the function's log",
            ),
            None => found.fail(
                "heartbeat",
                name,
                "there was none in three hours",
                "nothing comes through rule, queue and function",
                "look at the schedule's rule, the queue and the function's log",
            ),
        }
    }
}

/// The stack of a Region.
pub(super) fn stack(name: &str, observed: &Observed, found: &mut Findings<'_>) {
    let stacks = match &observed.stacks {
        Look::Seen(stacks) => stacks,
        Look::Unseen(why) => return found.unseen("stack", name, why),
    };
    // StackSets name their stacks: `StackSet-<name>-<id>`.
    let Some((name, stack)) = stacks.iter().find(|(known, _)| known.contains(name)) else {
        return found.warn(
            "stack",
            name,
            "there is no stack of this name",
            "deployed by hand or by other means: drift cannot be noticed",
            "deploy infra/ with CloudFormation",
        );
    };
    if !stack.status.ends_with("_COMPLETE") || stack.status.contains("ROLLBACK") {
        found.fail(
            "stack",
            name,
            format!("its status is {}", stack.status),
            "what is deployed is not what the template says",
            "aws cloudformation describe-stack-events names the reason",
        );
    } else if stack.drift == "DRIFTED" {
        found.fail(
            "stack-drift",
            name,
            "resources differ from the template",
            "somebody changed them by hand",
            "aws cloudformation describe-stack-resource-drifts says which",
        );
    } else if stack.drift == "IN_SYNC" {
        found.ok("stack", name, format!("{}, in sync", stack.status));
    } else {
        found.ok("stack", name, stack.status.clone());
        found.warn(
            "stack-drift",
            name,
            "drift was never looked for",
            "changes by hand are not noticed",
            format!("aws cloudformation detect-stack-drift --stack-name {name}, then ask again"),
        );
    }
}
