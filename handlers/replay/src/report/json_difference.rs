//! Finds the first place at which two JSON values differ.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Returns the first place at which two values differ, as a JSON pointer; `/` if they differ as a whole.
pub(super) fn find_difference(expected: &Value, found: &Value) -> Option<String> {
    let place = differ_below(expected, found)?;
    Some(if place.is_empty() { "/".to_owned() } else { place })
}

fn differ_below(expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => differ_in_members(expected, found),
        (Value::Array(expected), Value::Array(found)) => differ_in_elements(expected, found),
        _ if expected == found => None,
        _ => Some(String::new()),
    }
}

fn differ_in_members(expected: &Map<String, Value>, found: &Map<String, Value>) -> Option<String> {
    let mut names: BTreeSet<&String> = expected.keys().collect();
    names.extend(found.keys());
    for name in names {
        match (expected.get(name), found.get(name)) {
            (Some(expected), Some(found)) => {
                if let Some(place) = differ_below(expected, found) {
                    return Some(format!("/{name}{place}"));
                }
            }
            _ => return Some(format!("/{name}")),
        }
    }
    None
}

fn differ_in_elements(expected: &[Value], found: &[Value]) -> Option<String> {
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        if let Some(place) = differ_below(expected, found) {
            return Some(format!("/{index}{place}"));
        }
    }
    if expected.len() == found.len() {
        return None;
    }
    Some(format!("/{}", expected.len().min(found.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named_by_its_place() {
        for (expected, found, place) in [
            (json!({"a": [1, 2]}), json!({"a": [1, 2]}), None),
            (json!({"a": [1, 2]}), json!({"a": [1, 3]}), Some("/a/1")),
            (json!({"a": [1, 2]}), json!({"a": [1]}), Some("/a/1")),
            (json!({"a": 1}), json!({"b": 1}), Some("/a")),
            (json!({"a": {"b": 1, "c": 1}}), json!({"a": {"b": 1}}), Some("/a/c")),
            (json!(1), json!([1]), Some("/")),
        ] {
            assert_eq!(find_difference(&expected, &found).as_deref(), place, "{expected} {found}");
        }
    }
}
