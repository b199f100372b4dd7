//! Proofs that services run the new value of a secret: one record for each change and each service that uses the secret.

mod chain;
mod change;
mod consumer;
mod deployment_history;
mod ledger_item;
mod observe;
mod rebuild;

pub use chain::{ChainState, ProofChain, ProofLink, ProofScope};
pub use ledger_item::{ItemError, is_ledger, items};
pub use observe::{RotationEvents, UndatedEvent};
pub use rebuild::{RebuiltProofs, UnattributedRead, UnconsumedChange};

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// What became of one change of a secret at one service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationProof {
    /// The secret.
    pub secret: SecretRef,
    /// The service's ARN.
    pub service: String,
    /// The version that is AWSCURRENT since the change, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the value changed.
    pub changed_at: Timestamp,
    /// When it was decided what to do about the service, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What was decided, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<RecordedDecision>,
    /// Why that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Untrusted>,
    /// The deployment that brings the new value, if its id is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// When that was asked for, or created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<Timestamp>,
    /// When it completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// When it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// When a newer deployment took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<Timestamp>,
    /// When a task of its execution role read the secret after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// Whether other services that use the secret have the same role, so that the read may have been one of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

/// What was decided about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedDecision {
    /// To redeploy it.
    Redeploy,
    /// Nothing to do: its PRIMARY deployment was newer than the change.
    Newer,
    /// To wait.
    Held,
    /// To tell a human instead.
    Told,
}

impl RecordedDecision {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redeploy => "redeploy",
            Self::Newer => "newer",
            Self::Held => "held",
            Self::Told => "told",
        }
    }
}

/// One record for each change and service, by time: of several exports of one record, the newest decision counts, and
/// what only another one of the same deployment knows is added. A function of the set of records.
pub fn merged(proofs: impl IntoIterator<Item = RotationProof>) -> Vec<RotationProof> {
    let mut copies: BTreeMap<_, Vec<RotationProof>> = BTreeMap::new();
    for proof in proofs {
        let key = (proof.changed_at, proof.secret.key(), proof.service.clone());
        copies.entry(key).or_default().push(proof);
    }
    let newest_first = |mut copies: Vec<RotationProof>| {
        copies.sort_by(|a, b| {
            (Reverse(a.decided_at), Reverse(a.links()), a).cmp(&(
                Reverse(b.decided_at),
                Reverse(b.links()),
                b,
            ))
        });
        copies.into_iter().reduce(RotationProof::completed_by)
    };
    copies.into_values().filter_map(newest_first).collect()
}

impl RotationProof {
    /// How many links are known.
    fn links(&self) -> usize {
        [self.deployed_at, self.completed_at, self.failed_at, self.fetched_at].iter().flatten().count()
    }

    fn completed_by(mut self, older: Self) -> Self {
        if self.deployment == older.deployment && self.deployed_at == older.deployed_at {
            self.version = self.version.or(older.version);
            self.completed_at = self.completed_at.or(older.completed_at);
            self.failed_at = self.failed_at.or(older.failed_at);
            self.superseded_at = self.superseded_at.or(older.superseded_at);
            self.fetched_at = self.fetched_at.or(older.fetched_at);
        }
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1_780_282_800_000 + second * 1_000)
    }

    /// A chain without a gap: changed at 0, deployed at 16, completed at 110, read at 52.
    pub(crate) fn whole() -> RotationProof {
        let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
        RotationProof {
            secret: SecretRef::from_arn(arn).unwrap(),
            service: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".to_owned(),
            version: None,
            changed_at: at(0),
            decided_at: Some(at(1)),
            decision: Some(RecordedDecision::Redeploy),
            why: None,
            deployment: Some("ecs-svc/1".to_owned()),
            deployed_at: Some(at(16)),
            completed_at: Some(at(110)),
            failed_at: None,
            superseded_at: None,
            fetched_at: Some(at(52)),
            shared: false,
        }
    }

    #[test]
    fn several_exports_of_one_record_are_one_in_any_order() {
        let early = RotationProof { completed_at: None, fetched_at: Some(at(52)), ..whole() };
        let late = RotationProof { completed_at: Some(at(110)), fetched_at: None, ..whole() };
        let other = RotationProof { service: "other".to_owned(), ..whole() };
        let found = merged([early.clone(), other.clone(), late.clone()]);
        assert_eq!(found, merged([late, early, other.clone()]));
        assert_eq!(found, [whole(), other]);
    }

    #[test]
    fn what_an_earlier_deployment_left_is_not_taken_for_the_newer_ones() {
        let failed = RotationProof {
            failed_at: Some(at(60)),
            completed_at: None,
            fetched_at: Some(at(50)),
            ..whole()
        };
        let again = RotationProof {
            decided_at: Some(at(400)),
            deployment: Some("ecs-svc/2".to_owned()),
            deployed_at: Some(at(401)),
            completed_at: None,
            fetched_at: None,
            ..whole()
        };
        assert_eq!(merged([failed, again.clone()]), [again]);
    }
}
