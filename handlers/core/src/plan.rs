//! Plans: what is to be done about an event and why, as data that can be printed, compared and stored.

use serde::Serialize;

use crate::incident::Incident;
use crate::page::Page;
use crate::rules::{Handler, Severity};
use crate::secret::SecretRef;
use crate::service::Version;
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
    /// The names of the secrets that it concerns, as far as it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Untrusted>,
    /// Whose decision it is.
    pub handler: Handler,
    /// The rules that match, by id.
    pub rules: Vec<String>,
    /// How the event ends.
    pub outcome: Outcome,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// Why the event must be looked at again later, if it must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
}

/// How an event ends: every event ends in exactly one of these ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Something was done or counted, or nothing needed doing.
    Answered,
    /// Another event was answered for it.
    Coalesced,
    /// It means nothing to us.
    Ignored,
    /// It could not be understood; a human is told.
    Parked,
}

/// One thing to do, or the reason for not doing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Force a new deployment of a service.
    Redeploy {
        /// The response's id.
        rule: String,
        /// The cluster's ARN.
        cluster: String,
        /// The service's ARN.
        service: String,
        /// The secret whose value changed.
        secret: SecretRef,
        /// When it changed.
        changed_at: Timestamp,
        /// Not before this instant: a deployment that is too early may start with the old value.
        not_before: Timestamp,
        /// A deployment created from this instant on makes this step unnecessary.
        fresh_from: Timestamp,
        /// Why.
        why: String,
    },
    /// Leave a service that uses the secret as it is.
    Skip {
        /// The service's ARN.
        service: String,
        /// Why, in one word.
        reason: SkipReason,
        /// Why, in a sentence.
        why: String,
    },
    /// Open an incident, or raise its severity, and page.
    Page {
        /// The incident.
        incident: Box<Incident>,
        /// What is sent.
        page: Page,
        /// How long the incident must have been quiet for this to be a new occurrence of it.
        quiet: Span,
    },
    /// Add the event to an incident that was already paged.
    Join {
        /// The response's id.
        rule: String,
        /// The incident's key.
        key: String,
        /// The incident's first event.
        first: Timestamp,
        /// The incident's last event.
        last: Timestamp,
    },
    /// Close an incident.
    Resolve {
        /// The response's id.
        rule: String,
        /// The incident's key.
        key: String,
        /// When it ended.
        at: Timestamp,
        /// What is sent, if the incident was paged.
        #[serde(skip_serializing_if = "Option::is_none")]
        notice: Option<Page>,
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
    },
    /// Note that a deployment of ours is done.
    Complete {
        /// The deployment's id.
        deployment: String,
        /// The service's ARN.
        service: String,
    },
    /// Something must be known first.
    Unknown {
        /// What.
        why: String,
    },
    /// Nothing to do.
    Nothing {
        /// Why.
        why: String,
    },
    /// Not for us.
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
    /// It asks for one version of the secret; a new deployment reads the same.
    PinnedVersion,
    /// It asks for another staging label; a new deployment does not read the new value.
    OtherLabel,
    /// Its tag says `off`.
    OptedOut,
    /// Its tag says `notify`.
    NotifyOnly,
    /// Its tag says something that nobody understands.
    UnclearTag,
}

impl SkipReason {
    /// Whether a human must act for the service to run the new value.
    pub fn needs_human(self) -> bool {
        !matches!(self, Self::AlreadyNewer | Self::Inactive | Self::OptedOut)
    }

    /// The reason for a service whose every reference asks for something else than the current version.
    pub(crate) fn of_versions(versions: &[Version]) -> Option<Self> {
        let helps = versions.contains(&Version::Current);
        let pinned = versions.contains(&Version::Pinned);
        (!helps).then_some(if pinned { Self::PinnedVersion } else { Self::OtherLabel })
    }
}
