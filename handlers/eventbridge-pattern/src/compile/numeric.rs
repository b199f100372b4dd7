//! `numeric`: one comparison, or a range of two.

use super::pattern_reader::PatternReader;
use crate::comparable_number::comparable_number;
use crate::error::PatternError;
use crate::json::JsonToken;
use crate::value_matcher::{NumericBound, NumericRange};

/// The engine's words for anything behind a complete expression. It says so of `anything-but`, too.
pub(super) const TOO_MANY_ELEMENTS: &str = "Too many elements in numeric expression";

const LOWEST: NumericBound = NumericBound { value: f64::NEG_INFINITY, is_open: false };
const HIGHEST: NumericBound = NumericBound { value: f64::INFINITY, is_open: false };

/// Compiles the value of `numeric`: `["=", 1]`, `["<", 1]`, `[">", 1]` or `[">", 1, "<=", 2]`.
///
/// # Errors
/// The value is not of these forms, a number does not compare as one, or the range is empty.
pub(super) fn compile_numeric(reader: &mut PatternReader<'_>) -> Result<NumericRange, PatternError> {
    reader.expect_token(JsonToken::StartArray, "Value of numeric must be an array.")?;
    if reader.next_token()? != JsonToken::String {
        return reader.refuse(format!("Invalid member in numeric match: {}", reader.spelling()));
    }
    let operator = reader.string()?;
    let token = reader.next_token()?;
    if !matches!(operator.as_str(), "=" | ">=" | ">" | "<=" | "<") {
        return reader.refuse(format!("Unrecognized numeric range operator: {operator}"));
    }
    if token != JsonToken::Number {
        let shown = if operator == "=" { "equals" } else { &operator };
        return reader.refuse(format!("Value of {shown} must be numeric"));
    }
    let number = reader.spelling().to_owned();
    if operator.starts_with('>') {
        return compile_lower_bound(reader, &operator, &number);
    }
    reader.expect_token(JsonToken::EndArray, TOO_MANY_ELEMENTS)?;
    let value = compile_comparable_number(reader, &number)?;
    let high = NumericBound { value, is_open: operator == "<" };
    let low = if operator == "=" { high } else { LOWEST };
    Ok(NumericRange { low, high, spelling: format!("{operator} {number}") })
}

/// Goes on behind `>` or `>=` and its number: the expression ends, or an upper bound follows.
fn compile_lower_bound(
    reader: &mut PatternReader<'_>,
    operator: &str,
    number: &str,
) -> Result<NumericRange, PatternError> {
    let is_open = operator == ">";
    let token = reader.next_token()?;
    if token == JsonToken::EndArray {
        let low = NumericBound { value: compile_comparable_number(reader, number)?, is_open };
        return Ok(NumericRange { low, high: HIGHEST, spelling: format!("{operator} {number}") });
    }
    if token != JsonToken::String {
        return reader.refuse(format!("Bad value in numeric range: {}", reader.spelling()));
    }
    let upper_operator = reader.string()?;
    if upper_operator != "<" && upper_operator != "<=" {
        return reader.refuse(format!("Bad numeric range operator: {upper_operator}"));
    }
    if reader.next_token()? != JsonToken::Number {
        return reader.refuse(format!("Value of {upper_operator} must be numeric"));
    }
    let upper_number = reader.spelling().to_owned();
    reader.expect_token(JsonToken::EndArray, "Too many terms in numeric range expression")?;
    let low = NumericBound { value: compile_comparable_number(reader, number)?, is_open };
    let is_top_open = upper_operator == "<";
    let high =
        NumericBound { value: compile_comparable_number(reader, &upper_number)?, is_open: is_top_open };
    if low.value >= high.value {
        return reader.refuse("Bottom must be less than top");
    }
    let spelling = format!("{operator} {number} and {upper_operator} {upper_number}");
    Ok(NumericRange { low, high, spelling })
}

/// The double that a number compares by. The engine refuses a number that a double would round.
pub(super) fn compile_comparable_number(
    reader: &PatternReader<'_>,
    spelling: &str,
) -> Result<f64, PatternError> {
    match comparable_number(spelling) {
        Some(value) => Ok(value),
        None => reader.refuse(format!("Cannot compare number : {spelling}")),
    }
}
