//! Narrowing: which of a case's responses apply, as far as the event tells, and once settings and facts are known.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Case, Response};
use crate::derive::derive;
use crate::facts::Facts;
use crate::pattern::Pattern;

/// The object that is derived, and that no event of EventBridge has.
pub(super) const DERIVED: &str = "derived";

/// Where a narrowing pattern stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Narrowing {
    /// In the set of all patterns that look at the event alone.
    Event(usize),
    /// In the set of those that also look at what is derived.
    Derived(usize),
}

/// The narrowing patterns while they are loaded.
#[derive(Default)]
pub(super) struct Patterns {
    /// How many patterns the rules have: the others stand behind them.
    pub(super) rules: usize,
    pub(super) event: Vec<Pattern>,
    pub(super) derived: Vec<Pattern>,
}

impl Patterns {
    /// Adds a pattern as it is written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add(&mut self, pattern: &Value) -> Result<Narrowing, String> {
        let pattern = Pattern::parse(&pattern.to_string()).map_err(|error| error.to_string())?;
        if pattern.mentions(DERIVED) {
            self.derived.push(pattern);
            Ok(Narrowing::Derived(self.derived.len() - 1))
        } else {
            self.event.push(pattern);
            Ok(Narrowing::Event(self.rules + self.event.len() - 1))
        }
    }
}

/// A response that applies to a case.
#[derive(Clone, Debug)]
pub struct Applied<'r> {
    /// The response.
    pub response: &'r Response,
}

impl<'r> Case<'r> {
    /// The responses that apply, by id.
    pub fn applied(&self, facts: &Facts) -> Vec<Applied<'r>> {
        let derived = OnceCell::new();
        let holds = |narrowing: Narrowing| match narrowing {
            // What the event alone tells was looked at first.
            Narrowing::Event(_) => None,
            Narrowing::Derived(index) => {
                Some(derived.get_or_init(|| self.matched_with(facts)).contains(&index))
            }
        };
        let fits = |response: &Response| {
            response.only_if.and_then(holds).unwrap_or(true)
                && !response.unless.and_then(holds).unwrap_or(false)
        };
        let applied = self.responses.iter().filter(|response| fits(response));
        applied.map(|response| Applied { response }).collect()
    }

    /// The patterns that match the event with what is derived from it.
    fn matched_with(&self, facts: &Facts) -> Vec<usize> {
        let seen = self.event.with(DERIVED, derive(&self.event, facts));
        // What was read once can be read again.
        self.later.matches(seen.as_bytes()).unwrap_or_default()
    }
}

impl Response {
    /// Whether the patterns that look at the event alone let it apply; `matched` are those that match.
    pub(super) fn may_apply(&self, matched: &[usize]) -> bool {
        let holds = |narrowing: Option<Narrowing>| match narrowing {
            Some(Narrowing::Event(index)) => Some(matched.contains(&index)),
            Some(Narrowing::Derived(_)) | None => None,
        };
        holds(self.only_if).unwrap_or(true) && !holds(self.unless).unwrap_or(false)
    }
}
