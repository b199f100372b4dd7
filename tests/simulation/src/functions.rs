//! The functions alone, on virtual time: given events arrive in batches at several workers at once, in any order and more than once.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use responder_core::aws::arn::Arn;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::notify::Notification;
use responder_core::rules::{Handler, RuleSet, RulesError};
use responder_core::time::{Span, Timestamp};
use responder_engine::port::{AttributeValue, ItemKey, TableItem};

use crate::builtin_rules::load_builtin_rules;
use crate::cloud::{CallLatency, CloudBuilder, SimulatedCloud};
use crate::invocations::{FinishedInvocation, InvocationConfig, InvocationPool, InvocationTurn};
use crate::queue::SimulatedQueue;
use crate::random::SeededRandom;

/// How events arrive.
#[derive(Clone, Debug)]
pub struct ArrivalPlan {
    /// Decides everything that is left to chance: the order, the batches, which worker goes on.
    pub seed: u64,
    /// How many invocations of one function run at the same time.
    pub workers: usize,
    /// How many of a thousand messages come once more; those may come once more, too.
    pub repeated: u64,
    /// Whether a trace is kept.
    pub is_traced: bool,
}

/// The result of a delivery.
#[derive(Debug)]
pub struct DeliveryResult {
    /// The keys of the incidents that were paged, by the ledger.
    pub incidents: BTreeSet<String>,
    /// The pages that the topic took, each with the incident's key.
    pub pages: Vec<(String, Notification)>,
    /// How many messages went to the dead-letter queue, by function.
    pub dead_letters: BTreeMap<Handler, usize>,
    /// How often the table was written.
    pub writes: u64,
    /// The trace, if it was wanted.
    pub trace: Vec<String>,
}

/// Delivers events to every function that has a rule for them, until all are answered. The ledger knows what the roles of the services launch, as if they had been
/// discovered; there are no services to redeploy.
///
/// # Errors
///
/// If the rules cannot be loaded.
pub fn deliver_events(
    events: &[String],
    facts: &Facts,
    arrival: &ArrivalPlan,
) -> Result<DeliveryResult, RulesError> {
    let mut functions = EventFunctions::new(facts, arrival, find_last_event(events))?;
    functions.record_launch_secrets(facts);
    functions.send_events(events);
    functions.run();
    Ok(functions.into_result())
}

/// When the last event happened.
fn find_last_event(events: &[String]) -> Timestamp {
    let mut last = Timestamp::default();
    for text in events {
        if let Ok(event) = Event::parse(text) {
            last = last.max(event.time);
        }
    }
    last
}

struct EventFunctions<'a> {
    arrival: &'a ArrivalPlan,
    random: SeededRandom,
    rules: Arc<RuleSet>,
    cloud: Rc<SimulatedCloud>,
    queues: BTreeMap<Handler, SimulatedQueue>,
    invocations: InvocationPool,
}

/// The timeout, and how long a claim is held.
const LEASE: Span = Span::from_secs(60);
/// How long a received message is hidden.
const VISIBILITY: Span = Span::from_secs(90);
/// All messages arrive within so many milliseconds.
const ARRIVAL_MILLIS: u64 = 200_000;
/// How many messages an invocation receives at most.
const BATCH_MESSAGES: usize = 10;

impl<'a> EventFunctions<'a> {
    fn new(facts: &Facts, arrival: &'a ArrivalPlan, now: Timestamp) -> Result<Self, RulesError> {
        let mut random = SeededRandom::new(arrival.seed);
        let cloud = CloudBuilder::from_random(now, &mut random)
            .latency(CallLatency::Typical)
            .trace(arrival.is_traced)
            .build();
        let rules = load_builtin_rules()?;
        let config = InvocationConfig {
            rules: Arc::clone(&rules),
            settings: facts.settings.clone(),
            account: String::new(),
            timeout: LEASE,
            lease: LEASE,
        };
        let invocations = InvocationPool::new(&cloud, config);
        Ok(Self { arrival, random, rules, cloud, queues: BTreeMap::new(), invocations })
    }

