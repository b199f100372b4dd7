//! The ledger's table in memory. Each call is atomic, as a call of one item is in `DynamoDB`; reads are consistent. Nothing expires.

use std::collections::BTreeMap;

use responder_engine::port::{ItemKey, ItemPage, ItemUpdate, SortKeyRange, TableItem, WriteResult};

/// How many items a page of `Query` has: fewer than AWS's, so that there are pages.
const PAGE: usize = 25;

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Store {
    items: BTreeMap<ItemKey, TableItem>,
}

impl Store {
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

    /// `PutItem`: what somebody wrote before.
    pub fn put(&mut self, item: TableItem) {
        self.items.insert(item.key.clone(), item);
    }

    /// `BatchGetItem`.
    pub fn get(&self, keys: &[ItemKey]) -> Vec<TableItem> {
        keys.iter().filter_map(|key| self.items.get(key).cloned()).collect()
    }

    /// `Query`.
    pub fn query(&self, range: &SortKeyRange) -> ItemPage {
        if range.from > range.to {
            return ItemPage::default();
        }
        let key = |sk: &String| ItemKey { pk: range.pk.clone(), sk: sk.clone() };
        let inside = self.items.range(key(&range.from)..=key(&range.to));
        let mut rest =
            inside.filter(|(key, _)| range.after.as_ref().is_none_or(|after| *key > after)).peekable();
        let items: Vec<TableItem> = rest.by_ref().take(PAGE).map(|(_, item)| item.clone()).collect();
        ItemPage { next_key: rest.peek().and(items.last()).map(|item| item.key.clone()), items }
    }

    /// Everything in it.
    pub fn items(&self) -> impl Iterator<Item = &TableItem> {
        self.items.values()
    }
}
