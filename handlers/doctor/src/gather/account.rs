//! The snapshot of an account: its home Region, the Regions that forward, and AWS's own matcher.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use responder_core::time::Timestamp;

use crate::aws_session::{AwsSession, CallResult};
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
    let gatherer = |region, expected| {
        let config = session.config_for(region);
        RegionGatherer { session, config, prefix, expected, now }
    };
    let home_region = session.home_region.as_str();
    progress.start_steps(expected.forwarders.len() + 1 + usize::from(!cases.is_empty()));
    progress.begin_step(home_region);
    let home_gatherer = gatherer(home_region, &expected.home);
    let mut home = home_gatherer.gather_shared_resources().await;
    home_gatherer.gather_home_resources(&mut home).await;
    let mut regions = BTreeMap::from([(home_region.to_owned(), home)]);
    for (region, forwarder) in &expected.forwarders {
        progress.begin_step(region);
        regions.insert(region.clone(), gatherer(region, forwarder).gather_shared_resources().await);
    }
    if !cases.is_empty() {
        progress.begin_step("TestEventPattern");
    }
    let matched = compare_matchers(&home_gatherer, cases).await;
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

/// Observes the resources of one Region.
pub(super) struct RegionGatherer<'g> {
    pub(super) session: &'g AwsSession,
    /// The configuration for clients of the Region.
    pub(super) config: SdkConfig,
    /// The prefix of the installation's names.
    pub(super) prefix: &'g str,
    /// The resources that should be there.
    pub(super) expected: &'g ExpectedRegion,
    /// The present.
    pub(super) now: Timestamp,
}

impl RegionGatherer<'_> {
    /// Observes the resources that every Region has.
    async fn gather_shared_resources(&self) -> RegionSnapshot {
        RegionSnapshot {
            trails: self.gather_trails().await.into(),
            rules: self.gather_rules().await.into(),
            queues: self.gather_queues().await.into(),
            alarms: self.gather_alarms().await.into(),
            heartbeats: self.gather_heartbeats().await.into(),
            stacks: self.gather_stacks().await.into(),
            ..RegionSnapshot::default()
        }
    }

    /// Observes the resources that only the home Region has.
    async fn gather_home_resources(&self, home: &mut RegionSnapshot) {
        home.bus = self.gather_bus_policy().await.into();
        home.functions = self.gather_functions().await.into();
        home.table = self.gather_table().await.into();
        home.topics = self.gather_topics().await.into();
        let mut keys = Vec::new();
        for topic in home.topics.seen().into_iter().flat_map(BTreeMap::values) {
            keys.extend(topic.key.clone());
        }
        home.keys = self.gather_keys(&keys).await.into();
    }
}

/// Asks AWS's matcher about every case of a rule's fixtures.
async fn compare_matchers(
    home: &RegionGatherer<'_>,
    cases: &[MatcherCase<'_>],
) -> CallResult<Vec<MatcherComparison>> {
    let mut comparisons = Vec::new();
    for case in cases {
        let theirs = home.test_pattern(case.pattern, case.event).await?;
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
