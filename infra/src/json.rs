//! Reads parts of JSON documents that may be absent: an absent list is empty, an absent text is empty.

use serde_json::Value;

/// The items of a list; none where the value is no list.
pub fn list_items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

/// The strings of a list, or the one string. IAM takes either for actions, resources and conditions.
pub fn list_strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A string; empty where the value is none.
pub fn read_text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A whole number, also one that is written as a string, as environment variables are.
pub fn read_number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}
