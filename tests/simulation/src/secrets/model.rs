//! The state of Secrets Manager, and what a test may set.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use super::description::{SecretDescription, StoredSecret};
use crate::random::SeededRandom;
use crate::service_calls::ServiceCalls;

/// Secrets Manager of one account.
#[derive(Clone, Debug)]
pub struct SimulatedSecrets {
    /// The account: twelve digits.
    pub account: String,
    /// The calls so far, and the faults of the next ones.
    pub calls: ServiceCalls<SecretsOperation>,
    /// How long after a change a read may still show the state before it; by chance, half of the reads do.
    pub stale_for: Span,
    /// How much later a replica shows a change.
    pub replication_lag: Span,
    /// Whether a replica sends events of moved labels as well. AWS does not document it.
    pub replicas_send_events: bool,
    pub(super) random: SeededRandom,
    /// By the ARN in the primary Region.
    pub(super) by_arn: BTreeMap<String, StoredSecret>,
    outbox: BTreeMap<(Timestamp, u64), SecretsEvent>,
    sent: u64,
}

/// The operations of the API that are modelled: metadata only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretsOperation {
    /// `DescribeSecret`.
    DescribeSecret,
    /// `ListSecrets`.
    ListSecrets,
    /// `ListSecretVersionIds`.
    ListSecretVersionIds,
}

impl SecretsOperation {
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

/// An event that Secrets Manager sent to `EventBridge`.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretsEvent {
    /// When.
    pub at: Timestamp,
    /// The Region whose default bus got it.
    pub region: String,
    /// The event.
    pub event: Value,
}

impl SimulatedSecrets {
    /// An account without secrets.
    pub fn new(account: &str, seed: u64) -> Self {
        Self {
            account: account.to_owned(),
            calls: ServiceCalls::default(),
            stale_for: Span::default(),
            replication_lag: Span::from_secs(5),
            replicas_send_events: false,
            random: SeededRandom::new(seed),
            by_arn: BTreeMap::new(),
            outbox: BTreeMap::new(),
            sent: 0,
        }
    }

    /// The ARNs of all secrets, in their primary Regions.
    pub fn arns(&self) -> impl Iterator<Item = &str> {
        self.by_arn.keys().map(String::as_str)
    }

    /// A secret as it really is, whatever a Region shows.
    pub fn current(&self, arn: &str) -> Option<&SecretDescription> {
        self.by_arn.get(arn).map(|secret| &secret.current)
    }

    /// Lets time pass; returns the events that were sent since the last time, in their order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<SecretsEvent> {
        let later = self.outbox.split_off(&(now.plus(Span::from_millis(1)), 0));
        std::mem::replace(&mut self.outbox, later).into_values().collect()
    }

    /// When an event is sent next by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.outbox.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn send_event(&mut self, at: Timestamp, region: String, event: Value) {
        self.sent += 1;
        self.outbox.insert((at, self.sent), SecretsEvent { at, region, event });
    }
}
