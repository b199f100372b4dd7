//! Views of a world for oracles and tests.

use std::collections::BTreeSet;

use responder_core::notify::Notification;

use super::history::WorldHistory;
use super::simulated_world::SimulatedWorld;
use crate::bus::strip_json_key;
use crate::cloud::CloudRecord;
use crate::table::SimulatedTable;

impl SimulatedWorld {
    /// The history, apart from what the functions did.
    pub fn history(&self) -> &WorldHistory {
        &self.history
    }

    /// How many events were sent that a rule has.
    pub fn count_events(&self) -> u64 {
        self.bus.sent
    }

    /// How many of them got lost.
    pub fn count_lost_events(&self) -> u64 {
        self.bus.lost_count
    }

    /// How many messages went to the dead-letter queues.
    pub fn count_dead_letters(&self) -> usize {
        self.bus.rotation_queue.dead_letters.len() + self.bus.access_queue.dead_letters.len()
    }

    /// How many messages the queues got.
    pub(crate) fn count_messages(&self) -> u64 {
        self.bus.rotation_queue.count_sent() + self.bus.access_queue.count_sent()
    }

    /// How many messages the rotation's queue got.
    pub(crate) fn count_rotation_messages(&self) -> u64 {
        self.bus.rotation_queue.count_sent()
    }

    /// The pages that the topic took, in their order.
    pub fn pages(&self) -> Vec<Notification> {
        self.with_record(|record| record.pages.iter().map(|sent| sent.page.clone()).collect())
    }

    /// Looks at what the functions did.
    pub fn with_record<T>(&self, look: impl FnOnce(&CloudRecord) -> T) -> T {
        self.cloud.with_record(look)
    }

    /// Looks at the ledger's table.
    pub fn with_table<T>(&self, look: impl FnOnce(&SimulatedTable) -> T) -> T {
        self.cloud.with_table(|table| look(table))
    }

    /// The trace so far, a line for each thing that happened.
    pub fn trace(&self) -> String {
        self.with_record(|record| record.trace.clone().unwrap_or_default().join("\n"))
    }

    /// The secrets (ARNs) that a service (an ARN) refers to, by its task definition of now.
    pub fn secrets_of(&self, service: &str) -> BTreeSet<String> {
        self.with_ecs(|ecs| {
            let mut secrets = BTreeSet::new();
            let Some(known) = ecs.service(service) else { return secrets };
            for reference in ecs.references(&known.task_definition) {
                secrets.insert(strip_json_key(&reference));
            }
            secrets
        })
    }
}
