//! The chains of every change, from events alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::change::{ObservedChange, changes};
use super::consumer::{ObservedConsumer, ServiceKnowledge};
use super::deployment_history::{ObservedDeployment, histories};
use super::observe::{EventMeaning, RotationEvents, TaskRead};
use super::{ProofChain, ProofScope, RecordedDecision, RotationProof};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::facts::Facts;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// What events prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuiltProofs {
    /// One chain for each change and service that is known to use the secret, by time, secret and service.
    pub chains: Vec<ProofChain>,
    /// The changes without such a service, by time.
    pub lone: Vec<UnconsumedChange>,
}

/// A change of a secret that no service is known to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnconsumedChange {
    /// The secret.
    pub secret: SecretRef,
    /// The version that is AWSCURRENT since, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When its value changed.
    pub changed_at: Timestamp,
    /// Whether it is certain that no service uses it.
    pub certain: bool,
    /// Why none is known.
    pub reason: &'static str,
    /// The first read of it by a task, whoever's, after the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_read: Option<UnattributedRead>,
}

/// A task's read of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnattributedRead {
    /// When.
    pub at: Timestamp,
    /// The role of the task.
    pub role: Untrusted,
}

impl RotationEvents {
    /// Rebuilds the records that the ledger would hold, as far as the events tell, and judges them. `facts` say which
    /// services use which secrets; where they name no services, the task definitions among the events do.
    pub fn rebuild(&self, facts: &Facts) -> RebuiltProofs {
        let definitions = self.iter().filter_map(|observed| match observed {
            EventMeaning::Definition(definition) => Some((&*definition.id, definition)),
            _ => None,
        });
        let world = ServiceKnowledge {
            facts,
            histories: histories(self, facts.services.as_deref().unwrap_or_default()),
            definitions: definitions.collect(),
        };
        let reads = ReadIndex::of(self);
        let moves = self.iter().filter_map(|observed| match observed {
            EventMeaning::Moved(moved) => Some(moved),
            _ => None,
        });
        let mut rebuilt = RebuiltProofs::default();
        for change in changes(moves) {
            let mut consumers = world.consumers(&change);
            consumers.sort_by(|a, b| a.arn.cmp(&b.arn));
            if consumers.is_empty() {
                rebuilt.lone.push(lone(&world, &reads, change));
                continue;
            }
            for consumer in &consumers {
                let others = consumers.iter().filter(|other| other.arn != consumer.arn);
                let shared = others.into_iter().any(|other| !other.roles.is_disjoint(&consumer.roles));
                let (proof, view) = chain(&world, &reads, &change, consumer, shared, self.until);
                rebuilt.chains.push(ProofChain::of(proof, &view));
            }
        }
        rebuilt
    }
}

fn lone(world: &ServiceKnowledge<'_>, reads: &ReadIndex<'_>, change: ObservedChange) -> UnconsumedChange {
    let (certain, reason) = world.none(&change);
    let first = reads.of_secret(&change).find(|fetch| fetch.at >= change.at);
    let first_read = first.map(|fetch| UnattributedRead { at: fetch.at, role: fetch.principal.clone() });
    let ObservedChange { secret, version, at } = change;
    UnconsumedChange { secret, version, changed_at: at, certain, reason, first_read }
}

fn chain(
    world: &ServiceKnowledge<'_>,
    reads: &ReadIndex<'_>,
    change: &ObservedChange,
    consumer: &ObservedConsumer,
    shared: bool,
    until: Option<Timestamp>,
) -> (RotationProof, ProofScope) {
    let settings = &world.facts.settings;
    let history = world.histories.get(&consumer.place);
    let from = change.at.plus(settings.fresh_after());
    let deployment = history.and_then(|history| history.answer(from));
    let since = deployment.map(|deployment| deployment.at);
    let fetch = since.and_then(|since| {
        let mut own = reads.of_secret(change).filter(|fetch| consumer.roles.contains(&fetch.role));
        own.find(|fetch| fetch.at >= since)
    });
    let refused = history.and_then(|history| {
        let call = history.refused.iter().find(|call| call.at >= change.at && call.forces)?;
        let code = call.refused.as_ref()?.raw();
        Some(Untrusted::new(format!("ECS refused the call of {}: {code}", call.at)))
    });
    let failure = deployment.and_then(|deployment| deployment.failed_at.and(deployment.reason.clone()));
    let note = match deployment {
        None => refused.or_else(|| consumer.note.map(Untrusted::new)),
        Some(_) if consumer.roles.is_empty() => Some(Untrusted::new("its execution role is not known")),
        Some(_) => None,
    };
    let forced = |deployment: &ObservedDeployment| {
        if deployment.forced_at.is_some() { RecordedDecision::Redeploy } else { RecordedDecision::Newer }
    };
    let proof = RotationProof {
        secret: change.secret.clone(),
        service: consumer.arn.clone(),
        version: change.version.clone(),
        changed_at: change.at,
        decided_at: deployment.and_then(|deployment| deployment.forced_at),
        decision: deployment.map(forced),
        why: None,
        deployment: deployment.and_then(|deployment| deployment.id.clone()),
        deployed_at: since,
        completed_at: deployment.and_then(|deployment| deployment.completed_at),
        failed_at: deployment.and_then(|deployment| deployment.failed_at),
        superseded_at: None,
        fetched_at: fetch.map(|fetch| fetch.at),
        shared,
    };
    let view = ProofScope {
        ends_known: history.is_some_and(|history| history.ends_known),
        reads_known: true,
        until,
        answer: settings.answer,
        rollout: settings.rollout,
        excluded: consumer.excluded,
        note: failure.or(note),
    };
    (proof, view)
}

/// The reads of tasks, by secret as it was spelled and by time.
struct ReadIndex<'o>(BTreeMap<&'o SecretRef, Vec<&'o TaskRead>>);

impl<'o> ReadIndex<'o> {
    fn of(observations: &'o RotationEvents) -> Self {
        let mut reads: BTreeMap<_, Vec<&TaskRead>> = BTreeMap::new();
        for observed in observations.iter() {
            if let EventMeaning::Fetch(fetch) = observed {
                reads.entry(&fetch.secret).or_default().push(fetch);
            }
        }
        for reads in reads.values_mut() {
            reads.sort();
        }
        Self(reads)
    }

    /// The reads of a secret that got its AWSCURRENT, or the version of this change, by time.
    fn of_secret(&self, change: &ObservedChange) -> impl Iterator<Item = &'o TaskRead> {
        let spelled = self.0.iter().filter(|(secret, _)| secret.may_be(&change.secret));
        let fits = |fetch: &&TaskRead| fetch.version.is_none() || fetch.version == change.version;
        let mut found: Vec<&TaskRead> =
            spelled.flat_map(|(_, reads)| reads.iter().copied()).filter(fits).collect();
        found.sort();
        found.into_iter()
    }
}
