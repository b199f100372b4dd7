//! Open changes: what Secrets Manager and the ledger together say about changes that are not resolved, as a sweep finds them.

use std::collections::BTreeSet;

use crate::aws::location::Location;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::facts::{Facts, Settings};
use crate::rules::MatchedEvent;
use crate::state::deployment::{KnownChange, SecretChange};
use crate::time::{Span, Timestamp};

/// A change that is not resolved.
pub(super) struct OpenChange {
    pub(super) change: SecretChange,
    /// Whether the ledger does not know it yet.
    pub(super) is_news: bool,
}

/// The Regions that the sweep examines. A Region without the ledger's answer is left out: what was done there before is not
/// known, and each sweep would notify again.
pub(super) fn list_swept_regions(case: &MatchedEvent<'_>, facts: &Facts) -> BTreeSet<String> {
    let mut regions = BTreeSet::new();
    for region in std::iter::once(&case.event.region).chain(&facts.settings.further_regions) {
        if facts.is_remembered(&case.event.account, region) {
            regions.insert(region.clone());
        }
    }
    regions
}

/// The changes that are not resolved: of secrets in the account and the Regions of the sweep, and of other secrets whose changes
/// the ledger keeps at the home of the sweep.
pub(super) fn find_open_changes(case: &MatchedEvent<'_>, facts: &Facts) -> Vec<OpenChange> {
    let scope = SweepScope { account: &case.event.account, regions: list_swept_regions(case, facts) };
    let mut open = Vec::new();
    for metadata in facts.secrets.values() {
        open.extend(compare_with_ledger(metadata, facts, &scope));
    }
    for (key, known) in &facts.changes {
        open.extend(find_unlisted_change(key, known, facts, &scope));
    }
    open
}

/// The account and the Regions of a sweep.
struct SweepScope<'e> {
    account: &'e str,
    regions: BTreeSet<String>,
}

impl SweepScope<'_> {
    fn contains(&self, secret: &SecretRef) -> bool {
        secret.account == self.account && self.regions.contains(&secret.region)
    }

    /// Whether no sweep examines the secret, and the ledger keeps its changes at the home of this sweep.
    fn keeps_changes_of(&self, secret: &SecretRef, settings: &Settings) -> bool {
        let Some(home_region) = &settings.home_region else { return false };
        self.regions.contains(home_region)
            && settings.change_location(secret) == Location::new(self.account, home_region)
    }
}

/// The change of one secret, as Secrets Manager lists it:
///
/// 1. the ledger knows the version that is AWSCURRENT: open unless it is resolved;
/// 2. the ledger knows another version or none: a change that no event reported.
fn compare_with_ledger(
    metadata: &SecretMetadata,
    facts: &Facts,
    scope: &SweepScope<'_>,
) -> Option<OpenChange> {
    let version = find_listed_version(metadata)?;
    let secret = SecretRef::from_arn(&metadata.arn)?;
    if !scope.contains(&secret) {
        return None;
    }
    let known = facts.changes.get(&secret.key());
    if let Some(known) = known
        && known.version.as_deref() == Some(version)
    {
        // 1. The ledger knows it.
        if known.resolved {
            return None;
        }
        let change = SecretChange { secret, at: known.at, version: known.version.clone() };
        return Some(OpenChange { change, is_news: false });
    }
    // 2. No event reported it.
    let at = find_change_time(metadata, known)?;
    let change = SecretChange { secret, at, version: Some(version.to_owned()) };
    Some(OpenChange { change, is_news: true })
}

/// The version that is AWSCURRENT of a secret that can be read.
fn find_listed_version(metadata: &SecretMetadata) -> Option<&str> {
    if metadata.is_readable() { metadata.current_version() } else { None }
}

/// A change that the ledger knows and of which Secrets Manager says nothing: it did not answer, or the secret is gone.
fn find_unlisted_change(
    key: &str,
    known: &KnownChange,
    facts: &Facts,
    scope: &SweepScope<'_>,
) -> Option<OpenChange> {
    let is_listed = facts.secrets.get(key).and_then(find_listed_version).is_some();
    if known.resolved || is_listed {
        return None;
    }
    let secret = known.find_secret(key)?;
    if !scope.contains(&secret) && !scope.keeps_changes_of(&secret, &facts.settings) {
        return None;
    }
    let change = SecretChange { secret, at: known.at, version: known.version.clone() };
    Some(OpenChange { change, is_news: false })
}

/// When a version that no event reported became AWSCURRENT. `LastChangedDate` is never too early, but moves with tags too:
/// where the ledger knew nothing of the secret, its last rotation or its creation counts.
fn find_change_time(metadata: &SecretMetadata, known: Option<&KnownChange>) -> Option<Timestamp> {
    let first = metadata.rotated_at.max(metadata.created_at);
    let Some(known) = known else { return first.or(metadata.modified_at) };
    // Two changes may have the same time. The later one is the one that is AWSCURRENT.
    let after = Span::from_millis(i64::from(known.version.is_some()));
    metadata.modified_at.or(first).max(Some(known.at.plus(after)))
}
