//! The events that ECS sends when the state of a deployment changes.

use responder_core::aws::ecs_service::{DeploymentController, RolloutState};
use responder_core::time::Timestamp;
use serde_json::json;

use super::events::EcsEvent;
use super::model::SimulatedEcs;
use super::service::spell_rollout_state;
use crate::event_envelope::wrap_event;

impl SimulatedEcs {
    /// Sends an `ECS Deployment State Change` (developer guide of ECS, service deployment state change events). Only rolling updates
    /// by ECS have it.
    pub(super) fn send_state_change(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get(arn) else { return };
        if service.controller != DeploymentController::Ecs {
            return;
        }
        let Some(deployment) = service.deployment(id) else { return };
        let failed = deployment.rollout_state == RolloutState::Failed;
        let detail = json!({
            "eventType": if failed { "ERROR" } else { "INFO" },
            "eventName": format!("SERVICE_DEPLOYMENT_{}", spell_rollout_state(deployment.rollout_state)),
            "deploymentId": id,
            "updatedAt": at.truncate_to_second(),
            "reason": deployment.reason,
        });
        let kind = ("aws.ecs", "ECS Deployment State Change");
        let event = wrap_event(&mut self.random, &self.location, at, kind, &[arn], &detail);
        self.outbox.push(EcsEvent::StateChange { at, event });
    }
}
