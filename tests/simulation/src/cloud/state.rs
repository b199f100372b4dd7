//! The state of a cloud: the models and the table, and what a test may set.

use std::collections::BTreeMap;

use responder_engine::port::{AttributeValue, ItemPage, ItemUpdate, SortKeyRange, WriteResult};

use super::call_fault::CallFaults;
use super::latency::CallLatency;
use super::record::CloudRecord;
use crate::ecs::SimulatedEcs;
use crate::random::SeededRandom;
use crate::secrets::SimulatedSecrets;
use crate::table::SimulatedTable;
use crate::usage_meter::count_item_bytes;

/// The models, the table, and everything else that changes in a cloud.
#[derive(Debug)]
pub struct CloudState {
    /// Decides everything that is left to chance, but for what happens inside the models.
    pub random: SeededRandom,
    /// ECS.
    pub ecs: SimulatedEcs,
    /// Secrets Manager.
    pub secrets: SimulatedSecrets,
    /// The ledger's table.
    pub table: SimulatedTable,
    /// The faults of calls.
    pub faults: CallFaults,
    /// How long calls take.
    pub latency: CallLatency,
    /// Whether the engine's own waits take no time, as if it kept no rate limit.
    pub skips_sleeps: bool,
    /// Whether the topic of the chats is gone.
    pub chat_topic_is_gone: bool,
    /// A bug that is planted, to see that a test finds it.
    pub bug: Option<CloudBug>,
    /// The record of what happened.
    pub record: CloudRecord,
    pub(super) first_reads: BTreeMap<ReadPartition, SimulatedTable>,
}

/// The number of an invocation, and a partition that it read.
pub(super) type ReadPartition = (u64, String);

/// A bug that is planted between the engine and the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudBug {
    /// Concurrency slots are never given back.
    KeepsSlots,
    /// Of what was counted, an invocation sees only what it saw at first, as if it read before it wrote.
    CountsBeforeWriting,
    /// Every PRIMARY deployment seems to be complete and alone, as if newer were enough.
    ShowsNewerAsCompleted,
    /// The ledger does not say that a deployment of ours failed, as if nothing held the other consumers of a bad value.
    ForgetsFailures,
    /// Nothing says that a deployment waits for a person or shifts traffic in steps.
    HidesApprovals,
}

impl CloudState {
    /// Writes an item, and records what that says about pages.
    pub(super) fn write_item(&mut self, update: &ItemUpdate, invocation: u64) -> WriteResult {
        let frees_slot = update.key.sk.starts_with("slot#") && update.remove.contains("service");
        if frees_slot && self.bug == Some(CloudBug::KeepsSlots) {
            return WriteResult::Written;
        }
        let before = self.table.item(&update.key);
        let bytes_before = before.map(count_item_bytes);
        if let Some(journal) = &mut self.record.journal {
            let item = update.apply(before.cloned());
            journal.writes.push((update.key.clone(), count_item_bytes(&item)));
        }
        let written = self.table.update(update);
        let bytes_after = self.table.item(&update.key).map(count_item_bytes);
        self.record.meter.count_write(bytes_before, bytes_after);
        if written == WriteResult::Written && update.set.contains_key("paged") {
            self.mark_page(&update.key.pk, invocation);
        }
        written
    }

    /// Records that an invocation marked its last page of an incident as sent.
    fn mark_page(&mut self, pk: &str, invocation: u64) {
        let key = pk.strip_prefix("incident#").unwrap_or_default();
        for page in self.record.pages.iter_mut().rev() {
            if page.by == invocation && page.key == key {
                page.marked = true;
                return;
            }
        }
    }

    /// Reads a page of a partition.
    pub(super) fn query_items(&mut self, range: &SortKeyRange, invocation: u64) -> ItemPage {
        if self.bug == Some(CloudBug::CountsBeforeWriting) && range.pk.starts_with("observations#") {
            let key = (invocation, range.pk.clone());
            let first = self.first_reads.entry(key).or_insert_with(|| self.table.copy_partition(&range.pk));
            return first.query(range);
        }
        let mut page = self.table.query(range);
        if self.bug == Some(CloudBug::ForgetsFailures) {
            for item in &mut page.items {
                if item.text("outcome") == Some("failed") {
                    item.values.insert("outcome".to_owned(), AttributeValue::Text("gone".to_owned()));
                }
            }
        }
        page
    }
}
