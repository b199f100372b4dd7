//! What was decided about one consumer of one change, as the proof of the change records it.

use serde::{Deserialize, Serialize};

use super::condition::Condition::{self, Absent, All, Any, Equal, Exists};
use super::condition::FieldValue;

/// What was decided about a service that uses a changed secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerDecision {
    /// The service is redeployed.
    Redeploy,
    /// Its PRIMARY deployment was newer than the change: nothing to do.
    Newer,
    /// The redeployment is deferred.
    Deferred,
    /// A human is notified instead.
    Notified,
}

/// A field of a proof's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofField {
    /// The decision, as a word ([`ConsumerDecision::name`]).
    Decision,
    /// When the deployment completed.
    CompletedAt,
    /// When it failed.
    FailedAt,
    /// When a newer deployment took its place.
    SupersededAt,
}

impl ConsumerDecision {
    /// Whether a deployment of somebody else is the proof.
    pub fn rests_on_deployment(self) -> bool {
        self == Self::Newer
    }

    /// The word in records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redeploy => "redeploy",
            Self::Newer => "newer",
            Self::Deferred => "deferred",
            Self::Notified => "notified",
        }
    }

    /// The decisions that this one may replace: a decision that is nearer to the end stays.
    fn replaces(self) -> &'static [Self] {
        match self {
            Self::Redeploy => &[Self::Deferred, Self::Notified, Self::Newer],
            Self::Newer => &[Self::Deferred, Self::Notified],
            Self::Notified => &[Self::Deferred],
            Self::Deferred => &[],
        }
    }

    /// This decision may take the place of the one that the record holds:
    ///
    /// 1. there is none yet,
    /// 2. it is one that this decision replaces,
    /// 3. it is the same one, and ECS says now that the deployment completed, or
    /// 4. it rests on a deployment of ours that was superseded without an end of its own, and this decision says what
    ///    answers the change instead.
    ///
    /// `knows_deployment`: whether the decision names the deployment that it rests on; `completed`: whether ECS says that
    /// it completed.
    pub fn may_replace(self, knows_deployment: bool, completed: bool) -> Condition<ProofField> {
        let mut any = vec![Absent(ProofField::Decision)];
        for replaced in self.replaces() {
            any.push(is_decision(*replaced));
        }
        if completed {
            any.push(All(vec![is_decision(self), Absent(ProofField::CompletedAt)]));
        }
        let says_what_answers = match self {
            Self::Redeploy | Self::Notified => true,
            Self::Newer => knows_deployment,
            Self::Deferred => false,
        };
        if says_what_answers {
            any.push(All(vec![
                is_decision(Self::Redeploy),
                Exists(ProofField::SupersededAt),
                Absent(ProofField::CompletedAt),
                Absent(ProofField::FailedAt),
            ]));
        }
        Any(any)
    }
}

/// The record holds this decision.
pub fn is_decision(decision: ConsumerDecision) -> Condition<ProofField> {
    Equal(ProofField::Decision, FieldValue::Word(decision.name()))
}
