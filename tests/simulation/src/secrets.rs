//! Secrets Manager of one account, in all its Regions: versions, staging labels, rotation and replicas. There are no values.
//!
//! Each Region has a history of what it shows: a replica shows a change later, and a read may show the state before a change ("a change might not be
//! visible until previously cached data times out", Secrets Manager user guide, troubleshooting).

mod calls;
mod change;
mod events;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::{Span, Timestamp};
use serde_json::Value;

pub use calls::{Page, SecretVersion, Versions};

use crate::{Calls, Random};

/// The model.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Twelve digits.
    pub account: String,
    /// The calls so far, and the faults of the next ones.
    pub calls: Calls<Operation>,
    /// How long after a change a read may still show the state before it; by chance, half of the reads do.
    pub stale_for: Span,
    /// How much later a replica shows a change.
    pub replication: Span,
    /// Whether a replica tells of moved labels as well. AWS does not document it.
    pub replicas_tell: bool,
    random: Random,
    /// By the ARN in the primary Region.
    by_arn: BTreeMap<String, Secret>,
    outbox: BTreeMap<(Timestamp, u64), SecretsEvent>,
    notified: u64,
}

/// The operations of the API that are modelled: metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `DescribeSecret`.
    DescribeSecret,
    /// `ListSecrets`.
    ListSecrets,
    /// `ListSecretVersionIds`.
    ListSecretVersionIds,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DescribeSecret, Self::ListSecrets, Self::ListSecretVersionIds];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeSecret => "DescribeSecret",
            Self::ListSecrets => "ListSecrets",
            Self::ListSecretVersionIds => "ListSecretVersionIds",
        }
    }
}

/// What the API tells about a secret in one Region (API reference of Secrets Manager, `DescribeSecret`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The ARN in this Region: a replica's differs in the Region only.
    pub arn: String,
    /// The friendly name.
    pub name: String,
    /// The staging labels of all versions, by version id; a version without labels is deprecated.
    pub versions: BTreeMap<String, Version>,
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

impl Metadata {
    /// The version with a staging label.
    pub fn labelled(&self, label: &str) -> Option<&str> {
        let found = self.versions.iter().find(|(_, version)| version.labels.contains(label));
        found.map(|(id, _)| id.as_str())
    }
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// When it was created.
    pub created: Timestamp,
    /// Its staging labels.
    pub labels: BTreeSet<String>,
}

/// What Secrets Manager told `EventBridge`.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretsEvent {
    /// When.
    pub at: Timestamp,
    /// On the default bus of this Region.
    pub region: String,
    /// The event.
    pub event: Value,
}

#[derive(Clone, Debug)]
struct Secret {
    region: String,
    /// The truth, in the primary Region.
    current: Metadata,
    /// What each Region shows, from when on.
    shown: BTreeMap<String, Vec<(Timestamp, Metadata)>>,
}

impl Secrets {
    /// An account without secrets.
    pub fn new(account: &str, seed: u64) -> Self {
        Self {
            account: account.to_owned(),
            calls: Calls::default(),
            stale_for: Span::default(),
            replication: Span::from_secs(5),
            replicas_tell: false,
            random: Random::new(seed),
            by_arn: BTreeMap::new(),
            outbox: BTreeMap::new(),
            notified: 0,
        }
    }

    /// A made-up account with this many secrets in a Region, half of them rotated each month: the same for the same arguments.
    pub fn estate(account: &str, region: &str, seed: u64, count: usize, created: Timestamp) -> Self {
        let mut secrets = Self::new(account, seed);
        for i in 0..count {
            let arn = secrets.create(region, &format!("team-{}/app-{i:04}", i % 12), created);
            if i % 2 == 0 {
                secrets.rotate_every(&arn, Span::from_secs(30 * 86_400), created);
            }
        }
        secrets
    }

    /// The ARNs of all secrets, in their primary Regions.
    pub fn arns(&self) -> impl Iterator<Item = &str> {
        self.by_arn.keys().map(String::as_str)
    }

    /// A secret as it really is, whatever a Region shows.
    pub fn current(&self, arn: &str) -> Option<&Metadata> {
        self.by_arn.get(arn).map(|secret| &secret.current)
    }

    /// Lets time pass; gives what was told since the last time, in its order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<SecretsEvent> {
        let later = self.outbox.split_off(&(now.plus(Span::from_millis(1)), 0));
        std::mem::replace(&mut self.outbox, later).into_values().collect()
    }

    /// When something is told next by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.outbox.keys().next().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
