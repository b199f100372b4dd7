//! One Region, as one invocation looks for services in it.

use responder_core::settings::Settings;
use responder_core::time::Timestamp;

use super::process_cache::{ProcessCache, RegionCache};
use crate::error::EngineError;
use crate::port::{AwsPort, Region};
use crate::rate_limit::EcsCallFamily;
use crate::store::Ledger;

/// How many calls of a family run at the same time.
pub(super) const MAX_PARALLEL_CALLS: usize = 8;

/// The means of a discovery.
#[derive(Debug)]
pub(crate) struct RegionDiscovery<'d, A> {
    pub(crate) aws: &'d A,
    pub(crate) region: &'d Region,
    pub(crate) cache: &'d ProcessCache,
    pub(crate) ledger: &'d Ledger<'d, A>,
    pub(crate) settings: &'d Settings,
    /// By this instant the discovery ends, with what it knows then.
    pub(crate) until: Timestamp,
}

impl<A: AwsPort> RegionDiscovery<'_, A> {
    /// Waits until the rate limit allows a call of this family.
    pub(super) async fn wait_for_call(
        &self,
        region_cache: &RegionCache,
        family: EcsCallFamily,
    ) -> Result<(), EngineError> {
        region_cache.rate_limit.wait_for_call(family, self.aws, self.until).await
    }
}

/// Whether ECS says that there is no such cluster: somebody deleted it after it was listed.
pub(super) fn is_cluster_missing(error: &EngineError) -> bool {
    matches!(error, EngineError::CallFailed { failure, .. } if failure.has_code("ClusterNotFoundException"))
}
