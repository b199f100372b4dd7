//! A world: functions over a cloud, from the events of the models to the end of their effects, on virtual time.

mod conditions;
mod history;
mod look;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use responder_core::plan::PlanStep;
use responder_core::rules::{Handler, RulesError};
use responder_core::time::{Span, Timestamp};
use responder_engine::{Engine, Invocation};

pub use conditions::Conditions;
pub use history::History;
use history::StateChange;

use crate::bus::Bus;
use crate::clock::{Clock, Tasks, Turned};
use crate::cloud::{Cloud, Record, State};
use crate::ecs::{Ecs, EcsEvent};
use crate::ports::Port;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::{Place, Random};

/// Where everything is.
pub const ACCOUNT: &str = "111122223333";
/// And in which Region.
pub const REGION: &str = "us-west-2";

/// Something that happens at its time.
#[derive(Clone, Debug)]
enum Due {
    RotationBegins(String),
    RotationEnds(String),
    Deploys(String),
    Sweep,
    TimesOut(u64),
    Calm,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// How it behaves.
    pub conditions: Conditions,
    cloud: Rc<Cloud>,
    random: Random,
    bus: Bus,
    tasks: Tasks<Finished>,
    /// The invocations that run, by number.
    running: BTreeMap<u64, RunningInvocation>,
    invocations: u64,
    /// Warm environments.
    idle: BTreeMap<Handler, Vec<Engine<Port>>>,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    appointments: u64,
    history: History,
    planned: Vec<PlanStep>,
}

#[derive(Debug)]
struct RunningInvocation {
    handler: Handler,
    messages: Vec<u64>,
    began: Timestamp,
}

struct Finished {
    engine: Engine<Port>,
    kept: Vec<bool>,
    steps: Vec<PlanStep>,
}

impl World {
    /// An account without clusters and secrets, from this instant on.
    pub fn new(conditions: Conditions, from: Timestamp) -> Self {
        let place = Place::new(ACCOUNT, REGION);
        let mut random = Random::new(conditions.seed);
        let state = State {
            random: Random::new(random.next_u64()),
            ecs: Ecs::new(place.clone(), random.next_u64()),
            secrets: Secrets::new(ACCOUNT, random.next_u64()),
            store: Store::default(),
            faulty: conditions.faulty,
            keeps_places: conditions.keeps_places,
            record: Record { trace: conditions.traced.then(Vec::new), ..Record::default() },
        };
        let cloud = Rc::new(Cloud { clock: Clock::at(from), state: RefCell::new(state) });
        let mut bus = Bus::new(place, random.next_u64());
        (bus.lost, bus.twice, bus.trail) = (conditions.lost, conditions.twice, conditions.trail);
        bus.window = conditions.window;
        let mut world = Self {
            conditions,
            cloud,
            random,
            bus,
            tasks: Tasks::default(),
            running: BTreeMap::new(),
            invocations: 0,
            idle: BTreeMap::new(),
            agenda: BTreeMap::new(),
            appointments: 0,
            history: History::default(),
            planned: Vec::new(),
        };
        if world.conditions.sweep_every.is_some() {
            world.appoint(from, Due::Sweep);
        }
        world
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.cloud.clock.now()
    }

    /// ECS, to look at or to prepare.
    pub fn ecs<T>(&self, f: impl FnOnce(&mut Ecs) -> T) -> T {
        f(&mut self.cloud.state.borrow_mut().ecs)
    }

    /// Secrets Manager, to look at or to prepare.
    pub fn secrets<T>(&self, f: impl FnOnce(&mut Secrets) -> T) -> T {
        f(&mut self.cloud.state.borrow_mut().secrets)
    }

    /// A secret (an ARN) is rotated: its new value is current some seconds after this instant.
    pub fn rotate(&mut self, at: Timestamp, secret: &str) {
        self.appoint(at, Due::RotationBegins(secret.to_owned()));
    }

    /// Somebody else deploys a service (an ARN).
    pub fn deploy(&mut self, at: Timestamp, service: &str) {
        self.appoint(at, Due::Deploys(service.to_owned()));
    }

    /// From this instant on nothing goes wrong any more.
    pub fn calm(&mut self, at: Timestamp) {
        self.appoint(at, Due::Calm);
    }

