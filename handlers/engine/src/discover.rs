//! Discovery: which ECS services of a Region use a secret, with few calls.
//!
//! Services are listed and described once for many changes, task definitions are read once ever. What one cluster or
//! service hides becomes a gap and costs no other.

mod cache;
mod gaps;
mod inventory;
mod read;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_service::EcsService;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::{ChangeIndex, are_unclear};
use responder_core::settings::Settings;
use responder_core::state::deployment::SecretChange;
use responder_core::time::{Span, Timestamp};

pub(crate) use cache::ProcessCache;

use crate::deadline::between;
use crate::ledger::Ledger;
use crate::port::{AwsPort, DescribedService, Region};
use cache::{RegionCache, TaskDefinitionMap};
use gaps::DiscoveryFailures;
use inventory::DescribedAt;
use survey::DescribeOutcome;

/// What somebody wants to know of a Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscoveryRequest {
    /// The secrets whose users are wanted, each with when it changed: of an earlier look at the services, only those that
    /// used it then count.
    pub(crate) secrets: Vec<(SecretRef, Timestamp)>,
    /// Services, by cluster and ARN.
    pub(crate) services: Vec<(String, String)>,
}

impl DiscoveryRequest {
    fn changes(&self) -> ChangeIndex {
        let changed = |(secret, at): &(SecretRef, Timestamp)| SecretChange {
            secret: secret.clone(),
            at: *at,
            version: None,
        };
        ChangeIndex::new(self.secrets.iter().map(changed).collect())
    }
}

/// What was learned of the services of one account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscoveryResult {
    /// The services that use one of the secrets or were named, one that is gone as `INACTIVE`; `None` if not even the
    /// clusters could be listed.
    pub(crate) services: Option<Vec<EcsService>>,
    /// What could not be learned.
    pub(crate) gaps: BTreeSet<String>,
    /// What can never be learned from here.
    pub(crate) limits: BTreeSet<String>,
}

/// One Region, looked at for one invocation.
#[derive(Debug)]
pub(crate) struct RegionDiscovery<'d, A> {
    pub(crate) aws: &'d A,
    pub(crate) region: &'d Region,
    pub(crate) cache: &'d ProcessCache,
    pub(crate) ledger: &'d Ledger<'d, A>,
    pub(crate) settings: &'d Settings,
    pub(crate) until: Timestamp,
}

/// A description that is not older than this is of now.
const FRESH: Span = Span::from_secs(5);
/// What is kept of the time to describe those again that use the secret, if a survey takes too long.
const KEPT_BACK: Span = Span::from_secs(3);

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// The services that are wanted, as they are now.
    pub(crate) async fn look(&self, wanted: &DiscoveryRequest) -> DiscoveryResult {
        let place = self.cache.place(self.region);
        let mut gaps = DiscoveryFailures::default();
        let mut found = BTreeMap::new();
        let mut due: BTreeSet<(String, String)> = wanted.services.iter().cloned().collect();
        let newest = wanted.secrets.iter().map(|(_, changed_at)| *changed_at).max();
        if let Some(newest) = newest {
            place.inventory().renew(newest, self.aws.now());
            RegionDiscovery { until: self.before_the_end(), ..*self }.survey(&place, &mut gaps).await;
            let stale = self.aws.now().minus(FRESH);
            for DescribedAt { at, described } in self.users(&place, wanted) {
                if at < stale {
                    due.insert((described.cluster, described.arn));
                } else {
                    found.insert(described.arn.clone(), described);
                }
            }
        }
        let named: BTreeMap<&String, &String> =
            wanted.services.iter().map(|(cluster, arn)| (arn, cluster)).collect();
        for (arn, seen) in self.describe(&place, due, BTreeSet::new(), &mut gaps).await {
            match (seen, named.get(&arn)) {
                (DescribeOutcome::Known(look), _) => found.insert(arn, look.described),
                (DescribeOutcome::Gone, Some(cluster)) => found.insert(arn.clone(), gone(&arn, cluster)),
                (DescribeOutcome::Gone, None) | (DescribeOutcome::Unknown(_), _) => found.remove(&arn),
            };
        }
        let known = self.cache.definitions();
        let services = found.into_values().map(|described| complete(described, &known));
        let sought = wanted.changes();
        let services: Vec<EcsService> = services
            .filter(|service| named.contains_key(&service.arn) || self.counts(service, &sought))
            .collect();
        let blind = newest.is_some() && place.inventory().is_blind() && services.is_empty();
        DiscoveryResult {
            services: (!blind).then_some(services),
            gaps: gaps.sentences(),
            limits: BTreeSet::new(),
        }
    }

    /// Until when may be learned what there is: then there is time left to look at the users once more.
    fn before_the_end(&self) -> Timestamp {
        let left = between(self.aws.now(), self.until);
        self.until.minus(KEPT_BACK.min(Span::from_millis(left.millis() / 4)))
    }

    /// The services that used one of the secrets when they were looked at.
    fn users(&self, place: &RegionCache, wanted: &DiscoveryRequest) -> Vec<DescribedAt> {
        let (inventory, known) = (place.inventory(), self.cache.definitions());
        let sought = wanted.changes();
        let uses = |look: &&DescribedAt| self.counts(&complete(look.described.clone(), &known), &sought);
        inventory.looks().filter(uses).cloned().collect()
    }

    /// Whether a service uses one of the secrets, or says that it does in a way that nobody understands.
    fn counts(&self, service: &EcsService, sought: &ChangeIndex) -> bool {
        sought.are_used_by(service, self.settings) || are_unclear(service)
    }
}

/// A service that was named and is not there.
fn gone(arn: &str, cluster: &str) -> DescribedService {
    DescribedService {
        arn: arn.to_owned(),
        cluster: cluster.to_owned(),
        status: "INACTIVE".to_owned(),
        controller: "ECS".to_owned(),
        ..DescribedService::default()
    }
}

/// The service with what its task definitions say, as far as they are known.
fn complete(service: DescribedService, definitions: &TaskDefinitionMap) -> EcsService {
    service.complete(|arn| definitions.get(arn).map(|definition| &**definition))
}
