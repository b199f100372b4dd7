//! A typed tree of a JSON text, as tolerant as the reader.

use serde_json::{Map, Number, Value};

use super::{JsonError, Reader, Token};

/// The first value of a JSON text as a tree.
///
/// Accepts what [`Reader`] accepts: a lone half of a surrogate pair becomes U+FFFD, the last of several equal names wins, text
/// after the value is ignored. A number that fits no `i64`, `u64` or finite `f64` is kept as a string of its spelling.
///
/// # Errors
/// The text is not JSON, or empty.
pub fn to_value(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let mut open: Vec<Container> = Vec::new();
    loop {
        let token = reader.next_token()?;
        let done = match token {
            Token::StartObject => {
                open.push(Container::Object(Map::new(), String::new()));
                continue;
            }
            Token::StartArray => {
                open.push(Container::Array(Vec::new()));
                continue;
            }
            Token::Field => {
                if let Some(Container::Object(_, name)) = open.last_mut() {
                    *name = reader.name().to_string_with('\u{fffd}');
                }
                continue;
            }
            Token::EndObject | Token::EndArray => match open.pop() {
                Some(Container::Object(map, _)) => Value::Object(map),
                Some(Container::Array(items)) => Value::Array(items),
                None => Value::Null,
            },
            Token::String => Value::String(reader.string()?.to_string_with('\u{fffd}')),
            Token::Number => number(reader.spelling()),
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            Token::End => {
                return Err(JsonError::new(
                    reader.offset(),
                    "empty",
                    "No content to map due to end-of-input",
                ));
            }
        };
        match open.last_mut() {
            None => return Ok(done),
            Some(Container::Array(items)) => items.push(done),
            Some(Container::Object(map, name)) => {
                map.insert(std::mem::take(name), done);
            }
        }
    }
}

enum Container {
    Object(Map<String, Value>, String),
    Array(Vec<Value>),
}

fn number(spelling: &str) -> Value {
    let integer = !spelling.contains(['.', 'e', 'E']);
    if integer && let Ok(small) = spelling.parse::<i64>() {
        return small.into();
    }
    if integer && let Ok(large) = spelling.parse::<u64>() {
        return large.into();
    }
    let float = spelling.parse::<f64>().ok().filter(|f| !integer || exact(spelling, *f));
    float.and_then(Number::from_f64).map_or_else(|| Value::String(spelling.to_owned()), Value::Number)
}

/// Whether a float says the same as a long integer: rounding an identifier would make it another one.
fn exact(spelling: &str, float: f64) -> bool {
    format!("{float:.0}") == spelling
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_types() {
        let text =
            r#" {"a":[1,-2,18446744073709551615,1.5,1e3,true,false,null],"b":"x\u00e9\ud800","b":"y"} tail"#;
        let value = to_value(text).unwrap();
        assert_eq!(
            value,
            json!({"a": [1, -2, 18_446_744_073_709_551_615_u64, 1.5, 1000.0, true, false, null], "b": "y"})
        );
        assert_eq!(to_value(r#""\ud800""#).unwrap(), json!("\u{fffd}"));
    }

    #[test]
    fn keeps_the_spelling_of_numbers_that_do_not_fit() {
        assert_eq!(to_value("1e309").unwrap(), json!("1e309"));
        assert_eq!(to_value("123456789012345678901").unwrap(), json!("123456789012345678901"));
        assert_eq!(to_value("1e-400").unwrap(), json!(0.0));
    }

    #[test]
    fn refuses_nothing_and_too_deep() {
        assert_eq!(to_value(" ").unwrap_err().kind(), "empty");
        assert!(to_value(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))).is_ok());
        let error = to_value(&"[".repeat(1001)).unwrap_err();
        assert_eq!(error.offset, 1001);
        assert!(error.message.starts_with("Document nesting depth (1001) exceeds the maximum allowed (1000"));
    }

    #[test]
    fn speaks_like_jackson() {
        for (text, message) in [
            (
                "[1.]",
                "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit",
            ),
            (
                "[1.",
                "Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a digit",
            ),
            ("[-", "Unexpected end-of-inputNo digit following sign"),
            (
                "[-x]",
                "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, \
              for valid numeric value",
            ),
            (
                "[-Infinity]",
                "Non-standard token '-Infinity': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
            ),
            (
                "[nul]",
                "Unrecognized token 'nul': was expecting (JSON String, Number, Array, Object or token 'null', 'true' \
              or 'false')",
            ),
            (
                "[nullx]",
                "Unrecognized token 'nullx': was expecting (JSON String, Number, Array, Object or token 'null', \
              'true' or 'false')",
            ),
            (
                "{\"a\" 1}",
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            ),
            ("{\"a", "Unexpected end-of-input in field name"),
            ("[1,", "Unexpected end-of-input within/between Array entries"),
            (
                "[\"\\u12g4\"]",
                "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence",
            ),
            (
                "]",
                "Unexpected close marker ']': expected '}' (for root starting at [Source: (String)\"]\"; line: 1, \
              column: 0])",
            ),
            ("5x", "Unexpected character ('x' (code 120)): Expected space separating root-level values"),
            ("[1 // c", "Unexpected character (',' (code 44)): expected a value"),
        ] {
            if text.contains("//") {
                assert!(to_value(text).unwrap_err().message.contains("maybe a (non-standard) comment?"));
            } else {
                assert_eq!(to_value(text).unwrap_err().message, message, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value in "[\\[\\]{}\":,0-9a-z\\\\ .eE+-]{0,40}") {
            if let Ok(expected) = serde_json::from_str::<Value>(&value) {
                let read = to_value(&value).unwrap();
                // Beyond f64 serde_json rounds; we keep the spelling.
                if !value.bytes().any(|b| b.is_ascii_digit()) {
                    prop_assert_eq!(read, expected);
                }
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(mut reader) = Reader::from_bytes(&bytes) {
                while let Ok(token) = reader.next_token() {
                    if token == Token::End {
                        break;
                    }
                }
            }
        }
    }
}