    /// Lets everything happen that happens until an instant.
    ///
    /// # Errors
    /// When the rules cannot be loaded.
    pub fn run(&mut self, until: Timestamp) -> Result<(), RulesError> {
        loop {
            self.tell();
            self.receive()?;
            if let Some(turned) = self.tasks.turn(&mut self.random) {
                match turned {
                    Turned::Waits => {}
                    Turned::Done(number, finished) => self.finish(number, finished),
                    Turned::Died(number) => self.die(number, "dies"),
                }
                continue;
            }
            let Some(next) = self.next_due().filter(|next| *next <= until) else { break };
            self.cloud.clock.advance(next);
            let now = self.now();
            while let Some(entry) = self.agenda.first_entry() {
                if entry.key().0 > now {
                    break;
                }
                let due = entry.remove();
                self.happen(due)?;
            }
        }
        self.cloud.clock.advance(until);
        Ok(())
    }

    /// Sweeps once more; returns what was planned that changes anything.
    ///
    /// # Errors
    /// When the rules cannot be loaded.
    pub fn sweep(&mut self) -> Result<Vec<PlanStep>, RulesError> {
        self.planned.clear();
        let event = self.bus.sweep(self.now());
        self.invoke(Handler::Sweep, vec![(0, event.to_string().into())])?;
        self.run(self.now().plus(self.conditions.timeout))?;
        let idle = |step: &PlanStep| {
            matches!(step, PlanStep::ExtendIncident { .. } | PlanStep::Nothing { .. } | PlanStep::Skip { .. })
        };
        Ok(self.planned.iter().filter(|step| !idle(step)).cloned().collect())
    }

    /// A message comes to a function's queue.
    pub(crate) fn deliver(&mut self, handler: Handler, text: Rc<str>, at: Timestamp) {
        let at = self.bus.gathered(handler, at);
        self.bus.queue(handler).send(text, at);
    }

    fn appoint(&mut self, at: Timestamp, due: Due) {
        self.appointments += 1;
        self.agenda.insert((at, self.appointments), due);
    }

    fn next_due(&self) -> Option<Timestamp> {
        let state = self.cloud.state.borrow();
        let queues = [(Handler::Rotation, &self.bus.rotation), (Handler::Access, &self.bus.access)];
        let received = queues
            .into_iter()
            .filter(|(handler, _)| self.has_room(*handler))
            .filter_map(|(_, queue)| queue.next_due());
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let others = [agenda, self.cloud.clock.next_due(), state.ecs.next_due(), state.secrets.next_due()];
        others.into_iter().flatten().chain(received).min()
    }

    fn has_room(&self, handler: Handler) -> bool {
        let running = self.running.values().filter(|one| one.handler == handler).count();
        running < self.conditions.workers
    }

    /// Brings what the models tell to the bus.
    fn tell(&mut self) {
        let now = self.now();
        let (ecs, secrets) = {
            let state = &mut *self.cloud.state.borrow_mut();
            (state.ecs.advance(now), state.secrets.advance(now))
        };
        for event in secrets {
            self.put(event.at, &event.event);
        }
        for event in ecs {
            match event {
                EcsEvent::StateChange { at, event } => {
                    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                    let detail = &event["detail"];
                    let (deployment, name) = (text(&detail["deploymentId"]), text(&detail["eventName"]));
                    let lost = self.put(at, &event) == "lost";
                    let service = text(&event["resources"][0]);
                    self.history.states.push(StateChange { at, service, deployment, name, lost });
                }
                EcsEvent::Launched(launch) => {
                    for event in self.bus.launched(&launch) {
                        self.put(launch.started_at, &event);
                    }
                }
            }
        }
    }

