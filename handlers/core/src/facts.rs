//! What is known when a decision is made: everything that the world says, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::mark::Mark;
use crate::rules::Severity;
use crate::secret::SecretRef;
use crate::service::{Deployment, Service};
use crate::time::{Span, Timestamp};

/// Something that must be known to decide about an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// The ECS services of an account and Region, with their references.
    Services {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// The marks of a stream between two instants, this one included: asking adds it, so that of two functions that
    /// count at the same time at least one sees both.
    Marks {
        /// The stream.
        stream: String,
        /// The mark to add.
        mark: Mark,
        /// The earliest mark wanted.
        from: Timestamp,
        /// The latest mark wanted.
        to: Timestamp,
    },
    /// What was already said about an incident.
    Incident {
        /// The incident's key.
        key: String,
    },
    /// Whether a deployment is one that we asked for.
    Rollout {
        /// The deployment's id.
        deployment: String,
    },
}

/// The answers, and the operator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The operator's settings.
    pub settings: Settings,
    /// The services; absent if nobody knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,
    /// What could not be learned, in our own words.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub gaps: BTreeSet<String>,
    /// What cannot be learned from here, however often one looks, in our own words.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub limits: BTreeSet<String>,
    /// The marks, by stream.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, BTreeSet<Mark>>,
    /// What was said about incidents, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, IncidentState>,
    /// The deployments that we asked for, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rollouts: BTreeMap<String, Rollout>,
}

/// How much time one item of the ledger covers.
pub const CHUNK: Span = Span::from_secs(600);
/// How many marks an item takes without looking at them.
pub const CHUNK_MARKS: usize = 1_000;

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long after a change to wait before redeploying, so that the native event and the `CloudTrail` event of one
    /// rotation, seconds apart, are answered by one deployment.
    pub settle: Span,
    /// How much newer than the change a deployment must be to run the new value: Secrets Manager is eventually
    /// consistent. Shorter than `settle`, or our own deployment would not count.
    pub margin: Span,
    /// What is put before a runbook's path in pages.
    pub runbooks: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { settle: Span::from_secs(15), margin: Span::from_secs(5), runbooks: String::new() }
    }
}

/// What was said about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentState {
    /// Its first event so far.
    pub first: Timestamp,
    /// Its last event so far.
    pub last: Timestamp,
    /// The highest severity that was paged.
    pub severity: Severity,
    /// When it was resolved, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
}

/// A deployment that we asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// The service's ARN.
    pub service: String,
    /// The secret it was asked for.
    pub secret: SecretRef,
    /// When its value had changed.
    pub changed_at: Timestamp,
}

impl Facts {
    /// Notes a mark as the ledger does: what is in an item is bounded, whatever an attacker does. Once `CHUNK_MARKS`
    /// marks are in one chunk of a stream, only those are taken that bring a new secret, Region or principal, and of
    /// those at most as many again.
    pub fn add_mark(&mut self, stream: &str, mark: Mark) {
        let marks = self.streams.entry(stream.to_owned()).or_default();
        let start = Timestamp::from_millis(mark.at.millis() - mark.at.millis().rem_euclid(CHUNK.millis()));
        let in_chunk = marks.range(Mark::first_at(start)..Mark::first_at(start.plus(CHUNK)));
        let count = in_chunk.clone().take(2 * CHUNK_MARKS).count();
        let news = || {
            in_chunk.clone().all(|known| {
                known.principal != mark.principal
                    || known.region != mark.region
                    || known.secrets != mark.secrets
            })
        };
        if count < CHUNK_MARKS || (count < 2 * CHUNK_MARKS && news()) {
            marks.insert(mark);
        }
    }

    /// The marks of a stream within `reach` of an instant, by time.
    pub fn marks(&self, stream: &str, at: Timestamp, reach: Span) -> impl Iterator<Item = &Mark> {
        let past = Timestamp::from_millis(at.plus(reach).millis().saturating_add(1));
        let (from, to) = (Mark::first_at(at.minus(reach)), Mark::first_at(past));
        self.streams.get(stream).into_iter().flat_map(move |marks| marks.range(from.clone()..to.clone()))
    }

    /// The service with this ARN gets a new PRIMARY deployment.
    pub(crate) fn redeployed(&mut self, arn: &str, deployment: &Deployment, rollout: Rollout) {
        let services = self.services.iter_mut().flatten();
        for service in services.filter(|service| service.arn == arn) {
            service.primary = Some(deployment.clone());
        }
        self.rollouts.insert(deployment.id.clone(), rollout);
    }

    /// Notes something that could not be learned.
    pub fn gap(&mut self, what: impl Into<String>) {
        self.gaps.insert(what.into());
    }
}
