//! The ledger's records of rotations: changes of secrets, the deployments that we requested, and their consumers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::condition::Condition::{self, Absent, All, Any, Below, Equal};
use super::condition::FieldValue;
use crate::aws::ecs_arn::{ClusterArn, ServiceArn};
use crate::aws::ecs_refusal::DeploymentRefusal;
use crate::aws::secret_ref::SecretRef;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// A secret whose value changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretChange {
    /// The secret.
    pub secret: SecretRef,
    /// When its value changed.
    pub at: Timestamp,
    /// The id of the version that is AWSCURRENT since, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The last known change of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownChange {
    /// When the value changed.
    pub at: Timestamp,
    /// The id of the version that is AWSCURRENT since, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Since when some consumer waits, if that is longer than since this change: the change before this one was not resolved
    /// when this one came.
    #[serde(alias = "since", default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Whether the change is resolved: each consumer runs the new value, or a human was notified of it.
    #[serde(alias = "settled", default)]
    pub resolved: bool,
    /// The secret's full ARN, if it is known: the name in the key alone does not say which references mean the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// A field of the record of a secret's last known change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeField {
    /// When the value changed.
    ChangedAt,
    /// The id of the version that is AWSCURRENT since.
    Version,
}

/// A change at this instant is news:
///
/// 1. no change is recorded,
/// 2. the recorded change is older, or
/// 3. the version of the recorded change is not known.
pub fn is_change_news(changed_at: Timestamp) -> Condition<ChangeField> {
    Any(vec![
        Absent(ChangeField::ChangedAt),
        Below(ChangeField::ChangedAt, changed_at.millis()),
        Absent(ChangeField::Version),
    ])
}

impl KnownChange {
    /// The secret that changed: by its ARN if that is known, else by its key.
    pub(crate) fn find_secret(&self, key: &str) -> Option<SecretRef> {
        let by_arn = self.arn.as_deref().and_then(SecretRef::from_arn);
        by_arn.or_else(|| SecretRef::from_key(key))
    }

    /// Whether a condition holds for this change.
    pub(crate) fn satisfies(&self, condition: &Condition<ChangeField>) -> bool {
        condition.holds(&|field| match field {
            ChangeField::ChangedAt => Some(FieldValue::Number(self.at.millis())),
            ChangeField::Version => self.version.as_ref().map(|_| FieldValue::Word("known")),
        })
    }
}

/// The last deployment of a service that we requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentRecord {
    /// When we requested it: before the call, so that a change during the call counts as later.
    #[serde(alias = "at")]
    pub requested_at: Timestamp,
    /// The cluster's ARN.
    pub cluster: ClusterArn,
    /// Its id; absent while it is not known, as where the answer to our call was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The concurrency slot of the cluster that it takes until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// The changes that it answers.
    #[serde(alias = "secrets", default)]
    pub changes: Vec<SecretChange>,
    /// Until when the call may still run: the end of the caller's lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Its end, if it is known.
    #[serde(alias = "ended", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<DeploymentEnd>,
}

impl DeploymentRecord {
    /// Whether its end is not known.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether our call may have had an effect: ECS did not refuse it.
    pub fn was_requested(&self) -> bool {
        match self.outcome() {
            Some(DeploymentOutcome::Refused | DeploymentOutcome::Denied | DeploymentOutcome::Declined) => {
                false
            }
            Some(_) | None => true,
        }
    }

    /// Whether the next deployment of the service waits for the cooldown after this one: ECS started it, or declined it for a
    /// reason that may pass.
    pub fn starts_cooldown(&self) -> bool {
        self.was_requested() || self.outcome() == Some(DeploymentOutcome::Declined)
    }

    /// Whether it failed.
    pub fn has_failed(&self) -> bool {
        self.outcome() == Some(DeploymentOutcome::Failed)
    }

    /// Whether a report with an unknown id may be about it: its end is not known, or is only that nobody saw it.
    pub fn may_be_reported_without_id(&self) -> bool {
        matches!(self.outcome(), None | Some(DeploymentOutcome::Unseen))
    }

    /// Whether this outcome is to be recorded: it is news, or it repeats the recorded one, for a proof that may lack it.
    pub fn may_end_as(&self, outcome: DeploymentOutcome) -> bool {
        match self.outcome() {
            None => true,
            Some(known) => known == outcome || outcome.corrects().contains(&known),
        }
    }

    /// Whether the call may still run at this instant.
    pub fn is_leased_at(&self, at: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until >= at)
    }

    /// How it ended, if that is known.
    fn outcome(&self) -> Option<DeploymentOutcome> {
        self.end.map(|end| end.outcome)
    }
}

/// The end of a deployment that we requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentEnd {
    /// When.
    pub at: Timestamp,
    /// How.
    #[serde(alias = "how")]
    pub outcome: DeploymentOutcome,
}

