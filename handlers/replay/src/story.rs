//! The story of some input: every decision, every incident, every problem, and where every event went.

use std::collections::BTreeSet;
use std::path::PathBuf;

use responder_core::facts::{Facts, Settings};
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::{Plan, PlanOutcome};
use responder_core::rules::{MatchedEvent, RuleSet};
use serde::Serialize;

use crate::source::{Problem, each_event};

/// Everything that a run finds out.
#[derive(Debug)]
pub(crate) struct Story {
    /// One decision for each event and handler, by time.
    pub(crate) decisions: Vec<Plan>,
    /// The settings that they were made with.
    pub(crate) settings: Settings,
    /// The incidents, most severe first.
    pub(crate) incidents: Vec<Incident>,
    /// What could not be read, by file and place.
    pub(crate) problems: Vec<Problem>,
    /// The counts.
    pub(crate) summary: Summary,
}

/// Where every event went: `events` = `matched` + `duplicates` + `ignored`, and `parked` were no events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Events read.
    pub(crate) events: usize,
    /// Different events that a rule matches.
    pub(crate) matched: usize,
    /// Further copies of those.
    pub(crate) duplicates: usize,
    /// Events that no rule matches.
    pub(crate) ignored: usize,
    /// Parts of the input that could not be read.
    pub(crate) quarantined: usize,
    /// Decisions that did or counted something.
    pub(crate) answered: usize,
    /// Decisions that another one had answered.
    pub(crate) coalesced: usize,
    /// Decisions that an event is not for us although a rule matches.
    pub(crate) not_ours: usize,
    /// Incidents.
    pub(crate) incidents: usize,
}

/// Decides about every event below `paths`.
pub(crate) fn replay(rules: &RuleSet, facts: Facts, paths: &[PathBuf]) -> Story {
    let mut summary = Summary::default();
    let mut cases: Vec<MatchedEvent<'_>> = Vec::new();
    let mut copies = 0;
    let problems = each_event(paths, &mut |text| {
        let found = rules.cases(text).map_err(|error| error.to_string())?;
        summary.events += 1;
        summary.ignored += usize::from(found.is_empty());
        copies += usize::from(!found.is_empty());
        cases.extend(found);
        Ok(())
    });
    let (cases, _) = order_and_deduplicate(cases);
    summary.matched = cases.iter().map(|case| case.event.key()).collect::<BTreeSet<_>>().len();
    summary.duplicates = copies - summary.matched;
    summary.quarantined = problems.len();
    let settings = facts.settings.clone();
    let mut ledger = MemoryStore::new(facts);
    let mut decisions = Vec::with_capacity(cases.len());
    for case in cases {
        let plan = ledger.decide(&case);
        match plan.outcome {
            PlanOutcome::Answered | PlanOutcome::Quarantined => summary.answered += 1,
            PlanOutcome::Coalesced => summary.coalesced += 1,
            PlanOutcome::Ignored => summary.not_ours += 1,
        }
        decisions.push(plan);
    }
    let incidents = ledger.incidents();
    summary.incidents = incidents.len();
    Story { decisions, settings, incidents, problems, summary }
}
