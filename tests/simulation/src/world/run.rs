//! How a world goes on: events go to queues, messages to functions, and time passes when nothing can run.

use std::rc::Rc;

use responder_core::plan::PlanStep;
use responder_core::rules::Handler;
use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use super::agenda::AgendaEntry;
use super::history::DeploymentStateChange;
use super::simulated_world::SimulatedWorld;
use crate::bus::EventDelivery;
use crate::ecs::EcsEvent;
use crate::invocations::{FinishedInvocation, InvocationTurn, ReceivedMessage};

/// How many messages an invocation receives at most.
const BATCH_MESSAGES: usize = 10;
/// The longest time that a rotation takes, in seconds.
const MAX_ROTATION_SECS: u64 = 20;
/// A dying invocation dies within so many turns.
const MAX_TURNS_TO_LIVE: u64 = 60;
/// How many of a thousand environments end after an invocation.
const ENDING_ENVIRONMENTS: u64 = 50;

/// The handlers whose functions have a queue here.
const QUEUED_HANDLERS: [Handler; 2] = [Handler::Rotation, Handler::Access];

impl SimulatedWorld {
    /// Lets everything happen that happens until an instant.
    pub fn run_until(&mut self, until: Timestamp) {
        loop {
            self.deliver_events();
            self.receive_messages();
            if let Some(turn) = self.invocations.run_one_turn(&mut self.random) {
                match turn {
                    InvocationTurn::Waiting => {}
                    InvocationTurn::Finished(finished) => self.finish_invocation(*finished),
                    InvocationTurn::Died(number) => self.kill_invocation(number, "dies"),
                }
                continue;
            }
            let Some(next) = self.next_due() else { break };
            if next > until {
                break;
            }
            self.cloud.clock.advance_to(next);
            while let Some(entry) = self.agenda.take_due(self.cloud.now()) {
                self.let_happen(entry);
            }
        }
        self.cloud.clock.advance_to(until);
    }

    /// Sweeps once more; returns the planned steps that would change something.
    pub fn sweep_once_more(&mut self) -> Vec<PlanStep> {
        self.swept_steps.clear();
        self.invoke_sweep();
        self.run_until(self.now().plus(self.conditions.timeout));
        let mut steps = self.swept_steps.clone();
        steps.retain(|step| {
            !matches!(
                step,
                PlanStep::ExtendIncident { .. } | PlanStep::Nothing { .. } | PlanStep::Skip { .. }
            )
        });
        steps
    }

    /// When something happens next by itself, or a message can be received.
    fn next_due(&self) -> Option<Timestamp> {
        let mut due = [self.agenda.next_due(), self.cloud.clock.next_due(), None, None, None, None];
        self.cloud.with_state(|state| {
            due[2] = state.ecs.next_due();
            due[3] = state.secrets.next_due();
        });
        if self.has_free_worker(Handler::Rotation) {
            due[4] = self.bus.rotation_queue.next_due();
        }
        if self.has_free_worker(Handler::Access) {
            due[5] = self.bus.access_queue.next_due();
        }
        due.into_iter().flatten().min()
    }

    fn has_free_worker(&self, handler: Handler) -> bool {
        self.invocations.count_running(handler) < self.conditions.workers
    }

    /// Brings the events of the models to the bus.
    fn deliver_events(&mut self) {
        let now = self.now();
        let secrets_events = self.with_secrets(|secrets| secrets.advance(now));
        let ecs_events = self.with_ecs(|ecs| ecs.advance(now));
        for sent in secrets_events {
            self.deliver_event(sent.at, &sent.event);
        }
        for happened in ecs_events {
            match happened {
                EcsEvent::StateChange { at, event } => {
                    let delivery = self.deliver_event(at, &event);
                    let detail = &event["detail"];
                    self.history.state_changes.push(DeploymentStateChange {
                        at,
                        service: copy_text(&event["resources"][0]),
                        deployment: copy_text(&detail["deploymentId"]),
                        name: copy_text(&detail["eventName"]),
                        is_lost: delivery == EventDelivery::Lost,
                    });
                }
                EcsEvent::Launched(launch) => {
                    for event in self.bus.record_launch(&launch) {
                        self.deliver_event(launch.started_at, &event);
                    }
                }
            }
        }
    }

    fn deliver_event(&mut self, at: Timestamp, event: &Value) -> EventDelivery {
        let delivery = self.bus.deliver(at, event);
        self.cloud.trace(|| {
            let detail = &event["detail"];
            let mut parts = Vec::new();
            for value in [
                &event["detail-type"],
                &detail["eventName"],
                &detail["reason"],
                &event["resources"][0],
                &detail["additionalEventData"]["SecretId"],
            ] {
                parts.extend(value.as_str());
            }
            format!("event ({}): {}", delivery.describe(), parts.join(", "))
        });
        delivery
    }

