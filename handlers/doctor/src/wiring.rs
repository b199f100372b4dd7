//! What should be there: every resource that the templates make, by name.

use std::collections::BTreeMap;

use serde_json::Value;

/// The parts of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    /// What all names begin with.
    pub(crate) prefix: String,
    /// The rules of the home Region.
    pub(crate) rules: Vec<Wanted>,
    /// The rules of every other Region, which forward to the home Region's bus.
    pub(crate) forwards: Vec<Wanted>,
    /// The functions with their queues.
    pub(crate) workers: Vec<Worker>,
    /// The ledger's table.
    pub(crate) table: String,
    /// The topic that pages go to.
    pub(crate) pages: String,
    /// The alarms of the home Region.
    pub(crate) alarms: Vec<String>,
    /// The alarms of a forwarding Region.
    pub(crate) forward_alarms: Vec<String>,
    /// The heartbeats.
    pub(crate) heartbeats: Vec<Heartbeat>,
    /// The stack of the home Region, and that of the others.
    pub(crate) stacks: [String; 2],
}

/// A rule that should be there.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) name: String,
    /// The id of the pattern file; absent for what has none, such as a forwarding rule of several.
    pub(crate) id: String,
    /// Its pattern.
    pub(crate) pattern: Value,
    /// Its state.
    pub(crate) state: &'static str,
    /// The name of the queue that it sends to; the home bus for a forwarding rule.
    pub(crate) queue: Option<String>,
}

/// A function with its queues.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// The function's name.
    pub(crate) function: String,
    /// The queue that feeds it.
    pub(crate) queue: String,
    /// Where the queue gives up to.
    pub(crate) dlq: String,
}

/// The metric by which a function shows that it lives.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    /// The function's name.
    pub(crate) function: String,
    /// The metric's namespace.
    pub(crate) namespace: String,
    /// The metric's name.
    pub(crate) metric: String,
    /// Its dimensions.
    pub(crate) dimensions: BTreeMap<String, String>,
}

impl Wiring {
    /// What this release's templates make.
    pub(crate) fn of(prefix: &str, rules: &responder_core::rules::Rules) -> Self {
        let _ = rules;
        Self {
            prefix: prefix.to_owned(),
            rules: vec![],
            forwards: vec![],
            workers: vec![],
            table: String::new(),
            pages: String::new(),
            alarms: vec![],
            forward_alarms: vec![],
            heartbeats: vec![],
            stacks: [String::new(), String::new()],
        }
    }
}
