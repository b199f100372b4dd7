//! Rollouts: a deployment supersedes another, ends, fails and is rolled back.
//!
//! A superseded deployment stays ACTIVE until the one above it is COMPLETED; superseded twice, until it is drained. A failed one with a circuit breaker
//! gives way to the last COMPLETED one, which becomes PRIMARY again under its old id and `createdAt` and launches nothing: with
//! `minimumHealthyPercent` 100 its tasks never stopped. Where none is left, the failed one stays and nothing else happens.

use responder_core::time::{Span, Timestamp};
use serde_json::json;

use super::{
    CircuitBreaker, Controller, Deployed, Deployment, Ecs, EcsEvent, Outcome, RolloutState, Service, Status,
    TaskLaunch,
};
use crate::event::{event, seconds};

/// The fewest failed tasks that the circuit breaker ends a deployment for, and the most that it waits for: half of the tasks in between (developer guide
/// of ECS, deployment circuit breaker).
const FAILURES: (u32, u32) = (3, 200);

/// Something that happens later, unless the deployment is over by then.
#[derive(Clone, Debug)]
pub(super) struct Appointment {
    service: String,
    deployment: String,
    due: Due,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Launch,
    Complete,
    Fail,
    Gone,
    /// The service's, not the deployment's.
    Deleted,
}

