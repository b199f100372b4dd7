//! Rules: present, with the file's pattern, in the right state, with a target that gets what it sends and a place for what it
//! does not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::policy::allows;
use crate::finding::Findings;
use crate::snapshot::{Look, Observed, Queue, Rule, Target};
use crate::wiring::{Wanted, Wiring};

/// The state without which a rule never sees a read-only management event.
const ALL_EVENTS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
/// The longest pattern that a bus takes by default (EventBridge quotas).
const PATTERN_MAX: usize = 2_048;

/// The rules of the home Region.
pub(super) fn check(wiring: &Wiring, observed: &Observed, found: &mut Findings<'_>) {
    each(&wiring.rules, observed, found, |wanted, rule, target, found| {
        let queues = observed.queues.seen();
        let queue = wanted.queue.as_ref().and_then(|name| queues?.get(name));
        match queue {
            Some(queue) if queue.arn == target.arn => sends(rule, queue, &wanted.name, found),
            Some(_) => found.fail(
                "rule-target",
                &wanted.name,
                format!("its target is {}", target.arn),
                "the function never gets these events",
                format!(
                    "update the stack; the target is the queue {}",
                    wanted.queue.as_deref().unwrap_or_default()
                ),
            ),
            // The queue's own check says that it is missing.
            None => {}
        }
        lost(rule, target, queues, &wanted.name, found);
    });
}

/// The rules of a Region that forwards.
pub(super) fn forwards(wiring: &Wiring, home: &str, observed: &Observed, found: &mut Findings<'_>) {
    each(&wiring.forwards, observed, found, |wanted, rule, target, found| {
        let is_home = target.arn.contains(&format!(":{home}:")) && target.arn.ends_with(":event-bus/default");
        if !is_home {
            found.fail(
                "rule-target",
                &wanted.name,
                format!("its target is {}", target.arn),
                "events of this Region do not reach the responder; a second hop is never made",
                format!("deploy infra/forwarder.yaml with the default bus of {home} as the target"),
            );
        } else if target.role.is_none() {
            found.fail(
                "rule-role",
                &wanted.name,
                "its target has no role",
                "EventBridge may not put events on the other Region's bus; they are dropped without a retry",
                "deploy infra/forwarder.yaml again: it makes the role",
            );
        } else {
            found.ok("rule-target", &wanted.name, format!("it forwards to {home}"));
        }
        lost(rule, target, observed.queues.seen(), &wanted.name, found);
    });
}

