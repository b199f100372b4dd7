//! `anything-but`: a scalar, a list of one kind, or texts by `prefix`, `suffix`, `equals-ignore-case` or `wildcard`.

use super::numeric::{TOO_MANY_ELEMENTS, compile_comparable_number};
use super::pattern_reader::PatternReader;
use crate::case_folding::CaseFoldedText;
use crate::error::PatternError;
use crate::excluded_values::ExcludedValues;
use crate::json::JsonToken;

/// How the texts of an `anything-but` exclude values.
#[derive(Clone, Copy)]
enum ExclusionOperator {
    Prefix,
    Suffix,
    IgnoringCase,
    Wildcard,
}

/// Compiles the value of `anything-but`.
///
/// # Errors
/// The value is of no kind that can be excluded, of two kinds, or empty.
pub(super) fn compile_anything_but(reader: &mut PatternReader<'_>) -> Result<ExcludedValues, PatternError> {
    let mut token = reader.next_token()?;
    let mut operator = None;
    if token == JsonToken::StartObject {
        operator = Some(compile_operator(reader)?);
        token = reader.next_token()?;
    }
    if !matches!(token, JsonToken::StartArray | JsonToken::String | JsonToken::Number) {
        return reader.refuse("Value of anything-but must be an array or single string/number value.");
    }
    match operator {
        None => compile_plain_values(reader, token),
        Some(operator) => {
            let excluded = compile_texts(reader, token, operator)?;
            reader.expect_token(JsonToken::EndObject, TOO_MANY_ELEMENTS)?;
            Ok(excluded)
        }
    }
}

fn compile_operator(reader: &mut PatternReader<'_>) -> Result<ExclusionOperator, PatternError> {
    reader.expect_token(JsonToken::FieldName, "Anything-But expression name not found")?;
    match reader.field_name().decode_lossy('?').as_str() {
        "prefix" => Ok(ExclusionOperator::Prefix),
        "suffix" => Ok(ExclusionOperator::Suffix),
        "equals-ignore-case" => Ok(ExclusionOperator::IgnoringCase),
        "wildcard" => Ok(ExclusionOperator::Wildcard),
        unknown => reader.refuse(format!("Unsupported anything-but pattern: {unknown}")),
    }
}

/// Compiles strings or numbers without an operator, alone or in a list.
fn compile_plain_values(
    reader: &mut PatternReader<'_>,
    first: JsonToken,
) -> Result<ExcludedValues, PatternError> {
    let mut strings = Vec::new();
    let mut numbers = Vec::new();
    let is_list = first == JsonToken::StartArray;
    let mut token = if is_list { reader.next_token()? } else { first };
    while token != JsonToken::EndArray {
        match token {
            JsonToken::String => strings.push(reader.quoted_string()?.text),
            JsonToken::Number => {
                let spelling = reader.spelling().to_owned();
                numbers.push((compile_comparable_number(reader, &spelling)?, spelling));
            }
            _ => return reader.refuse("Inside anything but list, start|null|boolean is not supported."),
        }
        if !is_list {
            break;
        }
        token = reader.next_token()?;
    }
    match (strings.is_empty(), numbers.is_empty()) {
        (false, true) => Ok(ExcludedValues::Strings(strings)),
        (true, false) => Ok(ExcludedValues::Numbers(numbers)),
        _ => reader.refuse(
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
    }
}

/// Compiles the texts of an operator, alone or in a list.
fn compile_texts(
    reader: &mut PatternReader<'_>,
    first: JsonToken,
    operator: ExclusionOperator,
) -> Result<ExcludedValues, PatternError> {
    let mut texts = Vec::new();
    if first == JsonToken::StartArray {
        loop {
            match reader.next_token()? {
                JsonToken::EndArray => break,
                token => texts.push(compile_text(reader, token, operator)?),
            }
        }
    } else {
        texts.push(compile_text(reader, first, operator)?);
    }
    if texts.is_empty() {
        // The engine's compiler lets an empty list pass, and its machine then fails. The words are ours.
        return reader.refuse("Inside anything but list, at least one value is needed");
    }
    exclude_texts(reader, texts, operator)
}

fn compile_text(
    reader: &mut PatternReader<'_>,
    token: JsonToken,
    operator: ExclusionOperator,
) -> Result<String, PatternError> {
    if token != JsonToken::String {
        return reader.refuse(match operator {
            ExclusionOperator::IgnoringCase => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            ExclusionOperator::Wildcard => "wildcard match pattern must be a string",
            ExclusionOperator::Prefix | ExclusionOperator::Suffix => {
                "prefix/suffix match pattern must be a string"
            }
        });
    }
    let text = reader.string()?;
    let needs_text = matches!(operator, ExclusionOperator::Prefix | ExclusionOperator::Suffix);
    if text.is_empty() && needs_text {
        return reader.refuse("Null prefix/suffix not allowed");
    }
    Ok(text)
}

fn exclude_texts(
    reader: &PatternReader<'_>,
    texts: Vec<String>,
    operator: ExclusionOperator,
) -> Result<ExcludedValues, PatternError> {
    let mut affixes = Vec::new();
    let mut folded = Vec::new();
    let mut wildcards = Vec::new();
    for text in texts {
        match operator {
            ExclusionOperator::Prefix => affixes.push(format!("\"{text}")),
            ExclusionOperator::Suffix => affixes.push(format!("{text}\"")),
            ExclusionOperator::IgnoringCase => {
                folded.push((CaseFoldedText::new(&format!("\"{text}\"")), text));
            }
            ExclusionOperator::Wildcard => wildcards.push((reader.parse_wildcard(&text)?, text)),
        }
    }
    Ok(match operator {
        ExclusionOperator::Prefix => ExcludedValues::Prefixes(affixes),
        ExclusionOperator::Suffix => ExcludedValues::Suffixes(affixes),
        ExclusionOperator::IgnoringCase => ExcludedValues::IgnoringCase(folded),
        ExclusionOperator::Wildcard => ExcludedValues::Wildcards(wildcards),
    })
}
