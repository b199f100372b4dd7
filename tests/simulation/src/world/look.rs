//! Looking at a world: what its oracles and tests want to know.

use std::collections::BTreeSet;

use responder_core::notify::Notification;

use super::{History, World};
use crate::cloud::Record;
use crate::store::Store;

impl World {
    /// What happened, apart from what the functions did.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Events that were told, that of these got lost, and messages that were put aside.
    pub fn events(&self) -> (u64, u64, usize) {
        (self.bus.notified.0, self.bus.notified.1, self.bus.rotation.dead.len() + self.bus.access.dead.len())
    }

    /// How many messages the queues got.
    pub(crate) fn delivered(&self) -> u64 {
        self.bus.rotation.sent() + self.bus.access.sent()
    }

    /// How many messages the rotation's queue got.
    pub(crate) fn sent(&self) -> u64 {
        self.bus.rotation.sent()
    }

    /// The pages that the topic took, in their order.
    pub fn pages(&self) -> Vec<Notification> {
        self.record(|record| record.pages.iter().map(|notified| notified.page.clone()).collect())
    }

    pub(crate) fn record<T>(&self, f: impl FnOnce(&Record) -> T) -> T {
        f(&self.cloud.state.borrow().record)
    }

    pub(crate) fn store<T>(&self, f: impl FnOnce(&Store) -> T) -> T {
        f(&self.cloud.state.borrow().store)
    }

    /// The trace so far.
    pub fn trace(&self) -> String {
        self.record(|record| record.trace.iter().flatten().fold(String::new(), |all, line| all + line + "\n"))
    }

    /// The secrets (ARNs) that a service (an ARN) asks for, by its task definition of now.
    pub(crate) fn used(&self, service: &str) -> BTreeSet<String> {
        let state = self.cloud.state.borrow();
        let definition = state.ecs.service(service).map(|service| service.task_definition.clone());
        let references = definition.map(|arn| state.ecs.references(&arn)).unwrap_or_default();
        references.iter().map(|value| value.split(':').take(7).collect::<Vec<_>>().join(":")).collect()
    }
}
