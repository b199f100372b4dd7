//! Rules: which events count, and what each means.

mod builtin;
mod exception;
mod load;
mod narrowing;
mod page_text;
mod response;
mod row;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

pub use builtin::builtin;
pub use exception::{CalendarDay, ExceptionEffect, ResponseException};
pub use load::{RuleFile, RuleProblem, RulesError, load};
pub use narrowing::AppliedResponse;
pub use page_text::{PLACEHOLDERS, placeholders};
pub use response::{CountPer, DistinctBy, EscalationStep, Response, ResponseAction, Severity, Threshold};

use eventbridge_pattern::{Pattern, PatternSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Event, EventError};

/// A function, its queue and its folder of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handler {
    /// A secret's value changed, or a deployment that follows did.
    Rotation,
    /// Secrets were read, or their protection changed.
    Access,
    /// A rotation failed.
    Failure,
    /// Time has passed: what no event told is looked for.
    Sweep,
}

impl Handler {
    /// All of them, in the order in which they are listed everywhere.
    pub const ALL: [Self; 4] = [Self::Rotation, Self::Access, Self::Failure, Self::Sweep];

    /// The folder's and the function's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Access => "access",
            Self::Failure => "failure",
            Self::Sweep => "sweep",
        }
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One EventBridge rule: a pattern file.
#[derive(Debug)]
pub struct EventRule {
    /// The file's name without `.json`.
    pub id: String,
    /// The folder, and so the function that gets its events.
    pub handler: Handler,
    /// The pattern.
    pub pattern: Pattern,
}

/// All rules and what they mean.
#[derive(Debug)]
pub struct RuleSet {
    /// The patterns, by handler and id.
    pub rules: Vec<EventRule>,
    /// The responses, by id.
    pub responses: BTreeMap<String, Response>,
    /// Every rule's pattern, then the narrowing patterns of the responses, then [`RuleSet::envelope`]: matched in one go.
    set: PatternSet,
    /// Where the pattern stands that every event matches, whatever it says.
    envelope: usize,
    /// The narrowing patterns that mention `derived`: matched where settings and facts are known.
    enriched_patterns: PatternSet,
}

/// An event that some rules of one handler match, with what they mean.
#[derive(Clone, Debug)]
pub struct MatchedEvent<'r> {
    /// Whose case it is.
    pub handler: Handler,
    /// The event.
    pub event: Arc<Event>,
    /// The handler's matching rules, by id.
    pub rules: Vec<&'r EventRule>,
    /// The handler's responses that apply as far as the event alone tells, by id; [`MatchedEvent::applied`] says which do.
    pub responses: Vec<&'r Response>,
    /// The responses whose incident these rules close, by id; they may be another handler's.
    pub resolves: Vec<&'r Response>,
    /// Which patterns match the event alone.
    matched: Vec<usize>,
    enriched_patterns: &'r PatternSet,
    /// Every response, by id: an incident ends long after the event that opened it.
    pub all_responses: &'r BTreeMap<String, Response>,
    /// What was derived first, and which of the later patterns matched then.
    enrichment_cache: OnceLock<(Value, Vec<usize>)>,
}

impl RuleSet {
    /// The event as a case for each handler that has a matching rule; none if no rule matches.
    ///
    /// # Errors
    /// When the text is no event.
    pub fn cases(&self, text: &str) -> Result<Vec<MatchedEvent<'_>>, EventError> {
        let matched = self.set.matches(text.as_bytes()).map_err(|error| EventError::unmatched(&error))?;
        let rules: Vec<&EventRule> = matched.iter().filter_map(|index| self.rules.get(*index)).collect();
        if rules.is_empty() {
            let is_event = matched.contains(&self.envelope);
            return if is_event { Ok(Vec::new()) } else { Err(EventError::NoEnvelope) };
        }
        let event = Arc::new(Event::parse(text)?);
        let cases = Handler::ALL.into_iter().filter_map(|handler| {
            let rules: Vec<&EventRule> =
                rules.iter().copied().filter(|rule| rule.handler == handler).collect();
            let names = |ids: &[String]| rules.iter().any(|rule| ids.contains(&rule.id));
            let applies = |response: &&Response| names(&response.on) && response.may_apply(&matched);
            let responses = self.responses.values().filter(applies).collect();
            let resolves = self.responses.values().filter(|response| names(&response.resolved_by)).collect();
            let (event, matched, later) = (Arc::clone(&event), matched.clone(), &self.enriched_patterns);
            let book = &self.responses;
            let seen = OnceLock::new();
            (!rules.is_empty()).then_some(MatchedEvent {
                handler,
                event,
                rules,
                responses,
                resolves,
                matched,
                enriched_patterns: later,
                all_responses: book,
                enrichment_cache: seen,
            })
        });
        Ok(cases.collect())
    }

    /// The rules of one handler, by id.
    pub fn of(&self, handler: Handler) -> impl Iterator<Item = &EventRule> {
        self.rules.iter().filter(move |rule| rule.handler == handler)
    }

    /// The event as a case for one handler; `None` if none of its rules matches.
    ///
    /// # Errors
    /// When the text is no event.
    pub fn case(&self, handler: Handler, text: &str) -> Result<Option<MatchedEvent<'_>>, EventError> {
        Ok(self.cases(text)?.into_iter().find(|case| case.handler == handler))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_no_rule_is_told_from_what_is_no_event() {
        let rules = builtin().unwrap();
        let event = r#"{"source": "aws.s3", "detail-type": "", "detail": 5}"#;
        assert!(rules.cases(event).unwrap().is_empty());
        for text in ["{}", r#"{"detail-type": 7, "source": [], "detail": "x"}"#, r#"{"source": "aws.s3"}"#] {
            assert_eq!(rules.cases(text).unwrap_err(), EventError::NoEnvelope, "{text}");
        }
    }
}
