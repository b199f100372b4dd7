//! Finds the field on which a match fails.

use std::fmt;

use super::matcher_words::describe_matcher;
use crate::compiled_pattern::CompiledPattern;
use crate::field_matcher::FieldMatcher;
use crate::flat_event::{FlatEvent, ValueShape};
use crate::json::JsonToken;

/// Why a pattern matches an event, or does not. `Display` says so in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchExplanation {
    /// The pattern matches.
    Matches,
    /// A field that every way to match needs is not as it must be. Named is the first such field in the order of the pattern.
    FieldMismatch(FieldMismatch),
    /// No branch of `$or` holds. Named is the first failing field of the way to match that fails in the fewest fields.
    NoOrBranch(FieldMismatch),
    /// Every field holds alone, but no single element of an array has them all.
    NoCommonElement,
}

/// A field of an event that is not as a pattern wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldMismatch {
    /// The dotted path of the field.
    pub path: String,
    /// The values that the pattern wants, in words: `one of "a", "b"`.
    pub expected: String,
    /// The kind of thing that the event has: `absent`, `string`, `array of 2`. Never the value.
    pub found: String,
}

impl MatchExplanation {
    /// Whether the pattern matches.
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Matches)
    }
}

impl fmt::Display for MatchExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches => f.write_str("matches"),
            Self::FieldMismatch(mismatch) => write!(f, "{mismatch}"),
            Self::NoOrBranch(mismatch) => {
                write!(f, "no alternative of $or holds; the closest fails at {mismatch}")
            }
            Self::NoCommonElement => f.write_str("each field matches, but not within the same array element"),
        }
    }
}

impl fmt::Display for FieldMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.path, self.expected, self.found)
    }
}

/// Explains why an event does not match. The reasons are tried in this order:
///
/// 1. A field that fails in every alternative.
/// 2. The first failing field of the alternative that fails in the fewest fields.
/// 3. No field fails alone, so the fields hold in different elements of an array.
pub(crate) fn explain_mismatch(pattern: &CompiledPattern, event: &FlatEvent<'_>) -> MatchExplanation {
    let failing_fields = failing_fields_of_alternatives(pattern, event);
    // 1.
    for index in failing_fields.first().into_iter().flatten() {
        if failing_fields.iter().all(|failing| failing.contains(index)) {
            return MatchExplanation::FieldMismatch(describe_mismatch(&pattern.fields[*index], event));
        }
    }
    let closest = failing_fields.iter().min_by_key(|failing| failing.len());
    match closest.and_then(|failing| failing.first()) {
        // 2.
        Some(index) => MatchExplanation::NoOrBranch(describe_mismatch(&pattern.fields[*index], event)),
        // 3.
        None => MatchExplanation::NoCommonElement,
    }
}

/// For every alternative, the fields that do not hold even alone, in document order.
fn failing_fields_of_alternatives(pattern: &CompiledPattern, event: &FlatEvent<'_>) -> Vec<Vec<usize>> {
    let mut holds = Vec::with_capacity(pattern.fields.len());
    for field in &pattern.fields {
        holds.push(pattern.field_holds_alone(field, event));
    }
    let mut failing_fields = Vec::with_capacity(pattern.alternatives.len());
    for alternative in &pattern.alternatives {
        let mut failing = alternative.clone();
        failing.retain(|index| !holds[*index]);
        failing.sort_unstable();
        failing_fields.push(failing);
    }
    failing_fields
}

fn describe_mismatch(field: &FieldMatcher, event: &FlatEvent<'_>) -> FieldMismatch {
    FieldMismatch {
        path: String::from_utf8_lossy(&field.path).into_owned(),
        expected: describe_field(field),
        found: describe_shape(event.shapes[field.slot]),
    }
}

fn describe_field(field: &FieldMatcher) -> String {
    let mut words = Vec::with_capacity(field.matchers.len());
    for matcher in &field.matchers {
        words.push(describe_matcher(matcher));
    }
    match &words[..] {
        [only] => only.clone(),
        _ => format!("one of {}", words.join(", ")),
    }
}

fn describe_shape(shape: Option<ValueShape>) -> String {
    let words = match shape {
        None => "absent",
        Some(ValueShape::Object) => "object",
        Some(ValueShape::Array(0)) => "empty array",
        Some(ValueShape::Array(entries)) => return format!("array of {entries}"),
        Some(ValueShape::Scalar(JsonToken::String)) => "string",
        Some(ValueShape::Scalar(JsonToken::Number)) => "number",
        Some(ValueShape::Scalar(JsonToken::True | JsonToken::False)) => "true/false",
        Some(ValueShape::Scalar(_)) => "null",
    };
    words.to_owned()
}
