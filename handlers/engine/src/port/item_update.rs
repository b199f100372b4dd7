//! One write: how an item changes, and on which condition.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{AttributeValue, ItemKey, TableItem};
use super::write_condition::WriteCondition;

/// A write, in the words of DynamoDB's update expressions. No attribute is named by two of its fields, and it changes at
/// least one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemUpdate {
    /// The key of the item.
    pub key: ItemKey,
    /// The attributes that get a value.
    pub set: BTreeMap<&'static str, AttributeValue>,
    /// The attributes that get a value unless they have one.
    pub set_if_absent: BTreeMap<&'static str, AttributeValue>,
    /// The strings that are added to sets; no set is empty.
    pub add: BTreeMap<&'static str, BTreeSet<String>>,
    /// The strings that are deleted from sets. A set that loses its last string becomes absent.
    pub delete: BTreeMap<&'static str, BTreeSet<String>>,
    /// The attributes that become absent.
    pub remove: BTreeSet<&'static str>,
    /// The condition on the item as it is before the write.
    pub condition: WriteCondition,
}

impl ItemUpdate {
    /// The item as it is after the write. The caller has checked the condition.
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
        for (name, added) in &self.add {
            let mut strings = item.set(name).cloned().unwrap_or_default();
            strings.extend(added.iter().cloned());
            item.values.insert((*name).to_owned(), AttributeValue::Set(strings));
        }
        for (name, deleted) in &self.delete {
            let strings: BTreeSet<String> =
                item.set(name).cloned().unwrap_or_default().difference(deleted).cloned().collect();
            item.values.remove(*name);
            if !strings.is_empty() {
                item.values.insert((*name).to_owned(), AttributeValue::Set(strings));
            }
        }
        for name in &self.remove {
            item.values.remove(*name);
        }
        item
    }

    pub(crate) fn new(key: ItemKey) -> Self {
        Self {
            key,
            set: BTreeMap::new(),
            set_if_absent: BTreeMap::new(),
            add: BTreeMap::new(),
            delete: BTreeMap::new(),
            remove: BTreeSet::new(),
            condition: WriteCondition::Always,
        }
    }

    pub(crate) fn only_if(self, condition: WriteCondition) -> Self {
        Self { condition, ..self }
    }

    pub(crate) fn set_number(self, name: &'static str, value: i64) -> Self {
        self.set_value(name, AttributeValue::Number(value))
    }

    pub(crate) fn set_text(self, name: &'static str, value: &str) -> Self {
        self.set_value(name, AttributeValue::Text(value.to_owned()))
    }

    pub(crate) fn set_value(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set.insert(name, value);
        self
    }

    pub(crate) fn set_number_if_absent(mut self, name: &'static str, value: i64) -> Self {
        self.set_if_absent.insert(name, AttributeValue::Number(value));
        self
    }

    pub(crate) fn add_strings(mut self, name: &'static str, strings: BTreeSet<String>) -> Self {
        self.add.insert(name, strings);
        self
    }

    pub(crate) fn delete_strings(mut self, name: &'static str, strings: BTreeSet<String>) -> Self {
        self.delete.insert(name, strings);
        self
    }

    pub(crate) fn remove_attributes(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
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
        let update = ItemUpdate::new(key.clone())
            .set_number("ttl", 9)
            .set_number_if_absent("at", 1)
            .add_strings("marks", set(&["a", "b"]))
            .remove_attributes(["owner", "never"]);
        let made = update.apply(None);
        assert_eq!((&made.key, made.number("ttl"), made.number("at")), (&key, Some(9), Some(1)));
        assert_eq!(made.set("marks"), Some(&set(&["a", "b"])));
        let again = ItemUpdate::new(key)
            .set_text("owner", "me")
            .set_number_if_absent("at", 2)
            .add_strings("marks", set(&["b", "c"]))
            .apply(Some(made));
        assert_eq!(
            (again.number("ttl"), again.number("at"), again.text("owner")),
            (Some(9), Some(1), Some("me"))
        );
        assert_eq!(again.set("marks"), Some(&set(&["a", "b", "c"])));
        assert_eq!(update.apply(Some(again)).text("owner"), None);
    }
}
