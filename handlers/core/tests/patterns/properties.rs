//! Properties: agreement with a naive search, and no panic on any text.

use proptest::prelude::*;
use responder_core::pattern::{Pattern, PatternSet};
use serde_json::{Value, json};

use crate::{PATTERNS, text, vectors, verdict};

/// The engine's search, told again without any cleverness: every combination, field by field in the order of paths.
mod naive {
    use std::collections::BTreeMap;

    use serde_json::Value;

    /// Path, value, and the index in every array around it.
    pub(super) type Leaf = (String, Value, BTreeMap<usize, usize>);

    pub(super) fn flatten(event: &Value) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        walk(event, String::new(), &mut BTreeMap::new(), &mut 0, &mut leaves);
        leaves
    }

    fn walk(
        value: &Value,
        path: String,
        within: &mut BTreeMap<usize, usize>,
        arrays: &mut usize,
        out: &mut Vec<Leaf>,
    ) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(value, format!("{path}{dot}{name}"), within, arrays, out);
                }
            }
            Value::Array(entries) => {
                let array = *arrays;
                *arrays += 1;
                for (index, entry) in entries.iter().enumerate() {
                    let container = entry.is_array() || entry.is_object();
                    if container {
                        within.insert(array, index);
                    }
                    walk(entry, path.clone(), within, arrays, out);
                    within.remove(&array);
                }
            }
            scalar => out.push((path, scalar.clone(), within.clone())),
        }
    }

    pub(super) fn search(
        fields: &[(String, Vec<Value>)],
        leaves: &[Leaf],
        chosen: &BTreeMap<usize, usize>,
    ) -> bool {
        let Some(((path, matchers), rest)) = fields.split_first() else { return true };
        let consistent = |leaf: &&Leaf| {
            leaf.0 == *path
                && leaf.2.iter().all(|(array, index)| chosen.get(array).is_none_or(|known| known == index))
        };
        let here: Vec<&Leaf> = leaves.iter().filter(consistent).collect();
        let absent = matchers.iter().any(|matcher| matcher["exists"] == Value::Bool(false));
        let holds = |leaf: &Leaf| {
            matchers.iter().any(|matcher| match matcher {
                Value::Object(object) if object.contains_key("exists") => {
                    matcher["exists"] == Value::Bool(true)
                }
                Value::Object(object) => leaf.1 != object["anything-but"],
                exact => leaf.1 == *exact,
            })
        };
        (absent && here.is_empty() && search(rest, leaves, chosen))
            || here.iter().any(|leaf| {
                let mut chosen = chosen.clone();
                chosen.extend(leaf.2.clone());
                holds(leaf) && search(rest, leaves, &chosen)
            })
    }
}

fn events() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![(0..3_i32).prop_map(Value::from), Just(Value::Null), Just(Value::from("x"))];
    let value = scalar.prop_recursive(5, 40, 4, |inner| {
        let object = proptest::collection::btree_map("[abc]", inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|fields| Value::Object(fields.into_iter().collect()))
        ]
    });
    proptest::collection::btree_map("[abc]", value, 0..4)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

fn fields() -> impl Strategy<Value = Vec<(String, Vec<Value>)>> {
    let matcher = prop_oneof![
        (0..3_i32).prop_map(Value::from),
        Just(json!("x")),
        Just(json!({"exists": false})),
        Just(json!({"exists": true})),
        Just(json!({"anything-but": "x"})),
    ];
    let paths = "[abc]|[abc]\\.[abc]|[abc]\\.[abc]\\.[abc]";
    proptest::collection::btree_map(paths, proptest::collection::vec(matcher, 1..3), 1..4)
        .prop_map(|fields| fields.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_naive_search(event in events(), fields in fields()) {
        let object: serde_json::Map<String, Value> =
            fields.iter().map(|(path, matchers)| (path.clone(), Value::from(matchers.clone()))).collect();
        let pattern = Value::Object(object).to_string();
        let expected = naive::search(&fields, &naive::flatten(&event), &std::collections::BTreeMap::new());
        let found = verdict(&pattern, &event.to_string()).0;
        prop_assert_eq!(found, if expected { "match" } else { "no_match" }, "{} {}", pattern, event);
    }

    #[test]
    fn never_panics(text in "[\\[\\]{}\":,0-9a-z$*\\\\ .é-]{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Pattern::parse(&text);
        let _ = Pattern::parse(&String::from_utf8_lossy(&bytes));
        let set = PatternSet::new(vec![Pattern::parse(r#"{"a":{"b":[1]}}"#).unwrap()]);
        let _ = set.matches(&bytes);
        let _ = set.matches(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn broken_patterns_never_panic(cut in 0..400_usize, at in 0..400_usize, with in "[\\[\\]{}\",:*0-9]") {
        for vector in vectors(PATTERNS).iter().filter(|vector| text(vector, "pattern").len() < 400).step_by(17) {
            let mut pattern: Vec<char> = text(vector, "pattern").chars().collect();
            if let Some(c) = pattern.get_mut(at) {
                *c = with.chars().next().unwrap_or('x');
            }
            pattern.truncate(cut);
            let _ = Pattern::parse(&pattern.iter().collect::<String>());
        }
    }
}
