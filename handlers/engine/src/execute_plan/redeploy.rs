//! Redeployments: a concurrency slot and the service are claimed, ECS is called, and the answer is recorded.

use futures_util::future::{join, join_all};
use responder_core::aws::arn::Arn;
use responder_core::decide::LONGEST_WAIT;
use responder_core::plan::PlanStep;
use responder_core::state::consumer_decision::ConsumerDecision;
use responder_core::state::deployment::{DeploymentOutcome, PendingReadEvidence, read_evidence_keys};
use responder_core::time::{Span, Timestamp};

use super::plan_executor::{COMPLETION_RESERVE, PlanExecutor, StepEffect};
use crate::deadline::span_between;
use crate::error::{EngineError, FailureCause, RefusedCall};
use crate::port::{AwsPort, Region};
use crate::store::{DeploymentClaimResult, DeploymentRequest, ProvenDeployment};

/// The time of the invocation that must be left after waiting for a change to settle.
const RESERVE_AFTER_WAIT: Span = Span::from_secs(5);

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Forces a new deployment of a service, unless one was requested already. The exits are:
    ///
    /// 1. it is too early, and waiting would take too long: the event fails, and comes again;
    /// 2. the service's ARN names no Region: refused for good;
    /// 3. a deployment was requested that answers the changes, or one must wait: the changes are on record, and the sweep
    ///    decides again;
    /// 4. the rate limit allows no call in time: the claim is withdrawn, and the event fails;
    /// 5. the call fails: the claim is withdrawn if the call certainly had no effect. After any other error ECS may have
    ///    started a deployment: the claim stays, and the sweep finds out;
    /// 6. ECS starts a deployment, which is recorded.
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
            return Ok(StepEffect::Uncounted);
        };
        // 1. Too early.
        self.wait_until(*not_before).await?;
        // 2. No Region.
        let Some(region) = region_of_service(service) else {
            let refused = RefusedCall::without_call(FailureCause::RegionMissing);
            return Err(EngineError::DeploymentRefused(refused));
        };
        let request = DeploymentRequest {
            cluster,
            service,
            changes: secrets,
            fresh_from: *fresh_from,
            cooldown_from: *cooldown_from,
            slot: *slot,
            rollout: *rollout,
        };
        // 3. Requested already, or to be deferred.
        let claim = match self.ledger.claim_deployment(&request).await? {
            DeploymentClaimResult::Granted(claim) => claim,
            DeploymentClaimResult::AlreadyRequested => return Ok(StepEffect::AlreadyApplied),
            DeploymentClaimResult::Deferred => {
                self.counters.deployments_deferred += 1;
                return Ok(StepEffect::AlreadyApplied);
            }
        };
        // 4. The rate limit.
        let until = self.deadline.earlier_by(COMPLETION_RESERVE).instant().min(claim.lease_until);
        if let Err(error) = self.cache.wait_for_deployment(self.aws, &region, service, until).await {
            self.ledger.withdraw_deployment(&request, claim, DeploymentOutcome::of_refusal(None)).await;
            return Err(error);
        }
        // 5. The call.
        let deployment = match self.aws.force_deployment(&region, cluster, service, until).await {
            Ok(deployment) => deployment,
            Err(error) => {
                let refusal = match &error {
                    EngineError::DeploymentRefused(refused) => Some(refused.refusal),
                    _ => None,
                };
                self.counters.redeploys_refused += usize::from(refusal.is_some());
                if error.had_no_effect() {
                    let outcome = DeploymentOutcome::of_refusal(refusal);
                    self.ledger.withdraw_deployment(&request, claim, outcome).await;
                }
                return Err(error);
            }
        };
        // 6. Started.
        self.counters.deployments_forced += 1;
        self.ledger.record_deployment(&request, claim, deployment.as_deref()).await?;
        self.record_redeployment(step, deployment.as_deref(), claim.requested_at).await?;
        Ok(StepEffect::Applied)
    }

    /// Waits until a deployment surely starts with the new value: one that starts too early may still read the old one.
    async fn wait_until(&self, not_before: Timestamp) -> Result<(), EngineError> {
        let now = self.aws.now();
        let wait = span_between(now, not_before);
        if wait == Span::default() {
            return Ok(());
        }
        let remaining_after_wait = span_between(now.plus(wait), self.deadline.instant());
        if wait > LONGEST_WAIT || remaining_after_wait < RESERVE_AFTER_WAIT {
            return Err(EngineError::RedeployTooEarly);
        }
        self.aws.sleep(wait).await;
        Ok(())
    }

    /// Records the decision for each change, and the reads that will be evidence for it.
    async fn record_redeployment(
        &self,
        step: &PlanStep,
        deployment: Option<&str>,
        requested_at: Timestamp,
    ) -> Result<(), EngineError> {
        let PlanStep::Redeploy { service, secrets, execution_roles, partial_arns, why, .. } = step else {
            return Ok(());
        };
        let proven =
            deployment.map(|id| ProvenDeployment { id, deployed_at: requested_at, is_completed: false });
        let mut pending = Vec::new();
        for role in execution_roles {
            for change in secrets {
                let evidence = PendingReadEvidence {
                    service: service.clone(),
                    change: change.clone(),
                    since: requested_at,
                };
                for key in read_evidence_keys(role, &change.secret, partial_arns) {
                    pending.push((key, evidence.clone()));
                }
            }
        }
        let (recorded, added) = join(
            self.record_decisions(service, secrets, ConsumerDecision::Redeploy, why, proven.as_ref()),
            join_all(pending.iter().map(|(key, evidence)| self.ledger.add_pending_evidence(key, evidence))),
        )
        .await;
        recorded?;
        added.into_iter().collect()
    }
}

fn region_of_service(service: &str) -> Option<Region> {
    Region::parse(Arn::parse_for_service("ecs", service)?.region)
}