    /// Writes what discovery writes of the task definitions that it reads.
    fn record_launch_secrets(&mut self, facts: &Facts) {
        let mut launches: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (role, secrets) in &facts.launch_secrets {
            launches.insert(role, secrets.clone());
        }
        for service in facts.services.iter().flatten() {
            let mut secrets = BTreeSet::new();
            if let Some(location) = Arn::parse_for_service("ecs", &service.arn) {
                for reference in &service.references {
                    if let Some((secret, _)) = reference.resolve_secret(location.account, location.region) {
                        secrets.insert(secret.key());
                    }
                }
            }
            for role in &service.execution_roles {
                launches.entry(role.raw()).or_default().extend(secrets.iter().cloned());
            }
        }
        for (role, secrets) in launches {
            let key = ItemKey { pk: format!("role#{role}"), sk: "launches".to_owned() };
            let values = BTreeMap::from([("secrets".to_owned(), AttributeValue::Set(secrets))]);
            self.cloud.with_table(|table| table.put(TableItem { key, values }));
        }
    }

    /// Puts the events into the queues, each at any instant of a few minutes.
    fn send_events(&mut self, events: &[String]) {
        let now = self.cloud.now();
        for event in events {
            let text: Rc<str> = event.as_str().into();
            for handler in Handler::ALL {
                if !matches!(self.rules.match_event_for(handler, event), Ok(Some(_))) {
                    continue;
                }
                let mut copies = 1;
                while self.random.chance(self.arrival.repeated) {
                    copies += 1;
                }
                for _ in 0..copies {
                    let delay = Span::from_millis(self.random.signed_below(ARRIVAL_MILLIS));
                    self.queues.entry(handler).or_default().send(Rc::clone(&text), now.plus(delay));
                }
            }
        }
    }

    fn run(&mut self) {
        loop {
            self.receive_messages();
            match self.invocations.run_one_turn(&mut self.random) {
                Some(InvocationTurn::Finished(finished)) => self.finish_invocation(*finished),
                Some(InvocationTurn::Waiting | InvocationTurn::Died(_)) => {}
                None => {
                    let Some(next) = self.next_due() else { return };
                    self.cloud.clock.advance_to(next);
                }
            }
        }
    }

    /// When a sleeping invocation wakes, or a message can be received.
    fn next_due(&self) -> Option<Timestamp> {
        let mut due = Vec::new();
        due.extend(self.cloud.clock.next_due());
        for (handler, queue) in &self.queues {
            if self.has_free_worker(*handler) {
                due.extend(queue.next_due());
            }
        }
        due.into_iter().min()
    }

    fn has_free_worker(&self, handler: Handler) -> bool {
        self.invocations.count_running(handler) < self.arrival.workers
    }

    fn receive_messages(&mut self) {
        let now = self.cloud.now();
        for handler in Handler::ALL {
            while self.has_free_worker(handler) {
                let most = self.random.index(BATCH_MESSAGES) + 1;
                let Some(queue) = self.queues.get_mut(&handler) else { break };
                let messages = queue.receive(now, most, VISIBILITY);
                if messages.is_empty() {
                    break;
                }
                self.invocations.start(handler, messages, None);
            }
        }
    }

    fn finish_invocation(&mut self, finished: FinishedInvocation) {
        let FinishedInvocation { handler, messages, results, engine, .. } = finished;
        let queue = self.queues.entry(handler).or_default();
        for (id, result) in messages.into_iter().zip(results) {
            if !result.is_kept() {
                queue.delete(id);
            }
        }
        self.invocations.keep_warm(handler, engine);
    }

    fn into_result(self) -> DeliveryResult {
        let incidents = self.cloud.with_table(|table| {
            let mut incidents = BTreeSet::new();
            for item in table.items() {
                let is_paged = item.number("paged").is_some();
                if let (true, Some(key)) = (is_paged, item.key.pk.strip_prefix("incident#")) {
                    incidents.insert(key.to_owned());
                }
            }
            incidents
        });
        let mut dead_letters = BTreeMap::new();
        for (handler, queue) in &self.queues {
            dead_letters.insert(*handler, queue.dead_letters.len());
        }
        self.cloud.with_record(|record| DeliveryResult {
            incidents,
            pages: record.pages.iter().map(|sent| (sent.key.clone(), sent.page.clone())).collect(),
            dead_letters,
            writes: record.calls.get("UpdateItem").copied().unwrap_or_default(),
            trace: record.trace.clone().unwrap_or_default(),
        })
    }
}
