//! Steps that only leave a record in the ledger: changes, decisions, ends of deployments, evidence, and notifications.

use futures_util::future::join_all;
use responder_core::aws::ecs_service::{EcsDeployment, RolloutState};
use responder_core::facts::Facts;
use responder_core::plan::PlanStep;
use responder_core::state::consumer_decision::ConsumerDecision;
use responder_core::state::deployment::{AffectedConsumer, SecretChange};

use super::plan_executor::PlanExecutor;
use crate::deadline::span_between;
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::store::{DeploymentEndReport, ProvenDeployment};

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Records a step that may be recorded in any order with its like.
    pub(super) async fn record_step(&self, step: &PlanStep) -> Result<(), EngineError> {
        match step {
            PlanStep::RecordChange { change } => self.ledger.record_change(change).await,
            PlanStep::ResolveChange { change } => self.ledger.resolve_change(change).await,
            PlanStep::Skip { service, secrets, deployment, reason, why } => {
                let Some(decision) = reason.consumer_decision() else { return Ok(()) };
                let proven = deployment.as_ref().filter(|_| decision.rests_on_deployment());
                let proven = proven.map(prove_deployment);
                self.record_decisions(service, secrets, decision, why, proven.as_ref()).await
            }
            PlanStep::Defer { service, secrets, why, .. } => {
                self.record_decisions(service, secrets, ConsumerDecision::Deferred, why, None).await
            }
            _ => Ok(()),
        }
    }

    /// Records what became of a deployment of ours.
    pub(super) async fn record_rollout_step(
        &mut self,
        step: &PlanStep,
        facts: &Facts,
    ) -> Result<(), EngineError> {
        match step {
            PlanStep::ReconcileDeployment { service, requested_at, deployment } => {
                self.ledger.record_deployment_id(service, *requested_at, deployment).await
            }
            PlanStep::EndDeployment { service, cluster, requested_at, slot, secrets, end, .. } => {
                let report = DeploymentEndReport {
                    service,
                    requested_at: *requested_at,
                    end: *end,
                    slot: slot.map(|number| (cluster, number)),
                };
                if !self.ledger.record_deployment_end(&report).await? {
                    return Ok(());
                }
                let records = secrets
                    .iter()
                    .map(|change| self.ledger.record_rollout_end(service, change, end.at, end.outcome));
                join_all(records).await.into_iter().collect()
            }
            PlanStep::Prove { key, evidence, at } => {
                let mut is_shared = false;
                for other in facts.pending_evidence.get(key).into_iter().flatten() {
                    is_shared |= other.service != evidence.service;
                }
                // The proof comes first: a consumer that is no longer pending is never proved.
                let (service, change) = (&evidence.service, &evidence.change);
                self.ledger.record_read_evidence(service, change, is_shared, *at).await?;
                self.ledger.remove_pending_evidence(key, evidence).await?;
                let seconds = span_between(change.at, *at).millis() / 1_000;
                self.counters.seconds_to_consume.push(seconds);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Records the same decision about a service for each change.
    pub(super) async fn record_decisions(
        &self,
        service: &str,
        changes: &[SecretChange],
        decision: ConsumerDecision,
        why: &str,
        deployment: Option<&ProvenDeployment<'_>>,
    ) -> Result<(), EngineError> {
        let records = changes
            .iter()
            .map(|change| self.ledger.record_decision(service, change, decision, why, deployment));
        join_all(records).await.into_iter().collect()
    }

    /// Records that on-call was notified of these consumers.
    pub(super) async fn record_notified_consumers(
        &self,
        consumers: &[AffectedConsumer],
    ) -> Result<(), EngineError> {
        let records = consumers.iter().map(|consumer| self.ledger.record_notified_consumer(consumer));
        join_all(records).await.into_iter().collect()
    }
}

/// The PRIMARY deployment of a service as a proof.
fn prove_deployment(deployment: &EcsDeployment) -> ProvenDeployment<'_> {
    ProvenDeployment {
        id: &deployment.id,
        deployed_at: deployment.created_at,
        is_completed: deployment.rollout_state == Some(RolloutState::Completed),
    }
}
