//! One Region, as one invocation looks for services in it.

use responder_core::settings::Settings;
use responder_core::time::Timestamp;

use super::process_cache::{ProcessCache, RegionCache};
use crate::error::EngineError;
use crate::port::{ArnPage, AwsPort, Region};
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

/// Lists all pages: `list_page` gets the token of each page but the first. Returns what was listed, and the error that ended it if
/// one did.
pub(super) async fn list_all_pages(
    list_page: impl AsyncFn(Option<String>) -> Result<ArnPage, EngineError>,
) -> (Vec<String>, Option<EngineError>) {
    let mut arns = Vec::new();
    let mut token = None;
    loop {
        match list_page(token).await {
            Ok(page) => {
                arns.extend(page.arns);
                token = page.next_token;
            }
            Err(error) => return (arns, Some(error)),
        }
        if token.is_none() {
            return (arns, None);
        }
    }
}

/// Whether ECS says that there is no such cluster: somebody deleted it after it was listed.
pub(super) fn is_cluster_missing(error: &EngineError) -> bool {
    matches!(error, EngineError::CallFailed { failure, .. } if failure.has_code("ClusterNotFoundException"))
}
