//! Expressions: an update as `UpdateItem` takes it.
//!
//! Attributes are written `#name`, because many good names are reserved words; each value has a number. `DynamoDB`
//! refuses names and values that no expression uses.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use responder_engine::port::{AttributeValue, ItemUpdate, WriteCondition};

use super::item_mapping::write_value;

/// The expressions of an update, with the names and values that they use.
#[derive(Debug, Default)]
pub(super) struct RenderedUpdate {
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, SdkValue>,
}

impl RenderedUpdate {
    /// Renders an update.
    pub(super) fn render(update: &ItemUpdate) -> Self {
        let mut rendered = Self::default();
        let mut set = Vec::new();
        for (name, value) in &update.set {
            set.push(format!("{} = {}", rendered.add_name(name), rendered.add_value(write_value(value))));
        }
        for (name, value) in &update.set_if_absent {
            let name = rendered.add_name(name);
            let value = rendered.add_value(write_value(value));
            set.push(format!("{name} = if_not_exists({name}, {value})"));
        }
        let mut add = Vec::new();
        for (name, strings) in &update.add {
            let value = rendered.add_value(write_value(&AttributeValue::Set(strings.clone())));
            add.push(format!("{} {value}", rendered.add_name(name)));
        }
        let mut delete = Vec::new();
        for (name, strings) in &update.delete {
            let value = rendered.add_value(write_value(&AttributeValue::Set(strings.clone())));
            delete.push(format!("{} {value}", rendered.add_name(name)));
        }
        let mut remove = Vec::new();
        for name in &update.remove {
            remove.push(rendered.add_name(name));
        }
        let mut clauses = Vec::new();
        for (verb, parts) in [("SET", set), ("ADD", add), ("DELETE", delete), ("REMOVE", remove)] {
            if !parts.is_empty() {
                clauses.push(format!("{verb} {}", parts.join(", ")));
            }
        }
        rendered.update = clauses.join(" ");
        rendered.condition = rendered.render_condition(&update.condition);
        rendered
    }

    /// Renders a condition; `None` for one that always holds.
    fn render_condition(&mut self, condition: &WriteCondition) -> Option<String> {
        if always_holds(condition) {
            return None;
        }
        Some(match condition {
            WriteCondition::Always => return None,
            WriteCondition::Exists(name) => format!("attribute_exists({})", self.add_name(name)),
            WriteCondition::Absent(name) => format!("attribute_not_exists({})", self.add_name(name)),
            WriteCondition::Equals(name, value) => {
                format!("{} = {}", self.add_name(name), self.add_value(write_value(value)))
            }
            WriteCondition::LessThan(name, bound) => {
                format!("{} < {}", self.add_name(name), self.add_value(SdkValue::N(bound.to_string())))
            }
            WriteCondition::GreaterThan(name, bound) => {
                format!("{} > {}", self.add_name(name), self.add_value(SdkValue::N(bound.to_string())))
            }
            WriteCondition::SizeLessThan(name, bound) => {
                format!("size({}) < {}", self.add_name(name), self.add_value(SdkValue::N(bound.to_string())))
            }
            WriteCondition::All(conditions) => self.join_conditions(conditions, " AND "),
            WriteCondition::Any(conditions) => self.join_conditions(conditions, " OR "),
        })
    }

    fn join_conditions(&mut self, conditions: &[WriteCondition], operator: &str) -> String {
        let mut parts = Vec::new();
        for condition in conditions {
            parts.extend(self.render_condition(condition));
        }
        format!("({})", parts.join(operator))
    }

    fn add_name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn add_value(&mut self, value: SdkValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

/// Whether a condition holds for every item, and for none, so that nothing is to be rendered.
fn always_holds(condition: &WriteCondition) -> bool {
    match condition {
        WriteCondition::Always => true,
        WriteCondition::All(conditions) => conditions.iter().all(always_holds),
        WriteCondition::Any(conditions) => conditions.iter().any(always_holds),
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
        Absent, All, Always, Any, Equals, Exists, GreaterThan, LessThan, SizeLessThan,
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
            delete: BTreeMap::from([("waiting", BTreeSet::from(["w".to_owned()]))]),
            remove: BTreeSet::from(["first", "last"]),
            condition: All(vec![
                Any(vec![Absent("until"), LessThan("until", 5)]),
                Exists("paged"),
                Always,
                Equals("owner", text("me")),
                All(vec![GreaterThan("first", 1), SizeLessThan("marks", 3)]),
            ]),
        };
        let rendered = RenderedUpdate::render(&update);
        let expected = "SET #owner = :v0, #ttl = :v1, #at = if_not_exists(#at, :v2) ADD #marks :v3 DELETE #waiting :v4 REMOVE #first, #last";
        assert_eq!(rendered.update, expected);
        let expected = "((attribute_not_exists(#until) OR #until < :v5) AND attribute_exists(#paged) AND #owner = :v6 \
            AND (#first > :v7 AND size(#marks) < :v8))";
        assert_eq!(rendered.condition.as_deref(), Some(expected));
        assert_eq!(rendered.values[":v5"], SdkValue::N("5".to_owned()));
        assert_eq!(rendered.values[":v3"], SdkValue::Ss(vec!["m".to_owned()]));
        let free = ItemUpdate { condition: Any(vec![Exists("x"), All(vec![Always])]), ..update };
        assert_eq!(RenderedUpdate::render(&free).condition, None);
    }

    fn value() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            any::<i64>().prop_map(AttributeValue::Number),
            "[a-z]{0,3}".prop_map(AttributeValue::Text)
        ]
    }

    fn condition() -> impl Strategy<Value = WriteCondition> {
        let name = || select(&["owner", "until", "paged", "first", "size"][..]);
        let leaf = prop_oneof![
            Just(Always),
            name().prop_map(Exists),
            name().prop_map(Absent),
            (name(), value()).prop_map(|(name, value)| Equals(name, value)),
            (name(), any::<i64>()).prop_map(|(name, bound)| LessThan(name, bound)),
            (name(), any::<i64>()).prop_map(|(name, bound)| GreaterThan(name, bound)),
            (name(), 0..9usize).prop_map(|(name, most)| SizeLessThan(name, most)),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![vec(inner.clone(), 1..4).prop_map(All), vec(inner, 1..4).prop_map(Any)]
        })
    }

    fn update() -> impl Strategy<Value = ItemUpdate> {
        let names = |names: &'static [&'static str]| select(names);
        let parts = (
            btree_map(names(&["owner", "until"]), value(), 0..3),
            btree_map(names(&["at", "paged"]), value(), 0..3),
            btree_map(names(&["marks", "size"]), btree_set("[a-z]", 1..3), 0..3),
            btree_map(names(&["waiting", "done"]), btree_set("[a-z]", 1..3), 0..3),
            btree_set(names(&["first", "last"]), 0..3),
            condition(),
        );
        parts.prop_map(|(set, set_if_absent, add, delete, remove, condition)| ItemUpdate {
            key: key(),
            set,
            set_if_absent,
            add,
            delete,
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
            let rendered = RenderedUpdate::render(&update);
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
