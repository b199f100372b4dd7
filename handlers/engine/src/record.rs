//! What the events of a batch leave for later: the notes of all of them together, and who read what.

use std::collections::BTreeMap;

use responder_core::decide::digest_entries;
use responder_core::facts::{Facts, Settings};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::MatchedEvent;
use responder_core::state::digest_entry::DigestDay;
use responder_core::time::{Date, Span, Timestamp};

use crate::error::EngineError;
use crate::ledger::Ledger;
use crate::log::EventOutcome;
use crate::parallel::parallel;
use crate::port::AwsPort;

/// How many writes run at the same time.
const PARALLEL: usize = 8;

/// A case that was decided, and what came of it.
pub(crate) struct DecidedEvent<'c, 'r> {
    pub(crate) case: &'c MatchedEvent<'r>,
    pub(crate) plan: Plan,
    pub(crate) end: EventOutcome,
    pub(crate) errors: Vec<EngineError>,
    pub(crate) took: Span,
    /// Whether a human is told.
    pub(crate) notified: bool,
    /// Whether all was known that had to be looked up: otherwise it comes again, and may mean something else then.
    pub(crate) answered: bool,
    /// What was known, if that is to be told.
    pub(crate) known: Facts,
}

impl DecidedEvent<'_, '_> {
    /// It comes again; but what a human is told of does not come again for its notes: without a ledger it would be told
    /// again.
    fn fail(&mut self, error: EngineError) {
        if !self.notified {
            self.end = EventOutcome::Failed;
            self.errors.push(error);
        }
    }
}

/// Writes it down: one item for the notes of all events. What was read is remembered after what there is to say of it: an
/// event that comes again would not say it any more.
pub(crate) async fn record<A: AwsPort>(
    done: &mut [DecidedEvent<'_, '_>],
    ledger: &Ledger<'_, A>,
    now: Timestamp,
    settings: &Settings,
) {
    let mut days: BTreeMap<Date, DigestDay> = BTreeMap::new();
    for (date, day) in
        done.iter().filter(|done| done.answered).filter_map(|done| digest_entries(&done.plan, now, settings))
    {
        days.entry(date).or_default().merge(day);
    }
    let written = ledger.note_days(&days).await;
    let mut seen = Vec::new();
    for (index, done) in done.iter_mut().enumerate().filter(|(_, done)| done.answered) {
        match &written {
            Err(error) if digest_entries(&done.plan, now, settings).is_some() => done.fail(error.clone()),
            _ => seen.extend(done.plan.steps.iter().filter_map(|step| match step {
                PlanStep::UpdateLastSeen { key, at } => Some((index, key.clone(), *at)),
                _ => None,
            })),
        }
    }
    let writes = seen.into_iter().map(|(index, key, at)| async move { (index, ledger.see(&key, at).await) });
    for (index, written) in parallel(writes, PARALLEL).await {
        if let (Err(error), Some(done)) = (written, done.get_mut(index)) {
            done.fail(error);
        }
    }
}