    /// Lets functions with a free worker receive messages.
    fn receive_messages(&mut self) {
        let now = self.now();
        for handler in QUEUED_HANDLERS {
            while self.has_free_worker(handler) {
                let visibility = self.conditions.visibility;
                let messages = self.bus.queue_mut(handler).receive(now, BATCH_MESSAGES, visibility);
                if messages.is_empty() {
                    break;
                }
                self.invoke(handler, messages);
            }
        }
    }

    fn invoke(&mut self, handler: Handler, messages: Vec<ReceivedMessage>) {
        *self.history.invocations.entry(handler).or_default() += 1;
        let is_dying = self.random.chance(self.conditions.dying_invocations);
        let turns_to_live = if is_dying { Some(self.random.below(MAX_TURNS_TO_LIVE)) } else { None };
        let count = messages.len();
        let number = self.invocations.start(handler, messages, turns_to_live);
        self.cloud.trace(|| format!("#{number} {handler} begins with {count} messages"));
        let timeout_at = self.now().plus(self.conditions.timeout);
        self.agenda.add(timeout_at, AgendaEntry::InvocationTimesOut(number));
    }

    fn invoke_sweep(&mut self) {
        let event = self.bus.schedule_sweep(self.now());
        let text: Rc<str> = event.to_string().into();
        self.invoke(Handler::Sweep, vec![(0, text)]);
    }

    fn finish_invocation(&mut self, finished: FinishedInvocation) {
        let FinishedInvocation { number, handler, messages, took, results, engine, .. } = finished;
        self.cloud.with_state(|state| state.record.meter.count_invocation(handler, took));
        self.cloud.trace(|| format!("#{number} {handler} ends"));
        for (id, result) in messages.into_iter().zip(results) {
            if handler == Handler::Sweep {
                self.swept_steps.extend(result.plan.into_iter().flat_map(|plan| plan.steps));
            } else if !result.is_kept() && !self.random.chance(self.conditions.repeated_events / 10) {
                // Otherwise the message stays, or was answered and comes again all the same.
                self.bus.queue_mut(handler).delete(id);
            }
        }
        if !self.random.chance(ENDING_ENVIRONMENTS) {
            self.invocations.keep_warm(handler, engine);
        }
    }

    fn kill_invocation(&mut self, number: u64, how: &str) {
        if self.invocations.kill(number) {
            self.history.deaths += 1;
            self.cloud.trace(|| format!("#{number} {how}"));
            self.cloud.with_state(|state| state.record.disturbed.insert(number));
        }
    }

    fn let_happen(&mut self, entry: AgendaEntry) {
        let now = self.now();
        match entry {
            AgendaEntry::RotationBegins(secret) => {
                self.with_secrets(|secrets| secrets.start_rotation(&secret, now));
                let takes = Span::from_secs(self.random.signed_below(MAX_ROTATION_SECS) + 1);
                self.agenda.add(now.plus(takes), AgendaEntry::RotationEnds(secret));
            }
            AgendaEntry::RotationEnds(secret) => {
                let version = self.with_secrets(|secrets| secrets.finish_rotation(&secret, now));
                if version.is_some() {
                    self.cloud.trace(|| format!("{secret} has a new value"));
                    self.history.changes.entry(secret).or_default().push(now);
                }
            }
            AgendaEntry::SomebodyDeploys(service) => {
                self.with_ecs(|ecs| ecs.deploy(&service, None, now));
                self.cloud.trace(|| format!("somebody deploys {service}"));
            }
            AgendaEntry::SweepIsDue => {
                let Some(every) = self.conditions.sweep_every else { return };
                self.agenda.add(now.plus(every), AgendaEntry::SweepIsDue);
                if !self.random.chance(self.conditions.lost_sweeps) {
                    self.invoke_sweep();
                }
            }
            AgendaEntry::InvocationTimesOut(number) => self.kill_invocation(number, "times out"),
            AgendaEntry::CalmBegins => self.begin_calm(),
        }
    }

    fn begin_calm(&mut self) {
        self.cloud.trace(|| "from now on it is calm".to_owned());
        self.cloud.with_state(|state| state.faults.per_mille = 0);
        self.conditions.faulty_calls = 0;
        self.conditions.dying_invocations = 0;
        self.conditions.lost_sweeps = 0;
        self.conditions.repeated_events = 0;
        self.bus.lost = 0;
        self.bus.twice = 0;
    }
}

fn copy_text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
