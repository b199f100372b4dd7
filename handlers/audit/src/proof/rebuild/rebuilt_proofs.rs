//! Puts changes, consumers, deployments and reads together: one chain for each change and consumer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::consumers::{ObservedConsumer, ServiceKnowledge};
use super::deployment_history::{DeploymentHistory, ObservedDeployment, build_histories};
use super::failed_rotations::{FailedRotation, find_failed_rotations};
use super::secret_changes::{ObservedChange, find_changes};
use super::task_reads::ReadIndex;
use crate::proof::evidence::{RoleIdentity, RotationEvents, TaskRead};
use crate::proof::proof_chain::ProofChain;
use crate::proof::proof_scope::ProofScope;
use crate::proof::rotation_proof::{RecordedDecision, RotationProof};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::facts::Facts;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// The proofs that the events give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuiltProofs {
    /// One chain for each change and each service that is known to use the secret, by time, secret and service.
    pub chains: Vec<ProofChain>,
    /// The changes of secrets without such a service, by time.
    pub unconsumed: Vec<UnconsumedChange>,
    /// The rotations that failed, by time.
    pub failed: Vec<FailedRotation>,
}

/// A change of a secret that no service is known to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnconsumedChange {
    /// The secret.
    pub secret: SecretRef,
    /// The version that is AWSCURRENT since, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The time at which its value changed.
    pub changed_at: Timestamp,
    /// Whether it is certain that no service uses it.
    pub certain: bool,
    /// Why none is known.
    pub reason: &'static str,
    /// The first read of it by any task after the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_read: Option<UnattributedRead>,
}

/// A task's read of a secret, of which the service is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnattributedRead {
    /// The time of the read.
    pub at: Timestamp,
    /// The role of the task.
    pub role: Untrusted,
}

/// Rebuilds the records that the ledger would hold, as far as the events show, and judges them. `facts` name the services
/// and their secrets. If they name no services, the task definitions among the events do.
pub fn rebuild_proofs(events: &RotationEvents, facts: &Facts) -> RebuiltProofs {
    let evidence = events.sort_evidence();
    let mut definitions = BTreeMap::new();
    for definition in &evidence.definitions {
        definitions.insert(definition.id.as_str(), *definition);
    }
    let services = facts.services.as_deref().unwrap_or_default();
    let rebuilder = ProofRebuilder {
        knowledge: ServiceKnowledge { facts, histories: build_histories(&evidence, services), definitions },
        reads: ReadIndex::new(&evidence.reads),
        until: evidence.until,
    };
    let mut rebuilt = RebuiltProofs::default();
    let changes = find_changes(&evidence.moves);
    rebuilt.failed = find_failed_rotations(&evidence.failures, &changes);
    for change in changes {
        let consumers = rebuilder.knowledge.find_consumers(&change);
        for consumer in &consumers {
            let is_shared = shares_role(consumer, &consumers);
            rebuilt.chains.push(rebuilder.build_chain(&change, consumer, is_shared));
        }
        if consumers.is_empty() {
            rebuilt.unconsumed.push(rebuilder.describe_unconsumed(change));
        }
    }
    rebuilt
}

/// Whether another consumer has one of the execution roles of this one.
fn shares_role(consumer: &ObservedConsumer, consumers: &[ObservedConsumer]) -> bool {
    consumers.iter().any(|other| other.arn != consumer.arn && !other.roles.is_disjoint(&consumer.roles))
}

struct ProofRebuilder<'e> {
    knowledge: ServiceKnowledge<'e>,
    reads: ReadIndex<'e>,
    /// The time of the last event.
    until: Option<Timestamp>,
}

