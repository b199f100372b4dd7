//! The snapshot of an account: its home Region, the Regions that forward, and AWS's own matcher.

use std::collections::BTreeMap;
use std::time::Duration;

use responder_core::time::Timestamp;

use super::{alarms, functions, queues, rules, stacks, table, topics, trails};
use crate::aws_session::{AwsSession, CallError};
use crate::expected::{ExpectedInstallation, ExpectedRegion};
use crate::matcher_cases::MatcherCase;
use crate::progress::ProgressDisplay;
use crate::snapshot::{AccountSnapshot, MatcherComparison, RegionSnapshot};

/// The pause between two calls of `TestEventPattern`: the control plane allows 50 calls a second, and others need some of them
/// (EventBridge quotas).
const MATCHER_PAUSE: Duration = Duration::from_millis(50);

/// Observes the Regions of an installation whose names begin with the prefix.
pub(crate) async fn gather_snapshot(
    session: &AwsSession,
    prefix: &str,
    expected: &ExpectedInstallation,
    cases: &[MatcherCase<'_>],
    now: Timestamp,
    progress: &ProgressDisplay,
) -> AccountSnapshot {
    let home_region = session.home_region.as_str();
    progress.start_steps(expected.forwarders.len() + 1 + usize::from(!cases.is_empty()));
    progress.begin_step(home_region);
    let mut home = gather_shared_resources(session, home_region, prefix, &expected.home, now).await;
    gather_home_resources(session, &expected.home, &mut home).await;
    let mut regions = BTreeMap::from([(home_region.to_owned(), home)]);
    for (region, forwarder) in &expected.forwarders {
        progress.begin_step(region);
        let observed = gather_shared_resources(session, region, prefix, forwarder, now).await;
        regions.insert(region.clone(), observed);
    }
    if !cases.is_empty() {
        progress.begin_step("TestEventPattern");
    }
    let matched = compare_matchers(session, cases).await;
    progress.finish();
    AccountSnapshot {
        prefix: prefix.to_owned(),
        partition: session.partition.clone(),
        account: session.account.clone(),
        home: home_region.to_owned(),
        at: now,
        regions,
        matched: matched.into(),
    }
}

/// Observes the resources that every Region has.
async fn gather_shared_resources(
    session: &AwsSession,
    region: &str,
    prefix: &str,
    expected: &ExpectedRegion,
    now: Timestamp,
) -> RegionSnapshot {
    RegionSnapshot {
        trails: trails::gather_trails(session, region).await.into(),
        rules: rules::gather_rules(session, region, prefix).await.into(),
        queues: queues::gather_queues(session, region, prefix).await.into(),
        alarms: alarms::gather_alarms(session, region, prefix).await.into(),
        heartbeats: alarms::gather_heartbeats(session, region, expected, now).await.into(),
        stacks: stacks::gather_stacks(session, region, &expected.stack).await.into(),
        ..RegionSnapshot::default()
    }
}

/// Observes the resources that only the home Region has.
async fn gather_home_resources(session: &AwsSession, expected: &ExpectedRegion, home: &mut RegionSnapshot) {
    home.bus = rules::gather_bus_policy(session).await.into();
    home.functions = functions::gather_functions(session, &expected.functions).await.into();
    home.table = table::gather_table(session, &expected.table).await.into();
    home.topics = topics::gather_topics(session, &expected.topics).await.into();
    let mut keys = Vec::new();
    for topic in home.topics.seen().into_iter().flat_map(BTreeMap::values) {
        keys.extend(topic.key.clone());
    }
    home.keys = topics::gather_keys(session, &keys).await.into();
}

/// Asks AWS's matcher about every case of a rule's fixtures.
async fn compare_matchers(
    session: &AwsSession,
    cases: &[MatcherCase<'_>],
) -> Result<Vec<MatcherComparison>, CallError> {
    let mut comparisons = Vec::new();
    for case in cases {
        let theirs = rules::test_pattern(session, case.pattern, case.event).await?;
        comparisons.push(MatcherComparison {
            rule: case.rule.to_owned(),
            case: case.name.to_owned(),
            ours: case.matches,
            theirs,
        });
        tokio::time::sleep(MATCHER_PAUSE).await;
    }
    Ok(comparisons)
}
