//! Consumer locations: the accounts and Regions in which services may use a changed secret.

use std::collections::BTreeSet;

use crate::aws::secret_ref::SecretRef;
use crate::settings::Settings;

/// An account and a Region in which services are looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConsumerLocation {
    pub(super) account: String,
    pub(super) region: String,
}

impl ConsumerLocation {
    fn of_secret(secret: &SecretRef) -> Self {
        Self { account: secret.account.clone(), region: secret.region.clone() }
    }
}

/// Where services may use a secret:
///
/// 1. in its own account and Region: a name, and most ARNs, mean a secret of the service's own Region;
/// 2. in the Regions that the sweep examines: a reference by ARN may name a secret of another Region or account (developer guide
///    of ECS, "Pass Secrets Manager secrets through environment variables").
pub(super) fn list_consumer_locations(settings: &Settings, secret: &SecretRef) -> BTreeSet<ConsumerLocation> {
    // 1. Its own account and Region.
    let mut locations = BTreeSet::from([ConsumerLocation::of_secret(secret)]);
    // 2. The Regions of the sweep.
    let account = settings.home_account.as_ref().unwrap_or(&secret.account);
    for region in settings.swept_regions() {
        locations.insert(ConsumerLocation { account: account.clone(), region: region.to_owned() });
    }
    locations
}

/// Whether services in the account and Region of a service are looked for, where one of these secrets changed. Files of facts may
/// hold services that no function would see.
pub(super) fn is_looked_for<'s>(
    settings: &Settings,
    service_location: (&str, &str),
    secrets: impl IntoIterator<Item = &'s SecretRef>,
) -> bool {
    if settings.home_region.is_none() {
        return true;
    }
    let (region, account) = service_location;
    let location = ConsumerLocation { account: account.to_owned(), region: region.to_owned() };
    let mut secrets = secrets.into_iter();
    secrets.any(|secret| list_consumer_locations(settings, secret).contains(&location))
}
