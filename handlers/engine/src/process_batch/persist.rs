//! Persists what the events of a batch leave for later: the digest entries of all of them together, and last reads.

use std::collections::BTreeMap;

use responder_core::decide::digest_entries;
use responder_core::facts::{Facts, Settings};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::MatchedEvent;
use responder_core::state::digest_entry::DigestDay;
use responder_core::time::{Date, Span, Timestamp};

use crate::error::EngineError;
use crate::outcome::EventOutcome;
use crate::port::AwsPort;
use crate::run_parallel::run_parallel;
use crate::store::Ledger;

/// How many last reads are written at the same time.
const MAX_PARALLEL_WRITES: usize = 8;

/// An event that was decided, and what became of its plan.
pub(super) struct DecidedEvent<'c, 'r> {
    pub(super) matched_event: &'c MatchedEvent<'r>,
    pub(super) plan: Plan,
    pub(super) outcome: EventOutcome,
    pub(super) errors: Vec<EngineError>,
    pub(super) duration: Span,
    /// Whether on-call was notified of it.
    pub(super) is_notified: bool,
    /// Whether the ledger answered all that decides about it. Otherwise it comes again, and may mean something else then.
    pub(super) is_answered: bool,
    /// The facts that were known, if the invocation keeps them.
    pub(super) known_facts: Facts,
}

impl DecidedEvent<'_, '_> {
    /// Fails the event, so that it comes again. An event that on-call was notified of does not come again for its digest
    /// entries alone: while the ledger does not answer, it would be paged again each time.
    fn fail(&mut self, error: EngineError) {
        if !self.is_notified {
            self.outcome = EventOutcome::Failed;
            self.errors.push(error);
        }
    }
}

/// Writes the digest entries, then the last reads.
///
/// In this order, because an event is a first read only until its read is recorded: an event whose entry could not be
/// written comes again, and must still be a first read then.
pub(super) async fn persist_events<A: AwsPort>(
    events: &mut [DecidedEvent<'_, '_>],
    ledger: &Ledger<'_, A>,
    now: Timestamp,
    settings: &Settings,
) {
    let mut days: BTreeMap<Date, DigestDay> = BTreeMap::new();
    for event in events.iter() {
        if !event.is_answered {
            continue;
        }
        if let Some((date, day)) = digest_entries(&event.plan, now, settings) {
            days.entry(date).or_default().merge(day);
        }
    }
    let written = ledger.write_digest_days(&days).await;
    let mut last_reads = Vec::new();
    for (index, event) in events.iter_mut().enumerate() {
        if !event.is_answered {
            continue;
        }
        if let Err(error) = &written
            && digest_entries(&event.plan, now, settings).is_some()
        {
            event.fail(error.clone());
            continue;
        }
        for step in &event.plan.steps {
            if let PlanStep::UpdateLastSeen { key, at } = step {
                last_reads.push((index, key.clone(), *at));
            }
        }
    }
    let writes = last_reads
        .into_iter()
        .map(|(index, key, at)| async move { (index, ledger.update_last_seen(&key, at).await) });
    for (index, written) in run_parallel(writes, MAX_PARALLEL_WRITES).await {
        if let (Err(error), Some(event)) = (written, events.get_mut(index)) {
            event.fail(error);
        }
    }
}
