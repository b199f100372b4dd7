//! The record of one change of a secret at one service.

use serde::{Deserialize, Serialize};

use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// The record of one change of a secret at one service, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RotationProof {
    /// The secret.
    pub secret: SecretRef,
    /// The ARN of the service.
    pub service: ServiceArn,
    /// The version that is AWSCURRENT since the change, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The time at which the value changed.
    pub changed_at: Timestamp,
    /// The time of the decision about the service, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// The decision about the service, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<RecordedDecision>,
    /// The reason for the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Untrusted>,
    /// The id of the deployment that brings the new value, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The time at which that deployment was requested or created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<Timestamp>,
    /// The time at which it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// The time at which it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The time at which a newer deployment took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<Timestamp>,
    /// The time at which a task of the service's execution role read the secret after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// Whether other services that use the secret have the same execution role, so that the read may be one of theirs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

/// The decision about a service that uses a changed secret. The words in the ledger are older than the names here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedDecision {
    /// The service was redeployed.
    Redeploy,
    /// Nothing had to be done: its PRIMARY deployment was newer than the change.
    Newer,
    /// The redeployment was deferred.
    #[serde(alias = "held")]
    Deferred,
    /// A person was notified instead.
    #[serde(alias = "told")]
    Notified,
}

impl RecordedDecision {
    /// The word for it in the ledger and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redeploy => "redeploy",
            Self::Newer => "newer",
            Self::Deferred => "deferred",
            Self::Notified => "notified",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1_780_282_800_000 + second * 1_000)
    }

    /// A chain without a gap: changed at 0, deployed at 16, completed at 110, read at 52.
    pub(crate) fn whole_proof() -> RotationProof {
        let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
        RotationProof {
            secret: SecretRef::from_arn(arn).unwrap(),
            service: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".into(),
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
    fn each_decision_is_written_and_read_by_its_word() {
        for decision in [
            RecordedDecision::Redeploy,
            RecordedDecision::Newer,
            RecordedDecision::Deferred,
            RecordedDecision::Notified,
        ] {
            let word = serde_json::to_value(decision).unwrap();
            assert_eq!(word, decision.as_str());
            assert_eq!(serde_json::from_value::<RecordedDecision>(word).unwrap(), decision);
        }
    }
}
