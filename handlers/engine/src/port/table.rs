//! The ledger's table as data: keys, items, and the answers of its calls.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::Timestamp;

/// An item's primary key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemKey {
    /// The partition key, the attribute `pk`.
    pub pk: String,
    /// The sort key, the attribute `sk`.
    pub sk: String,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A set of strings, never empty.
    Set(BTreeSet<String>),
}

/// An item. It is read tolerantly: an attribute of another type counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableItem {
    /// The item's key.
    pub key: ItemKey,
    /// Its other attributes, by name.
    pub values: BTreeMap<String, AttributeValue>,
}

impl TableItem {
    /// The string of an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            AttributeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an attribute.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.values.get(name)? {
            AttributeValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The set of an attribute.
    pub fn set(&self, name: &str) -> Option<&BTreeSet<String>> {
        match self.values.get(name)? {
            AttributeValue::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The instant of an attribute that holds milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn timestamp(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// The item was written.
    Written,
    /// The condition did not hold. Holds the item as it is, if the table returned it.
    ConditionFailed(Option<TableItem>),
}

/// The answer to a read of some keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundItems {
    /// The items that exist.
    pub items: Vec<TableItem>,
    /// The keys that the table was too busy to read (`UnprocessedKeys`).
    pub unprocessed_keys: Vec<ItemKey>,
}

/// The items of one partition between two sort keys, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKeyRange {
    /// The partition key.
    pub pk: String,
    /// The first sort key.
    pub from: String,
    /// The last sort key.
    pub to: String,
    /// The key after which the page begins, if it is not the first page.
    pub after: Option<ItemKey>,
}

/// A page of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemPage {
    /// The items of the page.
    pub items: Vec<TableItem>,
    /// The key after which the next page begins, if there is one.
    pub next_key: Option<ItemKey>,
}
