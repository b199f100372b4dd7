//! Scans a Region: lists and describes the services that the inventory lacks, and reads their task definitions meanwhile.
//!
//! Pages of `ListServices` hold at most 100 ARNs (API reference of ECS).

use std::collections::BTreeSet;

use super::discovery_failures::{DiscoveryFailures, FailedLookup};
use super::process_cache::RegionCache;
use super::region_discovery::{MAX_PARALLEL_CALLS, RegionDiscovery, is_cluster_missing, list_all_pages};
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::rate_limit::EcsCallFamily;
use crate::run_parallel::run_parallel;

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Fills in what the inventory lacks: clusters, then their services, then the services' descriptions. Each answer stays
    /// in the inventory, whatever else fails.
    pub(super) async fn scan_region(&self, region_cache: &RegionCache, failures: &mut DiscoveryFailures) {
        let has_all_clusters = region_cache.inventory().has_all_clusters();
        if !has_all_clusters {
            let (clusters, error) = self.list_clusters(region_cache).await;
            region_cache.inventory().add_clusters(clusters, error.is_none());
            if let Some(error) = error {
                failures.add_failure(FailedLookup::Clusters, self.region.as_str(), &error);
            }
        }
        let unlisted = region_cache.inventory().unlisted_clusters();
        let listings = unlisted.iter().map(|cluster| self.list_services(region_cache, cluster));
        let listings = run_parallel(listings, MAX_PARALLEL_CALLS).await;
        for (cluster, listing) in unlisted.iter().zip(listings) {
            match listing {
                Ok(services) => region_cache.inventory().set_services(cluster, services),
                Err(error) => failures.add_failure(FailedLookup::Cluster, cluster, &error),
            }
        }
        let undescribed = region_cache.inventory().undescribed_services();
        let unread = self.list_unread_definitions(region_cache);
        self.describe_services(region_cache, undescribed, unread, failures).await;
    }

    /// The task definitions of described services that no earlier invocation could read.
    fn list_unread_definitions(&self, region_cache: &RegionCache) -> BTreeSet<String> {
        let inventory = region_cache.inventory();
        let definitions = self.cache.definitions();
        let mut unread = BTreeSet::new();
        for description in inventory.descriptions() {
            for arn in &description.described.task_definitions {
                if !definitions.contains_key(arn) {
                    unread.insert(arn.clone());
                }
            }
        }
        unread
    }

    /// Lists all clusters; after an error, the clusters that were listed before it, and the error.
    async fn list_clusters(&self, region_cache: &RegionCache) -> (Vec<String>, Option<EngineError>) {
        list_all_pages(async |token| {
            self.wait_for_call(region_cache, EcsCallFamily::ClusterRead).await?;
            self.aws.list_clusters(self.region, token.as_deref(), self.until).await
        })
        .await
    }

    /// Lists all services of a cluster.
    async fn list_services(
        &self,
        region_cache: &RegionCache,
        cluster: &str,
    ) -> Result<Vec<String>, EngineError> {
        let (arns, error) = list_all_pages(async |token| {
            self.wait_for_call(region_cache, EcsCallFamily::ServiceRead).await?;
            self.aws.list_services(self.region, cluster, token.as_deref(), self.until).await
        })
        .await;
        match error {
            None => Ok(arns),
            Some(error) if is_cluster_missing(&error) => Ok(Vec::new()),
            Some(error) => Err(error),
        }
    }
}
