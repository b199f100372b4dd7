//! Rules: whether they are there, with the file's pattern, in the right state, with a target that gets what they send and a queue for
//! what it does not get.

use infra::event_rules::{MAX_PATTERN_CHARACTERS, RuleState};
use serde_json::Value;

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::expected::{ExpectedRule, ExpectedTarget};
use crate::snapshot::{ObservedRule, ObservedTarget};

/// Checks every rule that should be there.
pub(super) fn check_rules(check: &mut RegionCheck<'_>) {
    let Some(rules) = check.require_seen("rule", "rules", &check.observed.rules) else { return };
    for expected in &check.expected.rules {
        let name = &expected.name;
        let Some(rule) = rules.get(name) else {
            check.report(WiringFault::RuleMissing, name, &[]);
            continue;
        };
        check_state(check, expected, &rule.state);
        match (&expected.pattern, &rule.schedule) {
            (Some(pattern), _) => check_pattern(check, name, pattern, rule),
            (None, Some(schedule)) => check.ok("rule-schedule", name, &**schedule),
            (None, None) => check.report(WiringFault::RuleWithoutSchedule, name, &[]),
        }
        let Some(targets) = check.require_seen("rule-target", name, &rule.targets) else { continue };
        if targets.is_empty() {
            check.report(WiringFault::RuleWithoutTarget, name, &[]);
        } else {
            check_targets(check, expected, targets);
        }
    }
}

/// A rule whose state gives it all events is right as well: its pattern still matches only what it should.
fn check_state(check: &mut RegionCheck<'_>, expected: &ExpectedRule, state: &str) {
    let name = &expected.name;
    let all_events = RuleState::AllManagementEvents.property_value();
    if state == expected.state || state == all_events {
        check.ok("rule-state", name, state);
    } else if state == RuleState::Enabled.property_value() {
        check.report(WiringFault::RuleStatePlain, name, &[("all_events", all_events)]);
    } else {
        check.report(WiringFault::RuleStateOff, name, &[("state", state), ("wanted", &expected.state)]);
    }
}

/// Compares what the patterns mean: as JSON, whatever its white space and the order of its keys.
fn check_pattern(check: &mut RegionCheck<'_>, name: &str, expected: &Value, rule: &ObservedRule) {
    let text = rule.pattern.as_deref().unwrap_or_default();
    let pattern: Value = serde_json::from_str(text).unwrap_or_default();
    if pattern != *expected {
        check.report(WiringFault::RulePatternDifferent, name, &[]);
    } else if text.len() > MAX_PATTERN_CHARACTERS {
        check.report(WiringFault::RulePatternLong, name, &[("length", &text.len().to_string())]);
    } else {
        check.ok("rule-pattern", name, "as in the file");
    }
}

/// Checks that the events go where they should, and nowhere else.
fn check_targets(check: &mut RegionCheck<'_>, expected: &ExpectedRule, targets: &[ObservedTarget]) {
    let name = &expected.name;
    let mut others: Vec<&ObservedTarget> = targets.iter().collect();
    others.retain(|target| !expected.targets.iter().any(|wanted| wanted.arn == target.arn));
    for wanted in &expected.targets {
        if let Some(target) = targets.iter().find(|target| target.arn == wanted.arn) {
            check_role(check, name, wanted, target);
            check_dead_letter_queue(check, name, target);
        } else {
            let instead = others.pop().map_or("no target", |other| &other.arn);
            check.report(
                WiringFault::RuleTargetWrong,
                name,
                &[("instead", instead), ("wanted", &wanted.arn)],
            );
        }
    }
    for other in others {
        check.report(WiringFault::RuleTargetExtra, name, &[("arn", &other.arn)]);
    }
}

/// Onto a bus of another Region or account `EventBridge` sends only in a role.
fn check_role(check: &mut RegionCheck<'_>, rule: &str, expected: &ExpectedTarget, target: &ObservedTarget) {
    if target.role == expected.role {
        return check.ok("rule-target", rule, &*expected.arn);
    }
    let what = match &target.role {
        None => "its target has no role".to_owned(),
        Some(other) => format!("its target's role is {other}"),
    };
    check.report(WiringFault::RuleRoleWrong, rule, &[("what", &what)]);
}

/// Checks that events which cannot be delivered are tried again, and kept.
fn check_dead_letter_queue(check: &mut RegionCheck<'_>, rule: &str, target: &ObservedTarget) {
    let Some(dlq) = &target.dlq else {
        return check.report(WiringFault::RuleWithoutDlq, rule, &[]);
    };
    let queues = check.observed.queues.seen();
    if queues.is_some_and(|queues| !queues.values().any(|queue| queue.arn == *dlq)) {
        check.report(WiringFault::RuleDlqMissing, rule, &[]);
    } else {
        check.ok("rule-dlq", rule, "events that cannot be delivered are kept");
    }
    if target.max_age.is_none() && target.max_attempts.is_none() {
        check.report(WiringFault::RuleWithoutRetry, rule, &[]);
    }
}
