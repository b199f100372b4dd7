//! Rules: present, with the file's pattern, in the right state, with a target that gets what it sends and a place for what it
//! does not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::Findings;
use crate::snapshot::{Look, Observed, Queue, Rule, Target};
use crate::wiring::{Aim, Part, Wanted};

/// The state without which a rule never sees a read-only management event.
const ALL_EVENTS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
/// The longest pattern that a bus takes by default (EventBridge quotas).
const PATTERN_MAX: usize = 2_048;

/// Every rule that should be there.
pub(super) fn check(part: &Part, observed: &Observed, found: &mut Findings<'_>) {
    let rules = match &observed.rules {
        Look::Seen(rules) => rules,
        Look::Unseen(why) => return found.unseen("rule", "rules", why),
    };
    for wanted in &part.rules {
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
            Look::Seen(targets) if targets.is_empty() => found.fail(
                "rule-target",
                &wanted.name,
                "it has no target",
                "it matches, and nobody is told",
                "deploy the stack of this Region again",
            ),
            Look::Seen(targets) => aims(wanted, targets, observed.queues.seen(), found),
        }
    }
}

/// Whether the events go where they should, and nowhere else.
fn aims(
    wanted: &Wanted,
    targets: &[Target],
    queues: Option<&BTreeMap<String, Queue>>,
    found: &mut Findings<'_>,
) {
    let name = &wanted.name;
    let mut others: Vec<&Target> =
        targets.iter().filter(|target| wanted.aims.iter().all(|aim| aim.arn != target.arn)).collect();
    for aim in &wanted.aims {
        if let Some(target) = targets.iter().find(|target| target.arn == aim.arn) {
            sends(name, aim, target, found);
            lost(name, target, queues, found);
            continue;
        }
        let instead = others.pop().map_or("no target".to_owned(), |other| other.arn.clone());
        found.fail(
            "rule-target",
            name,
            format!("it sends to {instead} in place of {}", aim.arn),
            "what should get these events does not",
            format!("deploy the stack of this Region again: the target is {}", aim.arn),
        );
    }
    for other in others {
        found.warn(
            "rule-target",
            name,
            format!("it also sends to {}", other.arn),
            "somebody else gets these events, which name secrets and principals",
            "find out who added the target; aws events remove-targets",
        );
    }
}

/// Onto a bus of another Region or account EventBridge sends in a role only.
fn sends(name: &str, aim: &Aim, target: &Target, found: &mut Findings<'_>) {
    if target.role == aim.role {
        found.ok("rule-target", name, &*aim.arn);
        return;
    }
    let what = match &target.role {
        None => "its target has no role".to_owned(),
        Some(role) => format!("its target's role is {role}"),
    };
    found.fail(
        "rule-role",
        name,
        what,
        "EventBridge may not put events on the other Region's bus; they are dropped without a retry",
        "deploy infra/forwarder.yaml again: it makes the role",
    );
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
    let Some(wanted_pattern) = &wanted.pattern else {
        return schedule(wanted, rule, found);
    };
    let text = rule.pattern.as_deref().unwrap_or_default();
    let is: Option<Value> = serde_json::from_str(text).ok();
    if is.as_ref() != Some(wanted_pattern) {
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

fn schedule(wanted: &Wanted, rule: &Rule, found: &mut Findings<'_>) {
    match &rule.schedule {
        Some(schedule) => found.ok("rule-schedule", &wanted.name, &**schedule),
        None => found.fail(
            "rule-schedule",
            &wanted.name,
            "it has no schedule",
            "what should happen at intervals does not happen",
            "deploy the stack of this Region again",
        ),
    }
}

/// Where events go that cannot be delivered.
fn lost(name: &str, target: &Target, queues: Option<&BTreeMap<String, Queue>>, found: &mut Findings<'_>) {
    let Some(dlq) = &target.dlq else {
        found.fail(
            "rule-dlq",
            name,
            "it has no dead-letter queue",
            "an event that cannot be delivered is gone, and no alarm can know",
            "deploy the stack of this Region again",
        );
        return;
    };
    if queues.is_some_and(|queues| queues.values().all(|queue| queue.arn != *dlq)) {
        found.fail(
            "rule-dlq",
            name,
            "its dead-letter queue does not exist",
            "an event that cannot be delivered is gone, and no alarm can know",
            "deploy the stack of this Region again",
        );
    } else {
        found.ok("rule-dlq", name, "what cannot be delivered is kept");
    }
    if target.max_age.is_none() && target.max_attempts.is_none() {
        found.warn(
            "rule-retry",
            name,
            "it has no retry policy of its own",
            "the default of 24 hours and 185 attempts holds",
            "deploy the stack of this Region again",
        );
    }
}
