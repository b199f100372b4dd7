//! Rules: whether they are there, with the file's pattern, in the right state, with a target that gets what they send and a queue for
//! what it does not get.

use std::collections::BTreeMap;

use infra::event_rules::{MAX_PATTERN_CHARACTERS, RuleState};
use serde_json::Value;

use crate::expected::{ExpectedRegion, ExpectedRule, ExpectedTarget};
use crate::finding::RegionFindings;
use crate::snapshot::{ObservedQueue, ObservedRule, ObservedTarget, RegionSnapshot};

/// Checks every rule that should be there.
pub(super) fn check_rules(
    expected: &ExpectedRegion,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let Some(rules) = findings.require_seen("rule", "rules", &observed.rules) else { return };
    for wanted in &expected.rules {
        let name = &wanted.name;
        let Some(rule) = rules.get(name) else {
            findings.fail(
                "rule",
                name,
                "it does not exist",
                "nothing that it should notice is noticed",
                "deploy the stack of this Region again",
            );
            continue;
        };
        check_state(wanted, rule, findings);
        match &wanted.pattern {
            Some(pattern) => check_pattern(name, pattern, rule, findings),
            None => check_schedule(name, rule, findings),
        }
        let Some(targets) = findings.require_seen("rule-target", name, &rule.targets) else { continue };
        if targets.is_empty() {
            findings.fail(
                "rule-target",
                name,
                "it has no target",
                "it matches, and nobody is told",
                "deploy the stack of this Region again",
            );
        } else {
            check_targets(wanted, targets, observed.queues.seen(), findings);
        }
    }
}

/// Checks that the events go where they should, and nowhere else.
fn check_targets(
    expected: &ExpectedRule,
    observed: &[ObservedTarget],
    queues: Option<&BTreeMap<String, ObservedQueue>>,
    findings: &mut RegionFindings<'_>,
) {
    let name = &expected.name;
    let mut others: Vec<&ObservedTarget> = Vec::new();
    for target in observed {
        if !expected.targets.iter().any(|wanted| wanted.arn == target.arn) {
            others.push(target);
        }
    }
    for wanted in &expected.targets {
        if let Some(target) = observed.iter().find(|target| target.arn == wanted.arn) {
            check_role(name, wanted, target, findings);
            check_dead_letter_queue(name, target, queues, findings);
            continue;
        }
        let instead = others.pop().map_or("no target", |other| &other.arn);
        findings.fail(
            "rule-target",
            name,
            format!("it sends to {instead} in place of {}", wanted.arn),
            "what should get these events does not",
            format!("deploy the stack of this Region again: the target is {}", wanted.arn),
        );
    }
    for other in others {
        findings.warn(
            "rule-target",
            name,
            format!("it also sends to {}", other.arn),
            "somebody else gets these events, which name secrets and principals",
            "find out who added the target; aws events remove-targets",
        );
    }
}

/// Onto a bus of another Region or account `EventBridge` sends only in a role.
fn check_role(
    rule: &str,
    expected: &ExpectedTarget,
    observed: &ObservedTarget,
    findings: &mut RegionFindings<'_>,
) {
    if observed.role == expected.role {
        return findings.ok("rule-target", rule, &*expected.arn);
    }
    let what = match &observed.role {
        None => "its target has no role".to_owned(),
        Some(other) => format!("its target's role is {other}"),
    };
    findings.fail(
        "rule-role",
        rule,
        what,
        "EventBridge may not put events on the other Region's bus; they are dropped without a retry",
        "deploy infra/forwarder.yaml again: it makes the role",
    );
}

/// A rule that gets all events gets too many at most, and matches no more for it.
fn check_state(expected: &ExpectedRule, observed: &ObservedRule, findings: &mut RegionFindings<'_>) {
    let name = &expected.name;
    let state = observed.state.as_str();
    let all_events = RuleState::AllManagementEvents.property_value();
    if state == expected.state || state == all_events {
        findings.ok("rule-state", name, state);
    } else if state == RuleState::Enabled.property_value() {
        findings.fail(
            "rule-state",
            name,
            "its state is ENABLED",
            "read-only management events such as GetSecretValue never reach it; its pattern still passes every test",
            format!("set its state to {all_events} (put-rule or the stack; the console and enable-rule cannot)"),
        );
    } else {
        findings.fail(
            "rule-state",
            name,
            format!("its state is {state}"),
            "it matches nothing",
            format!("set its state to {}; find out who changed it", expected.state),
        );
    }
}

/// Compares what the patterns mean: as JSON, whatever its white space and the order of its keys.
fn check_pattern(name: &str, expected: &Value, observed: &ObservedRule, findings: &mut RegionFindings<'_>) {
    let text = observed.pattern.as_deref().unwrap_or_default();
    let pattern: Value = serde_json::from_str(text).unwrap_or_default();
    if pattern != *expected {
        findings.fail(
            "rule-pattern",
            name,
            "its pattern differs from the file of this release",
            "it notices other events than it should",
            "deploy this release's stack; find out who changed it",
        );
    } else if text.len() > MAX_PATTERN_CHARACTERS {
        findings.warn(
            "rule-pattern",
            name,
            format!("its pattern has {} characters", text.len()),
            "more than 2,048 need a raised quota",
            "minify it: the templates do",
        );
    } else {
        findings.ok("rule-pattern", name, "as in the file");
    }
}

fn check_schedule(name: &str, observed: &ObservedRule, findings: &mut RegionFindings<'_>) {
    match &observed.schedule {
        Some(schedule) => findings.ok("rule-schedule", name, &**schedule),
        None => findings.fail(
            "rule-schedule",
            name,
            "it has no schedule",
            "what should happen at intervals does not happen",
            "deploy the stack of this Region again",
        ),
    }
}

/// Checks that events which cannot be delivered are tried again, and kept.
fn check_dead_letter_queue(
    rule: &str,
    target: &ObservedTarget,
    queues: Option<&BTreeMap<String, ObservedQueue>>,
    findings: &mut RegionFindings<'_>,
) {
    let means = "an event that cannot be delivered is gone, and no alarm can know";
    let fix = "deploy the stack of this Region again";
    let Some(dlq) = &target.dlq else {
        return findings.fail("rule-dlq", rule, "it has no dead-letter queue", means, fix);
    };
    let is_missing = queues.is_some_and(|queues| !queues.values().any(|queue| queue.arn == *dlq));
    if is_missing {
        findings.fail("rule-dlq", rule, "its dead-letter queue does not exist", means, fix);
    } else {
        findings.ok("rule-dlq", rule, "what cannot be delivered is kept");
    }
    if target.max_age.is_none() && target.max_attempts.is_none() {
        findings.warn(
            "rule-retry",
            rule,
            "it has no retry policy of its own",
            "the default of 24 hours and 185 attempts holds",
            fix,
        );
    }
}
