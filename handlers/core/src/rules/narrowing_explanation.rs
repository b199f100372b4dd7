//! Explains why a response does not apply to an event although one of its rules matches.

use eventbridge_pattern::{MatchExplanation, PatternSet};

use super::matched_event::MatchedEvent;
use super::narrowing_patterns::{ENRICHMENT_FIELD, NarrowingIndex};
use super::response::Response;
use super::rule_set::RuleSet;
use crate::enrichment::enrich_event;
use crate::facts::Facts;

/// Why a response does not apply to an event that one of its rules matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NarrowingExplanation {
    /// The event does not match `where`, as the explanation says.
    WhereDiffers(MatchExplanation),
    /// The event matches `unless`.
    UnlessMatches,
}

impl RuleSet {
    /// Explains why a response does not apply to an event that one of its rules matches, with these settings and facts;
    /// `None` if it applies.
    pub fn explain_narrowing(
        &self,
        matched_event: &MatchedEvent<'_>,
        response: &Response,
        facts: &Facts,
    ) -> Option<NarrowingExplanation> {
        // Patterns that look at the event alone match the enriched event as well: they mention no field of the enrichment.
        let enrichment = enrich_event(&matched_event.event, facts);
        let text = matched_event.event.to_json_with_field(ENRICHMENT_FIELD, enrichment);
        if let Some(where_pattern) = response.where_pattern {
            let explanation = self.explain_pattern(where_pattern, &text)?;
            if !explanation.is_match() {
                return Some(NarrowingExplanation::WhereDiffers(explanation));
            }
        }
        let unless_explanation = self.explain_pattern(response.unless_pattern?, &text)?;
        unless_explanation.is_match().then_some(NarrowingExplanation::UnlessMatches)
    }

    /// An event that was read once can be read again, and each index has its pattern.
    fn explain_pattern(&self, narrowing: NarrowingIndex, text: &str) -> Option<MatchExplanation> {
        let (patterns, index): (&PatternSet, usize) = match narrowing {
            NarrowingIndex::Event(index) => (&self.event_patterns, index),
            NarrowingIndex::Enriched { index, .. } => (&self.enriched_patterns, index),
        };
        patterns.explain(index, text).unwrap_or_default()
    }
}
