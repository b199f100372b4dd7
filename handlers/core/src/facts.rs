//! Facts: everything that is known when a decision is made, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::ecs_arn::{ClusterArn, ServiceArn};
use crate::aws::ecs_service::EcsService;
use crate::aws::location::Location;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
pub use crate::settings::Settings;
use crate::state::deployment::{ConcurrencySlot, DeploymentRecord, KnownChange, PendingReadEvidence};
use crate::state::digest_entry::DigestDay;
pub use crate::state::incident_state::IncidentState;
use crate::state::observation::Observation;
use crate::state::open_incident::OpenIncident;
use crate::time::{Date, Span, Timestamp};

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
    /// The secrets of other Regions and accounts to which services refer, by the service's ARN; also of services that use none of
    /// the changed secrets, and are not in the list of services.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub distant_references: BTreeMap<ServiceArn, BTreeSet<SecretRef>>,
    /// What could not be learned, by `account/region`, in our own words.
    #[serde(alias = "gaps", skip_serializing_if = "BTreeMap::is_empty")]
    pub discovery_failures: BTreeMap<Location, BTreeSet<String>>,
    /// What cannot be learned from here, however often one looks, by `account/region`, in our own words.
    #[serde(alias = "limits", skip_serializing_if = "BTreeMap::is_empty")]
    pub discovery_limits: BTreeMap<Location, BTreeSet<String>>,
    /// What Secrets Manager says, by the secret's key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretMetadata>,
    /// The last change that is known of a secret, by its key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, KnownChange>,
    /// The deployments that we requested, the last of each service, by its ARN.
    #[serde(alias = "asked", skip_serializing_if = "BTreeMap::is_empty")]
    pub deployments: BTreeMap<ServiceArn, DeploymentRecord>,
    /// The concurrency slots that are taken, by the cluster's ARN.
    #[serde(alias = "slots", skip_serializing_if = "BTreeMap::is_empty")]
    pub concurrency_slots: BTreeMap<ClusterArn, BTreeMap<u32, ConcurrencySlot>>,
    /// The time of the last change of which a human was notified, by the service's ARN, then the secret's key.
    #[serde(alias = "told", skip_serializing_if = "BTreeMap::is_empty")]
    pub notified: BTreeMap<ServiceArn, BTreeMap<String, Timestamp>>,
    /// The consumers that a read would prove, by [`crate::state::deployment::read_evidence_key`].
    #[serde(alias = "awaited", skip_serializing_if = "BTreeMap::is_empty")]
    pub pending_evidence: BTreeMap<String, BTreeSet<PendingReadEvidence>>,
    /// The secrets (`account/region/name`) that a role's task definitions refer to, by the role's ARN; empty also where
    /// nobody knows them.
    #[serde(alias = "launches", skip_serializing_if = "BTreeMap::is_empty")]
    pub launch_secrets: BTreeMap<String, BTreeSet<String>>,
    /// The observations, by group.
    #[serde(alias = "streams", skip_serializing_if = "BTreeMap::is_empty")]
    pub observations: BTreeMap<String, BTreeSet<Observation>>,
    /// What was notified about incidents, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, IncidentState>,
    /// The incidents that were paged, by key, as the sweep looks for them.
    #[serde(alias = "open", skip_serializing_if = "BTreeMap::is_empty")]
    pub open_incidents: BTreeMap<String, OpenIncident>,
    /// The digest entries of a day, for its summary.
    #[serde(alias = "days", skip_serializing_if = "BTreeMap::is_empty")]
    pub digest_days: BTreeMap<Date, DigestDay>,
    /// When a principal last read a secret, by [`crate::decide::last_seen_key`].
    #[serde(alias = "seen", skip_serializing_if = "BTreeMap::is_empty")]
    pub last_seen: BTreeMap<String, Timestamp>,
}

