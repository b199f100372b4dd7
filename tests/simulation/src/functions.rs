//! The functions alone, on virtual time: given events arrive in batches at several workers at once, in any order and more than once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use responder_core::aws::arn::Arn;
use responder_core::facts::{Facts, Settings};
use responder_core::notify::Notification;
use responder_core::rules::{Handler, RuleSet, RulesError};
use responder_core::time::{Span, Timestamp};
use responder_engine::port::{AttributeValue, ItemKey, TableItem};
use responder_engine::{Engine, Invocation};

use crate::clock::{Clock, Tasks, Turned};
use crate::cloud::{Cloud, Record, State};
use crate::ecs::Ecs;
use crate::ports::Port;
use crate::queue::Queue;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::world::{ACCOUNT, REGION};
use crate::{Place, Random};

/// How events arrive.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What decides everything that is left to chance: the order, the batches, who works when.
    pub seed: u64,
    /// How many invocations of one function run at the same time.
    pub workers: usize,
    /// How many of a thousand messages come once more; those may come once more, too.
    pub twice: u64,
    /// Whether to write down what happens.
    pub traced: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Ended {
    /// The keys of the incidents that the ledger says were paged.
    pub incidents: BTreeSet<String>,
    /// The pages that the topic took, by the incident's key.
    pub pages: Vec<(String, Notification)>,
    /// How many messages were put aside, by function.
    pub dead: BTreeMap<Handler, usize>,
    /// How often the table was written.
    pub writes: u64,
    /// What happened, if that was wanted.
    pub trace: Vec<String>,
}

/// Delivers events to every function that has a rule for them, until all are answered. Of the services the ledger knows what their roles launch, as if they had been
/// discovered; there are none to redeploy.
///
/// # Errors
/// When the rules cannot be loaded.
pub fn deliver(events: &[String], facts: &Facts, arrival: &Arrival) -> Result<Ended, RulesError> {
    let mut functions = Functions::new(&facts.settings, arrival, last(events))?;
    functions.remember_launches(facts);
    functions.send(events);
    functions.run();
    Ok(functions.end())
}

/// When the last event happened.
fn last(events: &[String]) -> Timestamp {
    let time = |text: &String| responder_core::event::Event::parse(text).ok().map(|event| event.time);
    events.iter().filter_map(time).max().unwrap_or_default()
}

struct Functions<'a> {
    settings: &'a Settings,
    arrival: &'a Arrival,
    random: Random,
    cloud: Rc<Cloud>,
    rules: Arc<RuleSet>,
    queues: BTreeMap<Handler, Queue>,
    tasks: Tasks<(Engine<Port>, Vec<bool>)>,
    running: BTreeMap<u64, (Handler, Vec<u64>)>,
    idle: BTreeMap<Handler, Vec<Engine<Port>>>,
    invocations: u64,
}

const LEASE: Span = Span::from_secs(60);

impl<'a> Functions<'a> {
    fn new(settings: &'a Settings, arrival: &'a Arrival, now: Timestamp) -> Result<Self, RulesError> {
        let mut random = Random::new(arrival.seed);
        let state = State {
            random: Random::new(random.next_u64()),
            ecs: Ecs::new(Place::new(ACCOUNT, REGION), random.next_u64()),
            secrets: Secrets::new(ACCOUNT, random.next_u64()),
            store: Store::default(),
            faulty: 0,
            keeps_places: false,
            record: Record { trace: arrival.traced.then(Vec::new), ..Record::default() },
        };
        Ok(Self {
            settings,
            arrival,
            random,
            cloud: Rc::new(Cloud { clock: Clock::at(now), state: RefCell::new(state) }),
            rules: crate::rules()?,
            queues: BTreeMap::new(),
            tasks: Tasks::default(),
            running: BTreeMap::new(),
            idle: BTreeMap::new(),
            invocations: 0,
        })
    }

