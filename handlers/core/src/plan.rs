//! Plans: what is to be done about an event and why, as data that can be printed, compared and stored.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::aws::ecs_arn::{ClusterArn, ServiceArn};
use crate::aws::ecs_refusal::DeploymentRefusal;
use crate::aws::ecs_service::EcsDeployment;
use crate::aws::secret_ref::SecretRef;
use crate::incident::Incident;
use crate::rules::Handler;
use crate::settings::DeploymentRisk;
use crate::severity::Severity;
use crate::state::consumer_decision::ConsumerDecision;
use crate::state::deployment::{AffectedConsumer, DeploymentEnd, PendingReadEvidence, SecretChange};
use crate::state::digest_report::DigestReport;
use crate::state::incident_extent::IncidentExtent;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// The decision about one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The event's key.
    pub event: String,
    /// The event's id, for people.
    pub event_id: Untrusted,
    /// The event's name.
    pub name: Untrusted,
    /// When it happened.
    pub time: Timestamp,
    /// The names of the secrets that it concerns, as far as it names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Untrusted>,
    /// The handler that decided.
    pub handler: Handler,
    /// The rules that match, by id.
    pub rules: Vec<String>,
    /// How the event ends.
    pub outcome: PlanOutcome,
    /// The steps, in the order in which they are to be done.
    pub steps: Vec<PlanStep>,
    /// Why the event must be decided again later, if it must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
}

/// The rule whose events are rotations that failed.
const ROTATION_FAILED_RULE: &str = "rotation-failed";
/// The event of that rule that is no failed rotation: only the test of a rotation function failed.
const TEST_ROTATION_FAILED_EVENT: &str = "TestRotationFailed";

impl Plan {
    /// Whether the event says that a rotation failed.
    pub fn is_about_failed_rotation(&self) -> bool {
        let is_of_rule = self.rules.iter().any(|rule| rule == ROTATION_FAILED_RULE);
        is_of_rule && self.name.raw() != TEST_ROTATION_FAILED_EVENT
    }
}

/// How an event ends: every event ends in exactly one of these ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanOutcome {
    /// Something was done or counted, or nothing needed doing.
    Answered,
    /// Another event was answered for it.
    Coalesced,
    /// It concerns nothing that we do.
    Ignored,
    /// It could not be understood; a human is notified.
    Quarantined,
}

