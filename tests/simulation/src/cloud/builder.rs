//! How a test makes a cloud.

use std::collections::BTreeMap;
use std::rc::Rc;

use responder_core::time::{Span, Timestamp};
use responder_engine::port::TableItem;

use super::call_fault::{CallFault, CallFaults};
use super::latency::CallLatency;
use super::record::{CloudJournal, CloudRecord};
use super::simulated_cloud::SimulatedCloud;
use super::state::{CloudBug, CloudState};
use crate::ecs::{NewService, RegisteredTaskDefinition, SimulatedEcs, TaskContainer};
use crate::location::{AwsLocation, HOME_ACCOUNT, HOME_REGION};
use crate::random::SeededRandom;
use crate::secrets::SimulatedSecrets;
use crate::table::SimulatedTable;

/// The age of what is there before a test begins.
const EARLIER: Span = Span::from_secs(40 * 86_400);

/// A cloud that is to be built. By default nothing is in it, nothing goes wrong, and calls take no time.
#[derive(Debug)]
pub struct CloudBuilder {
    now: Timestamp,
    state: CloudState,
}

impl CloudBuilder {
    /// A cloud from this instant on.
    pub fn new(now: Timestamp) -> Self {
        Self::from_random(now, &mut SeededRandom::new(1))
    }

    /// A cloud from this instant on whose chance comes from a sequence.
    pub fn from_random(now: Timestamp, random: &mut SeededRandom) -> Self {
        let state = CloudState {
            random: SeededRandom::new(random.next_u64()),
            ecs: SimulatedEcs::new(AwsLocation::new(HOME_ACCOUNT, HOME_REGION), random.next_u64()),
            secrets: SimulatedSecrets::new(HOME_ACCOUNT, random.next_u64()),
            table: SimulatedTable::default(),
            faults: CallFaults::default(),
            latency: CallLatency::None,
            skips_sleeps: false,
            chat_topic_is_gone: false,
            bug: None,
            record: CloudRecord::default(),
            first_reads: BTreeMap::new(),
        };
        Self { now, state }
    }

    /// Sets how long calls take.
    #[must_use]
    pub fn latency(mut self, latency: CallLatency) -> Self {
        self.state.latency = latency;
        self
    }

    /// Lets `per_mille` of a thousand calls go wrong by chance.
    #[must_use]
    pub fn fault_rate(mut self, per_mille: u64) -> Self {
        self.state.faults.per_mille = per_mille;
        self
    }

    /// Plans the fault of one call by its number: the first call is number 0.
    #[must_use]
    pub fn fault_at(mut self, call: u64, fault: CallFault) -> Self {
        self.state.faults.plan(call, fault);
        self
    }

    /// Plants a bug.
    #[must_use]
    pub fn bug(mut self, bug: Option<CloudBug>) -> Self {
        self.state.bug = bug;
        self
    }

    /// Keeps a line for each thing that happens, if it is wanted.
    #[must_use]
    pub fn trace(mut self, wanted: bool) -> Self {
        self.state.record.trace = wanted.then(Vec::new);
        self
    }

    /// Keeps the details of what happens.
    #[must_use]
    pub fn journal(mut self) -> Self {
        self.state.record.journal = Some(CloudJournal::default());
        self
    }

    /// Puts an item into the ledger's table.
    #[must_use]
    pub fn item(mut self, item: TableItem) -> Self {
        self.state.table.put(item);
        self
    }

    /// Creates a secret of this name, whose ARN ends with `a1B2c3`.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        let created = self.now.minus(EARLIER);
        self.state.secrets.create_with_suffix(HOME_REGION, name, "a1B2c3", created);
        self
    }

    /// Creates a service of two tasks whose container refers to these secrets.
    #[must_use]
    pub fn service(mut self, cluster: &str, name: &str, references: &[&str]) -> Self {
        let secrets = references.iter().map(|reference| (*reference).to_owned()).collect();
        let definition = RegisteredTaskDefinition {
            family: name.to_owned(),
            execution_role: Some(format!("arn:aws:iam::{HOME_ACCOUNT}:role/execution-{name}")),
            containers: vec![TaskContainer { name: "app".to_owned(), secrets, ..TaskContainer::default() }],
            ..RegisteredTaskDefinition::default()
        };
        let service = NewService {
            cluster: cluster.to_owned(),
            name: name.to_owned(),
            task_definition: self.state.ecs.register_task_definition(definition),
            desired: 2,
            ..NewService::default()
        };
        self.state.ecs.create_service(service, self.now.minus(EARLIER));
        self
    }

    /// Prepares anything else.
    #[must_use]
    pub fn prepare(mut self, prepare: impl FnOnce(&mut CloudState)) -> Self {
        prepare(&mut self.state);
        self
    }

    /// The cloud.
    pub fn build(self) -> Rc<SimulatedCloud> {
        SimulatedCloud::new(self.now, self.state)
    }
}
