//! Invocations of functions over a cloud: many at once, in environments that are warm or start cold.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use responder_core::rules::{Handler, RuleSet};
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use responder_engine::{Counters, Engine, EventResult, Invocation};

use crate::cloud::{SimulatedCloud, SimulatedPort};
use crate::random::SeededRandom;
use crate::virtual_time::{TaskPool, TaskTurn};

/// The configuration of the functions.
#[derive(Clone, Debug)]
pub struct InvocationConfig {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The operator's settings.
    pub settings: Settings,
    /// The functions' account; empty if they do not know it.
    pub account: String,
    /// The functions' timeout, not longer than the lease.
    pub timeout: Span,
    /// How long a claim is held.
    pub lease: Span,
}

/// The invocations of all functions, and their warm environments.
#[derive(Debug)]
pub struct InvocationPool {
    /// The configuration of the invocations that begin.
    pub config: InvocationConfig,
    cloud: Rc<SimulatedCloud>,
    tasks: TaskPool<InvocationOutput>,
    running: BTreeMap<u64, StartedInvocation>,
    warm: BTreeMap<Handler, Vec<Engine<SimulatedPort>>>,
    started: u64,
}

#[derive(Debug)]
struct StartedInvocation {
    handler: Handler,
    messages: Vec<u64>,
    began: Timestamp,
}

#[derive(Debug)]
struct InvocationOutput {
    engine: Engine<SimulatedPort>,
    results: Vec<EventResult>,
    counters: Counters,
}

/// A message of a queue: its number, and its text.
pub type ReceivedMessage = (u64, Rc<str>);

/// An invocation that ended.
#[derive(Debug)]
pub struct FinishedInvocation {
    /// Its number.
    pub number: u64,
    /// Its function.
    pub handler: Handler,
    /// The numbers of its messages.
    pub messages: Vec<u64>,
    /// How long it worked.
    pub took: Span,
    /// The result of each message, in their order.
    pub results: Vec<EventResult>,
    /// Its counters.
    pub counters: Counters,
    /// Its environment.
    pub engine: Engine<SimulatedPort>,
}

/// The state of the invocation that had a turn.
#[derive(Debug)]
pub enum InvocationTurn {
    /// It waits.
    Waiting,
    /// It ended.
    Finished(Box<FinishedInvocation>),
    /// The invocation of this number died.
    Died(u64),
}

impl InvocationPool {
    /// A pool without environments.
    pub fn new(cloud: &Rc<SimulatedCloud>, config: InvocationConfig) -> Self {
        Self {
            config,
            cloud: Rc::clone(cloud),
            tasks: TaskPool::default(),
            running: BTreeMap::new(),
            warm: BTreeMap::new(),
            started: 0,
        }
    }

    /// How many invocations of a function run.
    pub fn count_running(&self, handler: Handler) -> usize {
        self.running.values().filter(|invocation| invocation.handler == handler).count()
    }

    /// Begins an invocation, in a warm environment if there is one; returns its number. It dies after `turns_to_live` turns, if it
    /// takes as many.
    pub fn start(
        &mut self,
        handler: Handler,
        received: Vec<ReceivedMessage>,
        turns_to_live: Option<u64>,
    ) -> u64 {
        self.started += 1;
        let number = self.started;
        let mut engine = match self.warm.entry(handler).or_default().pop() {
            Some(engine) => engine,
            None => self.start_cold(handler, number),
        };
        engine.aws.invocation = number;
        let began = self.cloud.now();
        let invocation = Invocation {
            until: began.plus(self.config.timeout),
            owner: format!("invocation-{number}"),
            account: self.config.account.clone(),
            function_arn: String::new(),
            keeps_facts: false,
        };
        let mut messages = Vec::with_capacity(received.len());
        let mut texts = Vec::with_capacity(received.len());
        for (id, text) in received {
            messages.push(id);
            texts.push(text);
        }
        self.running.insert(number, StartedInvocation { handler, messages, began });
        let run = async move {
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            let (results, counters) = engine.process_batch(&invocation, &texts).await;
            InvocationOutput { engine, results, counters }
        };
        self.tasks.spawn(number, run, turns_to_live);
        number
    }

    /// An environment that has not learned anything yet.
    fn start_cold(&self, handler: Handler, number: u64) -> Engine<SimulatedPort> {
        let InvocationConfig { rules, settings, lease, .. } = &self.config;
        let port = SimulatedPort::new(&self.cloud, number);
        Engine::new(port, handler, Arc::clone(rules), settings.clone(), *lease)
    }

    /// Gives a turn to one of the invocations that can run; `None` if none can.
    pub fn run_one_turn(&mut self, random: &mut SeededRandom) -> Option<InvocationTurn> {
        let (number, output) = match self.tasks.run_one_turn(random)? {
            TaskTurn::Waiting => return Some(InvocationTurn::Waiting),
            TaskTurn::Died(number) => return Some(InvocationTurn::Died(number)),
            TaskTurn::Done(number, output) => (number, output),
        };
        let StartedInvocation { handler, messages, began } = self.running.remove(&number)?;
        let took = Span::from_millis(self.cloud.now().millis() - began.millis());
        let InvocationOutput { engine, results, counters } = output;
        Some(InvocationTurn::Finished(Box::new(FinishedInvocation {
            number,
            handler,
            messages,
            took,
            results,
            counters,
            engine,
        })))
    }

    /// Ends an invocation wherever it waits; says whether it still ran.
    pub fn kill(&mut self, number: u64) -> bool {
        self.tasks.kill(number);
        self.running.remove(&number).is_some()
    }

    /// Keeps an environment warm for the next invocation.
    pub fn keep_warm(&mut self, handler: Handler, engine: Engine<SimulatedPort>) {
        self.warm.entry(handler).or_default().push(engine);
    }
}
