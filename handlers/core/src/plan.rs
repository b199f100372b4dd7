//! Plans: what is to be done about an event and why, as data that can be printed, compared and stored.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::mark::{Burst, Mark};
use crate::page::Page;
use crate::rules::{Handler, Response, Severity};
use crate::secret::{SecretRef, classes};
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

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Somebody should look.
    Open,
    /// It ended by itself.
    Resolved,
}

/// An incident: what happened, to whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// The response's id.
    pub rule: String,
    /// How urgent it is.
    pub severity: Severity,
    /// The same for every copy and every occurrence of what this rule says about this subject: `PagerDuty`'s `dedup_key`.
    pub key: String,
    /// Whether it goes on.
    pub state: State,
    /// Whose decision it is.
    pub handler: Handler,
    /// The response's title.
    pub title: String,
    /// The principal; absent if several.
    pub principal: Option<Untrusted>,
    /// How many principals.
    pub principals: usize,
    /// The account.
    pub account: String,
    /// The Regions, sorted.
    pub regions: Vec<String>,
    /// Its first event.
    pub first: Timestamp,
    /// Its last event.
    pub last: Timestamp,
    /// How many events: calls, or failures.
    pub reads: usize,
    /// How many different secrets; null where an event hides which.
    pub distinct_secrets: Option<usize>,
    /// The secrets' names as far as they are known, sorted.
    pub secrets: Vec<Untrusted>,
    /// How many of the events are refused or failed calls.
    pub errors: usize,
    /// When a later event closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The ids of its events, by time.
    pub event_ids: Vec<Untrusted>,
    /// What else is known, by label.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// One more thing that is known of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// What it is, in our own words.
    pub label: &'static str,
    /// What it says.
    pub value: Untrusted,
}

impl Incident {
    /// The incident that a burst of marks is.
    pub fn of(response: &Response, key: String, burst: &Burst<'_>, details: Vec<Detail>) -> Self {
        let principals: BTreeSet<&Untrusted> = burst.marks.iter().map(|mark| &mark.principal).collect();
        let regions: BTreeSet<&String> = burst.marks.iter().map(|mark| &mark.region).collect();
        Self {
            rule: response.id.clone(),
            severity: burst.severity,
            key,
            state: if burst.resolved.is_some() { State::Resolved } else { State::Open },
            handler: response.handler,
            title: response.title.clone(),
            principal: if principals.len() == 1 { principals.first().map(|id| (*id).clone()) } else { None },
            principals: principals.len(),
            account: burst.marks.first().map(|mark| mark.account.clone()).unwrap_or_default(),
            regions: regions.into_iter().cloned().collect(),
            first: burst.first(),
            last: burst.last(),
            reads: burst.marks.len(),
            distinct_secrets: burst.distinct_secrets(),
            secrets: names(&burst.marks),
            errors: burst.marks.iter().filter(|mark| mark.error).count(),
            resolved_at: burst.resolved,
            event_ids: burst.marks.iter().map(|mark| mark.id.clone()).collect(),
            details,
        }
    }
}

/// The names of the secrets of some marks, one a secret, sorted.
fn names(marks: &[&Mark]) -> Vec<Untrusted> {
    let keys: BTreeSet<String> = classes(marks.iter().flat_map(|mark| &mark.secrets)).into_values().collect();
    let name = |key: &String| key.splitn(3, '/').nth(2).map(Untrusted::new);
    let names: BTreeSet<Untrusted> = keys.iter().filter_map(name).collect();
    names.into_iter().collect()
}
