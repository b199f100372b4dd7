//! Why a pattern does not match an event, without a word of the event's values.

use std::fmt;

use super::compile::Compiled;
use super::flatten::{Flat, Shape};
use super::matcher::{Field, Matcher};
use crate::json::Token;

/// Why a pattern matches an event, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It matches.
    Matched,
    /// A field that every way to match needs is not as it must be: the first one in the order of the pattern.
    Mismatch {
        /// The dotted path of the field.
        path: String,
        /// What the pattern asks for, in words.
        expected: String,
        /// The kind of value that is there: never the value.
        found: String,
    },
    /// No alternative of `$or` holds. Named is the first failing field of the alternative with the fewest.
    NoAlternative {
        /// The dotted path of the field.
        path: String,
        /// What the pattern asks for, in words.
        expected: String,
        /// The kind of value that is there: never the value.
        found: String,
    },
    /// Every field holds alone, but only in different elements of an array.
    NotTogether,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched => write!(f, "matches"),
            Self::Mismatch { path, expected, found } => {
                write!(f, "{path}: expected {expected}, found {found}")
            }
            Self::NoAlternative { path, expected, found } => {
                write!(
                    f,
                    "no alternative of $or holds; the closest fails at {path}: expected {expected}, found {found}"
                )
            }
            Self::NotTogether => write!(f, "each field matches, but not within the same array element"),
        }
    }
}

/// Explains an event that a pattern does not match.
pub(super) fn explain(pattern: &Compiled, event: &Flat<'_>) -> Explanation {
    let fails: Vec<bool> =
        pattern.fields.iter().map(|field| !pattern.holds_alone(field, &event.leaves[field.slot])).collect();
    // Fields of an alternative, in document order.
    let failing = |alternative: &Vec<usize>| -> Vec<usize> {
        let mut failing: Vec<usize> = alternative.iter().copied().filter(|index| fails[*index]).collect();
        failing.sort_unstable();
        failing
    };
    let by_alternative: Vec<Vec<usize>> = pattern.alternatives.iter().map(failing).collect();
    let everywhere = |index: &usize| by_alternative.iter().all(|failing| failing.contains(index));
    if let Some(index) = by_alternative.first().and_then(|first| first.iter().copied().find(everywhere)) {
        let (path, expected, found) = describe(&pattern.fields[index], event);
        return Explanation::Mismatch { path, expected, found };
    }
    let closest = by_alternative.iter().min_by_key(|failing| failing.len());
    match closest.and_then(|failing| failing.first()) {
        Some(index) => {
            let (path, expected, found) = describe(&pattern.fields[*index], event);
            Explanation::NoAlternative { path, expected, found }
        }
        None => Explanation::NotTogether,
    }
}

/// What a field asks for, in words.
pub(super) fn expectation(field: &Field) -> String {
    let words: Vec<String> = field.matchers.iter().map(Matcher::describe).collect();
    match &words[..] {
        [only] => only.clone(),
        _ => format!("one of {}", words.join(", ")),
    }
}

fn describe(field: &Field, event: &Flat<'_>) -> (String, String, String) {
    let found = match event.shapes[field.slot] {
        None => "absent".to_owned(),
        Some(Shape::Object) => "object".to_owned(),
        Some(Shape::Array(0)) => "empty array".to_owned(),
        Some(Shape::Array(entries)) => format!("array of {entries}"),
        Some(Shape::Scalar(token)) => match token {
            Token::String => "string",
            Token::Number => "number",
            Token::True | Token::False => "true/false",
            _ => "null",
        }
        .to_owned(),
    };
    (String::from_utf8_lossy(&field.path).into_owned(), expectation(field), found)
}
