//! The result of a replay: every decision, every incident, every problem, and the counts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use responder_audit::input::{InputProblem, ReadProgress, read_events};
use responder_core::facts::{Facts, Settings};
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::{RenderedPlan, Renderer};
use responder_core::plan::{Plan, PlanOutcome};
use responder_core::rules::{MatchedEvent, RuleSet};
use serde::Serialize;

/// Everything that a replay finds out.
#[derive(Debug)]
pub(crate) struct ReplayResult {
    /// One decision for each event and handler, by time.
    pub(crate) decisions: Vec<Plan>,
    /// The settings that the decisions were made with.
    pub(crate) settings: Settings,
    /// The incidents, the most severe first.
    pub(crate) incidents: Vec<Incident>,
    /// The parts of the input that could not be read, by file and position.
    pub(crate) problems: Vec<InputProblem>,
    /// The counts.
    pub(crate) summary: ReplaySummary,
}

impl ReplayResult {
    /// The decisions with the notifications that they send, to be written as JSON.
    pub(crate) fn render_decisions<'r>(&'r self, rules: &'r RuleSet) -> Vec<RenderedPlan<'r, 'r>> {
        let renderer = Renderer::new(rules, &self.settings);
        self.decisions.iter().map(|plan| renderer.render_plan(plan)).collect()
    }
}

/// The counts of a replay: `events` = `matched` + `duplicates` + `ignored`. Parts of the input that could not be read
/// are no events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ReplaySummary {
    /// Events that were read.
    pub(crate) events: usize,
    /// Different events that a rule matches.
    pub(crate) matched: usize,
    /// Further copies of those.
    pub(crate) duplicates: usize,
    /// Events that no rule matches.
    pub(crate) ignored: usize,
    /// Parts of the input that could not be read. A function would quarantine them.
    pub(crate) quarantined: usize,
    /// Decisions that did or counted something.
    pub(crate) answered: usize,
    /// Decisions about events that another event was answered for.
    pub(crate) coalesced: usize,
    /// Decisions that an event needs no answer although a rule matches.
    pub(crate) not_ours: usize,
    /// Incidents.
    pub(crate) incidents: usize,
}

/// Decides about every event below `paths`, in order of time.
pub(crate) fn replay_events(
    rules: &RuleSet,
    facts: Facts,
    paths: &[PathBuf],
    progress: &mut dyn ReadProgress,
) -> ReplayResult {
    let mut summary = ReplaySummary::default();
    let mut matched_events: Vec<MatchedEvent<'_>> = Vec::new();
    let mut copies = 0;
    let problems = read_events(paths, progress, &mut |text| {
        let found = rules.match_event(text).map_err(|error| error.to_string())?;
        summary.events += 1;
        if found.is_empty() {
            summary.ignored += 1;
        } else {
            copies += 1;
        }
        // An event that several handlers answer is found once for each.
        matched_events.extend(found);
        Ok(())
    });
    let (matched_events, _) = order_and_deduplicate(matched_events);
    let keys: BTreeSet<&str> = matched_events.iter().map(|matched| matched.event.key()).collect();
    summary.matched = keys.len();
    summary.duplicates = copies - summary.matched;
    summary.quarantined = problems.len();
    let settings = facts.settings.clone();
    let mut store = MemoryStore::new(facts);
    let mut decisions = Vec::with_capacity(matched_events.len());
    for matched_event in &matched_events {
        let plan = store.decide(matched_event);
        match plan.outcome {
            PlanOutcome::Answered | PlanOutcome::Quarantined => summary.answered += 1,
            PlanOutcome::Coalesced => summary.coalesced += 1,
            PlanOutcome::Ignored => summary.not_ours += 1,
        }
        decisions.push(plan);
    }
    let incidents = store.incidents();
    summary.incidents = incidents.len();
    ReplayResult { decisions, settings, incidents, problems, summary }
}