/// How much time of a group is bounded together: one item of the ledger holds observations of one such stretch.
pub const OBSERVATION_CHUNK: Span = Span::from_secs(600);
/// How many observations such a stretch takes without looking at them; long ones weigh more ([`Observation::weight`]).
pub const CHUNK_OBSERVATIONS_MAX: usize = 1_000;
/// The discovery failure of an account and Region for which the ledger did not answer: what is done at most once cannot be
/// done without knowing what was done.
pub const LEDGER_GAP: &str = "what was done before: the ledger did not answer";

impl Facts {
    /// Adds an observation to a group as the ledger does: an item is bounded, whatever an attacker does. Returns whether
    /// there was room:
    ///
    /// 1. a stretch of time takes [`CHUNK_OBSERVATIONS_MAX`] observations;
    /// 2. beyond that as many of one kind (what an observation is to its responses: a flood of reads keeps no batch read from
    ///    counting), and three times as many in all;
    /// 3. beyond that what brings a new secret, Region or principal: as many again of one kind, five times as many in all.
    pub fn add_observation(&mut self, group: &str, observation: Observation) -> bool {
        let known = self.observations.entry(group.to_owned()).or_default();
        let has_room = has_room(known, &observation) || known.contains(&observation);
        if has_room {
            known.insert(observation);
        }
        has_room
    }

    /// The observations of a group within `reach` of an instant, by time.
    pub fn observations(
        &self,
        group: &str,
        at: Timestamp,
        reach: Span,
    ) -> impl Iterator<Item = &Observation> {
        let from = Observation::first_at(at.minus(reach));
        let to = Observation::first_at(just_after(at.plus(reach)));
        let observations = self.observations.get(group).into_iter();
        observations.flat_map(move |observations| observations.range(from.clone()..to.clone()))
    }

    /// The observations of a group that are later than an instant, by time.
    pub(crate) fn observations_after(
        &self,
        group: &str,
        at: Timestamp,
    ) -> impl Iterator<Item = &Observation> {
        let from = Observation::first_at(just_after(at));
        let observations = self.observations.get(group).into_iter();
        observations.flat_map(move |observations| observations.range(from.clone()..))
    }

    /// Adds something that could not be learned about an account and Region.
    pub fn add_discovery_failure(&mut self, account: &str, region: &str, failure: impl Into<String>) {
        self.discovery_failures.entry(Location::new(account, region)).or_default().insert(failure.into());
    }

    /// Whether the ledger answered which changes of a secret are known.
    pub(crate) fn is_change_remembered(&self, secret: &SecretRef) -> bool {
        self.has_ledger_answer(&self.settings.change_location(secret))
    }

    /// Whether the ledger answered what was done in an account and Region.
    pub(crate) fn is_remembered(&self, account: &str, region: &str) -> bool {
        self.has_ledger_answer(&Location::new(account, region))
    }

    fn has_ledger_answer(&self, location: &Location) -> bool {
        self.discovery_failures.get(location).is_none_or(|failures| !failures.contains(LEDGER_GAP))
    }
}

/// Whether the stretch of time of an observation has room for it.
fn has_room(known: &BTreeSet<Observation>, observation: &Observation) -> bool {
    let past_start = observation.at.millis().rem_euclid(OBSERVATION_CHUNK.millis());
    let start = Timestamp::from_millis(observation.at.millis() - past_start);
    let stretch = Observation::first_at(start)..Observation::first_at(start.plus(OBSERVATION_CHUNK));
    let mut all = 0;
    let mut same_kind = 0;
    let mut is_new = true;
    // Each weighs at least one: no more have to be looked at than make it full.
    for other in known.range(stretch).take(5 * CHUNK_OBSERVATIONS_MAX) {
        all += other.weight();
        if other.roles == observation.roles {
            same_kind += other.weight();
            is_new &= other.principal != observation.principal
                || other.region != observation.region
                || other.secrets != observation.secrets;
        }
    }
    all < CHUNK_OBSERVATIONS_MAX
        || same_kind < CHUNK_OBSERVATIONS_MAX && all < 3 * CHUNK_OBSERVATIONS_MAX
        || same_kind < 2 * CHUNK_OBSERVATIONS_MAX && all < 5 * CHUNK_OBSERVATIONS_MAX && is_new
}

fn just_after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_add(1))
}
