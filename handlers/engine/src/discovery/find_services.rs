//! Finds the services that are wanted, as they are now.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::ecs_service::EcsService;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::{ChangeIndex, are_unclear};
use responder_core::time::{Span, Timestamp};

use super::describe::DescribeOutcome;
use super::discovery_failures::DiscoveryFailures;
use super::process_cache::{RegionCache, TaskDefinitionMap};
use super::region_discovery::RegionDiscovery;
use super::request::{DiscoveryRequest, DiscoveryResult};
use super::service_inventory::DescribedAt;
use crate::deadline::span_between;
use crate::port::{AwsPort, DescribedService};

/// A description that is no older than this shows a service as it is now.
const DESCRIPTION_FRESHNESS: Span = Span::from_secs(5);
/// The part of the time that is kept back from a scan, to describe the users of the secrets once more after it.
const LAST_DESCRIPTION_RESERVE: Span = Span::from_secs(3);

/// The services of a Region, as a scan found them.
#[derive(Default)]
struct RegionUsers {
    /// The services that used one of the secrets.
    users: Vec<DescribedAt>,
    /// The secrets of other Regions and accounts to which services refer, by the service's ARN.
    references: BTreeMap<ServiceArn, BTreeSet<SecretRef>>,
}

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Finds the services that are wanted, in this order:
    ///
    /// 1. If users of secrets are wanted, the Region is scanned, unless the inventory of an earlier scan still serves.
    /// 2. Users whose description is not fresh, and services that are named, are described once more.
    /// 3. Services that no longer exist are left out, but for those that are named: these are `INACTIVE`.
    /// 4. Managed daemons that use secrets are described.
    pub(crate) async fn find_services(&self, wanted: &DiscoveryRequest) -> DiscoveryResult {
        let region_cache = self.cache.region(self.region);
        let changes = wanted.change_index();
        let mut failures = DiscoveryFailures::default();
        let mut found: BTreeMap<String, DescribedService> = BTreeMap::new();
        let mut to_describe: BTreeSet<(String, String)> = BTreeSet::new();
        let mut distant_references = BTreeMap::new();
        for (cluster, arn) in &wanted.services {
            to_describe.insert((cluster.into(), arn.into()));
        }
        // 1. The scan.
        if let Some(latest_change) = wanted.latest_change() {
            region_cache.inventory().renew(latest_change, self.aws.now());
            let scan = RegionDiscovery { until: self.scan_deadline(), ..*self };
            scan.scan_region(&region_cache, &mut failures).await;
            let fresh_from = self.aws.now().minus(DESCRIPTION_FRESHNESS);
            let RegionUsers { users, references } = self.list_users(&region_cache, &changes);
            distant_references = references;
            for DescribedAt { at, described } in users {
                if at >= fresh_from {
                    found.insert(described.arn.clone(), described);
                } else {
                    to_describe.insert((described.cluster, described.arn));
                }
            }
        }
        // 2. The services as they are now.
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (cluster, arn) in &wanted.services {
            named.insert(arn, cluster);
        }
        let outcomes =
            self.describe_services(&region_cache, to_describe, BTreeSet::new(), &mut failures).await;
        for (arn, outcome) in outcomes {
            match (outcome, named.get(arn.as_str())) {
                (DescribeOutcome::Described(description), _) => {
                    found.insert(arn, description.described);
                }
                // 3. A service that no longer exists.
                (DescribeOutcome::Missing, Some(cluster)) => {
                    found.insert(arn.clone(), inactive_service(&arn, cluster));
                }
                (DescribeOutcome::Missing, None) | (DescribeOutcome::Failed(_), _) => {
                    found.remove(&arn);
                }
            }
        }
        // 4. Managed daemons.
        if wanted.latest_change().is_some() {
            for daemon in self.find_daemons(&region_cache, &changes, &mut failures).await {
                found.insert(daemon.arn.clone(), daemon);
            }
        }
        let mut services = Vec::new();
        let definitions = self.cache.definitions();
        for described in found.into_values() {
            let service = join_definitions(described, &definitions);
            if named.contains_key(service.arn.as_str()) || self.is_wanted(&service, &changes) {
                services.push(service);
            }
        }
        let is_region_unknown = wanted.latest_change().is_some() && region_cache.inventory().is_empty();
        DiscoveryResult {
            services: (!services.is_empty() || !is_region_unknown).then_some(services),
            distant_references,
            failures: failures.into_sentences(),
        }
    }

    /// The instant by which a scan ends.
    fn scan_deadline(&self) -> Timestamp {
        let remaining = span_between(self.aws.now(), self.until);
        self.until.minus(LAST_DESCRIPTION_RESERVE.min(Span::from_millis(remaining.millis() / 4)))
    }

    /// The services that used one of the secrets when they were described last, and the distant references of all services.
    fn list_users(&self, region_cache: &RegionCache, changes: &ChangeIndex) -> RegionUsers {
        let inventory = region_cache.inventory();
        let definitions = self.cache.definitions();
        let mut found = RegionUsers::default();
        for description in inventory.descriptions() {
            let service = join_definitions(description.described.clone(), &definitions);
            if self.is_wanted(&service, changes) {
                found.users.push(description.clone());
            }
            let distant_secrets = service.find_distant_secrets();
            if !distant_secrets.is_empty() {
                found.references.insert(service.arn, distant_secrets);
            }
        }
        found
    }

    /// Whether a service uses one of the secrets, or has tags that nobody understands: the core then notifies on-call.
    fn is_wanted(&self, service: &EcsService, changes: &ChangeIndex) -> bool {
        changes.are_used_by(service, self.settings) || are_unclear(service)
    }
}

/// A named service that does not exist.
fn inactive_service(arn: &str, cluster: &str) -> DescribedService {
    DescribedService {
        arn: arn.to_owned(),
        cluster: cluster.to_owned(),
        status: "INACTIVE".to_owned(),
        controller: "ECS".to_owned(),
        ..DescribedService::default()
    }
}

/// The service together with its task definitions, as far as they are known.
pub(super) fn join_definitions(service: DescribedService, definitions: &TaskDefinitionMap) -> EcsService {
    service.with_definitions(|arn| definitions.get(arn).map(|definition| &**definition))
}