/// One thing to do, or the reason for not doing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum PlanStep {
    /// Force a new deployment of a service.
    Redeploy {
        /// The response's id.
        rule: String,
        /// The cluster's ARN.
        cluster: ClusterArn,
        /// The service's ARN.
        service: ServiceArn,
        /// The changes that it answers.
        secrets: Vec<SecretChange>,
        /// The earliest instant: tasks of an earlier deployment may start with the old value.
        not_before: Timestamp,
        /// A deployment created from this instant on makes this step unnecessary.
        fresh_from: Timestamp,
        /// A deployment of ours that was requested after this instant makes it wait.
        cooldown_from: Timestamp,
        /// The concurrency slot of the cluster that it takes.
        slot: u32,
        /// How long it may take, and keep the slot.
        rollout: Span,
        /// What makes it less harmless.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        risks: BTreeSet<DeploymentRisk>,
        /// The roles whose reads of the secrets will prove that the new tasks have them.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        execution_roles: BTreeSet<Untrusted>,
        /// The partial ARNs that end like full ones, by which its tasks read the secrets.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        partial_arns: BTreeSet<SecretRef>,
        /// Why.
        why: String,
    },
    /// Redeploy a service later: each sweep decides again.
    Defer {
        /// The service's ARN.
        service: ServiceArn,
        /// The changes that wait.
        secrets: Vec<SecretChange>,
        /// Why, as a word.
        reason: DeferReason,
        /// Until when, as far as that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Why, in a sentence.
        why: String,
    },
    /// Record that a secret's value changed, until each consumer runs the new value or a human is notified of it.
    RecordChange {
        /// The change.
        change: SecretChange,
    },
    /// Record that a change is resolved: each consumer runs the new value, or a human was notified of it.
    ResolveChange {
        /// The change.
        change: SecretChange,
    },
    /// Record the id of a deployment of ours, which the answer to our call did not bring.
    ReconcileDeployment {
        /// The service's ARN.
        service: ServiceArn,
        /// When we requested the deployment.
        requested_at: Timestamp,
        /// The deployment's id.
        deployment: String,
    },
    /// Record the end of a deployment of ours.
    EndDeployment {
        /// The service's ARN.
        service: ServiceArn,
        /// The cluster's ARN.
        cluster: ClusterArn,
        /// When we requested it.
        requested_at: Timestamp,
        /// Its id, if known.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<String>,
        /// The concurrency slot that is free now.
        #[serde(skip_serializing_if = "Option::is_none")]
        slot: Option<u32>,
        /// The changes that it answers.
        secrets: Vec<SecretChange>,
        /// When and how.
        end: DeploymentEnd,
    },
    /// Record that a new task of a consumer read the changed secret: the proof that it has the new value.
    Prove {
        /// The key of the pending evidence.
        key: String,
        /// The consumer.
        evidence: PendingReadEvidence,
        /// When it read.
        at: Timestamp,
    },
    /// Leave a service that uses the secret as it is.
    Skip {
        /// The service's ARN.
        service: ServiceArn,
        /// The changes.
        secrets: Vec<SecretChange>,
        /// Its PRIMARY deployment.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<EcsDeployment>,
        /// Why, as a word.
        reason: SkipReason,
        /// Why, in a sentence.
        why: String,
    },
    /// Open an incident, raise its severity, or say that it has grown, and page.
    Page {
        /// The incident.
        incident: Box<Incident>,
        /// How much of the incident this page and those before it name.
        #[serde(skip)]
        extent: IncidentExtent,
        /// The content of a daily summary, if that is what is sent.
        #[serde(skip)]
        digest: Option<Box<DigestReport>>,
        /// How long the incident must have been quiet for this to be a new occurrence of it.
        resolve_after: Span,
        /// The streams of its marks; none if it does not end by being quiet.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        groups: BTreeSet<String>,
        /// The consumers that it tells of.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        consumers: Vec<AffectedConsumer>,
    },
    /// Open an incident that pages nobody: it goes into the summary of the day.
    Digest {
        /// The response's id.
        rule: String,
        /// The incident's key.
        key: String,
        /// The incident.
        incident: Box<Incident>,
    },
    /// Remember that a principal read a secret.
    UpdateLastSeen {
        /// The key, of principal and secret.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// Leave an event uncounted.
    Suppress {
        /// The response's id.
        rule: String,
        /// The exception's id.
        exception: String,
        /// Why.
        why: String,
    },
    /// Add the event to an incident that was already paged.
    ExtendIncident {
        /// The response's id.
        rule: String,
        /// The incident's key.
        key: String,
        /// The incident's first event.
        first: Timestamp,
        /// The incident's last event.
        last: Timestamp,
        /// The consumers of which a human knows by that: as if told.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        consumers: Vec<AffectedConsumer>,
    },
    /// Close an incident.
    Resolve {
        /// The response's id.
        rule: String,
        /// The incident's key.
        key: String,
        /// When it ended.
        at: Timestamp,
        /// Its last event, if it ends because nothing followed that for long enough.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_event: Option<Timestamp>,
        /// The incident as the notice tells of it, if it was paged.
        #[serde(skip)]
        notice: Option<Box<Incident>>,
        /// The incident's severity, for the notice.
        severity: Severity,
    },
    /// Counted, and below the threshold.
    Count {
        /// The response's id.
        rule: String,
        /// How many in the window around this event.
        count: usize,
        /// From how many on it fires.
        at_least: usize,
        /// Within how long.
        within: Span,
        /// How many principals it needs as well, where one is not enough.
        #[serde(skip_serializing_if = "Option::is_none")]
        principals: Option<usize>,
    },
    /// Something that must be known first is not.
    Unknown {
        /// What is not known.
        why: String,
    },
    /// Nothing is to be done.
    Nothing {
        /// Why.
        why: String,
    },
    /// The event concerns nothing that we do.
    Ignore {
        /// Why.
        why: String,
    },
}