impl Ecs {
    /// Lets time pass; gives what happened since the last time, in its order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<EcsEvent> {
        self.run_until(now);
        std::mem::take(&mut self.outbox)
    }

    /// When something happens next by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Starts a deployment that nobody forced, as a pipeline does with a new revision (an ARN). Gives its id back; `None` without such an active service.
    pub fn deploy(&mut self, service: &str, task_definition: Option<&str>, now: Timestamp) -> Option<String> {
        self.run_until(now);
        let found = self.services.get_mut(service).filter(|found| found.status == Status::Active)?;
        if let Some(task_definition) = task_definition {
            task_definition.clone_into(&mut found.task_definition);
        }
        self.start(service, now, false)
    }

    pub(super) fn run_until(&mut self, now: Timestamp) {
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let appointment = entry.remove();
            self.keep(&appointment, at);
        }
    }

    pub(super) fn start(&mut self, arn: &str, now: Timestamp, forced: bool) -> Option<String> {
        let id = format!("ecs-svc/{}", self.random.digits(19));
        let outcome = self.outcome(arn);
        let drained = now.plus(self.drain);
        let service = self.services.get_mut(arn)?;
        let before = service.primary().map(|deployment| deployment.state);
        let superseded_twice = before.is_some_and(|state| state != RolloutState::Completed);
        let mut leaving = Vec::new();
        for deployment in &mut service.deployments {
            deployment.primary = false;
            if superseded_twice && deployment.gone_at.is_none() {
                deployment.gone_at = Some(drained);
                leaving.push(deployment.id.clone());
            }
        }
        let deployment = Deployment {
            id: id.clone(),
            primary: true,
            created_at: now,
            updated_at: now,
            task_definition: service.task_definition.clone(),
            state: RolloutState::InProgress,
            reason: format!("ECS deployment {id} in progress."),
            forced,
            launched: 0,
            connect_secrets: service.connect_secrets.clone(),
            gone_at: None,
        };
        service.deployments.insert(0, deployment);
        let (desired, cluster) = (service.desired, service.cluster.clone());
        let breaks = service.circuit_breaker.is_some() && service.controller == Controller::Ecs;
        if before != Some(RolloutState::InProgress) {
            self.log.begins(&cluster, now);
        }
        self.log.deployed(Deployed {
            service: arn.to_owned(),
            deployment: id.clone(),
            created_at: now,
            forced,
        });
        for superseded in leaving {
            self.appoint(drained, arn, &superseded, Due::Gone);
        }
        match outcome {
            Outcome::Completes(span) => {
                self.launches(arn, &id, now, span, desired);
                self.appoint(now.plus(span), arn, &id, Due::Complete);
            }
            Outcome::Fails(span) => {
                self.launches(arn, &id, now, span, (desired / 2).clamp(FAILURES.0, FAILURES.1));
                if breaks {
                    self.appoint(now.plus(span), arn, &id, Due::Fail);
                }
            }
            Outcome::Stalls => {}
        }
        self.tell(arn, &id, now);
        Some(id)
    }

    /// A deleted service is DRAINING now and INACTIVE when its tasks have ended.
    pub(super) fn retire(&mut self, arn: &str, now: Timestamp) {
        let Some(service) = self.services.get_mut(arn).filter(|service| service.status == Status::Active)
        else {
            return;
        };
        service.status = Status::Draining;
        let in_flight =
            service.primary().is_some_and(|deployment| deployment.state == RolloutState::InProgress);
        let cluster = service.cluster.clone();
        if in_flight {
            self.log.ends(&cluster, now);
        }
        self.appoint(now.plus(self.drain), arn, "", Due::Deleted);
    }

    fn outcome(&mut self, arn: &str) -> Outcome {
        let next = self.next.get_mut(arn).and_then(std::collections::VecDeque::pop_front);
        next.or_else(|| self.usually.get(arn).copied()).unwrap_or(self.usual)
    }

    /// Tasks start evenly over the time of a rollout.
    fn launches(&mut self, arn: &str, id: &str, now: Timestamp, span: Span, count: u32) {
        for number in 1..=count {
            let after = span.millis().saturating_mul(number.into()) / (i64::from(count) + 1);
            self.appoint(now.plus(Span::from_millis(after)), arn, id, Due::Launch);
        }
    }

    fn appoint(&mut self, at: Timestamp, service: &str, deployment: &str, due: Due) {
        self.appointments += 1;
        let appointment = Appointment { service: service.to_owned(), deployment: deployment.to_owned(), due };
        self.agenda.insert((at, self.appointments), appointment);
    }

    fn keep(&mut self, appointment: &Appointment, at: Timestamp) {
        let (arn, id) = (appointment.service.as_str(), appointment.deployment.as_str());
        let Some(service) = self.services.get_mut(arn) else { return };
        if matches!(appointment.due, Due::Deleted) {
            service.status = Status::Inactive;
            service.deployments.clear();
            return;
        }
        if service.status != Status::Active {
            return;
        }
        let Some(deployment) = service.deployment(id) else { return };
        let runs = deployment.primary && deployment.state == RolloutState::InProgress;
        match appointment.due {
            Due::Launch if runs => self.launch(arn, id, at),
            Due::Complete if runs => self.complete(arn, id, at),
            Due::Fail if runs => self.fail(arn, id, at),
            Due::Gone if deployment.gone_at == Some(at) && !deployment.primary => {
                service.deployments.retain(|deployment| deployment.id != id);
            }
            _ => {}
        }
    }

    fn launch(&mut self, arn: &str, id: &str, at: Timestamp) {
        let task = self.random.hex(32);
        let Some(service) = self.services.get_mut(arn) else { return };
        let Some(deployment) = service.deployment(id) else { return };
        deployment.launched += 1;
        let mut reads = Vec::new();
        let mut execution_role = None;
        if let Some(definition) = self.definitions.get(&deployment.task_definition) {
            reads.extend(definition.references().cloned());
            execution_role.clone_from(&definition.execution_role);
        }
        reads.extend(deployment.connect_secrets.iter().cloned());
        let launch = TaskLaunch { service: arn.to_owned(), execution_role, task, started_at: at, reads };
        self.outbox.push(EcsEvent::Launched(launch));
    }

    fn complete(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        service.deployments.retain(|deployment| deployment.id == id);
        let cluster = service.cluster.clone();
        service.set(id, RolloutState::Completed, format!("ECS deployment {id} completed."), at);
        self.log.ends(&cluster, at);
        self.tell(arn, id, at);
    }

    fn fail(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        let reason = "ECS deployment circuit breaker: tasks failed to start.";
        service.set(id, RolloutState::Failed, reason.to_owned(), at);
        let cluster = service.cluster.clone();
        self.tell(arn, id, at);
        match self.roll_back(arn, at) {
            Some(target) => self.tell(arn, &target, at),
            None => self.log.ends(&cluster, at),
        }
    }

    /// Makes the last COMPLETED deployment PRIMARY again, if there is one; gives its id back.
    fn roll_back(&mut self, arn: &str, at: Timestamp) -> Option<String> {
        // Nothing has to be started: it takes as long as failed tasks take to end.
        let done = at.plus(self.drain);
        let service = self.services.get_mut(arn)?;
        if !matches!(service.circuit_breaker, Some(CircuitBreaker { rollback: true })) {
            return None;
        }
        let completed =
            service.deployments.iter().filter(|deployment| deployment.state == RolloutState::Completed);
        let target = completed.max_by_key(|deployment| deployment.created_at)?.id.clone();
        for deployment in &mut service.deployments {
            deployment.primary = deployment.id == target;
            if deployment.primary {
                deployment.gone_at = None;
            }
        }
        service.deployments.sort_by_key(|deployment| !deployment.primary);
        let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {target}.");
        service.set(&target, RolloutState::InProgress, reason, at);
        self.appoint(done, arn, &target, Due::Complete);
        Some(target)
    }

    /// `ECS Deployment State Change` (developer guide of ECS, service deployment state change events). Only rolling updates by ECS have it.
    fn tell(&mut self, arn: &str, id: &str, at: Timestamp) {
        let Some(service) = self.services.get_mut(arn) else { return };
        if service.controller != Controller::Ecs {
            return;
        }
        let Some(deployment) = service.deployment(id) else { return };
        let failed = deployment.state == RolloutState::Failed;
        let detail = json!({
            "eventType": if failed { "ERROR" } else { "INFO" },
            "eventName": format!("SERVICE_DEPLOYMENT_{}", deployment.state.as_str()),
            "deploymentId": id,
            "updatedAt": seconds(at),
            "reason": deployment.reason,
        });
        let kind = ("aws.ecs", "ECS Deployment State Change");
        let event = event(&mut self.random, &self.place, at, kind, &[arn], &detail);
        self.outbox.push(EcsEvent::StateChange { at, event });
    }
}

impl Service {
    fn set(&mut self, id: &str, state: RolloutState, reason: String, at: Timestamp) {
        if let Some(deployment) = self.deployment(id) {
            (deployment.state, deployment.reason, deployment.updated_at) = (state, reason, at);
        }
    }
}

#[cfg(test)]
mod tests;
