//! A world, and what a test lets happen in it.

use std::rc::Rc;

use responder_core::plan::PlanStep;
use responder_core::rules::{Handler, RulesError};
use responder_core::time::Timestamp;

use super::agenda::{AgendaEntry, WorldAgenda};
use super::conditions::WorldConditions;
use super::history::WorldHistory;
use crate::builtin_rules::load_builtin_rules;
use crate::bus::SimulatedBus;
use crate::cloud::{CallLatency, CloudBuilder, SimulatedCloud};
use crate::ecs::SimulatedEcs;
use crate::invocations::{InvocationConfig, InvocationPool};
use crate::location::{AwsLocation, HOME_ACCOUNT, HOME_REGION};
use crate::random::SeededRandom;
use crate::secrets::SimulatedSecrets;

/// A world.
#[derive(Debug)]
pub struct SimulatedWorld {
    /// How it behaves.
    pub conditions: WorldConditions,
    pub(super) cloud: Rc<SimulatedCloud>,
    pub(super) random: SeededRandom,
    pub(super) bus: SimulatedBus,
    pub(super) invocations: InvocationPool,
    pub(super) agenda: WorldAgenda,
    pub(super) history: WorldHistory,
    /// The steps that sweeps planned.
    pub(super) swept_steps: Vec<PlanStep>,
}

impl SimulatedWorld {
    /// An account without clusters and secrets, from this instant on.
    ///
    /// # Errors
    ///
    /// If the rules cannot be loaded.
    pub fn new(conditions: WorldConditions, from: Timestamp) -> Result<Self, RulesError> {
        let mut random = SeededRandom::new(conditions.seed);
        let cloud = CloudBuilder::from_random(from, &mut random)
            .latency(CallLatency::Typical)
            .fault_rate(conditions.faulty_calls)
            .bug(conditions.bug)
            .trace(conditions.is_traced)
            .build();
        let mut bus = SimulatedBus::new(AwsLocation::new(HOME_ACCOUNT, HOME_REGION), random.next_u64());
        bus.lost = conditions.lost_events;
        bus.twice = conditions.repeated_events;
        bus.trail_delay = conditions.trail_delay;
        bus.batching_window = conditions.batching_window;
        let config = InvocationConfig {
            rules: load_builtin_rules()?,
            settings: conditions.settings.clone(),
            account: HOME_ACCOUNT.to_owned(),
            timeout: conditions.timeout,
            lease: conditions.lease,
        };
        let mut world = Self {
            invocations: InvocationPool::new(&cloud, config),
            conditions,
            cloud,
            random,
            bus,
            agenda: WorldAgenda::default(),
            history: WorldHistory::default(),
            swept_steps: Vec::new(),
        };
        if world.conditions.sweep_every.is_some() {
            world.agenda.add(from, AgendaEntry::SweepIsDue);
        }
        Ok(world)
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    /// Looks at ECS, or prepares it.
    pub fn with_ecs<T>(&self, act: impl FnOnce(&mut SimulatedEcs) -> T) -> T {
        self.cloud.with_ecs(act)
    }

    /// Looks at Secrets Manager, or prepares it.
    pub fn with_secrets<T>(&self, act: impl FnOnce(&mut SimulatedSecrets) -> T) -> T {
        self.cloud.with_secrets(act)
    }

    /// Lets the rotation of a secret (an ARN) begin at this instant: its new value is current some seconds later.
    pub fn rotate_at(&mut self, at: Timestamp, secret: &str) {
        self.agenda.add(at, AgendaEntry::RotationBegins(secret.to_owned()));
    }

    /// Lets somebody else deploy a service (an ARN) at this instant.
    pub fn deploy_at(&mut self, at: Timestamp, service: &str) {
        self.agenda.add(at, AgendaEntry::SomebodyDeploys(service.to_owned()));
    }

    /// From this instant on nothing goes wrong any more.
    pub fn calm_at(&mut self, at: Timestamp) {
        self.agenda.add(at, AgendaEntry::CalmBegins);
    }

    /// Puts a message into a function's queue.
    pub(crate) fn send_message(&mut self, handler: Handler, text: Rc<str>, at: Timestamp) {
        let visible_at = self.bus.end_of_window(handler, at);
        self.bus.queue_mut(handler).send(text, visible_at);
    }
}