/// Why a service that uses a changed secret is not redeployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Its PRIMARY deployment is newer than the change.
    AlreadyNewer,
    /// `CodeDeploy` deploys it; ECS refuses a forced deployment.
    CodeDeploy,
    /// An external controller deploys it.
    External,
    /// It is draining or gone.
    Inactive,
    /// It has no tasks: those that start later read the new value.
    ScaledToZero,
    /// A deployment that answers the change was requested and is not seen yet.
    AlreadyRequested,
    /// The deployment that should have answered the change failed; a human is notified, at the latest now.
    RolloutFailed,
    /// ECS refused to deploy it for this change; no repetition helps.
    Refused,
    /// Another AWS service manages it.
    Managed,
    /// The secret is gone or going: a new task could not start.
    SecretGone,
    /// The operator's settings leave one of its risks to a human.
    Finding,
    /// The operator's settings say to notify instead of to redeploy.
    NotifyMode,
    /// It asks for one version of the secret; a new deployment reads the same.
    PinnedVersion,
    /// It asks for another staging label; a new deployment does not read the new value.
    OtherLabel,
    /// Its tag says `off`.
    OptedOut,
    /// Its tag says `notify`.
    NotifyOnly,
    /// One of its tags is invalid.
    UnclearTag,
    /// It is in a Region or an account in which no function looks for services.
    OutOfReach,
}

/// Why a redeployment is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeferReason {
    /// The settle delay of the change is not over.
    SettleDelay,
    /// A deployment is in progress.
    InProgress,
    /// We redeployed it a short while ago.
    Cooldown,
    /// Its window is closed.
    Window,
    /// As many of our deployments as the rollout limit allows are in flight in its cluster.
    RolloutLimit,
    /// A rollout of one of its changes failed elsewhere: the new value may be bad. A human is notified at once.
    Halted,
    /// A human was notified of the service moments ago: the sweep notifies of what came since, all together.
    LeftToSweep,
}

impl SkipReason {
    /// The decision that stands in the proof of a skipped consumer; `None` if it needs no proof.
    pub fn consumer_decision(self) -> Option<ConsumerDecision> {
        match self {
            Self::AlreadyNewer => Some(ConsumerDecision::Newer),
            reason if reason.needs_human() => Some(ConsumerDecision::Notified),
            _ => None,
        }
    }

    /// Whether a human must act for the service to run the new value.
    pub fn needs_human(self) -> bool {
        match self {
            Self::AlreadyNewer
            | Self::Inactive
            | Self::ScaledToZero
            | Self::OptedOut
            | Self::AlreadyRequested => false,
            Self::CodeDeploy
            | Self::External
            | Self::RolloutFailed
            | Self::Refused
            | Self::Managed
            | Self::SecretGone
            | Self::Finding
            | Self::NotifyMode
            | Self::PinnedVersion
            | Self::OtherLabel
            | Self::NotifyOnly
            | Self::UnclearTag
            | Self::OutOfReach => true,
        }
    }
}

/// A redeployment that was planned, and that ECS then refused.
#[derive(Clone, Debug)]
pub struct RefusedDeployment {
    /// The step ([`PlanStep::Redeploy`]).
    pub step: PlanStep,
    /// Whether a repetition may help.
    pub refusal: DeploymentRefusal,
    /// The error, with the words of ECS.
    pub why: Untrusted,
}
