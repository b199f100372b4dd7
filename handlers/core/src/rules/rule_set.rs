//! All rules and responses, and the matching of events against them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use eventbridge_pattern::{Pattern, PatternSet};

use super::event_rule::EventRule;
use super::handler::Handler;
use super::matched_event::MatchedEvent;
use super::narrowing_patterns::NarrowingPatterns;
use super::response::Response;
use crate::event::{Event, EventError};
use crate::severity::Severity;

/// All rules, and the responses to them.
#[derive(Debug)]
pub struct RuleSet {
    /// The rules, by handler and id.
    pub rules: Vec<EventRule>,
    /// The responses, by id.
    pub responses: BTreeMap<String, Response>,
    /// The pattern of every rule, then the narrowing patterns of the responses that look at the event alone, then the
    /// envelope: matched in one pass.
    pub(super) event_patterns: PatternSet,
    /// The index of the pattern that every event matches, whatever it says.
    envelope_index: usize,
    /// The narrowing patterns that mention `derived`: matched where settings and facts are known.
    pub(super) enriched_patterns: PatternSet,
}

/// Matches a text with the two strings that every event from EventBridge has.
const ENVELOPE_PATTERN: &str = r#"{"source": [{"prefix": ""}], "detail-type": [{"prefix": ""}]}"#;

impl RuleSet {
    pub(super) fn new(
        rules: Vec<EventRule>,
        responses: BTreeMap<String, Response>,
        narrowing: NarrowingPatterns,
    ) -> Self {
        let mut event_patterns = Vec::new();
        for rule in &rules {
            event_patterns.push(rule.pattern.clone());
        }
        event_patterns.extend(narrowing.event_patterns);
        let envelope_index = event_patterns.len();
        event_patterns.extend(Pattern::parse(ENVELOPE_PATTERN));
        Self {
            rules,
            responses,
            event_patterns: PatternSet::new(event_patterns),
            envelope_index,
            enriched_patterns: PatternSet::new(narrowing.enriched_patterns),
        }
    }

    /// Matches an event, for each handler that has a matching rule; empty if no rule matches.
    ///
    /// # Errors
    /// When the text is no event.
    pub fn match_event(&self, text: &str) -> Result<Vec<MatchedEvent<'_>>, EventError> {
        let matched_patterns =
            self.event_patterns.matches(text.as_bytes()).map_err(|error| EventError::from(&error))?;
        let mut matched_rules: Vec<&EventRule> = Vec::new();
        for index in &matched_patterns {
            // Patterns behind those of the rules have no rule.
            matched_rules.extend(self.rules.get(*index));
        }
        if matched_rules.is_empty() {
            let is_event = matched_patterns.contains(&self.envelope_index);
            return if is_event { Ok(Vec::new()) } else { Err(EventError::NoEnvelope) };
        }
        let event = Arc::new(Event::parse(text)?);
        let mut matched_events = Vec::new();
        for handler in Handler::ALL {
            let mut rules = matched_rules.clone();
            rules.retain(|rule| rule.handler == handler);
            if !rules.is_empty() {
                matched_events.push(self.build_matched_event(handler, &event, rules, &matched_patterns));
            }
        }
        Ok(matched_events)
    }

    fn build_matched_event<'r>(
        &'r self,
        handler: Handler,
        event: &Arc<Event>,
        rules: Vec<&'r EventRule>,
        matched_patterns: &[usize],
    ) -> MatchedEvent<'r> {
        let mut responses = Vec::new();
        let mut resolves = Vec::new();
        for response in self.responses.values() {
            if names_any_rule(&response.on, &rules) && response.may_apply(matched_patterns) {
                responses.push(response);
            }
            if names_any_rule(&response.resolved_by, &rules) {
                resolves.push(response);
            }
        }
        MatchedEvent {
            handler,
            event: Arc::clone(event),
            rules,
            responses,
            resolves,
            all_responses: &self.responses,
            matched_patterns: matched_patterns.to_vec(),
            enriched_patterns: &self.enriched_patterns,
            enrichment_cache: OnceLock::new(),
        }
    }

    /// Whether an incident of a response that was paged at this severity leaves nothing to page: it can neither become more
    /// severe nor grow.
    pub fn is_fully_paged(&self, response: &str, severity: Severity) -> bool {
        match self.responses.get(response) {
            Some(response) => severity >= response.highest_severity() && !response.can_grow(),
            None => true,
        }
    }

    /// The rules of one handler, by id.
    pub fn handler_rules(&self, handler: Handler) -> impl Iterator<Item = &EventRule> {
        self.rules.iter().filter(move |rule| rule.handler == handler)
    }

    /// Matches an event for one handler; `None` if none of its rules matches.
    ///
    /// # Errors
    /// When the text is no event.
    pub fn match_event_for(
        &self,
        handler: Handler,
        text: &str,
    ) -> Result<Option<MatchedEvent<'_>>, EventError> {
        let matched_events = self.match_event(text)?;
        Ok(matched_events.into_iter().find(|matched_event| matched_event.handler == handler))
    }
}

fn names_any_rule(ids: &[String], rules: &[&EventRule]) -> bool {
    rules.iter().any(|rule| ids.contains(&rule.id))
}
