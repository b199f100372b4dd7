//! All checks of an installation, Region by Region.

use super::{alarms, bus, functions, ledger, matcher, queues, rules, stacks, topics, trails};
use crate::expected::{DEFAULT_PREFIX, ExpectedInstallation, ExpectedRegion, find_stack};
use crate::finding::{CheckFinding, RegionFindings};
use crate::snapshot::{AccountSnapshot, RegionSnapshot};

/// All findings: first those about the home Region, then those about the others by name; within a Region in the order in which an
/// event travels.
pub(crate) fn check_installation(
    expected: &ExpectedInstallation,
    snapshot: &AccountSnapshot,
) -> Vec<CheckFinding> {
    let mut all = Vec::new();
    check_home(&expected.home, snapshot, &mut RegionFindings::new(&snapshot.home, &mut all));
    for (region, forwarder) in &expected.forwarders {
        check_forwarder(forwarder, region, snapshot, &mut RegionFindings::new(region, &mut all));
    }
    all
}

fn check_home(expected: &ExpectedRegion, snapshot: &AccountSnapshot, findings: &mut RegionFindings<'_>) {
    let nothing = RegionSnapshot::default();
    let home = snapshot.regions.get(&snapshot.home).unwrap_or(&nothing);
    trails::check_trails(&snapshot.home, home, findings);
    if is_responder_absent(expected, home) {
        report_absent_responder(expected, snapshot, home, findings);
    } else {
        rules::check_rules(expected, home, findings);
        bus::check_bus(snapshot, home, findings);
        queues::check_queues(expected, home, findings);
        functions::check_functions(expected, home, findings);
        ledger::check_ledger(&expected.table, home, findings);
        topics::check_topics(expected, &snapshot.account, home, findings);
        alarms::check_alarms(expected, snapshot.at, home, findings);
        stacks::check_stack(&expected.stack, home, findings);
    }
    matcher::check_matcher(snapshot, findings);
}

fn check_forwarder(
    expected: &ExpectedRegion,
    region: &str,
    snapshot: &AccountSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let nothing = RegionSnapshot::default();
    let observed = snapshot.regions.get(region).unwrap_or(&nothing);
    trails::check_trails(region, observed, findings);
    if has_no_rules(expected, observed) {
        return findings.fail(
            "forwarder",
            &expected.stack,
            "nothing of it is in this Region",
            "rules see only their own Region: whatever happens to secrets here is seen by nobody",
            format!("deploy infra/forwarder.yaml here, with HomeRegion={}", snapshot.home),
        );
    }
    rules::check_rules(expected, observed, findings);
    queues::check_queues(expected, observed, findings);
    alarms::check_alarms(expected, snapshot.at, observed, findings);
    stacks::check_stack(&expected.stack, observed, findings);
}

/// Whether the rules were seen and none of the expected ones is among them: one finding says more than thirty.
fn has_no_rules(expected: &ExpectedRegion, observed: &RegionSnapshot) -> bool {
    let Some(rules) = observed.rules.seen() else { return false };
    !expected.rules.iter().any(|rule| rules.contains_key(&rule.name))
}

/// Whether nothing of the responder works: it has no rule, no queue and no function here. The ledger stays when its stack is deleted.
fn is_responder_absent(expected: &ExpectedRegion, home: &RegionSnapshot) -> bool {
    let (Some(queues), Some(functions)) = (home.queues.seen(), home.functions.seen()) else { return false };
    has_no_rules(expected, home)
        && !expected.queues.keys().any(|name| queues.contains_key(name))
        && !expected.functions.iter().any(|function| functions.contains_key(&function.name))
}

/// Reports the one thing that matters then: where the responder should be, and how to deploy it.
fn report_absent_responder(
    expected: &ExpectedRegion,
    snapshot: &AccountSnapshot,
    home: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let what = match home.stacks.seen().and_then(|stacks| find_stack(stacks, &expected.stack)) {
        Some((_, stack)) => format!("the stack's status is {}, and nothing of it is here", stack.status),
        None => "there is no stack of this name, and nothing of it is here".to_owned(),
    };
    let named = if expected.stack == DEFAULT_PREFIX {
        String::new()
    } else {
        format!(" --stack {0} Prefix={0}", expected.stack)
    };
    findings.fail(
        "responder",
        &expected.stack,
        what,
        "rotations are answered by nobody, and nobody is paged",
        format!(
            "in {}: infra/package; infra/deploy responder --bucket BUCKET{named} PageEmail=ADDRESS --execute. Is it elsewhere, or named otherwise? --region, --prefix",
            snapshot.home
        ),
    );
    alarms::check_dead_metrics(home, findings);
}
