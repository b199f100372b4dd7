//! Finds the services that use secrets, and those that are named.

use std::collections::BTreeMap;

use responder_core::aws::location::Location;
use responder_core::facts::{Facts, Settings};

use super::fact_sources::FactSources;
use super::question_batch::AccountRegion;
use crate::discovery::{DiscoveryRequest, RegionDiscovery};
use crate::port::{AwsPort, Region};

/// Finds services by account and Region. Services of other accounts cannot be seen: they become discovery limits.
pub(super) async fn find_consumers<A: AwsPort>(
    wanted: &BTreeMap<AccountRegion, DiscoveryRequest>,
    settings: &Settings,
    sources: &FactSources<'_, A>,
) -> Facts {
    let mut facts = Facts::default();
    for ((account, region), request) in wanted {
        let services = facts.services.get_or_insert_default();
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
        let discovery = RegionDiscovery {
            aws: sources.aws,
            region: &parsed_region,
            cache: sources.cache,
            ledger: sources.ledger,
            settings,
            until: sources.deadline.instant(),
        };
        let result = discovery.find_services(request).await;
        services.extend(result.services.unwrap_or_default());
        for failure in result.failures {
            facts.add_discovery_failure(account, region, failure);
        }
    }
    facts
}

fn add_limit(facts: &mut Facts, account: &str, region: &str, limit: &str) {
    facts.discovery_limits.entry(Location::new(account, region)).or_default().insert(limit.to_owned());
}
