//! Expressions: an update as `UpdateItem` takes it.
//!
//! Attributes are written `#name`, because many good names are reserved words; each value has a number. `DynamoDB`
//! refuses names and values that no expression uses.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use responder_engine::port::{AttributeValue, ItemUpdate, WriteCondition};

use super::item::attribute;

/// The expressions of an update, with the names and values that they use.
#[derive(Debug, Default)]
pub(super) struct RenderedUpdate {
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl RenderedUpdate {
    pub(super) fn of(update: &ItemUpdate) -> Self {
        let mut rendered = Self::default();
        let mut set = Vec::new();
        for (name, value) in &update.set {
            set.push(format!("{} = {}", rendered.name(name), rendered.value(attribute(value))));
        }
        for (name, value) in &update.set_if_absent {
            let (name, value) = (rendered.name(name), rendered.value(attribute(value)));
            set.push(format!("{name} = if_not_exists({name}, {value})"));
        }
        let mut add = Vec::new();
        for (name, more) in &update.add {
            let value = rendered.value(attribute(&AttributeValue::Set(more.clone())));
            add.push(format!("{} {value}", rendered.name(name)));
        }
        let mut delete = Vec::new();
        for (name, less) in &update.take {
            let value = rendered.value(attribute(&AttributeValue::Set(less.clone())));
            delete.push(format!("{} {value}", rendered.name(name)));
        }
        let remove = update.remove.iter().map(|name| rendered.name(name)).collect();
        let clauses = [("SET", set), ("ADD", add), ("DELETE", delete), ("REMOVE", remove)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let clauses: Vec<String> =
            clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();
        rendered.update = clauses.join(" ");
        rendered.condition = rendered.condition(&update.condition);
        rendered
    }

    /// `None` where nothing is asked.
    fn condition(&mut self, condition: &WriteCondition) -> Option<String> {
        if asks_nothing(condition) {
            return None;
        }
        let number = |number: i64| AttributeValue::N(number.to_string());
        Some(match condition {
            WriteCondition::Always => return None,
            WriteCondition::Exists(name) => format!("attribute_exists({})", self.name(name)),
            WriteCondition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            WriteCondition::Equal(name, value) => {
                format!("{} = {}", self.name(name), self.value(attribute(value)))
            }
            WriteCondition::Less(name, bound) => {
                format!("{} < {}", self.name(name), self.value(number(*bound)))
            }
            WriteCondition::More(name, bound) => {
                format!("{} > {}", self.name(name), self.value(number(*bound)))
            }
            WriteCondition::SizeLess(name, most) => {
                let most = AttributeValue::N(most.to_string());
                format!("size({}) < {}", self.name(name), self.value(most))
            }
            WriteCondition::All(all) => self.joined(all, " AND "),
            WriteCondition::Any(any) => self.joined(any, " OR "),
        })
    }

    fn joined(&mut self, conditions: &[WriteCondition], word: &str) -> String {
        let parts: Vec<String> = conditions.iter().filter_map(|one| self.condition(one)).collect();
        format!("({})", parts.join(word))
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

fn asks_nothing(condition: &WriteCondition) -> bool {
    match condition {
        WriteCondition::Always => true,
        WriteCondition::All(all) => all.iter().all(asks_nothing),
        WriteCondition::Any(any) => any.iter().any(asks_nothing),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use proptest::sample::select;
    use responder_engine::port::ItemKey;
    use responder_engine::port::WriteCondition::{
        Absent, All, Always, Any, Equal, Exists, Less, More, SizeLess,
    };

    use super::*;

    fn key() -> ItemKey {
        ItemKey { pk: "p".to_owned(), sk: "s".to_owned() }
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::Text(text.to_owned())
    }

    #[test]
    fn an_update_is_written_as_update_item_takes_it() {
        let update = ItemUpdate {
            key: key(),
            set: BTreeMap::from([("owner", text("me")), ("ttl", AttributeValue::Number(9))]),
            set_if_absent: BTreeMap::from([("at", AttributeValue::Number(7))]),
            add: BTreeMap::from([("marks", BTreeSet::from(["m".to_owned()]))]),
            take: BTreeMap::from([("waiting", BTreeSet::from(["w".to_owned()]))]),
            remove: BTreeSet::from(["first", "last"]),
            condition: All(vec![
                Any(vec![Absent("until"), Less("until", 5)]),
                Exists("paged"),
                Always,
                Equal("owner", text("me")),
                All(vec![More("first", 1), SizeLess("marks", 3)]),
            ]),
        };
        let rendered = RenderedUpdate::of(&update);
        let expected = "SET #owner = :v0, #ttl = :v1, #at = if_not_exists(#at, :v2) ADD #marks :v3 DELETE #waiting :v4 REMOVE #first, #last";
        assert_eq!(rendered.update, expected);
        let expected = "((attribute_not_exists(#until) OR #until < :v5) AND attribute_exists(#paged) AND #owner = :v6 \
            AND (#first > :v7 AND size(#marks) < :v8))";
        assert_eq!(rendered.condition.as_deref(), Some(expected));
        assert_eq!(rendered.values[":v5"], AttributeValue::N("5".to_owned()));
        assert_eq!(rendered.values[":v3"], AttributeValue::Ss(vec!["m".to_owned()]));
        let free = ItemUpdate { condition: Any(vec![Exists("x"), All(vec![Always])]), ..update };
        assert_eq!(RenderedUpdate::of(&free).condition, None);
    }

    fn value() -> impl Strategy<AttributeValue = AttributeValue> {
        prop_oneof![
            any::<i64>().prop_map(AttributeValue::Number),
            "[a-z]{0,3}".prop_map(AttributeValue::Text)
        ]
    }

    fn condition() -> impl Strategy<AttributeValue = WriteCondition> {
        let name = || select(&["owner", "until", "paged", "first", "size"][..]);
        let leaf = prop_oneof![
            Just(Always),
            name().prop_map(Exists),
            name().prop_map(Absent),
            (name(), value()).prop_map(|(name, value)| Equal(name, value)),
            (name(), any::<i64>()).prop_map(|(name, bound)| Less(name, bound)),
            (name(), any::<i64>()).prop_map(|(name, bound)| More(name, bound)),
            (name(), 0..9usize).prop_map(|(name, most)| SizeLess(name, most)),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![vec(inner.clone(), 1..4).prop_map(All), vec(inner, 1..4).prop_map(Any)]
        })
    }

    fn update() -> impl Strategy<AttributeValue = ItemUpdate> {
        let names = |names: &'static [&'static str]| select(names);
        let parts = (
            btree_map(names(&["owner", "until"]), value(), 0..3),
            btree_map(names(&["at", "paged"]), value(), 0..3),
            btree_map(names(&["marks", "size"]), btree_set("[a-z]", 1..3), 0..3),
            btree_map(names(&["waiting", "done"]), btree_set("[a-z]", 1..3), 0..3),
            btree_set(names(&["first", "last"]), 0..3),
            condition(),
        );
        parts.prop_map(|(set, set_if_absent, add, take, remove, condition)| ItemUpdate {
            key: key(),
            set,
            set_if_absent,
            add,
            take,
            remove,
            condition,
        })
    }

    /// The placeholders in a text that begin with `mark`.
    fn placeholders(text: &str, observation: char) -> Vec<&str> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !":#_".contains(c));
        words.filter(|word| word.starts_with(observation)).collect()
    }

    proptest! {
        #[test]
        fn every_name_and_value_that_is_sent_is_used_and_every_used_one_is_sent(update in update()) {
            let rendered = RenderedUpdate::of(&update);
            let text = format!("{} {}", rendered.update, rendered.condition.clone().unwrap_or_default());
            let used: BTreeSet<&str> = placeholders(&text, '#').into_iter().collect();
            prop_assert_eq!(used, rendered.names.keys().map(String::as_str).collect::<BTreeSet<_>>());
            for (placeholder, name) in &rendered.names {
                prop_assert_eq!(placeholder.strip_prefix('#'), Some(name.as_str()));
            }
            let mut used = placeholders(&text, ':');
            used.sort_unstable();
            let mut sent: Vec<&str> = rendered.values.keys().map(String::as_str).collect();
            sent.sort_unstable();
            // A value stands in one place.
            prop_assert_eq!(used, sent);
            let balance = |c| text.matches(c).count();
            prop_assert_eq!(balance('('), balance(')'));
            prop_assert!(!text.contains("()"));
        }
    }
}
