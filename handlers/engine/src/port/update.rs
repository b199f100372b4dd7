//! One write: what changes in an item, and on which condition.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::WriteCondition;
use super::table::{AttributeValue, ItemKey, TableItem};

/// A write. No attribute is named twice in what changes, and there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemUpdate {
    /// Of which item.
    pub key: ItemKey,
    /// What is set.
    pub set: BTreeMap<&'static str, AttributeValue>,
    /// What is set unless it is there.
    pub set_if_absent: BTreeMap<&'static str, AttributeValue>,
    /// What is added to sets of strings; never nothing.
    pub add: BTreeMap<&'static str, BTreeSet<String>>,
    /// What is taken from sets of strings; a set of which nothing is left is absent.
    pub take: BTreeMap<&'static str, BTreeSet<String>>,
    /// What goes.
    pub remove: BTreeSet<&'static str>,
    /// On which condition.
    pub condition: WriteCondition,
}

impl ItemUpdate {
    /// The item as it is after the write. Whether the condition holds is asked before.
    #[must_use]
    pub fn apply(&self, item: Option<TableItem>) -> TableItem {
        let mut item = item.unwrap_or_default();
        item.key.clone_from(&self.key);
        for (name, value) in &self.set {
            item.values.insert((*name).to_owned(), value.clone());
        }
        for (name, value) in &self.set_if_absent {
            item.values.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
        for (name, more) in &self.add {
            let known = item.set(name).into_iter().flatten();
            let all = known.chain(more).cloned().collect();
            item.values.insert((*name).to_owned(), AttributeValue::Set(all));
        }
        for (name, less) in &self.take {
            let left: BTreeSet<String> = item
                .set(name)
                .into_iter()
                .flatten()
                .filter(|known| !less.contains(*known))
                .cloned()
                .collect();
            item.values.remove(*name);
            if !left.is_empty() {
                item.values.insert((*name).to_owned(), AttributeValue::Set(left));
            }
        }
        item.values.retain(|name, _| !self.remove.contains(name.as_str()));
        item
    }

    pub(crate) fn of(key: ItemKey) -> Self {
        Self {
            key,
            set: BTreeMap::new(),
            set_if_absent: BTreeMap::new(),
            add: BTreeMap::new(),
            take: BTreeMap::new(),
            remove: BTreeSet::new(),
            condition: WriteCondition::Always,
        }
    }

    pub(crate) fn only_if(self, condition: WriteCondition) -> Self {
        Self { condition, ..self }
    }

    pub(crate) fn number(self, name: &'static str, value: i64) -> Self {
        self.value(name, AttributeValue::Number(value))
    }

    pub(crate) fn text(self, name: &'static str, value: &str) -> Self {
        self.value(name, AttributeValue::Text(value.to_owned()))
    }

    pub(crate) fn value(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set.insert(name, value);
        self
    }

    pub(crate) fn if_absent(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set_if_absent.insert(name, value);
        self
    }

    pub(crate) fn add(mut self, name: &'static str, more: BTreeSet<String>) -> Self {
        self.add.insert(name, more);
        self
    }

    pub(crate) fn take(mut self, name: &'static str, less: BTreeSet<String>) -> Self {
        self.take.insert(name, less);
        self
    }

    pub(crate) fn remove(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.remove.extend(names);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_item_becomes_what_the_write_says_and_keeps_the_rest() {
        let key = ItemKey { pk: "p".to_owned(), sk: "s".to_owned() };
        let update = ItemUpdate::of(key.clone())
            .number("ttl", 9)
            .if_absent("at", AttributeValue::Number(1))
            .add("marks", set(&["a", "b"]))
            .remove(["owner", "never"]);
        let made = update.apply(None);
        assert_eq!((&made.key, made.number("ttl"), made.number("at")), (&key, Some(9), Some(1)));
        assert_eq!(made.set("marks"), Some(&set(&["a", "b"])));
        let again = ItemUpdate::of(key)
            .text("owner", "me")
            .if_absent("at", AttributeValue::Number(2))
            .add("marks", set(&["b", "c"]))
            .apply(Some(made));
        assert_eq!(
            (again.number("ttl"), again.number("at"), again.text("owner")),
            (Some(9), Some(1), Some("me"))
        );
        assert_eq!(again.set("marks"), Some(&set(&["a", "b", "c"])));
        assert_eq!(update.apply(Some(again)).text("owner"), None);
    }
}
