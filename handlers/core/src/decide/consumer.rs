//! Consumers: which services use which of the changed secrets, and which versions of them.

use std::collections::{BTreeMap, BTreeSet};

use super::change_index::ChangeIndex;
use crate::aws::ecs_service::EcsService;
use crate::aws::reference_match::{ReferenceMatch, match_reference};
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::aws::secret_reference::{ReferenceKind, RequestedVersion, SecretReference};
use crate::aws::service_tags::ServiceTags;
use crate::facts::Facts;
use crate::settings::Settings;
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// A service, and the changes of secrets that it uses: either those that a new deployment reads, or those that it does not.
pub(super) struct SecretConsumer<'f> {
    pub(super) service: &'f EcsService,
    pub(super) tags: ServiceTags,
    pub(super) uses: Vec<SecretUse>,
}

/// The use of one changed secret by one service.
pub(super) struct SecretUse {
    pub(super) change: SecretChange,
    /// The versions of the secret that the references of the service ask for. A label that moved together with AWSCURRENT
    /// counts as the current version.
    pub(super) versions: Vec<RequestedVersion>,
    /// The partial ARNs of a name that ends like the random part of an ARN, by which the service refers to the secret.
    partial_arns: BTreeSet<SecretRef>,
}

impl SecretUse {
    fn new(change: SecretChange) -> Self {
        Self { change, versions: Vec::new(), partial_arns: BTreeSet::new() }
    }

    /// Whether a new deployment reads the new value through at least one reference.
    fn reads_new_value(&self) -> bool {
        self.versions.contains(&RequestedVersion::Current)
    }

    /// Whether a new deployment reads the new value through some references, but not through all of them.
    fn reads_new_value_in_part(&self) -> bool {
        self.reads_new_value() && self.versions.iter().any(|version| *version != RequestedVersion::Current)
    }
}

impl ChangeIndex {
    /// Whether a service uses one of the secrets: by its references, its tags or the settings.
    pub fn are_used_by(&self, service: &EcsService, settings: &Settings) -> bool {
        !find_consumers_in_service(service, self, settings, &BTreeMap::new()).is_empty()
    }
}

/// The service as a consumer of these changes: none if it uses none of the secrets, two if a new deployment reads the new
/// values of some of them only. `known` is what Secrets Manager says, by the key of a secret.
pub(super) fn find_consumers_in_service<'f>(
    service: &'f EcsService,
    changes: &ChangeIndex,
    settings: &Settings,
    known: &BTreeMap<String, SecretMetadata>,
) -> Vec<SecretConsumer<'f>> {
    let tags = ServiceTags::parse(&service.tags);
    let declared = list_declared_references(service, &tags, settings);
    let mut uses_by_position: BTreeMap<usize, SecretUse> = BTreeMap::new();
    for (secret, version) in service.find_requested_secrets_with(&declared) {
        for position in changes.find_positions(&secret) {
            let Some(change) = changes.get(position) else { continue };
            let Some(found) = match_reference(&secret, &change.secret, known) else { continue };
            let secret_use =
                uses_by_position.entry(position).or_insert_with(|| SecretUse::new(change.clone()));
            let moves = moves_with_current(&version, known.get(&change.secret.key()));
            secret_use.versions.push(if moves { RequestedVersion::Current } else { version.clone() });
            if found == ReferenceMatch::PartialArn {
                secret_use.partial_arns.insert(secret.clone());
            }
        }
    }
    let mut helped = Vec::new();
    let mut not_helped = Vec::new();
    for secret_use in uses_by_position.into_values() {
        if secret_use.reads_new_value() {
            helped.push(secret_use);
        } else {
            not_helped.push(secret_use);
        }
    }
    let mut consumers = Vec::new();
    for uses in [helped, not_helped] {
        if !uses.is_empty() {
            consumers.push(SecretConsumer { service, tags: tags.clone(), uses });
        }
    }
    consumers
}

