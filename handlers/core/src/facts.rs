//! What is known when a decision is made: everything that the world says, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::ecs_service::EcsService;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
pub use crate::settings::Settings;
use crate::state::deployment::{ConcurrencySlot, DeploymentRecord, KnownChange, PendingReadEvidence};
use crate::state::digest_entry::DigestDay;
pub use crate::state::incident_state::IncidentState;
use crate::state::observation::Observation;
use crate::state::open_incident::OpenIncident;
use crate::time::{Date, Span, Timestamp};

/// Something that must be known to decide about an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// The ECS services that may use a secret, as they are after its change.
    Consumers {
        /// The secret.
        secret: SecretRef,
        /// When it changed: what is known of earlier does not count.
        since: Timestamp,
    },
    /// One ECS service, as it is.
    Service {
        /// Its cluster's ARN.
        cluster: String,
        /// Its ARN.
        service: String,
    },
    /// What Secrets Manager says of a secret.
    Secret {
        /// The secret.
        secret: SecretRef,
        /// The version that should be AWSCURRENT: worth waiting for a little.
        version: Option<String>,
    },
    /// What Secrets Manager says of every secret of an account and Region.
    Secrets {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// What is remembered of our work in an account and Region.
    RotationState {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// The last deployment of a service that we asked for.
    Deployment {
        /// The service's ARN.
        service: String,
    },
    /// The consumers of a secret that a role's read of it would prove.
    PendingEvidence {
        /// The key, of role and secret.
        key: String,
    },
    /// The secrets that a role's task definitions refer to.
    LaunchSecrets {
        /// The role's ARN.
        role: String,
    },
    /// The marks of a stream between two instants, this one included: asking adds it, so that of two functions that
    /// count at the same time at least one sees both.
    Observations {
        /// The stream.
        group: String,
        /// The mark to add.
        observation: Observation,
        /// The earliest mark wanted.
        from: Timestamp,
        /// The latest mark wanted.
        to: Timestamp,
    },
    /// The same marks, and none is added.
    GroupWindow {
        /// The stream.
        group: String,
        /// The earliest mark wanted.
        from: Timestamp,
        /// The latest mark wanted.
        to: Timestamp,
    },
    /// The incidents that were paged and may still be open.
    OpenIncidents,
    /// What is noted of a day for its summary.
    DigestDay {
        /// The date, in UTC.
        date: Date,
    },
    /// When a principal last read a secret.
    LastSeen {
        /// The key, of principal and secret.
        key: String,
    },
    /// What was already said about an incident.
    Incident {
        /// The incident's key.
        key: String,
    },
}

/// The answers, and the operator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The operator's settings.
    pub settings: Settings,
    /// The present; without it, the event's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// The services; absent if nobody knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<EcsService>>,
    /// What could not be learned, by `account/region`, in our own words.
    #[serde(alias = "gaps", skip_serializing_if = "BTreeMap::is_empty")]
    pub discovery_failures: BTreeMap<String, BTreeSet<String>>,
    /// What cannot be learned from here, however often one looks, by `account/region`, in our own words.
    #[serde(alias = "limits", skip_serializing_if = "BTreeMap::is_empty")]
    pub discovery_limits: BTreeMap<String, BTreeSet<String>>,
    /// What Secrets Manager says, by the secret's key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretMetadata>,
    /// The last change that is known of a secret, by its key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, KnownChange>,
    /// The deployments that we asked for, the last of each service, by its ARN.
    #[serde(alias = "asked", skip_serializing_if = "BTreeMap::is_empty")]
    pub deployments: BTreeMap<String, DeploymentRecord>,
    /// The places among the deployments in flight that are taken, by the cluster's ARN.
    #[serde(alias = "slots", skip_serializing_if = "BTreeMap::is_empty")]
    pub concurrency_slots: BTreeMap<String, BTreeMap<u32, ConcurrencySlot>>,
    /// Up to which change a human was told of a consumer: by the service's ARN, then the secret's key.
    #[serde(alias = "told", skip_serializing_if = "BTreeMap::is_empty")]
    pub notified: BTreeMap<String, BTreeMap<String, Timestamp>>,
    /// The consumers that a read would prove, by [`crate::state::deployment::awaited_key`].
    #[serde(alias = "awaited", skip_serializing_if = "BTreeMap::is_empty")]
    pub pending_evidence: BTreeMap<String, BTreeSet<PendingReadEvidence>>,
    /// The secrets (`account/region/name`) that a role's task definitions refer to, by the role's ARN; empty also where
    /// nobody knows them.
    #[serde(alias = "launches", skip_serializing_if = "BTreeMap::is_empty")]
    pub launch_secrets: BTreeMap<String, BTreeSet<String>>,
    /// The marks, by stream.
    #[serde(alias = "streams", skip_serializing_if = "BTreeMap::is_empty")]
    pub observations: BTreeMap<String, BTreeSet<Observation>>,
    /// What was said about incidents, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, IncidentState>,
    /// The incidents that were paged, by key, as the sweep looks for them.
    #[serde(alias = "open", skip_serializing_if = "BTreeMap::is_empty")]
    pub open_incidents: BTreeMap<String, OpenIncident>,
    /// What is noted of a day for its summary.
    #[serde(alias = "days", skip_serializing_if = "BTreeMap::is_empty")]
    pub digest_days: BTreeMap<Date, DigestDay>,
    /// When a principal last read a secret, by [`crate::decide::seen_key`].
    #[serde(alias = "seen", skip_serializing_if = "BTreeMap::is_empty")]
    pub last_seen: BTreeMap<String, Timestamp>,
}

