//! Managed daemons: lists and describes those of a Region. `ListServices` knows none of them.
//!
//! A cluster rarely has more than a few: they are listed as seldom as services, and described anew for each discovery.

use responder_core::decide::ChangeIndex;

use super::discovery_failures::{DiscoveryFailures, FailedLookup};
use super::find_services::join_definitions;
use super::process_cache::RegionCache;
use super::region_discovery::{MAX_PARALLEL_CALLS, RegionDiscovery, is_cluster_missing, list_all_pages};
use crate::error::EngineError;
use crate::port::{AwsPort, DescribedService};
use crate::rate_limit::EcsCallFamily;
use crate::run_parallel::run_parallel;

/// Errors of an ECS that has no managed daemons: a partition or Region that got them later, or an emulator.
const CODES_WITHOUT_DAEMONS: [&str; 3] =
    ["UnsupportedFeatureException", "UnknownOperationException", "InvalidAction"];

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// The managed daemons of the Region that use one of the secrets, as they are now.
    pub(super) async fn find_daemons(
        &self,
        region_cache: &RegionCache,
        changes: &ChangeIndex,
        failures: &mut DiscoveryFailures,
    ) -> Vec<DescribedService> {
        let unlisted = region_cache.inventory().clusters_without_daemon_list();
        let listings = unlisted.iter().map(|cluster| self.list_daemons(region_cache, cluster));
        let listings = run_parallel(listings, MAX_PARALLEL_CALLS).await;
        for (cluster, listing) in unlisted.iter().zip(listings) {
            match listing {
                Ok(listed) => region_cache.inventory().set_daemons(cluster, listed),
                Err(error) => failures.add_failure(FailedLookup::Daemons, cluster, &error),
            }
        }
        let arns = region_cache.inventory().daemons();
        let descriptions = arns.iter().map(|arn| self.describe_daemon(region_cache, arn));
        let descriptions = run_parallel(descriptions, MAX_PARALLEL_CALLS).await;
        let mut users = Vec::new();
        for (arn, description) in arns.iter().zip(descriptions) {
            match description {
                Ok(daemon) => {
                    let joined = join_definitions(daemon.clone(), &self.cache.definitions());
                    if changes.are_used_by(&joined, self.settings) {
                        users.push(daemon);
                    }
                }
                Err(error) => failures.add_failure(FailedLookup::Daemon, arn, &error),
            }
        }
        users
    }

    /// Lists the daemons of a cluster: none where ECS has no daemons, or the cluster is gone.
    async fn list_daemons(
        &self,
        region_cache: &RegionCache,
        cluster: &str,
    ) -> Result<Vec<String>, EngineError> {
        let (arns, error) = list_all_pages(async |token| {
            self.wait_for_call(region_cache, EcsCallFamily::ClusterRead).await?;
            self.aws.list_daemons(self.region, cluster, token.as_deref(), self.until).await
        })
        .await;
        match error {
            None => Ok(arns),
            Some(error) if is_cluster_missing(&error) || has_no_daemons(&error) => Ok(Vec::new()),
            Some(error) => Err(error),
        }
    }

    /// Describes a daemon, the revisions of it that run, and their task definitions.
    async fn describe_daemon(
        &self,
        region_cache: &RegionCache,
        arn: &str,
    ) -> Result<DescribedService, EngineError> {
        self.wait_for_call(region_cache, EcsCallFamily::ClusterRead).await?;
        let daemon = self.aws.describe_daemon(self.region, arn, self.until).await?;
        if daemon.revisions.is_empty() {
            return Ok(daemon.into_service(Vec::new()));
        }
        self.wait_for_call(region_cache, EcsCallFamily::ClusterRead).await?;
        let revisions =
            self.aws.describe_daemon_revisions(self.region, &daemon.revisions, self.until).await?;
        for revision in &revisions {
            self.read_daemon_definition(region_cache, &revision.task_definition).await?;
        }
        Ok(daemon.into_service(revisions))
    }

    /// Reads the task definition of a daemon, unless this process knows it. A revision never changes.
    async fn read_daemon_definition(&self, region_cache: &RegionCache, arn: &str) -> Result<(), EngineError> {
        if self.cache.definitions().contains_key(arn) {
            return Ok(());
        }
        self.wait_for_call(region_cache, EcsCallFamily::DefinitionRead).await?;
        let definition = self.aws.describe_daemon_task_definition(self.region, arn, self.until).await?;
        self.cache.definitions().insert(arn.to_owned(), definition.into());
        Ok(())
    }
}

fn has_no_daemons(error: &EngineError) -> bool {
    let EngineError::CallFailed { failure, .. } = error else { return false };
    CODES_WITHOUT_DAEMONS.iter().any(|code| failure.has_code(code))
}
