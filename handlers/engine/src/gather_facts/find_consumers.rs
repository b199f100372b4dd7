//! Finds the services that use secrets, and those that are named.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use responder_core::aws::location::Location;
use responder_core::facts::{Facts, Settings};

use super::fact_sources::FactSources;
use super::question_batch::AccountRegion;
use crate::discovery::{DiscoveryRequest, DiscoveryResult, RegionDiscovery};
use crate::port::{AwsPort, Region};

/// Finds services by account and Region, in all Regions at the same time. Services of other accounts cannot be seen: they become
/// discovery limits.
pub(super) async fn find_consumers<A: AwsPort>(
    wanted: &BTreeMap<AccountRegion, DiscoveryRequest>,
    settings: &Settings,
    sources: &FactSources<'_, A>,
) -> Facts {
    let mut facts = Facts::default();
    let mut visible = Vec::new();
    for ((account, region), request) in wanted {
        facts.services.get_or_insert_default();
        if !sources.can_see_account(account) {
            let limit = "the secret is another account's; services there cannot be seen from here";
            add_limit(&mut facts, account, region, limit);
            continue;
        }
        let Some(parsed_region) = Region::parse(region) else {
            let limit = "the secret's Region has no name that ECS could be asked in";
            add_limit(&mut facts, account, region, limit);
            continue;
        };
        visible.push((account, parsed_region, request));
    }
    let searches =
        visible.iter().map(|(_, region, request)| find_in_region(region, request, settings, sources));
    let results = join_all(searches).await;
    for ((account, region, _), result) in visible.iter().zip(results) {
        facts.services.get_or_insert_default().extend(result.services.unwrap_or_default());
        facts.distant_references.extend(result.distant_references);
        for failure in result.failures {
            facts.add_discovery_failure(account, region.as_str(), failure);
        }
    }
    facts
}

async fn find_in_region<A: AwsPort>(
    region: &Region,
    request: &DiscoveryRequest,
    settings: &Settings,
    sources: &FactSources<'_, A>,
) -> DiscoveryResult {
    let discovery = RegionDiscovery {
        aws: sources.aws,
        region,
        cache: sources.cache,
        ledger: sources.ledger,
        settings,
        until: sources.deadline.instant(),
    };
    discovery.find_services(request).await
}

fn add_limit(facts: &mut Facts, account: &str, region: &str, limit: &str) {
    facts.discovery_limits.entry(Location::new(account, region)).or_default().insert(limit.to_owned());
}