/// How much time of a stream is bounded together: an item of the ledger holds marks of one such stretch.
pub const CHUNK: Span = Span::from_secs(600);
/// How many marks such a stretch takes without looking at them; long ones count several times ([`Observation::weight`]).
pub const CHUNK_MARKS: usize = 1_000;

impl Facts {
    /// Notes a mark as the ledger does: what is in an item is bounded, whatever an attacker does. A chunk of a stream
    /// takes `CHUNK_MARKS` marks of a kind (what a mark is to its responses: a flood of reads keeps no batch read from
    /// counting), and three times as many in all. Beyond that it takes what brings a new secret, Region or principal:
    /// as many again of a kind, and five times as many in all. Returns whether it is noted.
    pub fn add_mark(&mut self, group: &str, observation: Observation) -> bool {
        let observations = self.observations.entry(group.to_owned()).or_default();
        let start = Timestamp::from_millis(
            observation.at.millis() - observation.at.millis().rem_euclid(CHUNK.millis()),
        );
        let in_chunk =
            observations.range(Observation::first_at(start)..Observation::first_at(start.plus(CHUNK)));
        let all: usize = in_chunk.clone().take(5 * CHUNK_MARKS).map(Observation::weight).sum();
        let same = || {
            let same = in_chunk.clone().filter(|known| known.roles == observation.roles);
            same.map(Observation::weight).sum::<usize>()
        };
        let news = || {
            in_chunk.clone().all(|known| {
                known.principal != observation.principal
                    || known.region != observation.region
                    || known.secrets != observation.secrets
                    || known.roles != observation.roles
            })
        };
        let room = || {
            let same = same();
            let plain = same < CHUNK_MARKS && all < 3 * CHUNK_MARKS;
            plain || (same < 2 * CHUNK_MARKS && all < 5 * CHUNK_MARKS && news())
        };
        let taken = all < CHUNK_MARKS || room() || observations.contains(&observation);
        if taken {
            observations.insert(observation);
        }
        taken
    }

    /// The marks of a stream within `reach` of an instant, by time.
    pub fn observations(
        &self,
        group: &str,
        at: Timestamp,
        reach: Span,
    ) -> impl Iterator<Item = &Observation> {
        let past = Timestamp::from_millis(at.plus(reach).millis().saturating_add(1));
        let (from, to) = (Observation::first_at(at.minus(reach)), Observation::first_at(past));
        self.observations
            .get(group)
            .into_iter()
            .flat_map(move |observations| observations.range(from.clone()..to.clone()))
    }

    /// The marks of a stream that are later than an instant, by time.
    pub(crate) fn marks_after(&self, group: &str, at: Timestamp) -> impl Iterator<Item = &Observation> {
        let past = Observation::first_at(Timestamp::from_millis(at.millis().saturating_add(1)));
        self.observations
            .get(group)
            .into_iter()
            .flat_map(move |observations| observations.range(past.clone()..))
    }

    /// Notes something that could not be learned.
    pub fn gap(&mut self, account: &str, region: &str, what: impl Into<String>) {
        self.discovery_failures.entry(place(account, region)).or_default().insert(what.into());
    }
}

/// What could not be learned where the ledger did not answer: what is done at most once can then not be done.
pub const LEDGER_GAP: &str = "what was done before: the ledger did not answer";

/// The key of an account and Region.
pub fn place(account: &str, region: &str) -> String {
    format!("{account}/{region}")
}

impl Facts {
    /// Whether the ledger told what was done in an account and Region.
    pub(crate) fn is_remembered(&self, account: &str, region: &str) -> bool {
        self.discovery_failures.get(&place(account, region)).is_none_or(|gaps| !gaps.contains(LEDGER_GAP))
    }
}