/// What every rule needs; then `and` for its target.
fn each(
    wanted: &[Wanted],
    observed: &Observed,
    found: &mut Findings<'_>,
    and: impl Fn(&Wanted, &Rule, &Target, &mut Findings<'_>),
) {
    let rules = match &observed.rules {
        Look::Seen(rules) => rules,
        Look::Unseen(why) => return found.unseen("rule", "rules", why),
    };
    for wanted in wanted {
        let Some(rule) = rules.get(&wanted.name) else {
            found.fail(
                "rule",
                &wanted.name,
                "it does not exist",
                "nothing that it should notice is noticed",
                "deploy the stack of this Region again",
            );
            continue;
        };
        state(wanted, rule, found);
        pattern(wanted, rule, found);
        match &rule.targets {
            Look::Unseen(why) => found.unseen("rule-target", &wanted.name, why),
            Look::Seen(targets) => match targets.as_slice() {
                [] => found.fail(
                    "rule-target",
                    &wanted.name,
                    "it has no target",
                    "it matches, and nobody is told",
                    "deploy the stack of this Region again",
                ),
                targets => targets.iter().for_each(|target| and(wanted, rule, target, found)),
            },
        }
    }
}

fn state(wanted: &Wanted, rule: &Rule, found: &mut Findings<'_>) {
    let name = &wanted.name;
    let is = rule.state.as_str();
    if is == wanted.state || is == ALL_EVENTS {
        found.ok("rule-state", name, is);
    } else if is == "ENABLED" {
        found.fail(
            "rule-state",
            name,
            "its state is ENABLED",
            "read-only management events such as GetSecretValue never reach it; its pattern still passes every test",
            format!("set its state to {ALL_EVENTS} (put-rule or the stack; the console and enable-rule cannot)"),
        );
    } else {
        found.fail(
            "rule-state",
            name,
            format!("its state is {is}"),
            "it matches nothing",
            format!("set its state to {}; find out who changed it", wanted.state),
        );
    }
}

/// A pattern is equal if it means the same: as JSON, whatever its white space and the order of its keys.
fn pattern(wanted: &Wanted, rule: &Rule, found: &mut Findings<'_>) {
    let text = rule.pattern.as_deref().unwrap_or_default();
    let is: Option<Value> = serde_json::from_str(text).ok();
    if is.as_ref() != Some(&wanted.pattern) {
        found.fail(
            "rule-pattern",
            &wanted.name,
            "its pattern differs from the file of this release",
            "it notices other events than it should",
            "deploy this release's stack; find out who changed it",
        );
    } else if text.len() > PATTERN_MAX {
        found.warn(
            "rule-pattern",
            &wanted.name,
            format!("its pattern has {} characters", text.len()),
            "more than 2,048 need a raised quota",
            "minify it: the templates do",
        );
    } else {
        found.ok("rule-pattern", &wanted.name, "as in the file");
    }
}

/// Whether the rule may send to the queue.
fn sends(rule: &Rule, queue: &Queue, name: &str, found: &mut Findings<'_>) {
    let allowed = queue
        .policy
        .as_ref()
        .is_some_and(|policy| allows(policy, "events.amazonaws.com", "sqs:SendMessage", Some(&rule.arn)));
    if allowed {
        found.ok("rule-permission", name, "it may send to its queue");
    } else {
        found.fail(
            "rule-permission",
            name,
            "its queue's policy does not let it send",
            "events are dropped without a retry",
            "deploy the stack again: the queue's policy must allow sqs:SendMessage to events.amazonaws.com for this rule's ARN",
        );
    }
}

/// Where events go that cannot be delivered.
fn lost(
    rule: &Rule,
    target: &Target,
    queues: Option<&BTreeMap<String, Queue>>,
    name: &str,
    found: &mut Findings<'_>,
) {
    let Some(dlq) = &target.dlq else {
        found.fail(
            "rule-dlq",
            name,
            "it has no dead-letter queue",
            "an event that cannot be delivered is gone, and no alarm can know",
            "deploy the stack again",
        );
        return;
    };
    let queue = queues.into_iter().flatten().map(|(_, queue)| queue).find(|queue| queue.arn == *dlq);
    match (queues, queue) {
        (None, _) => {}
        (Some(_), None) => found.fail(
            "rule-dlq",
            name,
            "its dead-letter queue does not exist",
            "an event that cannot be delivered is gone, and no alarm can know",
            "deploy the stack again",
        ),
        (Some(_), Some(queue)) => {
            let allowed = queue.policy.as_ref().is_some_and(|policy| {
                allows(policy, "events.amazonaws.com", "sqs:SendMessage", Some(&rule.arn))
            });
            if allowed {
                found.ok("rule-dlq", name, "what cannot be delivered is kept");
            } else {
                found.fail(
                    "rule-dlq",
                    name,
                    "its dead-letter queue's policy does not let it send",
                    "an event that cannot be delivered is gone; only InvocationsFailedToBeSentToDlq counts it",
                    "deploy the stack again: the policy is not made by itself where templates or the API are used",
                );
            }
        }
    }
    if target.max_age.is_none() && target.max_attempts.is_none() {
        found.warn(
            "rule-retry",
            name,
            "it has no retry policy of its own",
            "the default of 24 hours and 185 attempts holds",
            "deploy the stack again",
        );
    }
}
