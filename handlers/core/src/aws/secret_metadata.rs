//! The metadata of a secret, without its value: `DescribeSecret`, and the entries of `ListSecrets`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::secret_ref::SecretRef;
use crate::time::Timestamp;

/// The metadata of a secret (`API_DescribeSecret`, `API_SecretListEntry`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretMetadata {
    /// The full ARN of the secret.
    pub arn: String,
    /// Staging labels by version id; versions without a label are not listed.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// When the secret was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When anything of the secret was last modified: a value, a label, a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// When a rotation last succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// When the next rotation is due at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_rotation: Option<Timestamp>,
    /// Whether it is rotated by a schedule.
    pub rotates: bool,
    /// When its deletion was requested: its value can no longer be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Whether there is no such secret.
    pub missing: bool,
    /// The Region it was replicated from, if it is a replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_region: Option<String>,
    /// The Regions it is replicated to.
    pub replicas: BTreeSet<String>,
}

impl SecretMetadata {
    /// The id of the version that has a staging label.
    pub fn version_with_label(&self, label: &str) -> Option<&str> {
        for (version, labels) in &self.versions {
            if labels.contains(label) {
                return Some(version);
            }
        }
        None
    }

    /// The id of the version that is AWSCURRENT.
    pub fn current_version(&self) -> Option<&str> {
        self.version_with_label("AWSCURRENT")
    }

    /// Whether a rotation has begun and not ended: AWSPENDING is on another version than AWSCURRENT (Secrets Manager's
    /// guide on rotation: a later `RotateSecret` is then refused).
    pub fn is_rotating(&self) -> bool {
        let pending = self.version_with_label("AWSPENDING");
        pending.is_some() && pending != self.current_version()
    }

    /// Whether it is a replica: the secret that is rotated is in another Region.
    pub fn is_replica(&self) -> bool {
        let own_region = SecretRef::from_arn(&self.arn).map(|secret| secret.region);
        self.primary_region.is_some() && self.primary_region != own_region
    }

    /// Whether its value can be read.
    pub fn is_readable(&self) -> bool {
        !self.missing && self.deleted_at.is_none()
    }
}
