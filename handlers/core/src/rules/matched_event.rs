//! An event that rules match, and the responses that apply to it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use eventbridge_pattern::PatternSet;
use serde_json::Value;

use super::event_rule::EventRule;
use super::handler::Handler;
use super::narrowing_patterns::{ENRICHMENT_FIELD, NarrowingIndex};
use super::response::Response;
use super::response_exception::ResponseException;
use crate::enrichment::{enrich_event, may_be_task_launch};
use crate::event::Event;
use crate::facts::Facts;

/// An event that some rules of one handler match, with the responses to it.
#[derive(Clone, Debug)]
pub struct MatchedEvent<'r> {
    /// The handler that decides about it.
    pub handler: Handler,
    /// The event.
    pub event: Arc<Event>,
    /// The handler's matching rules, by id.
    pub rules: Vec<&'r EventRule>,
    /// The handler's responses that may apply as far as the event alone shows, by id;
    /// [`MatchedEvent::find_applied_responses`] decides which do.
    pub responses: Vec<&'r Response>,
    /// The responses whose incident these rules close, by id; they may be another handler's.
    pub resolves: Vec<&'r Response>,
    /// Every response, by id: an incident ends long after the event that opened it.
    pub all_responses: &'r BTreeMap<String, Response>,
    /// The patterns that match the event alone.
    pub(super) matched_patterns: Vec<usize>,
    /// The narrowing patterns that look at the enrichment.
    pub(super) enriched_patterns: &'r PatternSet,
    /// The first enrichment, with the patterns that it matches: most events are enriched once.
    pub(super) enrichment_cache: OnceLock<(Value, Vec<usize>)>,
}

/// A response that applies to an event.
#[derive(Clone, Debug)]
pub struct AppliedResponse<'r> {
    /// The response.
    pub response: &'r Response,
    /// The exception that holds, if one does: the strongest.
    pub exception: Option<&'r ResponseException>,
    /// The exceptions that would hold if they had not expired.
    pub expired: Vec<&'r ResponseException>,
}

impl<'r> MatchedEvent<'r> {
    /// Finds the responses that apply once settings and facts are known, by id.
    pub fn find_applied_responses(&self, facts: &Facts) -> Vec<AppliedResponse<'r>> {
        let narrowing = NarrowingMatches { matched_event: self, facts, enriched: OnceCell::new() };
        let mut applied = Vec::new();
        for &response in &self.responses {
            let is_included =
                response.where_pattern.is_none_or(|where_pattern| narrowing.contains(where_pattern));
            let is_excluded =
                response.unless_pattern.is_some_and(|unless_pattern| narrowing.contains(unless_pattern));
            if is_included && !is_excluded {
                applied.push(self.apply_exceptions(response, &narrowing));
            }
        }
        applied
    }

    fn apply_exceptions(
        &self,
        response: &'r Response,
        narrowing: &NarrowingMatches<'_, '_>,
    ) -> AppliedResponse<'r> {
        let mut applied = AppliedResponse { response, exception: None, expired: Vec::new() };
        for exception in &response.exceptions {
            if !narrowing.contains(exception.where_pattern) {
                continue;
            }
            if self.is_expired(exception) {
                applied.expired.push(exception);
                continue;
            }
            // Of two equally strong exceptions the first holds.
            if applied.exception.is_none_or(|strongest| exception.effect > strongest.effect) {
                applied.exception = Some(exception);
            }
        }
        applied
    }

    /// The role whose launch secrets must be known before the responses that apply can be found.
    pub(crate) fn find_role_with_unknown_launches(&self, facts: &Facts) -> Option<String> {
        let role = self.event.principal.id.raw();
        if !may_be_task_launch(&self.event) || facts.launch_secrets.contains_key(role) {
            return None;
        }
        let narrows_by_launch = self.responses.iter().any(|response| response.narrows_by_launch());
        narrows_by_launch.then(|| role.to_owned())
    }

    /// Whether an exception had expired when the event happened. An event without a time may have happened too late.
    fn is_expired(&self, exception: &ResponseException) -> bool {
        let is_undated = exception.until.is_some() && !self.event.time_known;
        is_undated || exception.is_expired(self.event.time)
    }

    /// The patterns that match the event with its enrichment. Matches again only where the enrichment has changed.
    fn match_enriched_patterns(&self, facts: &Facts) -> Vec<usize> {
        let enrichment = enrich_event(&self.event, facts);
        let (known, matched) = self
            .enrichment_cache
            .get_or_init(|| (enrichment.clone(), self.match_enrichment(enrichment.clone())));
        if *known == enrichment { matched.clone() } else { self.match_enrichment(enrichment) }
    }

    fn match_enrichment(&self, enrichment: Value) -> Vec<usize> {
        let enriched_event = self.event.to_json_with_field(ENRICHMENT_FIELD, enrichment);
        // An event that was read once can be read again.
        self.enriched_patterns.matches(enriched_event.as_bytes()).unwrap_or_default()
    }
}

/// The narrowing patterns that match an event. Those that look at the enrichment are matched when the first is needed.
struct NarrowingMatches<'m, 'r> {
    matched_event: &'m MatchedEvent<'r>,
    facts: &'m Facts,
    enriched: OnceCell<Vec<usize>>,
}

impl NarrowingMatches<'_, '_> {
    fn contains(&self, narrowing: NarrowingIndex) -> bool {
        match narrowing {
            NarrowingIndex::Event(index) => self.matched_event.matched_patterns.contains(&index),
            NarrowingIndex::Enriched { index, .. } => {
                let enriched =
                    self.enriched.get_or_init(|| self.matched_event.match_enriched_patterns(self.facts));
                enriched.contains(&index)
            }
        }
    }
}
