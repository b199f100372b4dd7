//! Deployments in the ledger: a concurrency slot of the cluster, then the service itself, are claimed before ECS is called.
//!
//! The request is on record before the call, so that neither the death of an invocation nor a lost answer hides it.

use responder_core::aws::ecs_arn::{ClusterArn, ServiceArn};
use responder_core::state::deployment::{
    DeploymentEnd, DeploymentOutcome, is_outcome_news, is_request_due, is_requested_at,
};
use responder_core::time::{Span, Timestamp};

use super::concurrency_slots::SlotTaking;
use super::conditions::write_condition;
use super::deployment_request::{DeploymentClaim, DeploymentClaimResult, DeploymentRequest};
use super::ledger::Ledger;
use super::schema::{
    self, CHANGES, CLUSTER, DEPLOYMENT, DEPLOYMENT_LIFETIME, ENDED_AT, LEASE_UNTIL, OUTCOME, OWNER,
    REQUESTED_AT, SLOT, TTL, expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, All, Any, LessThan};
use crate::port::{AwsPort, ItemUpdate, TableItem, WriteResult};

/// The end of a deployment of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeploymentEndReport<'r> {
    pub(crate) service: &'r ServiceArn,
    pub(crate) requested_at: Timestamp,
    pub(crate) end: DeploymentEnd,
    /// The cluster and number of its concurrency slot, which is free now.
    pub(crate) slot: Option<(&'r ClusterArn, u32)>,
}

/// The time between the claim of a deployment and the end of its call: a wait for the rate limit, and one attempt of the SDK.
/// It is short, because a deployment that begins in this time counts as ours where the answer to the call was lost.
const MAX_CALL_TIME: Span = Span::from_secs(25);

/// The attributes of a claim.
const CLAIM_ATTRIBUTES: [&str; 2] = [OWNER, LEASE_UNTIL];

impl<A: AwsPort> Ledger<'_, A> {
    /// Claims a concurrency slot for a lease, then the service, and then keeps the slot for as long as the rollout may take.
    ///
    /// The slot is taken for a short time first, so that an invocation that dies on the way does not block it for long; it
    /// is kept before ECS is called, so that a lost answer does not free it. The exits are:
    ///
    /// 1. the slot is taken by another service: deferred;
    /// 2. the service is claimed, and the slot is kept: granted. The table may refuse the claim because it holds it already,
    ///    for the SDK sent the request twice: that is the same;
    /// 3. the service is claimed, but the slot is gone: deferred;
    /// 4. a deployment was requested that answers the changes: already requested;
    /// 5. the service is cooling down, or another invocation holds it: deferred.
    pub(crate) async fn claim_deployment(
        &self,
        request: &DeploymentRequest<'_>,
    ) -> Result<DeploymentClaimResult, EngineError> {
        let now = self.aws.now();
        let slot = self.take_slot(request, now).await?;
        // 1. The slot is taken.
        if slot == SlotTaking::Unavailable {
            return Ok(DeploymentClaimResult::Deferred);
        }
        let (is_claimed, known) =
            match self.write_item(&request_update(request, self.owner, now, self.call_lease())).await? {
                WriteResult::Written => (true, TableItem::default()),
                WriteResult::ConditionFailed(known) => {
                    let known = known.unwrap_or_default();
                    (is_own_request(&known, self.owner, now), known)
                }
            };
        if is_claimed {
            let claim = DeploymentClaim { requested_at: now, lease_until: now.plus(self.call_lease()) };
            // 2. Claimed.
            if self.keep_slot(request, now).await? {
                return Ok(DeploymentClaimResult::Granted(claim));
            }
            // 3. The slot is gone.
            self.withdraw_deployment(request, claim, DeploymentOutcome::Refused).await;
            return Ok(DeploymentClaimResult::Deferred);
        }
        if slot == SlotTaking::Taken {
            self.give_slot_back(request).await;
        }
        // 4. Requested already.
        if known.timestamp(REQUESTED_AT).is_some_and(|requested_at| requested_at >= request.fresh_from) {
            return Ok(DeploymentClaimResult::AlreadyRequested);
        }
        // 5. To be deferred.
        Ok(DeploymentClaimResult::Deferred)
    }

    /// For how long the caller of `UpdateService` may take: no longer than the other claims are held.
    fn call_lease(&self) -> Span {
        self.lease.min(MAX_CALL_TIME)
    }

    /// Records that ECS started the deployment, with its id if ECS returned one.
    pub(crate) async fn record_deployment(
        &self,
        request: &DeploymentRequest<'_>,
        claim: DeploymentClaim,
        deployment: Option<&str>,
    ) -> Result<(), EngineError> {
        let mut update = ItemUpdate::new(schema::deployment_key(request.service))
            .set_number(TTL, deployment_expiry_seconds(self.aws.now()))
            .remove_attributes(CLAIM_ATTRIBUTES)
            .only_if(write_condition(&is_requested_at(claim.requested_at)));
        if let Some(deployment) = deployment {
            update = update.set_text(DEPLOYMENT, deployment);
        }
        self.write_or_skip(&update).await
    }

    /// Records that ECS certainly did nothing, and gives the slot back: it is as if nobody had requested the deployment. If
    /// this write is lost, the lease runs out.
    pub(crate) async fn withdraw_deployment(
        &self,
        request: &DeploymentRequest<'_>,
        claim: DeploymentClaim,
        outcome: DeploymentOutcome,
    ) {
        let update = ItemUpdate::new(schema::deployment_key(request.service))
            .set_text(OUTCOME, outcome.name())
            .set_number(ENDED_AT, self.aws.now().millis())
            .remove_attributes(CLAIM_ATTRIBUTES)
            .only_if(write_condition(&is_requested_at(claim.requested_at)));
        drop(self.write_item(&update).await);
        self.give_slot_back(request).await;
    }

    /// Records the end of a deployment of ours, and frees its slot. Returns whether that is its end on record: ECS may have
    /// reported another one, which is not replaced by one that was inferred.
    pub(crate) async fn record_deployment_end(
        &self,
        report: &DeploymentEndReport<'_>,
    ) -> Result<bool, EngineError> {
        let DeploymentEndReport { service, requested_at, end, slot } = *report;
        let update = end_update(report);
        if let WriteResult::ConditionFailed(known) = self.write_item(&update).await? {
            // Another invocation recorded an end, or requested a newer deployment, which keeps the slot.
            let known = known.unwrap_or_default();
            return Ok(known.timestamp(REQUESTED_AT) == Some(requested_at)
                && known.text(OUTCOME) == Some(end.outcome.name()));
        }
        if let Some((cluster, number)) = slot {
            self.free_slot_of_service(cluster, number, service).await?;
        }
        Ok(true)
    }

    /// Records the id of a deployment of ours, unless one is known.
    pub(crate) async fn record_deployment_id(
        &self,
        service: &str,
        requested_at: Timestamp,
        deployment: &str,
    ) -> Result<(), EngineError> {
        self.write_or_skip(&id_update(service, requested_at, deployment)).await
    }
}

