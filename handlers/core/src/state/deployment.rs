//! What is remembered of our own work: changes of secrets, deployments that we asked for, whom we told.

use serde::{Deserialize, Serialize};

use super::condition::Condition::{self, Absent, All, Any, Below, Equal};
use super::condition::FieldValue;

use crate::aws::secret_ref::SecretRef;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// A secret whose value changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretChange {
    /// The secret.
    pub secret: SecretRef,
    /// When its value changed.
    pub at: Timestamp,
    /// The version that is AWSCURRENT since, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The last change of a secret that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownChange {
    /// When the value changed.
    pub at: Timestamp,
    /// The version that is AWSCURRENT since, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Since when some consumer waits: a change before this one may not have been answered for when this one came.
    #[serde(alias = "since", default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Whether every consumer has been answered for: it runs the new value, or a human was told.
    #[serde(alias = "settled", default)]
    pub resolved: bool,
}

/// A field of the record of a secret's last known change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeField {
    /// When the value changed.
    ChangedAt,
    /// The version that is AWSCURRENT since.
    Version,
}

/// A change at this instant is news: none is recorded, or an older one, or one of which nobody knew the version.
pub fn is_change_news(changed_at: Timestamp) -> Condition<ChangeField> {
    Any(vec![
        Absent(ChangeField::ChangedAt),
        Below(ChangeField::ChangedAt, changed_at.millis()),
        Absent(ChangeField::Version),
    ])
}

impl KnownChange {
    /// Whether a condition holds for this change.
    pub(crate) fn satisfies(&self, condition: &Condition<ChangeField>) -> bool {
        condition.holds(&|field| match field {
            ChangeField::ChangedAt => Some(FieldValue::Number(self.at.millis())),
            ChangeField::Version => self.version.as_ref().map(|_| FieldValue::Word("known")),
        })
    }
}

/// The last deployment of a service that we asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentRecord {
    /// When we asked: before the call, so that what changes while it runs counts as later.
    #[serde(alias = "at")]
    pub requested_at: Timestamp,
    /// The cluster's ARN.
    pub cluster: String,
    /// Its id; absent while ECS has not told it: the answer may have been lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The place among the cluster's deployments in flight that it takes until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// The changes that it answers.
    #[serde(alias = "secrets", default)]
    pub changes: Vec<SecretChange>,
    /// Until when somebody may still be asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// How it ended, if it did.
    #[serde(alias = "ended", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<DeploymentEnd>,
}

impl DeploymentRecord {
    /// Whether it goes on, as far as we know.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether ECS was asked: it was, unless the call certainly had no effect.
    pub fn was_asked(&self) -> bool {
        self.end.as_ref().is_none_or(|ended| {
            !matches!(ended.outcome, DeploymentOutcome::Refused | DeploymentOutcome::Denied)
        })
    }

    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.end.as_ref().is_some_and(|ended| ended.outcome == DeploymentOutcome::Failed)
    }

    /// Whether a report that does not name it may be about it: nobody knows its end.
    pub fn may_be_told_of(&self) -> bool {
        self.end.as_ref().is_none_or(|ended| ended.outcome == DeploymentOutcome::Unseen)
    }

    /// Whether this end is to be noted: it is news, or what was noted last is only repeated, with the proof that may lack it.
    pub fn may_end(&self, how: DeploymentOutcome) -> bool {
        self.end.as_ref().is_none_or(|ended| ended.outcome == how || how.corrects().contains(&ended.outcome))
    }

    /// Whether somebody may be asking at this instant.
    pub fn is_held(&self, at: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until >= at)
    }
}

/// The end of a deployment of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentEnd {
    /// When.
    pub at: Timestamp,
    /// How.
    #[serde(alias = "how")]
    pub outcome: DeploymentOutcome,
}

/// How a deployment of ours ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentOutcome {
    /// It completed: every task is new.
    Completed,
    /// It failed, was rolled back, or took too long; people were told.
    Failed,
    /// A newer deployment took its place.
    Superseded,
    /// The call had no effect, for now.
    Refused,
    /// ECS will not do it; a human was told.
    Denied,
    /// The answer to the call was lost, and nothing of it was seen since.
    Unseen,
    /// The service is gone.
    Gone,
}