    /// What discovery writes of the task definitions that it reads.
    fn remember_launches(&mut self, facts: &Facts) {
        let mut launches: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for service in facts.services.iter().flatten() {
            let place = Arn::parse_for_service("ecs", &service.arn);
            let parse = |arn: &Arn<'_>| {
                let secrets = service
                    .references
                    .iter()
                    .filter_map(|known| known.resolve_secret(arn.account, arn.region));
                secrets.map(|(secret, _)| secret.key()).collect::<BTreeSet<_>>()
            };
            let secrets = place.as_ref().map(parse).unwrap_or_default();
            for role in &service.execution_roles {
                launches.entry(role.raw()).or_default().extend(secrets.iter().cloned());
            }
        }
        for (role, secrets) in launches {
            let key = ItemKey { pk: format!("role#{role}"), sk: "launches".to_owned() };
            let values = BTreeMap::from([("secrets".to_owned(), AttributeValue::Set(secrets))]);
            self.cloud.state.borrow_mut().store.put(TableItem { key, values });
        }
    }

    /// Puts the events into the queues, each at any instant of a few minutes.
    fn send(&mut self, events: &[String]) {
        let now = self.cloud.clock.now();
        for text in events {
            let matching =
                |handler: &Handler| matches!(self.rules.match_event_for(*handler, text), Ok(Some(_)));
            let handlers: Vec<Handler> = Handler::ALL.into_iter().filter(matching).collect();
            let text: Rc<str> = text.as_str().into();
            for handler in handlers {
                let mut copies = 1;
                while self.random.chance(self.arrival.twice) {
                    copies += 1;
                }
                for _ in 0..copies {
                    let delay = i64::try_from(self.random.below(200_000)).unwrap_or_default();
                    let at = now.plus(Span::from_millis(delay));
                    self.queues.entry(handler).or_default().send(Rc::clone(&text), at);
                }
            }
        }
    }

    fn run(&mut self) {
        loop {
            self.receive();
            match self.tasks.turn(&mut self.random) {
                Some(Turned::Done(number, (engine, kept))) => self.finish(number, engine, &kept),
                Some(_) => {}
                None => {
                    let free = |handler: &Handler| self.count(*handler) < self.arrival.workers;
                    let queues = self.queues.iter().filter(|(handler, _)| free(handler));
                    let due = queues.filter_map(|(_, queue)| queue.next_due());
                    let Some(next) = due.chain(self.cloud.clock.next_due()).min() else { return };
                    self.cloud.clock.advance(next);
                }
            }
        }
    }

    fn count(&self, handler: Handler) -> usize {
        self.running.values().filter(|(running, _)| *running == handler).count()
    }

    fn receive(&mut self) {
        let now = self.cloud.clock.now();
        for handler in Handler::ALL {
            while self.count(handler) < self.arrival.workers {
                let most = usize::try_from(self.random.below(10)).unwrap_or_default() + 1;
                let Some(queue) = self.queues.get_mut(&handler) else { break };
                let messages = queue.receive(now, most, Span::from_secs(90));
                if messages.is_empty() {
                    break;
                }
                self.invoke(handler, messages);
            }
        }
    }

    fn invoke(&mut self, handler: Handler, messages: Vec<(u64, Rc<str>)>) {
        self.invocations += 1;
        let number = self.invocations;
        let mut engine = if let Some(engine) = self.idle.entry(handler).or_default().pop() {
            engine
        } else {
            let port = Port { cloud: Rc::clone(&self.cloud), invocation: number };
            Engine::new(port, handler, Arc::clone(&self.rules), self.settings.clone(), LEASE)
        };
        engine.aws.invocation = number;
        let turn = Invocation {
            until: self.cloud.clock.now().plus(LEASE),
            owner: format!("invocation-{number}"),
            account: String::new(),
            keeps_facts: false,
        };
        let (ids, texts): (Vec<u64>, Vec<Rc<str>>) = messages.into_iter().unzip();
        self.running.insert(number, (handler, ids));
        let run = async move {
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            let (ended, _) = engine.process_batch(&turn, &texts).await;
            let kept = ended.iter().map(responder_engine::EventResult::is_kept).collect();
            (engine, kept)
        };
        self.tasks.spawn(number, run, None);
    }

    fn finish(&mut self, number: u64, engine: Engine<Port>, kept: &[bool]) {
        let Some((handler, ids)) = self.running.remove(&number) else { return };
        for (id, _) in ids.into_iter().zip(kept).filter(|(_, kept)| !**kept) {
            self.queues.entry(handler).or_default().delete(id);
        }
        self.idle.entry(handler).or_default().push(engine);
    }

    fn end(self) -> Ended {
        let state = self.cloud.state.borrow();
        let paged = state.store.items().filter(|item| item.number("paged").is_some());
        Ended {
            incidents: paged
                .filter_map(|item| item.key.pk.strip_prefix("incident#").map(str::to_owned))
                .collect(),
            pages: state
                .record
                .pages
                .iter()
                .map(|notified| (notified.key.clone(), notified.page.clone()))
                .collect(),
            dead: self.queues.iter().map(|(handler, queue)| (*handler, queue.dead.len())).collect(),
            trace: state.record.trace.clone().unwrap_or_default(),
            writes: state.record.calls.get("UpdateItem").copied().unwrap_or_default(),
        }
    }
}
