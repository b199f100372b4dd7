//! The JSON reader complains in Jackson's words.

use eventbridge_pattern::json::{JsonError, JsonReader, JsonToken};

/// Reads a text to the end of its first value, and gives the complaint.
fn complaint(text: &str) -> Option<JsonError> {
    let mut reader = JsonReader::new(text);
    let mut depth = 0_usize;
    loop {
        match reader.next_token() {
            Ok(JsonToken::StartObject | JsonToken::StartArray) => depth += 1,
            Ok(JsonToken::EndObject | JsonToken::EndArray) => depth -= 1,
            Ok(JsonToken::FieldName) => continue,
            Ok(_) => {}
            Err(error) => return Some(error),
        }
        if depth == 0 {
            return None;
        }
    }
}

#[test]
fn the_reader_complains_in_jacksons_words() {
    for (text, message) in [
        (
            "[1.]",
            "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit",
        ),
        (
            "[1.",
            "Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a digit",
        ),
        (
            "[1e]",
            "Unexpected character (']' (code 93)) in numeric value: Exponent indicator not followed by a digit",
        ),
        ("[1e", "Unexpected end-of-inputexpected a digit for number exponent"),
        ("[-", "Unexpected end-of-inputNo digit following sign"),
        (
            "[-x]",
            "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, for \
             valid numeric value",
        ),
        (
            "[-Infinity]",
            "Non-standard token '-Infinity': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
        ),
        ("[+", "Unexpected end-of-input in a Number value"),
        (
            "[nul]",
            "Unrecognized token 'nul': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')",
        ),
        (
            "[nullx]",
            "Unrecognized token 'nullx': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')",
        ),
        (
            "{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        ),
        ("{\"a", "Unexpected end-of-input in field name"),
        ("[1,", "Unexpected end-of-input within/between Array entries"),
        ("[01]", "Invalid numeric value: Leading zeroes not allowed"),
        (
            "[\"\\u12g4\"]",
            "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence",
        ),
        (
            "]",
            "Unexpected close marker ']': expected '}' (for root starting at [Source: (String)\"]\"; line: 1, column: \
             0])",
        ),
        ("5x", "Unexpected character ('x' (code 120)): Expected space separating root-level values"),
    ] {
        assert_eq!(complaint(text).expect(text).message(), message, "{text}");
    }
    assert!(complaint("[1 // c").unwrap().message().contains("maybe a (non-standard) comment?"));
}

#[test]
fn nesting_is_bounded_as_in_jackson() {
    assert!(complaint(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))).is_none());
    let error = complaint(&"[".repeat(1001)).unwrap();
    assert_eq!((error.offset(), error.kind()), (1001, "nested too deeply"));
    assert!(error.message().starts_with("Document nesting depth (1001) exceeds the maximum allowed (1000"));
}

#[test]
fn the_kind_of_an_error_repeats_nothing_of_the_text() {
    let error = complaint(r#"{"password": hunter2}"#).unwrap();
    assert!(error.message().contains("hunter2"));
    assert_eq!(error.kind(), "not a JSON value");
}
