//! Exceptions: events that mean less than a response says, why, who answers for that, and until when.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::narrowing_patterns::{NarrowingIndex, NarrowingPatterns};
use crate::time::{Date, Timestamp};

/// The effect of an exception on an event; the strongest comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionEffect {
    /// An incident with such events alone is one severity less.
    Lower,
    /// An incident with such events alone pages nobody.
    Info,
    /// The event never counts.
    Drop,
}

/// An exception of a response.
#[derive(Clone, Debug)]
pub struct ResponseException {
    /// Its name.
    pub id: String,
    /// Its effect.
    pub effect: ExceptionEffect,
    /// Why, in a sentence.
    pub why: String,
    /// The person or team that answers for it; absent where it follows from how the product is made.
    pub owner: Option<String>,
    /// The last day, in UTC, on which it holds; it holds for ever if it has no owner.
    pub until: Option<Date>,
    /// The events that it is about.
    pub(super) where_pattern: NarrowingIndex,
}

impl ResponseException {
    /// Whether it has expired at an instant.
    pub fn is_expired(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| at >= until.end())
    }
}

/// An exception as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionRow {
    pub(super) id: Option<String>,
    #[serde(rename = "where")]
    where_pattern: Value,
    effect: ExceptionEffect,
    why: String,
    owner: Option<String>,
    until: Option<Date>,
}

impl ExceptionRow {
    /// Checks the exception, and names it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn check(
        self,
        id: String,
        patterns: &mut NarrowingPatterns,
    ) -> Result<ResponseException, Vec<String>> {
        let mut problems = Vec::new();
        if is_blank(&self.why) {
            problems.push("`why`: say why; must not be empty".to_owned());
        }
        let has_blank_owner = self.owner.as_deref().is_some_and(is_blank);
        if has_blank_owner || self.owner.is_some() != self.until.is_some() {
            let reason = "`owner` and `until`: name who answers for it and its last day, or neither if it follows from how things are made";
            problems.push(reason.to_owned());
        }
        let where_pattern = match patterns.add(&self.where_pattern) {
            Ok(where_pattern) => where_pattern,
            Err(reason) => {
                problems.push(format!("`where`: {reason}"));
                return Err(problems);
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let Self { effect, why, owner, until, .. } = self;
        Ok(ResponseException { id, effect, why, owner, until, where_pattern })
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