/// How a deployment that we requested ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentOutcome {
    /// It completed: every task is new.
    Completed,
    /// It failed, was rolled back, or took too long; a human was notified.
    Failed,
    /// A newer deployment took its place.
    Superseded,
    /// The call had no effect; a later one may have.
    Refused,
    /// ECS refuses the call for good; a human was notified.
    Denied,
    /// ECS refused the call for a reason that may pass; a human was notified, and it is repeated after the cooldown.
    Declined,
    /// The answer to the call was lost, and ECS did not show the deployment since.
    Unseen,
    /// The service is deleted.
    Gone,
}

impl DeploymentEnd {
    /// Whether the end is on record only after a page about it was sent: a deployment that has ended is not looked at again.
    pub fn awaits_page(self) -> bool {
        self.outcome == DeploymentOutcome::Failed
    }
}

impl DeploymentOutcome {
    /// The outcome of a request that ECS certainly did not follow: refused, or without a refusal throttled.
    pub fn of_refusal(refusal: Option<DeploymentRefusal>) -> Self {
        match refusal {
            Some(DeploymentRefusal::Final) => Self::Denied,
            Some(DeploymentRefusal::Passing) => Self::Declined,
            None => Self::Refused,
        }
    }

    /// All outcomes.
    pub const ALL: [Self; 8] = [
        Self::Completed,
        Self::Failed,
        Self::Superseded,
        Self::Refused,
        Self::Denied,
        Self::Declined,
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
            Self::Declined => "declined",
            Self::Unseen => "unseen",
            Self::Gone => "gone",
        }
    }

    /// The recorded outcomes that this one corrects. An outcome that was inferred from the PRIMARY deployment gives way to
    /// what ECS reports, and a deployment that took too long may complete after all.
    pub fn corrects(self) -> &'static [Self] {
        match self {
            Self::Completed => &[Self::Unseen, Self::Superseded, Self::Failed],
            Self::Failed => &[Self::Unseen, Self::Superseded],
            Self::Superseded | Self::Refused | Self::Denied | Self::Declined | Self::Unseen | Self::Gone => {
                &[]
            }
        }
    }
}

/// A field of the record of a service's last deployment that we requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentField {
    /// When we requested it.
    RequestedAt,
    /// How it ended, as a word ([`DeploymentOutcome::name`]); absent while its end is not known.
    Outcome,
}

fn has_outcome(outcome: DeploymentOutcome) -> Condition<DeploymentField> {
    Equal(DeploymentField::Outcome, FieldValue::Word(outcome.name()))
}

/// A further deployment of a service may be requested now:
///
/// 1. none was requested yet,
/// 2. the call for the last one had no effect,
/// 3. the last one is over in a way that may have left the service on what was before it, or ECS declined it for now, and
///    the service has cooled down since (`cooldown_from`), or
/// 4. the last one is older than the change (`fresh_from`), and the service has cooled down since.
pub fn is_request_due(fresh_from: Timestamp, cooldown_from: Timestamp) -> Condition<DeploymentField> {
    let has_cooled_down = Below(DeploymentField::RequestedAt, cooldown_from.millis().saturating_add(1));
    // The deployment that superseded ours, or ours after it completed, may have been rolled back to the one before.
    let over = Any(vec![
        has_outcome(DeploymentOutcome::Unseen),
        has_outcome(DeploymentOutcome::Superseded),
        has_outcome(DeploymentOutcome::Gone),
        has_outcome(DeploymentOutcome::Completed),
        has_outcome(DeploymentOutcome::Declined),
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

/// A concurrency slot of a cluster, taken by one of our deployments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencySlot {
    /// The ARN of the service whose deployment takes it.
    pub service: ServiceArn,
    /// When it is free again, however the deployment ends.
    pub until: Timestamp,
}

/// One consumer of one change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AffectedConsumer {
    /// The service's ARN.
    pub service: ServiceArn,
    /// The change.
    #[serde(alias = "changed")]
    pub change: SecretChange,
}

/// A consumer whose new tasks have not been seen to read the changed secret yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PendingReadEvidence {
    /// The service's ARN.
    pub service: ServiceArn,
    /// The change.
    #[serde(alias = "changed")]
    pub change: SecretChange,
    /// Reads from this instant on prove it: when the deployment was requested.
    pub since: Timestamp,
}

/// The keys under which the reads of a changed secret by a role are awaited: by the secret, and by each partial ARN of its
/// name that ends like a full one, because a read by that one has the key of another name.
pub fn read_evidence_keys(
    role: &Untrusted,
    secret: &SecretRef,
    partial_arns: &BTreeSet<SecretRef>,
) -> BTreeSet<String> {
    let mut keys = BTreeSet::from([read_evidence_key(role, secret)]);
    for partial_arn in partial_arns {
        if partial_arn.may_be_same_secret(secret) {
            keys.insert(read_evidence_key(role, partial_arn));
        }
    }
    keys
}

/// The key of the pending read evidence of a role and a secret.
pub fn read_evidence_key(role: &Untrusted, secret: &SecretRef) -> String {
    crate::hash::hash_parts(&["awaited", role.raw(), &secret.key()])
}
