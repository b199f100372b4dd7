//! A `serde_json` tree of a JSON text, read as tolerantly as an event is.

use serde_json::{Map, Number, Value};

use super::{JsonError, JsonReader, JsonToken};

/// Reads the first value of a JSON text as a tree.
///
/// Accepts what [`JsonReader`] accepts: a lone surrogate becomes U+FFFD, the last of several equal names wins, and text behind
/// the value is ignored. A number that fits no `i64`, `u64` or finite `f64` becomes a string of its spelling. Needs the feature
/// `serde_json`.
///
/// # Errors
/// The text is empty, or its first value is not JSON.
pub fn parse_value(text: &str) -> Result<Value, JsonError> {
    let mut reader = JsonReader::new(text);
    let mut open: Vec<PartialValue> = Vec::new();
    loop {
        let token = reader.next_token()?;
        let value = match token {
            JsonToken::StartObject => {
                open.push(PartialValue::Object(Map::new(), String::new()));
                continue;
            }
            JsonToken::StartArray => {
                open.push(PartialValue::Array(Vec::new()));
                continue;
            }
            JsonToken::FieldName => {
                if let Some(PartialValue::Object(_, name)) = open.last_mut() {
                    *name = reader.field_name().decode_lossy('\u{fffd}');
                }
                continue;
            }
            JsonToken::EndObject | JsonToken::EndArray => match open.pop() {
                Some(PartialValue::Object(fields, _)) => Value::Object(fields),
                Some(PartialValue::Array(entries)) => Value::Array(entries),
                None => Value::Null,
            },
            JsonToken::String => Value::String(reader.string_text()?.decode_lossy('\u{fffd}')),
            JsonToken::Number => parse_number(reader.spelling()),
            JsonToken::True => Value::Bool(true),
            JsonToken::False => Value::Bool(false),
            JsonToken::Null => Value::Null,
            JsonToken::End => {
                let message = "No content to map due to end-of-input";
                return Err(JsonError::new(reader.offset(), "empty", message));
            }
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(PartialValue::Array(entries)) => entries.push(value),
            Some(PartialValue::Object(fields, name)) => {
                fields.insert(std::mem::take(name), value);
            }
        }
    }
}

/// An object or array that has not ended. An object comes with the name of the field whose value is read.
enum PartialValue {
    Object(Map<String, Value>, String),
    Array(Vec<Value>),
}

fn parse_number(spelling: &str) -> Value {
    let is_integer = !spelling.contains(['.', 'e', 'E']);
    if is_integer && let Ok(number) = spelling.parse::<i64>() {
        return number.into();
    }
    if is_integer && let Ok(number) = spelling.parse::<u64>() {
        return number.into();
    }
    // A long integer becomes a float only if the float says the same: a rounded identifier is another identifier.
    if let Ok(float) = spelling.parse::<f64>()
        && (!is_integer || format!("{float:.0}") == spelling)
        && let Some(number) = Number::from_f64(float)
    {
        return Value::Number(number);
    }
    Value::String(spelling.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_has_types() {
        let text =
            r#" {"a":[1,-2,18446744073709551615,1.5,1e3,true,false,null],"b":"x\u00e9\ud800","b":"y"} tail"#;
        assert_eq!(
            parse_value(text).unwrap(),
            json!({"a": [1, -2, 18_446_744_073_709_551_615_u64, 1.5, 1000.0, true, false, null], "b": "y"})
        );
        assert_eq!(parse_value(r#""\ud800""#).unwrap(), json!("\u{fffd}"));
    }

    #[test]
    fn numbers_that_fit_no_type_keep_their_spelling() {
        assert_eq!(parse_value("1e309").unwrap(), json!("1e309"));
        assert_eq!(parse_value("123456789012345678901").unwrap(), json!("123456789012345678901"));
        assert_eq!(parse_value("1e-400").unwrap(), json!(0.0));
    }

    #[test]
    fn an_empty_text_has_no_tree() {
        assert_eq!(parse_value(" ").unwrap_err().kind(), "empty");
    }

    proptest! {
        #[test]
        fn a_tree_agrees_with_that_of_serde_json(value in "[\\[\\]{}\":,0-9a-z\\\\ .eE+-]{0,40}") {
            if let Ok(expected) = serde_json::from_str::<Value>(&value) {
                let tree = parse_value(&value).unwrap();
                // Beyond f64 serde_json rounds, and we keep the spelling.
                if !value.bytes().any(|b| b.is_ascii_digit()) {
                    prop_assert_eq!(tree, expected);
                }
            }
        }
    }
}
