//! All checks of an installation, Region by Region.

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use super::{alarms, bus, functions, ledger, matcher, queues, rules, stacks, topics, trails};
use crate::expected::{DEFAULT_PREFIX, ExpectedInstallation, ExpectedRegion, find_stack};
use crate::finding::CheckFinding;
use crate::snapshot::{AccountSnapshot, RegionSnapshot};

/// All findings: first those about the home Region, then those about the others by name; within a Region in the order in which an
/// event travels.
pub(crate) fn check_installation(
    expected: &ExpectedInstallation,
    snapshot: &AccountSnapshot,
) -> Vec<CheckFinding> {
    let mut findings = check_region(&snapshot.home, &expected.home, snapshot, check_home);
    for (region, forwarder) in &expected.forwarders {
        findings.append(&mut check_region(region, forwarder, snapshot, check_forwarder));
    }
    findings
}

fn check_region(
    region: &str,
    expected: &ExpectedRegion,
    snapshot: &AccountSnapshot,
    check_resources: fn(&mut RegionCheck<'_>),
) -> Vec<CheckFinding> {
    let nothing = RegionSnapshot::default();
    let observed = snapshot.regions.get(region).unwrap_or(&nothing);
    let mut check = RegionCheck { snapshot, region, expected, observed, findings: Vec::new() };
    check_resources(&mut check);
    check.findings
}

fn check_home(check: &mut RegionCheck<'_>) {
    trails::check_trails(check);
    if is_responder_absent(check) {
        report_absent_responder(check);
    } else {
        rules::check_rules(check);
        bus::check_bus(check);
        queues::check_queues(check);
        functions::check_functions(check);
        ledger::check_ledger(check);
        topics::check_topics(check);
        alarms::check_alarms(check);
        stacks::check_stack(check);
    }
    matcher::check_matcher(check);
}

fn check_forwarder(check: &mut RegionCheck<'_>) {
    trails::check_trails(check);
    if has_no_rules(check) {
        let home = [("home", check.snapshot.home.as_str())];
        return check.report(WiringFault::ForwarderAbsent, &check.expected.stack, &home);
    }
    rules::check_rules(check);
    queues::check_queues(check);
    alarms::check_alarms(check);
    stacks::check_stack(check);
}

/// Whether the rules were seen and none of the expected ones is among them: one finding says more than thirty.
fn has_no_rules(check: &RegionCheck<'_>) -> bool {
    let Some(rules) = check.observed.rules.seen() else { return false };
    !check.expected.rules.iter().any(|rule| rules.contains_key(&rule.name))
}

/// Whether nothing of the responder works: it has no rule, no queue and no function here. The ledger outlives its stack.
fn is_responder_absent(check: &RegionCheck<'_>) -> bool {
    let RegionCheck { expected, observed, .. } = check;
    let (Some(queues), Some(functions)) = (observed.queues.seen(), observed.functions.seen()) else {
        return false;
    };
    has_no_rules(check)
        && !expected.queues.keys().any(|name| queues.contains_key(name))
        && !expected.functions.iter().any(|function| functions.contains_key(&function.name))
}

/// Reports the one thing that matters then: where the responder should be, and how to deploy it.
fn report_absent_responder(check: &mut RegionCheck<'_>) {
    let name = check.expected.stack.as_str();
    let stack = match check.observed.stacks.seen().and_then(|stacks| find_stack(stacks, name)) {
        Some((_, stack)) => format!("the status of the stack is {}", stack.status),
        None => "there is no stack of this name".to_owned(),
    };
    let named = if name == DEFAULT_PREFIX { String::new() } else { format!(" --stack {name} Prefix={name}") };
    let home = check.snapshot.home.as_str();
    check.report(WiringFault::ResponderAbsent, name, &[("stack", &stack), ("named", &named), ("home", home)]);
    alarms::check_dead_metrics(check);
}
