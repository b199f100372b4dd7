//! The entries of one field's array: values, and match expressions such as `{"prefix": "x"}`.

use super::anything_but::compile_anything_but;
use super::numeric::{TOO_MANY_ELEMENTS, compile_numeric};
use super::pattern_reader::PatternReader;
use crate::case_folding::CaseFoldedText;
use crate::cidr::AddressRange;
use crate::comparable_number::comparable_number;
use crate::error::PatternError;
use crate::json::JsonToken;
use crate::value_matcher::{QuotedText, ValueMatcher};

const ONLY_ONE_KEY: &str = "Only one key allowed in match expression";
const NO_WILDCARD_STRING: &str = "wildcard match pattern must be a string";
const NO_IGNORE_CASE_STRING: &str = "equals-ignore-case match pattern must be a string";

/// Compiles the entries of a field's array, whose opening bracket has been read.
///
/// # Errors
/// The array is empty, or an entry is neither a value nor a match expression.
pub(super) fn compile_entries(reader: &mut PatternReader<'_>) -> Result<Vec<ValueMatcher>, PatternError> {
    let mut matchers = Vec::new();
    loop {
        let matcher = match reader.next_token()? {
            JsonToken::EndArray => break,
            JsonToken::StartObject => compile_expression(reader)?,
            JsonToken::String => compile_string(reader)?,
            JsonToken::Number => {
                let spelling = reader.spelling().to_owned();
                let value = comparable_number(&spelling);
                ValueMatcher::Number { spelling, value }
            }
            JsonToken::True | JsonToken::False | JsonToken::Null => {
                let word = reader.spelling().to_owned();
                ValueMatcher::Exact(QuotedText { bytes: word.clone().into_bytes(), text: word })
            }
            _ => return reader.refuse("Match value must be String, number, true, false, or null"),
        };
        matchers.push(matcher);
    }
    if matchers.is_empty() {
        return reader.refuse("Empty arrays are not allowed");
    }
    Ok(matchers)
}

/// A string is an address if it looks like one, and an exact text otherwise.
fn compile_string(reader: &mut PatternReader<'_>) -> Result<ValueMatcher, PatternError> {
    let spelling = reader.string()?;
    match AddressRange::from_address(&spelling) {
        Some(range) => Ok(ValueMatcher::Address { range, spelling }),
        None => Ok(ValueMatcher::Exact(reader.quoted_string()?)),
    }
}

fn compile_expression(reader: &mut PatternReader<'_>) -> Result<ValueMatcher, PatternError> {
    reader.expect_token(JsonToken::FieldName, "Match expression name not found")?;
    let operator = reader.field_name().decode_lossy('?');
    let mut words_if_more_follows = ONLY_ONE_KEY;
    let matcher = match operator.as_str() {
        "exactly" => {
            reader.expect_token(JsonToken::String, "exact match pattern must be a string")?;
            ValueMatcher::Exact(reader.quoted_string()?)
        }
        "prefix" => compile_prefix(reader)?,
        "suffix" => compile_suffix(reader)?,
        "numeric" => {
            words_if_more_follows = TOO_MANY_ELEMENTS;
            ValueMatcher::Numeric(compile_numeric(reader)?)
        }
        "anything-but" => {
            words_if_more_follows = TOO_MANY_ELEMENTS;
            ValueMatcher::AnythingBut(compile_anything_but(reader)?)
        }
        "exists" => match reader.next_token()? {
            JsonToken::True => ValueMatcher::Exists,
            JsonToken::False => ValueMatcher::Absent,
            _ => return reader.refuse("exists match pattern must be either true or false."),
        },
        "cidr" => {
            // The engine's own words, which name the wrong operator.
            reader.expect_token(JsonToken::String, "prefix match pattern must be a string")?;
            let spelling = reader.string()?;
            match AddressRange::parse_cidr(&spelling) {
                Ok(range) => ValueMatcher::Cidr { range, spelling },
                Err(message) => return reader.refuse(message),
            }
        }
        "equals-ignore-case" => {
            reader.expect_token(JsonToken::String, NO_IGNORE_CASE_STRING)?;
            let spelling = reader.string()?;
            let folded = CaseFoldedText::new(&format!("\"{spelling}\""));
            ValueMatcher::EqualsIgnoringCase { folded, spelling }
        }
        "wildcard" => {
            reader.expect_token(JsonToken::String, NO_WILDCARD_STRING)?;
            let spelling = reader.string()?;
            let wildcard = reader.parse_wildcard(&spelling)?;
            ValueMatcher::Wildcard { wildcard, spelling }
        }
        unknown => return reader.refuse(format!("Unrecognized match type {unknown}")),
    };
    reader.expect_token(JsonToken::EndObject, words_if_more_follows)?;
    Ok(matcher)
}

fn compile_prefix(reader: &mut PatternReader<'_>) -> Result<ValueMatcher, PatternError> {
    match reader.next_token()? {
        JsonToken::String => Ok(ValueMatcher::Prefix(format!("\"{}", reader.string()?))),
        JsonToken::StartObject => {
            let spelling = compile_ignoring_case(reader, "Prefix", "prefix")?;
            let folded = CaseFoldedText::new(&format!("\"{spelling}"));
            Ok(ValueMatcher::PrefixIgnoringCase { folded, spelling })
        }
        _ => reader.refuse("prefix match pattern must be a string"),
    }
}

fn compile_suffix(reader: &mut PatternReader<'_>) -> Result<ValueMatcher, PatternError> {
    match reader.next_token()? {
        JsonToken::String => Ok(ValueMatcher::Suffix(format!("{}\"", reader.string()?))),
        JsonToken::StartObject => {
            let spelling = compile_ignoring_case(reader, "Suffix", "suffix")?;
            let folded = CaseFoldedText::new(&format!("{spelling}\""));
            Ok(ValueMatcher::SuffixIgnoringCase { folded, spelling })
        }
        _ => reader.refuse("suffix match pattern must be a string"),
    }
}

/// Reads `{"equals-ignore-case": text}` in a prefix or suffix, behind its opening bracket.
fn compile_ignoring_case(
    reader: &mut PatternReader<'_>,
    title: &str,
    operator: &str,
) -> Result<String, PatternError> {
    reader.expect_token(JsonToken::FieldName, &format!("{title} expression name not found"))?;
    let inner = reader.field_name().decode_lossy('?');
    if inner != "equals-ignore-case" {
        return reader.refuse(format!("Unsupported {operator} pattern: {inner}"));
    }
    reader.expect_token(JsonToken::String, NO_IGNORE_CASE_STRING)?;
    let text = reader.string()?;
    reader.expect_token(JsonToken::EndObject, ONLY_ONE_KEY)?;
    Ok(text)
}
