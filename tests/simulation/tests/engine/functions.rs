//! The functions over one cloud, one invocation at a time.

use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use responder_engine::{Counters, Engine, EventOutcome, EventResult, Invocation};
use simulation::builtin_rules::load_builtin_rules;
use simulation::cloud::{CallFault, SentNotification, SimulatedCloud, SimulatedPort};

/// The timeout of an invocation, and how long a claim is held.
pub(crate) const LEASE: Span = Span::from_secs(60);
/// The functions' account.
pub(crate) const ACCOUNT: &str = "111122223333";

/// A process of a function. Its cache is that of one process; the cloud may be that of several.
pub(crate) struct FunctionSet {
    pub(crate) engine: Engine<SimulatedPort>,
    pub(crate) cloud: Rc<SimulatedCloud>,
    /// The timeout of the next invocations.
    pub(crate) timeout: Span,
    /// Whether the results hold the facts that were known.
    pub(crate) keeps_facts: bool,
}

/// What an invocation gives back when it is done.
pub(crate) type InvocationOutput = (Vec<EventResult>, Counters);

impl FunctionSet {
    pub(crate) fn new(cloud: &Rc<SimulatedCloud>, handler: Handler, settings: Settings) -> Self {
        let port = SimulatedPort::new(cloud, 0);
        let engine = Engine::new(port, handler, load_builtin_rules().unwrap(), settings, LEASE);
        Self { engine, cloud: Rc::clone(cloud), timeout: LEASE, keeps_facts: false }
    }

    /// Runs an invocation with a batch; `None` if its process died.
    pub(crate) fn invoke(&mut self, texts: &[String]) -> Option<InvocationOutput> {
        self.engine.aws.invocation += 1;
        let invocation = Invocation {
            until: self.cloud.now().plus(self.timeout),
            owner: format!("invocation {} of {:?}", self.engine.aws.invocation, self.engine.handler),
            account: ACCOUNT.to_owned(),
            function_arn: String::new(),
            keeps_facts: self.keeps_facts,
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.cloud.run_to_end(self.engine.process_batch(&invocation, &texts))
    }

    /// Runs an invocation that does not die; returns how each event ended, and the counters.
    pub(crate) fn process(&mut self, texts: &[String]) -> (Vec<EventOutcome>, Counters) {
        let (results, counters) = self.invoke(texts).unwrap();
        (results.iter().map(|result| result.outcome).collect(), counters)
    }

    /// Delivers a batch at an instant or later; whether the queue must keep nothing of it.
    pub(crate) fn deliver(&mut self, handler: Handler, at: Timestamp, texts: &[String]) -> bool {
        self.engine.handler = handler;
        self.cloud.clock.advance_to(at);
        match self.invoke(texts) {
            Some((results, _)) => results.iter().all(|result| !result.is_kept()),
            None => false,
        }
    }

    /// Delivers a batch again and again, as the queue does, until it is done.
    pub(crate) fn deliver_until_done(&mut self, handler: Handler, at: Timestamp, texts: &[String]) {
        let mut again = (0..5).map(|attempt| at.plus(Span::from_secs(90 * attempt)));
        assert!(again.any(|at| self.deliver(handler, at, texts)), "the batch is never done");
    }
}

/// What of the cloud most tests look at.
pub(crate) trait CloudView {
    /// The pages that were sent.
    fn pages(&self) -> Vec<SentNotification>;
    /// How often the table and the topic were called.
    fn count_all_calls(&self) -> u64;
    /// How many items there are in the partitions that begin so.
    fn count_items(&self, partition: &str) -> usize;
    /// Every call of a service has this fault from now on, or none.
    fn set_fault(&self, service: &'static str, fault: Option<CallFault>);
}

impl CloudView for SimulatedCloud {
    fn pages(&self) -> Vec<SentNotification> {
        self.with_record(|record| record.pages.clone())
    }

    fn count_all_calls(&self) -> u64 {
        self.with_state(|state| state.faults.count_calls())
    }

    fn count_items(&self, partition: &str) -> usize {
        self.with_table(|table| table.items().filter(|item| item.key.pk.starts_with(partition)).count())
    }

    fn set_fault(&self, service: &'static str, fault: Option<CallFault>) {
        self.with_state(|state| state.faults.set_for_service(service, fault));
    }
}

/// The scheduled event of a sweep.
pub(crate) fn sweep_event(at: Timestamp) -> String {
    serde_json::json!({"id": format!("sweep-{at}"), "source": "aws.events", "detail-type": "Scheduled Event",
        "account": ACCOUNT, "region": "us-west-2", "time": at.to_string(), "resources": [], "detail": {}})
    .to_string()
}
