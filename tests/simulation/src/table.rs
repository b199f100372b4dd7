//! The ledger's table in memory. Each call is atomic, as a call about one item is in `DynamoDB`; reads are consistent, and no item expires.

use std::collections::BTreeMap;

use responder_engine::port::{ItemKey, ItemPage, ItemUpdate, SortKeyRange, TableItem, WriteResult};

/// How many items a page of `Query` has by default: fewer than AWS's, so that there are pages.
const DEFAULT_PAGE_ITEMS: usize = 25;

/// A table.
#[derive(Clone, Debug)]
pub struct SimulatedTable {
    /// How many items a page of `Query` has.
    pub page_items: usize,
    items: BTreeMap<ItemKey, TableItem>,
}

impl Default for SimulatedTable {
    fn default() -> Self {
        Self { page_items: DEFAULT_PAGE_ITEMS, items: BTreeMap::new() }
    }
}

impl SimulatedTable {
    /// `UpdateItem`.
    pub fn update(&mut self, update: &ItemUpdate) -> WriteResult {
        let known = self.items.get(&update.key);
        if !update.condition.holds(known) {
            return WriteResult::ConditionFailed(known.cloned());
        }
        let item = update.apply(known.cloned());
        self.items.insert(update.key.clone(), item);
        WriteResult::Written
    }

    /// `PutItem`, by which tests prepare a table.
    pub fn put(&mut self, item: TableItem) {
        self.items.insert(item.key.clone(), item);
    }

    /// Removes every item.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// One item, if it is there.
    pub fn item(&self, key: &ItemKey) -> Option<&TableItem> {
        self.items.get(key)
    }

    /// `BatchGetItem`.
    pub fn get(&self, keys: &[ItemKey]) -> Vec<TableItem> {
        keys.iter().filter_map(|key| self.items.get(key).cloned()).collect()
    }

    /// `Query`.
    pub fn query(&self, range: &SortKeyRange) -> ItemPage {
        let mut page = ItemPage::default();
        if range.from > range.to {
            return page;
        }
        let first = ItemKey { pk: range.pk.clone(), sk: range.from.clone() };
        let last = ItemKey { pk: range.pk.clone(), sk: range.to.clone() };
        for (key, item) in self.items.range(first..=last) {
            let was_returned = range.after.as_ref().is_some_and(|after| key <= after);
            if was_returned {
                continue;
            }
            if page.items.len() == self.page_items {
                page.next_key = page.items.last().map(|last| last.key.clone());
                break;
            }
            page.items.push(item.clone());
        }
        page
    }

    /// A table with the items of one partition.
    #[must_use]
    pub fn copy_partition(&self, pk: &str) -> Self {
        let mut partition = Self { page_items: self.page_items, ..Self::default() };
        for item in self.items.values() {
            if item.key.pk == pk {
                partition.put(item.clone());
            }
        }
        partition
    }

    /// All items, in the order of their keys.
    pub fn items(&self) -> impl Iterator<Item = &TableItem> {
        self.items.values()
    }
}