/// Requests the deployment in the service's item.
fn request_update(request: &DeploymentRequest<'_>, owner: &str, now: Timestamp, lease: Span) -> ItemUpdate {
    let is_free = Any(vec![Absent(LEASE_UNTIL), LessThan(LEASE_UNTIL, now.millis())]);
    let is_due = write_condition(&is_request_due(request.fresh_from, request.cooldown_from));
    ItemUpdate::new(schema::deployment_key(request.service))
        .set_text(OWNER, owner)
        .set_text(CLUSTER, request.cluster)
        .set_text(CHANGES, &serde_json::to_string(request.changes).unwrap_or_default())
        .set_number(SLOT, i64::from(request.slot))
        .set_number(REQUESTED_AT, now.millis())
        .set_number(LEASE_UNTIL, now.plus(lease).millis())
        .set_number(TTL, deployment_expiry_seconds(now))
        .remove_attributes([DEPLOYMENT, OUTCOME, ENDED_AT])
        .only_if(All(vec![is_free, is_due]))
}

/// Whether a refused request met its own copy. Another request of this invocation has another time.
fn is_own_request(item: &TableItem, owner: &str, now: Timestamp) -> bool {
    item.text(OWNER) == Some(owner) && item.timestamp(REQUESTED_AT) == Some(now)
}

fn end_update(report: &DeploymentEndReport<'_>) -> ItemUpdate {
    ItemUpdate::new(schema::deployment_key(report.service))
        .set_text(OUTCOME, report.end.outcome.name())
        .set_number(ENDED_AT, report.end.at.millis())
        .remove_attributes(CLAIM_ATTRIBUTES)
        .only_if(write_condition(&is_outcome_news(report.requested_at, report.end.outcome)))
}

fn id_update(service: &str, requested_at: Timestamp, deployment: &str) -> ItemUpdate {
    ItemUpdate::new(schema::deployment_key(service))
        .set_text(DEPLOYMENT, deployment)
        .remove_attributes(CLAIM_ATTRIBUTES)
        .only_if(All(vec![write_condition(&is_requested_at(requested_at)), Absent(DEPLOYMENT)]))
}

fn deployment_expiry_seconds(now: Timestamp) -> i64 {
    expiry_seconds(now, now, DEPLOYMENT_LIFETIME)
}

/// The outcome of a word; `None` for a word of another release.
pub(super) fn parse_outcome(word: &str) -> Option<DeploymentOutcome> {
    DeploymentOutcome::ALL.into_iter().find(|outcome| outcome.name() == word)
}

#[cfg(test)]
mod tests;
