//! The steps of rotations: deployments, and what is remembered of them.

use futures_util::future::join_all;
use responder_core::aws::arn::Arn;
use responder_core::aws::ecs_service::RolloutState;
use responder_core::decide::LONGEST_WAIT;
use responder_core::facts::Facts;
use responder_core::plan::{PlanStep, SkipReason};
use responder_core::state::consumer_decision::ConsumerDecision;
use responder_core::state::deployment::{
    AffectedConsumer, DeploymentOutcome, PendingReadEvidence, SecretChange, read_evidence_key,
};
use responder_core::time::{Span, Timestamp};

use super::{PlanExecutor, StepEffect};
use crate::deadline::between;
use crate::error::{CallFailure, EngineError, FailureCause};
use crate::ledger::{DeploymentClaim, DeploymentClaimResult, DeploymentRequest, ProvenDeployment};
use crate::port::{AwsPort, Region};

/// What must be left of the invocation after waiting.
const LEFT_AFTER_WAIT: Span = Span::from_secs(5);

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Deploys a service anew, if nobody did.
    pub(super) async fn redeploy(&mut self, step: &PlanStep) -> Result<StepEffect, EngineError> {
        let PlanStep::Redeploy {
            cluster,
            service,
            secrets,
            not_before,
            fresh_from,
            cooldown_from,
            slot,
            rollout,
            ..
        } = step
        else {
            return Ok(StepEffect::Already);
        };
        self.wait(*not_before).await?;
        let region = Arn::parse_for_service("ecs", service).and_then(|arn| Region::of(arn.region));
        let Some(region) = region else {
            return Err(EngineError::Refused(CallFailure::of(FailureCause::NoRegion)));
        };
        let until = self.deadline.sooner(super::MARKING).at();
        let (fresh_from, cooled_from, slot, rollout) = (*fresh_from, *cooldown_from, *slot, *rollout);
        let wish = DeploymentRequest { cluster, service, secrets, fresh_from, cooled_from, slot, rollout };
        let ticket = match self.ledger.claim_deployment(&wish).await? {
            DeploymentClaimResult::Yes(ticket) => ticket,
            DeploymentClaimResult::Already => return Ok(StepEffect::Already),
            // The change is on record: the sweep looks again.
            DeploymentClaimResult::Later => {
                self.counters.deployments_held += 1;
                return Ok(StepEffect::Already);
            }
        };
        // What could not be asked for in time was not asked for.
        if let Err(error) = self.cache.deploy_slot(self.aws, &region, service, until).await {
            self.ledger.not_deployed(&wish, ticket, DeploymentOutcome::Refused).await;
            return Err(error);
        }
        let answer =
            self.aws.force_deployment(&region, cluster, service, until).await.map_err(super::refusal);
        let deployment = match answer {
            Ok(deployment) => deployment,
            Err(error) => {
                let denied = matches!(error, EngineError::Refused(_));
                self.counters.redeploys_refused += usize::from(denied);
                // After anything but a clear no, ECS may be at it: that shows within minutes.
                if error.had_no_effect() {
                    let ended = if denied { DeploymentOutcome::Denied } else { DeploymentOutcome::Refused };
                    self.ledger.not_deployed(&wish, ticket, ended).await;
                }
                return Err(error);
            }
        };
        self.counters.deployments_forced += 1;
        self.ledger.deployed(&wish, ticket, deployment.as_deref()).await?;
        self.prove(step, deployment.as_deref(), ticket).await?;
        Ok(StepEffect::Acted)
    }

    /// A deployment that is too early may start with the old value.
    async fn wait(&self, not_before: Timestamp) -> Result<(), EngineError> {
        let wait = between(self.aws.now(), not_before);
        let left = between(self.aws.now().plus(wait), self.deadline.at());
        if wait > LONGEST_WAIT || wait > Span::default() && left < LEFT_AFTER_WAIT {
            return Err(EngineError::Early);
        }
        self.aws.sleep(wait).await;
        Ok(())
    }

    /// Writes down what was deployed for which change, and whose reads will prove it.
    async fn prove(
        &self,
        step: &PlanStep,
        deployment: Option<&str>,
        ticket: DeploymentClaim,
    ) -> Result<(), EngineError> {
        let PlanStep::Redeploy { service, secrets, execution_roles, why, .. } = step else { return Ok(()) };
        let at = ticket.requested_at;
        let known = deployment.map(|id| ProvenDeployment { id, at, completed: false });
        let decided = secrets.iter().map(|changed| {
            self.ledger.decided(service, changed, ConsumerDecision::Redeploy, why, known.as_ref())
        });
        let pairs =
            execution_roles.iter().flat_map(|role| secrets.iter().map(move |changed| (role, changed)));
        let evidence: Vec<(String, PendingReadEvidence)> = pairs
            .map(|(role, changed)| {
                let evidence =
                    PendingReadEvidence { service: service.clone(), change: changed.clone(), since: at };
                (read_evidence_key(role, &changed.secret), evidence)
            })
            .collect();
        let waits = evidence.iter().map(|(key, evidence)| self.ledger.wait_for(key, evidence));
        let (decided, waits) = futures_util::future::join(join_all(decided), join_all(waits)).await;
        decided.into_iter().chain(waits).collect()
    }

    /// The steps that remember what became of a deployment.
    pub(super) async fn remember(&mut self, step: &PlanStep, facts: &Facts) -> Result<(), EngineError> {
        match step {
            PlanStep::ReconcileDeployment { service, requested_at, deployment } => {
                self.ledger.adopt(service, *requested_at, deployment).await
            }
            PlanStep::EndDeployment { service, cluster, requested_at, slot, secrets, end, .. } => {
                let slot = slot.map(|slot| (cluster.as_str(), slot));
                if !self.ledger.end_deployment(service, *requested_at, (end.at, end.outcome), slot).await? {
                    return Ok(());
                }
                let end = (end.at, end.outcome);
                let proofs = secrets.iter().map(|changed| self.ledger.rolled_out(service, changed, end));
                join_all(proofs).await.into_iter().collect()
            }
            PlanStep::Prove { key, evidence, at } => {
                let took = between(evidence.change.at, *at);
                // The proof first: what is awaited no more is never proved.
                let waiting = facts.pending_evidence.get(key).into_iter().flatten();
                let shared = waiting.into_iter().any(|other| other.service != evidence.service);
                self.ledger.fetched(&evidence.service, &evidence.change, shared, *at).await?;
                self.ledger.came(key, evidence).await?;
                self.counters.seconds_to_consume.push(took.millis() / 1_000);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The steps that are only written down, in any order.
    pub(super) async fn record(&self, step: &PlanStep) -> Result<(), EngineError> {
        match step {
            PlanStep::RecordChange { change } => self.ledger.note(change).await,
            PlanStep::ResolveChange { change } => self.ledger.settle(change).await,
            PlanStep::Skip { service, secrets, deployment, reason, why } => {
                let decision = match reason {
                    SkipReason::AlreadyNewer => ConsumerDecision::Newer,
                    reason if reason.needs_human() => ConsumerDecision::Notified,
                    _ => return Ok(()),
                };
                let primary = deployment.as_ref().filter(|_| decision == ConsumerDecision::Newer);
                let primary = primary.map(|deployment| ProvenDeployment {
                    id: &deployment.id,
                    at: deployment.created_at,
                    completed: deployment.rollout_state == Some(RolloutState::Completed),
                });
                self.decided(service, secrets, decision, why, primary.as_ref()).await
            }
            PlanStep::Defer { service, secrets, why, .. } => {
                self.decided(service, secrets, ConsumerDecision::Deferred, why, None).await
            }
            _ => Ok(()),
        }
    }

    async fn decided(
        &self,
        service: &str,
        secrets: &[SecretChange],
        decision: ConsumerDecision,
        why: &str,
        deployment: Option<&ProvenDeployment<'_>>,
    ) -> Result<(), EngineError> {
        let proofs =
            secrets.iter().map(|changed| self.ledger.decided(service, changed, decision, why, deployment));
        join_all(proofs).await.into_iter().collect()
    }

    /// A human was told of these consumers.
    pub(super) async fn notified(&self, about: &[AffectedConsumer]) -> Result<(), EngineError> {
        join_all(about.iter().map(|consumer| self.ledger.notified(consumer))).await.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use responder_core::aws::ecs_service::EcsDeployment;
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::decide;
    use responder_core::facts::Settings;
    use responder_core::notify::Renderer;
    use responder_core::plan::Plan;
    use responder_core::rules::{Handler, builtin};
    use responder_core::state::deployment::DeploymentEnd;

    use super::*;
    use crate::deadline::Deadline;
    use crate::discover::ProcessCache;
    use crate::fake::{EngineFake, block_on};
    use crate::ledger::Ledger;
    use crate::metrics::Counters;

    /// A sweep learns at once that ours was superseded and that the newer one answers the change, which is settled then.
    #[test]
    fn one_sweep_gives_the_proof_of_a_superseded_deployment_to_the_newer_one() {
        let (service, cluster) = ("arn:aws:ecs:us-west-2:111122223333:service/shop/web", "shop");
        let (at, lease) = (|second: i64| Timestamp::from_millis(second * 1_000), Span::from_secs(60));
        let secret = SecretRef::from_key("111122223333/us-west-2/prod/db").unwrap();
        let secrets = vec![SecretChange { secret, at: at(100), version: None }];
        let aws = EngineFake::default();
        aws.clock.set(at(110));
        let deadline = Deadline::of(aws.now().plus(lease), lease, aws.now());
        let ledger = Ledger::new(&aws, "a", lease, deadline);
        let ours = ProvenDeployment { id: "ours", at: at(110), completed: false };
        block_on(ledger.decided(service, &secrets[0], ConsumerDecision::Redeploy, "", Some(&ours))).unwrap();
        let (fresh_from, cooled_from, rollout) = (at(105), at(0), Span::from_secs(600));
        let wish = DeploymentRequest {
            cluster,
            service,
            secrets: &secrets,
            fresh_from,
            cooled_from,
            slot: 0,
            rollout,
        };
        let granted = block_on(ledger.claim_deployment(&wish)).unwrap();
        assert!(matches!(granted, DeploymentClaimResult::Yes(_)));
        let newer = EcsDeployment {
            id: "theirs".to_owned(),
            created_at: at(150),
            rollout_state: Some(RolloutState::Completed),
        };
        let steps = vec![
            PlanStep::Skip {
                service: service.to_owned(),
                secrets: secrets.clone(),
                deployment: Some(newer),
                reason: SkipReason::AlreadyNewer,
                why: "it is newer".to_owned(),
            },
            PlanStep::EndDeployment {
                service: service.to_owned(),
                cluster: cluster.to_owned(),
                requested_at: at(110),
                deployment: Some("ours".to_owned()),
                slot: None,
                secrets,
                end: DeploymentEnd { at: at(150), outcome: DeploymentOutcome::Superseded },
            },
        ];
        let rules = builtin().unwrap();
        let quarantine = decide::quarantine(&rules, Handler::Sweep, b"", "", at(1));
        let (cache, mut counters) = (ProcessCache::default(), Counters::default());
        let settings = Settings::default();
        let mut executor = PlanExecutor {
            aws: &aws,
            rules: &rules,
            renderer: Renderer::new(&rules, &settings),
            ledger: &ledger,
            cache: &cache,
            deadline,
            counters: &mut counters,
        };
        let executed = block_on(executor.execute(&Plan { steps, ..quarantine }, &Facts::default()));
        assert!(executed.errors.is_empty(), "{:?}", executed.errors);
        let table = aws.table.borrow();
        let proof = table.iter().find(|(key, _)| key.pk.starts_with("proof#")).unwrap().1;
        assert_eq!((proof.text("decision"), proof.text("deployment")), (Some("newer"), Some("theirs")));
        assert_eq!(proof.number("superseded_at"), Some(150_000));
        assert!(proof.number("completed_at").is_some());
    }
}