/// Whether a label that a reference asks for moved together with AWSCURRENT, so that a new task reads another value by it:
///
/// 1. AWSPREVIOUS goes to the version that was AWSCURRENT, always;
/// 2. another label did if it is on the version that is AWSCURRENT now.
fn moves_with_current(version: &RequestedVersion, metadata: Option<&SecretMetadata>) -> bool {
    let RequestedVersion::Stage(label) = version else { return false };
    // 1. AWSPREVIOUS.
    if label.raw() == "AWSPREVIOUS" {
        return true;
    }
    // 2. Another label.
    let Some(metadata) = metadata else { return false };
    let labelled = metadata.version_with_label(label.raw());
    labelled.is_some() && labelled == metadata.current_version()
}

/// The secrets that the service reads by itself, as its tags and the settings declare them.
fn list_declared_references(
    service: &EcsService,
    tags: &ServiceTags,
    settings: &Settings,
) -> Vec<SecretReference> {
    let mut values: Vec<&Untrusted> = tags.secrets.iter().collect();
    for name in [service.arn.as_str(), service.display_name().raw()] {
        values.extend(settings.declared_secrets.get(name).into_iter().flatten());
    }
    let mut references = Vec::new();
    for value in values {
        references.push(SecretReference { kind: ReferenceKind::Declared, value: value.clone() });
    }
    references
}

impl SecretConsumer<'_> {
    /// The changes of the secrets that it uses.
    pub(super) fn changes(&self) -> Vec<SecretChange> {
        self.uses.iter().map(|secret_use| secret_use.change.clone()).collect()
    }

    /// The changes that its PRIMARY deployment does not answer; all of them, if it answers all and there is still something
    /// to notify of.
    pub(super) fn open_changes(&self, facts: &Facts) -> Vec<SecretChange> {
        let mut open = Vec::new();
        for SecretUse { change, .. } in &self.uses {
            if !self.has_only_tasks_since(change.at, facts) {
                open.push(change.clone());
            }
        }
        if open.is_empty() { self.changes() } else { open }
    }

    /// The earliest instant since when it may run an old value. Of several changes in a row only the first and the last are
    /// known.
    pub(super) fn waiting_since(&self, facts: &Facts) -> Timestamp {
        // A deployment that goes on has not answered the first of several changes.
        let deployed_at = match &self.service.primary {
            Some(primary) if self.service.has_only_tasks_since(primary.created_at) => primary.created_at,
            _ => Timestamp::default(),
        };
        let mut earliest: Option<Timestamp> = None;
        for change in self.open_changes(facts) {
            let known = facts.changes.get(&change.secret.key());
            let since = match known.and_then(|known| known.waiting_since) {
                Some(first_change) => first_change.max(deployed_at).min(change.at),
                None => change.at,
            };
            earliest = Some(earliest.map_or(since, |earliest| earliest.min(since)));
        }
        earliest.unwrap_or_default()
    }

    /// Whether all its tasks are newer than a change, by the margin that Secrets Manager needs.
    fn has_only_tasks_since(&self, changed_at: Timestamp, facts: &Facts) -> bool {
        self.service.has_only_tasks_since(changed_at.plus(facts.settings.freshness_margin()))
    }

    /// Whether a new deployment reads the new values.
    pub(super) fn reads_new_values(&self) -> bool {
        self.uses.iter().all(SecretUse::reads_new_value)
    }

    /// The partial ARNs of names that end like the random part of an ARN, by which it refers to the secrets.
    pub(super) fn partial_arns(&self) -> BTreeSet<SecretRef> {
        let mut partial_arns = BTreeSet::new();
        for secret_use in &self.uses {
            partial_arns.extend(secret_use.partial_arns.iter().cloned());
        }
        partial_arns
    }

    /// The changes of secrets of which some references ask for AWSCURRENT and others do not.
    pub(super) fn changes_read_in_part(&self) -> Vec<SecretChange> {
        let mut changes = Vec::new();
        for secret_use in &self.uses {
            if secret_use.reads_new_value_in_part() {
                changes.push(secret_use.change.clone());
            }
        }
        changes
    }

    /// When the last of its secrets changed.
    pub(super) fn last_changed_at(&self) -> Timestamp {
        let times = self.uses.iter().map(|secret_use| secret_use.change.at);
        times.max().unwrap_or_default()
    }
}
