//! Rollouts: a deployment supersedes another, completes, fails, and is rolled back.
//!
//! A superseded deployment stays ACTIVE until the one above it is COMPLETED; superseded twice, until it is drained. A failed one with a circuit breaker
//! gives way to the last COMPLETED one, which becomes PRIMARY again under its old id and `createdAt` and launches nothing: with
//! `minimumHealthyPercent` 100 its tasks never stopped. Where none is left, the failed one stays and nothing else happens.

use responder_core::aws::ecs_service::{DeploymentController, RolloutState, ServiceStatus};
use responder_core::time::{Span, Timestamp};

use super::agenda::{RolloutAppointment, RolloutOutcome, RolloutStep};
use super::deployment_log::StartedDeployment;
use super::events::EcsEvent;
use super::model::SimulatedEcs;
use super::service::{PAUSE_TEXT, SimulatedDeployment};

/// The circuit breaker ends a deployment when half of its tasks have failed, but not before 3 and not after 200 (developer guide of ECS,
/// deployment circuit breaker).
const MIN_FAILED_TASKS: u32 = 3;
const MAX_FAILED_TASKS: u32 = 200;

impl SimulatedEcs {
    /// Lets time pass; returns what happened since the last time, in its order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<EcsEvent> {
        self.run_until(now);
        std::mem::take(&mut self.outbox)
    }

    /// When something happens next by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Starts a deployment that nobody forced, as a pipeline does with a new revision (an ARN). Returns its id; `None` without such an active service.
    pub fn deploy(&mut self, service: &str, task_definition: Option<&str>, now: Timestamp) -> Option<String> {
        self.run_until(now);
        let found = self.services.get_mut(service)?;
        if found.status != ServiceStatus::Active {
            return None;
        }
        if let Some(task_definition) = task_definition {
            task_definition.clone_into(&mut found.task_definition);
        }
        self.start_deployment(service, now, false)
    }

    /// Lets time pass; what happens meanwhile is kept.
    pub fn run_until(&mut self, now: Timestamp) {
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let appointment = entry.remove();
            self.keep_appointment(&appointment, at);
        }
    }

    /// Starts a deployment; returns its id.
    pub(super) fn start_deployment(&mut self, arn: &str, now: Timestamp, forced: bool) -> Option<String> {
        let id = format!("ecs-svc/{}", self.random.digits(19));
        let outcome = self.take_outcome(arn);
        let drained_at = now.plus(self.drain_time);
        let service = self.services.get_mut(arn)?;
        let was_in_flight = service.is_in_flight();
        let ruined = if forced { service.find_approval() } else { None };
        let is_superseded_twice =
            service.primary().is_some_and(|primary| primary.rollout_state != RolloutState::Completed);
        let mut draining = Vec::new();
        for deployment in &mut service.deployments {
            deployment.primary = false;
            if is_superseded_twice && deployment.drained_at.is_none() {
                deployment.drained_at = Some(drained_at);
                draining.push(deployment.id.clone());
            }
        }
        let deployment = SimulatedDeployment {
            id: id.clone(),
            primary: true,
            created_at: now,
            updated_at: now,
            task_definition: service.task_definition.clone(),
            rollout_state: RolloutState::InProgress,
            reason: format!("ECS deployment {id} in progress."),
            forced,
            tasks: Vec::new(),
            connect_secrets: service.connect_secrets.clone(),
            drained_at: None,
        };
        service.deployments.insert(0, deployment);
        if !was_in_flight {
            self.log.count_begin(&service.cluster, now);
        }
        self.log.add(StartedDeployment {
            service: arn.to_owned(),
            deployment: id.clone(),
            created_at: now,
            forced,
            ruined,
        });
        for superseded in draining {
            self.add_appointment(drained_at, arn, &superseded, RolloutStep::Drain);
        }
        self.schedule_rollout(arn, &id, now, outcome);
        self.send_state_change(arn, &id, now);
        Some(id)
    }

    /// Plans how a deployment goes on: its tasks, and its end.
    fn schedule_rollout(&mut self, arn: &str, id: &str, now: Timestamp, outcome: RolloutOutcome) {
        let Some(service) = self.services.get(arn) else { return };
        let desired = service.desired;
        let baking = service.baking_time();
        let has_circuit_breaker =
            service.circuit_breaker.is_some() && service.controller == DeploymentController::Ecs;
        match outcome {
            RolloutOutcome::Completes(span) => {
                self.schedule_launches(arn, id, now, span, desired);
                self.add_appointment(now.plus(span).plus(baking), arn, id, RolloutStep::Complete);
            }
            RolloutOutcome::Pauses { started_after, continued_after } => {
                self.schedule_launches(arn, id, now, started_after, desired);
                let paused_at = now.plus(started_after);
                self.add_appointment(paused_at, arn, id, RolloutStep::Pause);
                if let Some(after) = continued_after {
                    self.add_appointment(paused_at.plus(after).plus(baking), arn, id, RolloutStep::Complete);
                }
            }
            RolloutOutcome::Fails(span) => {
                let failing = (desired / 2).clamp(MIN_FAILED_TASKS, MAX_FAILED_TASKS);
                self.schedule_launches(arn, id, now, span, failing);
                if has_circuit_breaker {
                    self.add_appointment(now.plus(span), arn, id, RolloutStep::Fail);
                }
            }
            RolloutOutcome::Stalls => {}
        }
    }

    /// Tasks start evenly over the time of a rollout.
    fn schedule_launches(&mut self, arn: &str, id: &str, now: Timestamp, span: Span, count: u32) {
        for number in 1..=count {
            let after = span.millis().saturating_mul(number.into()) / (i64::from(count) + 1);
            self.add_appointment(now.plus(Span::from_millis(after)), arn, id, RolloutStep::Launch);
        }
    }

    /// A deleted service is DRAINING now and INACTIVE when its tasks have ended.
    pub(super) fn retire_service(&mut self, arn: &str, now: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        if service.status != ServiceStatus::Active {
            return;
        }
        service.status = ServiceStatus::Draining;
        if service.is_in_flight() {
            self.log.count_end(&service.cluster, now);
        }
        self.add_appointment(now.plus(self.drain_time), arn, "", RolloutStep::Retire);
    }

    /// Takes the step of an appointment, if the deployment is still in the state for it.
    fn keep_appointment(&mut self, appointment: &RolloutAppointment, at: Timestamp) {
        let RolloutAppointment { service: arn, deployment: id, step } = appointment;
        let Some(service) = self.services.get_mut(arn) else { return };
        if matches!(step, RolloutStep::Retire) {
            service.status = ServiceStatus::Inactive;
            service.deployments.clear();
            return;
        }
        if service.status != ServiceStatus::Active {
            return;
        }
        let Some(deployment) = service.deployment(id) else { return };
        let is_rolling_out = deployment.primary && deployment.rollout_state == RolloutState::InProgress;
        let is_drained = !deployment.primary && deployment.drained_at == Some(at);
        match step {
            RolloutStep::Launch if is_rolling_out => self.launch_task(arn, id, at),
            RolloutStep::Pause if is_rolling_out => {
                let reason = format!("ECS deployment {id} in progress: {PAUSE_TEXT}.");
                self.set_rollout_state(arn, id, RolloutState::InProgress, reason, at);
            }
            RolloutStep::Complete if is_rolling_out => self.complete_deployment(arn, id, at),
            RolloutStep::Fail if is_rolling_out => self.fail_deployment(arn, id, at),
            RolloutStep::Drain if is_drained => {
                service.deployments.retain(|deployment| deployment.id != *id);
            }
            _ => {}
        }
    }

    fn complete_deployment(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        service.deployments.retain(|deployment| deployment.id == id);
        let cluster = service.cluster.clone();
        self.set_rollout_state(
            arn,
            id,
            RolloutState::Completed,
            format!("ECS deployment {id} completed."),
            at,
        );
        self.log.count_end(&cluster, at);
        self.send_state_change(arn, id, at);
    }

    fn fail_deployment(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        let cluster = service.cluster.clone();
        let reason = "ECS deployment circuit breaker: tasks failed to start.";
        self.set_rollout_state(arn, id, RolloutState::Failed, reason.to_owned(), at);
        self.send_state_change(arn, id, at);
        match self.roll_back(arn, at) {
            Some(target) => self.send_state_change(arn, &target, at),
            None => self.log.count_end(&cluster, at),
        }
    }

    pub(super) fn set_rollout_state(
        &mut self,
        arn: &str,
        id: &str,
        state: RolloutState,
        reason: String,
        at: Timestamp,
    ) {
        let Some(service) = self.services.get_mut(arn) else { return };
        if let Some(deployment) = service.deployment_mut(id) {
            deployment.set_rollout_state(state, reason, at);
        }
    }
}
