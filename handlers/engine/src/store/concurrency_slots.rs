//! Concurrency slots in the ledger: a cluster has a bounded number of them, and each deployment of ours holds one.

use responder_core::time::{Span, Timestamp};

use super::deployment_request::DeploymentRequest;
use super::ledger::Ledger;
use super::schema::{self, OWNER, SERVICE, TTL, UNTIL, expiry_seconds};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, Equals, LessThan};
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate, WriteCondition, WriteResult};

/// The result of taking a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotTaking {
    /// The slot was free.
    Taken,
    /// Another request for the same service holds it.
    HeldBySameService,
    /// Another service holds it.
    Unavailable,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Takes the slot of a request for a lease.
    pub(super) async fn take_slot(
        &self,
        request: &DeploymentRequest<'_>,
        now: Timestamp,
    ) -> Result<SlotTaking, EngineError> {
        let until = now.plus(self.lease);
        let update = ItemUpdate::new(schema::slot_key(request.cluster, request.slot))
            .set_text(SERVICE, request.service)
            .set_text(OWNER, self.owner)
            .set_number(UNTIL, until.millis())
            .set_number(TTL, expiry_seconds(now, until, request.rollout))
            .only_if(Any(vec![Absent(SERVICE), LessThan(UNTIL, now.millis())]));
        match self.write_item(&update).await? {
            WriteResult::Written => Ok(SlotTaking::Taken),
            WriteResult::ConditionFailed(Some(item)) if item.text(SERVICE) == Some(request.service) => {
                Ok(SlotTaking::HeldBySameService)
            }
            WriteResult::ConditionFailed(_) => Ok(SlotTaking::Unavailable),
        }
    }

    /// Keeps a slot that was taken until the end of the rollout, and returns whether that succeeded. The slot may be gone: an
    /// invocation that took it for the same service, and came too late for the service, gives it back, and a third one may
    /// have taken it since.
    pub(super) async fn keep_slot(
        &self,
        request: &DeploymentRequest<'_>,
        requested_at: Timestamp,
    ) -> Result<bool, EngineError> {
        let until = requested_at.plus(request.rollout);
        let is_available = Any(vec![
            Absent(SERVICE),
            LessThan(UNTIL, requested_at.millis()),
            is_held_by_service(request.service),
        ]);
        let update = ItemUpdate::new(schema::slot_key(request.cluster, request.slot))
            .set_text(SERVICE, request.service)
            .set_text(OWNER, self.owner)
            .set_number(UNTIL, until.millis())
            .set_number(TTL, expiry_seconds(self.aws.now(), until, Span::default()))
            .only_if(is_available);
        Ok(self.write_item(&update).await? == WriteResult::Written)
    }

    /// Gives the slot of a request back that this invocation took. If this write is lost, the slot frees itself.
    pub(super) async fn give_slot_back(&self, request: &DeploymentRequest<'_>) {
        let slot = schema::slot_key(request.cluster, request.slot);
        let is_owner = Equals(OWNER, AttributeValue::Text(self.owner.to_owned()));
        drop(self.free_slot(slot, is_owner).await);
    }

    /// Frees the slot of a deployment that ended, unless another service holds it by now.
    pub(super) async fn free_slot_of_service(
        &self,
        cluster: &str,
        number: u32,
        service: &str,
    ) -> Result<(), EngineError> {
        self.free_slot(schema::slot_key(cluster, number), is_held_by_service(service)).await
    }

    async fn free_slot(&self, slot: ItemKey, condition: WriteCondition) -> Result<(), EngineError> {
        let update = ItemUpdate::new(slot).remove_attributes([SERVICE, OWNER, UNTIL]).only_if(condition);
        self.write_or_skip(&update).await
    }
}

fn is_held_by_service(service: &str) -> WriteCondition {
    Equals(SERVICE, AttributeValue::Text(service.to_owned()))
}
