//! Finds a key that an object has twice.

use std::collections::BTreeSet;

use super::{JsonReader, JsonToken};

/// Finds the first object of a JSON text that has a key twice.
///
/// Keys are compared once their escapes are undone: `"a"` and `"\u0061"` are equal. The result is the byte offset that reading
/// has reached: behind the second of the two keys and the beginning of its value. It is `None` if no key comes twice before the
/// end of the first value, or before the place where the text stops being JSON.
///
/// ```
/// use eventbridge_pattern::json::find_duplicate_key;
///
/// assert_eq!(find_duplicate_key(r#"{"a":{"b":1},"b":2}"#), None);
/// assert_eq!(find_duplicate_key(r#"{"a":1,"a":2}"#), Some(12));
/// ```
pub fn find_duplicate_key(text: &str) -> Option<usize> {
    let mut reader = JsonReader::new(text);
    let mut keys_of_open_values: Vec<BTreeSet<Vec<u8>>> = Vec::new();
    loop {
        match reader.next_token().ok()? {
            JsonToken::StartObject | JsonToken::StartArray => keys_of_open_values.push(BTreeSet::new()),
            JsonToken::EndObject | JsonToken::EndArray => {
                keys_of_open_values.pop();
            }
            JsonToken::FieldName => {
                let key = reader.field_name().decode().into_owned();
                if !keys_of_open_values.last_mut()?.insert(key) {
                    return Some(reader.offset());
                }
            }
            JsonToken::End => return None,
            JsonToken::String | JsonToken::Number | JsonToken::True | JsonToken::False | JsonToken::Null => {}
        }
        if keys_of_open_values.is_empty() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find_duplicate_key;

    #[test]
    fn only_keys_of_one_object_are_duplicates() {
        assert_eq!(find_duplicate_key(r#"{"a":{"b":1},"c":[{"b":1},{"b":2}],"b":3}"#), None);
        assert!(find_duplicate_key(r#"{"x":[{"a":1,"\u0061":2}]}"#).is_some());
        assert_eq!(find_duplicate_key("not json"), None);
    }
}
