//! Descriptions of secrets, as the API gives them and as they are stored.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Span, Timestamp};

use crate::random::SeededRandom;

/// The description of a secret in one Region (API reference of Secrets Manager, `DescribeSecret`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDescription {
    /// The ARN in this Region: a replica's differs in the Region only.
    pub arn: String,
    /// The friendly name.
    pub name: String,
    /// The versions by id; one without staging labels is deprecated.
    pub versions: BTreeMap<String, StagedVersion>,
    /// `CreatedDate`.
    pub created: Timestamp,
    /// `LastChangedDate`.
    pub last_changed: Timestamp,
    /// `LastRotatedDate`.
    pub last_rotated: Option<Timestamp>,
    /// How often it is rotated; `RotationEnabled` says whether it is.
    pub rotates_every: Option<Span>,
    /// `NextRotationDate`.
    pub next_rotation: Option<Timestamp>,
    /// `DeletedDate`.
    pub deleted: Option<Timestamp>,
    /// `PrimaryRegion`, where there are replicas.
    pub primary_region: Option<String>,
    /// The Regions of its replicas; `ReplicationStatus` in the primary Region.
    pub replicas: BTreeSet<String>,
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedVersion {
    /// When it was created.
    pub created: Timestamp,
    /// Its staging labels.
    pub labels: BTreeSet<String>,
}

impl SecretDescription {
    /// The id of the version with a staging label.
    pub fn version_with_label(&self, label: &str) -> Option<&str> {
        for (id, version) in &self.versions {
            if version.labels.contains(label) {
                return Some(id);
            }
        }
        None
    }

    /// Whether a caller may mean this secret: by its ARN, its name, or its ARN without the six random characters.
    pub(super) fn is_called(&self, id: &str) -> bool {
        let partial_arn = match self.arn.rsplit_once('-') {
            Some((partial, _suffix)) => partial,
            None => "",
        };
        [self.arn.as_str(), self.name.as_str(), partial_arn].contains(&id)
    }
}

/// A secret, with what each Region shows of it.
#[derive(Clone, Debug)]
pub(super) struct StoredSecret {
    /// Its primary Region.
    pub(super) region: String,
    /// The truth, in the primary Region.
    pub(super) current: SecretDescription,
    /// By Region: what it shows, from when on.
    pub(super) shown: BTreeMap<String, Vec<(Timestamp, SecretDescription)>>,
}

impl StoredSecret {
    /// The description that a Region shows; shortly after a change, by chance, the one before it.
    pub(super) fn show(
        &self,
        region: &str,
        now: Timestamp,
        stale_for: Span,
        random: &mut SeededRandom,
    ) -> Option<&SecretDescription> {
        let history = self.shown.get(region)?;
        let past = history.iter().filter(|(from, _)| *from <= now).count();
        let newest = past.checked_sub(1)?;
        let (shown_from, _) = history.get(newest)?;
        let may_be_stale = newest > 0 && now < shown_from.plus(stale_for);
        let is_stale = may_be_stale && random.chance(500);
        let (_, description) = history.get(newest - usize::from(is_stale))?;
        Some(description)
    }
}