impl DeploymentOutcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Completed,
        Self::Failed,
        Self::Superseded,
        Self::Refused,
        Self::Denied,
        Self::Unseen,
        Self::Gone,
    ];

    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Unseen => "unseen",
            Self::Gone => "gone",
        }
    }

    /// The ends that this one corrects: what was inferred from what is PRIMARY gives way to what ECS tells of the deployment,
    /// and what took too long may complete after all.
    pub fn corrects(self) -> &'static [Self] {
        match self {
            Self::Completed => &[Self::Unseen, Self::Superseded, Self::Failed],
            Self::Failed => &[Self::Unseen, Self::Superseded],
            Self::Superseded | Self::Refused | Self::Denied | Self::Unseen | Self::Gone => &[],
        }
    }
}

/// A field of the record of a service's last deployment that we requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentField {
    /// When we requested it.
    RequestedAt,
    /// How it ended, as a word ([`DeploymentOutcome::name`]); absent while it goes on.
    Outcome,
}

fn has_outcome(outcome: DeploymentOutcome) -> Condition<DeploymentField> {
    Equal(DeploymentField::Outcome, FieldValue::Word(outcome.name()))
}

/// A further deployment of a service may be requested now:
///
/// 1. none was requested yet,
/// 2. the call for the last one had no effect,
/// 3. the last one is over in a way that may have left the service on what was before it, and the service has cooled down
///    since (`cooldown_from`), or
/// 4. the last one is older than the change (`fresh_from`), and the service has cooled down since.
pub fn is_request_due(fresh_from: Timestamp, cooldown_from: Timestamp) -> Condition<DeploymentField> {
    let has_cooled_down = Below(DeploymentField::RequestedAt, cooldown_from.millis().saturating_add(1));
    // What took the place of ours, or what ours had become, may have been rolled back to the deployment before it.
    let over = Any(vec![
        has_outcome(DeploymentOutcome::Unseen),
        has_outcome(DeploymentOutcome::Superseded),
        has_outcome(DeploymentOutcome::Gone),
        has_outcome(DeploymentOutcome::Completed),
    ]);
    Any(vec![
        Absent(DeploymentField::RequestedAt),
        has_outcome(DeploymentOutcome::Refused),
        has_outcome(DeploymentOutcome::Denied),
        All(vec![over, has_cooled_down.clone()]),
        All(vec![Below(DeploymentField::RequestedAt, fresh_from.millis()), has_cooled_down]),
    ])
}

/// The record is of the deployment that was requested at `requested_at`, and this outcome is news: its end is not known, or
/// is one that this outcome corrects.
pub fn is_outcome_news(requested_at: Timestamp, outcome: DeploymentOutcome) -> Condition<DeploymentField> {
    let mut known = vec![Absent(DeploymentField::Outcome)];
    for corrected in outcome.corrects() {
        known.push(has_outcome(*corrected));
    }
    All(vec![is_requested_at(requested_at), Any(known)])
}

/// The record is of the deployment that was requested at this instant.
pub fn is_requested_at(requested_at: Timestamp) -> Condition<DeploymentField> {
    Equal(DeploymentField::RequestedAt, FieldValue::Number(requested_at.millis()))
}

/// A place among the deployments in flight of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencySlot {
    /// The service whose deployment takes it.
    pub service: String,
    /// When it is free again, whatever became of the deployment.
    pub until: Timestamp,
}

/// Something that a human was told, or that is waited for: one consumer of one change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffectedConsumer {
    /// The service's ARN.
    pub service: String,
    /// The change.
    #[serde(alias = "changed")]
    pub change: SecretChange,
}

/// A consumer whose new tasks have still to be seen reading the secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingReadEvidence {
    /// The service's ARN.
    pub service: String,
    /// The change.
    #[serde(alias = "changed")]
    pub change: SecretChange,
    /// Reads from this instant on prove it: when the deployment was asked for.
    pub since: Timestamp,
}

/// The key under which a role's read of a secret is awaited.
pub fn read_evidence_key(role: &Untrusted, secret: &SecretRef) -> String {
    crate::hash::id(&["awaited", role.raw(), &secret.key()])
}