impl<'e> ProofRebuilder<'e> {
    /// Builds the chain of one change and one consumer.
    fn build_chain(&self, change: &ObservedChange, consumer: &ObservedConsumer, shared: bool) -> ProofChain {
        let settings = &self.knowledge.facts.settings;
        let history = self.knowledge.histories.get(&consumer.service);
        let from = change.at.plus(settings.freshness_margin());
        let deployment = history.and_then(|history| history.find_answer(from));
        let mut proof = RotationProof {
            secret: change.secret.clone(),
            service: consumer.arn.clone(),
            version: change.version.clone(),
            changed_at: change.at,
            decided_at: None,
            decision: None,
            why: None,
            deployment: None,
            deployed_at: None,
            completed_at: None,
            failed_at: None,
            superseded_at: None,
            fetched_at: None,
            shared,
        };
        let note = match deployment {
            Some(deployment) => {
                let read = self.find_read(change, consumer, deployment.at);
                proof.fetched_at = read.map(|read| read.at);
                add_deployment(&mut proof, deployment);
                explain_deployment(deployment, consumer)
            }
            None => explain_absent_deployment(history, change, consumer),
        };
        let scope = ProofScope {
            ends_known: history.is_some_and(DeploymentHistory::ends_known),
            reads_known: true,
            until: self.until,
            answer: settings.answer_deadline,
            rollout: settings.rollout_timeout,
            excluded: consumer.excluded,
            note,
        };
        let execution_roles = consumer.roles.iter().map(RoleIdentity::text).collect();
        ProofChain { execution_roles, ..ProofChain::judge(proof, &scope) }
    }

    /// Finds the first read of the new value by one of the consumer's execution roles, from `since` on.
    fn find_read(
        &self,
        change: &ObservedChange,
        consumer: &ObservedConsumer,
        since: Timestamp,
    ) -> Option<&'e TaskRead> {
        let reads = self.reads.find_reads(change, &self.knowledge.facts.secrets);
        reads.into_iter().find(|read| read.at >= since && consumer.roles.contains(&read.role))
    }

    /// Describes a change of a secret that no service is known to use.
    fn describe_unconsumed(&self, change: ObservedChange) -> UnconsumedChange {
        let (certain, reason) = self.knowledge.explain_absence(&change);
        let first = self
            .reads
            .find_reads(&change, &self.knowledge.facts.secrets)
            .into_iter()
            .find(|read| read.at >= change.at);
        let first_read = first.map(|read| UnattributedRead { at: read.at, role: read.principal.clone() });
        UnconsumedChange {
            secret: change.secret,
            version: change.version,
            changed_at: change.at,
            certain,
            reason,
            first_read,
        }
    }
}

/// Adds the deployment that answers the change. One that was requested by force stands for the decision to redeploy.
fn add_deployment(proof: &mut RotationProof, deployment: &ObservedDeployment) {
    proof.decided_at = deployment.forced_at;
    proof.decision = Some(match deployment.forced_at {
        Some(_) => RecordedDecision::Redeploy,
        None => RecordedDecision::Newer,
    });
    proof.deployment.clone_from(&deployment.id);
    proof.deployed_at = Some(deployment.at);
    proof.completed_at = deployment.completed_at;
    proof.failed_at = deployment.failed_at;
}

/// Explains the end of a chain that has a deployment: the reason for its failure, or that no read can be attributed.
fn explain_deployment(deployment: &ObservedDeployment, consumer: &ObservedConsumer) -> Option<Untrusted> {
    if let (Some(_), Some(reason)) = (deployment.failed_at, &deployment.reason) {
        return Some(reason.clone());
    }
    if consumer.roles.is_empty() { Some(Untrusted::new("its execution role is not known")) } else { None }
}

/// Explains why a consumer has no deployment: ECS refused the first call after the change, or a tag of the service.
fn explain_absent_deployment(
    history: Option<&DeploymentHistory<'_>>,
    change: &ObservedChange,
    consumer: &ObservedConsumer,
) -> Option<Untrusted> {
    if let Some(history) = history {
        for call in &history.refused {
            if call.at >= change.at
                && call.forces
                && let Some(code) = &call.refused
            {
                let sentence = format!("ECS refused the call of {}: {}", call.at, code.raw());
                return Some(Untrusted::new(sentence));
            }
        }
    }
    consumer.note.map(Untrusted::new)
}
