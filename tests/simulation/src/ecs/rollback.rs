//! Rollbacks: how ECS shows the deployment to which it goes back.

use responder_core::aws::ecs_service::RolloutState;
use responder_core::time::Timestamp;

use super::agenda::{RollbackShape, RolloutStep};
use super::model::SimulatedEcs;
use super::service::{CircuitBreaker, ROLLBACK_TEXT, SimulatedDeployment};

impl SimulatedEcs {
    /// Makes the last COMPLETED deployment PRIMARY again, if there is one; returns the id of PRIMARY.
    pub(super) fn roll_back(&mut self, arn: &str, at: Timestamp) -> Option<String> {
        let shape = self.draw_rollback_shape();
        let new_id = format!("ecs-svc/{}", self.random.digits(19));
        let service = self.services.get_mut(arn)?;
        if !matches!(service.circuit_breaker, Some(CircuitBreaker { rollback: true })) {
            return None;
        }
        let completed = service
            .deployments
            .iter()
            .filter(|deployment| deployment.rollout_state == RolloutState::Completed);
        let target = completed.max_by_key(|deployment| deployment.created_at)?.id.clone();
        for deployment in &mut service.deployments {
            deployment.primary = deployment.id == target;
            if deployment.primary {
                deployment.drained_at = None;
                show_rollback(deployment, shape, &new_id, at);
            }
        }
        service.deployments.sort_by_key(|deployment| !deployment.primary);
        let primary = service.primary()?.id.clone();
        let reason = format!("ECS deployment circuit breaker: {ROLLBACK_TEXT} {target}.");
        self.set_rollout_state(arn, &primary, RolloutState::InProgress, reason, at);
        // Nothing has to be started: it takes as long as failed tasks take to end.
        self.add_appointment(at.plus(self.drain_time), arn, &primary, RolloutStep::Complete);
        Some(primary)
    }

    fn draw_rollback_shape(&mut self) -> RollbackShape {
        let count = self.rollback_shapes.len();
        if count == 0 {
            return RollbackShape::default();
        }
        self.rollback_shapes[self.random.index(count)]
    }
}

fn show_rollback(target: &mut SimulatedDeployment, shape: RollbackShape, new_id: &str, at: Timestamp) {
    match shape {
        RollbackShape::SameDeployment => {}
        RollbackShape::NewCreationTime => target.created_at = at,
        RollbackShape::NewDeployment => {
            new_id.clone_into(&mut target.id);
            target.created_at = at;
        }
    }
}
