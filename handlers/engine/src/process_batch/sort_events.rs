//! Reads the texts of a batch, and sorts the events in the order in which they are decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use responder_core::decide;
use responder_core::event::Event;
use responder_core::hash;
use responder_core::memory_store::order_and_deduplicate;
use responder_core::plan::Plan;
use responder_core::rules::MatchedEvent;
use responder_core::time::Span;

use super::engine::Engine;
use super::invocation::EventResult;
use crate::log::{self, EventLog};
use crate::outcome::EventOutcome;
use crate::port::AwsPort;

/// The events of a batch.
pub(super) struct SortedBatch<'r> {
    /// The events that rules match, in the order in which they are decided, each once.
    pub(super) matched_events: Vec<MatchedEvent<'r>>,
    /// One result for each text. An event that rules match counts as coalesced until it is decided: the copies of an event
    /// keep that result.
    pub(super) results: Vec<EventResult>,
    /// The texts that are no events, each by its index with the plan that quarantines it.
    pub(super) quarantined: Vec<(usize, Plan)>,
    /// The index of the text of each matched event.
    text_indexes: BTreeMap<usize, usize>,
}

impl SortedBatch<'_> {
    /// The index of the text of an event.
    pub(super) fn text_index(&self, event: &Arc<Event>) -> Option<usize> {
        self.text_indexes.get(&identify_event(event)).copied()
    }

    /// Sets the result of a text.
    pub(super) fn set_result(&mut self, index: usize, result: EventResult) {
        if let Some(known) = self.results.get_mut(index) {
            *known = result;
        }
    }
}

/// Reads the texts. Logs the events that no rule matches: nothing more happens to them.
pub(super) fn sort_events<'r, A: AwsPort>(
    engine: &'r Engine<A>,
    function_arn: &str,
    texts: &[&str],
) -> SortedBatch<'r> {
    let Engine { aws, handler, rules, .. } = engine;
    let mut matched_events = Vec::new();
    let mut results = Vec::new();
    let mut quarantined = Vec::new();
    let mut text_indexes = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        let outcome = match rules.match_event_for(*handler, text) {
            Ok(Some(matched_event)) => {
                text_indexes.insert(identify_event(&matched_event.event), index);
                matched_events.push(matched_event);
                EventOutcome::Coalesced
            }
            Ok(None) => {
                let key = hash::hash_bytes(text.as_bytes());
                let ignored = EventLog {
                    key: &key,
                    plan: None,
                    outcome: EventOutcome::Ignored,
                    errors: &[],
                    duration: Span::default(),
                };
                log::print_event(aws, *handler, &ignored);
                EventOutcome::Ignored
            }
            Err(error) => {
                let why = error.to_string();
                let plan =
                    decide::quarantine(rules, *handler, function_arn, text.as_bytes(), &why, aws.now());
                quarantined.push((index, plan));
                EventOutcome::Quarantined
            }
        };
        results.push(EventResult::with_outcome(outcome));
    }
    let (matched_events, _) = order_and_deduplicate(matched_events);
    SortedBatch { matched_events, results, quarantined, text_indexes }
}

/// Identifies an event within its batch, where even copies of one event are told apart.
fn identify_event(event: &Arc<Event>) -> usize {
    Arc::as_ptr(event).addr()
}
