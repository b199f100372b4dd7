//! Properties: agreement with a naive search, and no panic on any text.

use eventbridge_pattern::{Pattern, PatternSet};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::conformance::{PATTERN_VECTORS, text_of, vectors};
use crate::naive_search;
use crate::verdict::verdict;

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
    fn matching_agrees_with_the_naive_search(event in events(), fields in fields()) {
        let object: serde_json::Map<String, Value> =
            fields.iter().map(|(path, matchers)| (path.clone(), Value::from(matchers.clone()))).collect();
        let pattern = Value::Object(object).to_string();
        let expected = naive_search::matches(&fields, &event);
        let found = verdict(&pattern, &event.to_string()).0;
        prop_assert_eq!(found, if expected { "match" } else { "no_match" }, "{} {}", pattern, event);
    }

    #[test]
    fn no_text_makes_anything_panic(text in "[\\[\\]{}\":,0-9a-z$*\\\\ .é-]{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Pattern::parse(&text);
        let _ = Pattern::parse(&String::from_utf8_lossy(&bytes));
        let set = PatternSet::new([Pattern::parse(r#"{"a":{"b":[1]}}"#).unwrap()]);
        let _ = set.matches(&bytes);
        let _ = set.matches(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_broken_pattern_makes_the_compiler_panic(cut in 0..400_usize, at in 0..400_usize, with in "[\\[\\]{}\",:*0-9]") {
        for vector in vectors(PATTERN_VECTORS).iter().step_by(17) {
            let mut pattern: Vec<char> = text_of(vector, "pattern").chars().collect();
            if let Some(c) = pattern.get_mut(at) {
                *c = with.chars().next().unwrap_or('x');
            }
            pattern.truncate(cut);
            let _ = Pattern::parse(&pattern.iter().collect::<String>());
        }
    }
}