    fn put(&mut self, at: Timestamp, event: &serde_json::Value) -> &'static str {
        let said = self.bus.put(at, event);
        self.cloud.note(|| {
            let detail = &event["detail"];
            let all =
                [&event["detail-type"], &detail["eventName"], &detail["reason"], &event["resources"][0]];
            let secret = &detail["additionalEventData"]["SecretId"];
            let parts: Vec<&str> =
                all.into_iter().chain([secret]).filter_map(serde_json::Value::as_str).collect();
            format!("event ({said}): {}", parts.join(", "))
        });
        said
    }

    /// Lets functions with nothing to do receive messages.
    fn receive(&mut self) -> Result<(), RulesError> {
        let now = self.now();
        for handler in [Handler::Rotation, Handler::Access] {
            while self.has_room(handler) {
                let visibility = self.conditions.visibility;
                let messages = self.bus.queue(handler).receive(now, 10, visibility);
                if messages.is_empty() {
                    break;
                }
                self.invoke(handler, messages)?;
            }
        }
        Ok(())
    }

    fn invoke(&mut self, handler: Handler, messages: Vec<(u64, Rc<str>)>) -> Result<(), RulesError> {
        self.invocations += 1;
        let number = self.invocations;
        *self.history.invocations.entry(handler).or_default() += 1;
        let warm = self.idle.entry(handler).or_default().pop();
        let mut engine = if let Some(engine) = warm {
            engine
        } else {
            let port = Port { cloud: Rc::clone(&self.cloud), invocation: number };
            let settings = self.conditions.settings.clone();
            Engine::new(port, handler, crate::rules()?, settings, self.conditions.lease)
        };
        engine.aws.invocation = number;
        let until = self.now().plus(self.conditions.timeout);
        self.appoint(until, Due::TimesOut(number));
        let turn = Invocation {
            until,
            owner: format!("invocation-{number}"),
            account: ACCOUNT.to_owned(),
            keeps_facts: false,
        };
        let dies = self.random.chance(self.conditions.dying);
        let turns = dies.then(|| self.random.below(60));
        let (ids, texts): (Vec<u64>, Vec<Rc<str>>) = messages.into_iter().unzip();
        self.cloud.note(|| format!("#{number} {handler} begins with {} messages", texts.len()));
        self.running.insert(number, RunningInvocation { handler, messages: ids, began: self.now() });
        let run = async move {
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            let (ended, _) = engine.process_batch(&turn, &texts).await;
            let kept = ended.iter().map(responder_engine::EventResult::is_kept).collect();
            let plans = ended.into_iter().filter_map(|ended| ended.plan);
            Finished { engine, kept, steps: plans.flat_map(|plan| plan.steps).collect() }
        };
        self.tasks.spawn(number, run, turns);
        Ok(())
    }

    fn finish(&mut self, number: u64, finished: Finished) {
        let Finished { engine, kept, steps } = finished;
        let Some(RunningInvocation { handler, messages, began }) = self.running.remove(&number) else {
            return;
        };
        let took = Span::from_millis(self.now().millis() - began.millis());
        self.cloud.state.borrow_mut().record.meter.invocation(handler, took);
        self.cloud.note(|| format!("#{number} {handler} ends"));
        if handler == Handler::Sweep {
            self.planned.extend(steps);
        } else {
            for (id, kept) in messages.into_iter().zip(kept) {
                // A message that was answered may still come again.
                if !kept && !self.random.chance(self.conditions.twice / 10) {
                    self.bus.queue(handler).delete(id);
                }
            }
        }
        // Environments do not live for ever.
        if !self.random.chance(50) {
            self.idle.entry(handler).or_default().push(engine);
        }
    }

    fn die(&mut self, number: u64, how: &str) {
        self.tasks.kill(number);
        if self.running.remove(&number).is_some() {
            self.history.deaths += 1;
            self.cloud.note(|| format!("#{number} {how}"));
            self.cloud.state.borrow_mut().record.disturbed.insert(number);
        }
    }

    fn happen(&mut self, due: Due) -> Result<(), RulesError> {
        let now = self.now();
        match due {
            Due::RotationBegins(secret) => {
                self.secrets(|secrets| secrets.rotate_start(&secret, now));
                let takes = i64::try_from(self.random.below(20)).unwrap_or_default() + 1;
                self.appoint(now.plus(Span::from_secs(takes)), Due::RotationEnds(secret));
            }
            Due::RotationEnds(secret) => {
                if self.secrets(|secrets| secrets.rotate_finish(&secret, now)).is_some() {
                    self.cloud.note(|| format!("{secret} has a new value"));
                    self.history.changes.entry(secret).or_default().push(now);
                }
            }
            Due::Deploys(service) => {
                self.ecs(|ecs| ecs.deploy(&service, None, now));
                self.cloud.note(|| format!("somebody deploys {service}"));
            }
            Due::Sweep => {
                if let Some(every) = self.conditions.sweep_every {
                    self.appoint(now.plus(every), Due::Sweep);
                    if !self.random.chance(self.conditions.unswept) {
                        let event = self.bus.sweep(now);
                        self.invoke(Handler::Sweep, vec![(0, event.to_string().into())])?;
                    }
                }
            }
            Due::TimesOut(number) => self.die(number, "times out"),
            Due::Calm => {
                self.cloud.note(|| "from now on it is calm".to_owned());
                self.cloud.state.borrow_mut().faulty = 0;
                (self.conditions.faulty, self.conditions.dying) = (0, 0);
                (self.conditions.unswept, self.conditions.twice) = (0, 0);
                (self.bus.lost, self.bus.twice) = (0, 0);
            }
        }
        Ok(())
    }
}
