//! Narrowing: which of a case's responses apply, as far as the event tells, and once settings and facts are known.

use std::cell::OnceCell;

use eventbridge_pattern::Pattern;
use serde_json::Value;

use super::{MatchedEvent, Response, ResponseException};
use crate::enrichment::{derive, may_launch};
use crate::facts::Facts;

/// The object that is derived, and that no event of EventBridge has.
pub(super) const DERIVED: &str = "derived";
/// What is derived from what a role's task definitions refer to.
const LAUNCH: &str = "derived.caller.launch";

/// Where a narrowing pattern stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum NarrowingIndex {
    /// In the set of all patterns that look at the event alone.
    Event(usize),
    /// In the set of those that also look at what is derived; and whether at `derived.caller.launch`.
    Derived { index: usize, launch: bool },
}

/// The narrowing patterns while they are loaded.
#[derive(Default)]
pub(super) struct NarrowingPatterns {
    /// How many patterns the rules have: the others stand behind them.
    pub(super) rules: usize,
    pub(super) event: Vec<Pattern>,
    pub(super) derived: Vec<Pattern>,
}

impl NarrowingPatterns {
    /// Adds a pattern as it is written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add(&mut self, pattern: &Value) -> Result<NarrowingIndex, String> {
        let pattern = Pattern::parse(&pattern.to_string()).map_err(|error| error.to_string())?;
        if pattern.mentions(DERIVED) {
            let launch = pattern.mentions(LAUNCH);
            self.derived.push(pattern);
            Ok(NarrowingIndex::Derived { index: self.derived.len() - 1, launch })
        } else {
            self.event.push(pattern);
            Ok(NarrowingIndex::Event(self.rules + self.event.len() - 1))
        }
    }
}

/// A response that applies to a case.
#[derive(Clone, Debug)]
pub struct AppliedResponse<'r> {
    /// The response.
    pub response: &'r Response,
    /// The exception that holds, if one does: the strongest.
    pub exception: Option<&'r ResponseException>,
    /// The exceptions that would hold if they had not run out.
    pub expired: Vec<&'r ResponseException>,
}

impl<'r> MatchedEvent<'r> {
    /// The responses that apply, by id.
    pub fn applied(&self, facts: &Facts) -> Vec<AppliedResponse<'r>> {
        let derived = OnceCell::new();
        let holds = |narrowing: NarrowingIndex| match narrowing {
            NarrowingIndex::Event(index) => self.matched.contains(&index),
            NarrowingIndex::Derived { index, .. } => {
                derived.get_or_init(|| self.matched_with(facts)).contains(&index)
            }
        };
        let fits =
            |response: &Response| response.only_if.is_none_or(holds) && !response.unless.is_some_and(holds);
        let all = self.responses.iter().copied().filter(|response| fits(response));
        all.map(|response| {
            let found = response.exceptions.iter().filter(|exception| holds(exception.only_if));
            let (expired, valid): (Vec<_>, Vec<_>) = found.partition(|exception| self.is_expired(exception));
            let exception = valid.into_iter().rev().max_by_key(|exception| exception.effect);
            AppliedResponse { response, exception, expired }
        })
        .collect()
    }

    /// The role whose launches must be known before it is known what applies.
    pub(crate) fn awaits_launches(&self, facts: &Facts) -> Option<String> {
        let role = self.event.principal.id.raw();
        let awaits = may_launch(&self.event)
            && !facts.launch_secrets.contains_key(role)
            && self.responses.iter().any(|response| response.looks_at_launches());
        awaits.then(|| role.to_owned())
    }

    /// Of what says no time nobody knows whether it came in time.
    fn is_expired(&self, exception: &ResponseException) -> bool {
        let timeless = exception.until.is_some() && !self.event.time_known;
        timeless || exception.is_expired(self.event.time)
    }

    /// The patterns that match the event with what is derived from it. Looked for again only where that has changed.
    fn matched_with(&self, facts: &Facts) -> Vec<usize> {
        let derived = derive(&self.event, facts);
        let look = |derived: &Value| {
            let seen = self.event.with(DERIVED, derived.clone());
            // What was read once can be read again.
            self.enriched_patterns.matches(seen.as_bytes()).unwrap_or_default()
        };
        let (known, matched) = self.enrichment_cache.get_or_init(|| (derived.clone(), look(&derived)));
        if *known == derived { matched.clone() } else { look(&derived) }
    }
}

impl Response {
    /// Whether the patterns that look at the event alone let it apply; `matched` are those that match.
    pub(super) fn may_apply(&self, matched: &[usize]) -> bool {
        let holds = |narrowing: Option<NarrowingIndex>| match narrowing {
            Some(NarrowingIndex::Event(index)) => Some(matched.contains(&index)),
            Some(NarrowingIndex::Derived { .. }) | None => None,
        };
        holds(self.only_if).unwrap_or(true) && !holds(self.unless).unwrap_or(false)
    }

    fn looks_at_launches(&self) -> bool {
        let exceptions = self.exceptions.iter().map(|exception| exception.only_if);
        let mut all = [self.only_if, self.unless].into_iter().flatten().chain(exceptions);
        all.any(|narrowing| matches!(narrowing, NarrowingIndex::Derived { launch: true, .. }))
    }
}
