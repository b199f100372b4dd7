//! The result of a replay: every decision, every incident, every problem, and the counts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use responder_audit::input::{CoverageReport, InputProblem, ReadProgress, read_events};
use responder_audit::query::UnseenValues;
use responder_core::facts::{Facts, Settings};
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::{RenderedPlan, Renderer};
use responder_core::plan::{Plan, PlanOutcome};
use responder_core::rules::{MatchedEvent, RuleSet};
use responder_core::text::Untrusted;
use serde::Serialize;

use super::report_filter::ReportFilter;
use super::shown_decisions::{ShownEvents, retain_marked};

/// Everything that a replay finds out.
#[derive(Debug)]
pub(crate) struct ReplayResult {
    /// One decision for each event and handler, by time, as far as they fit the filter.
    pub(crate) decisions: Vec<Plan>,
    /// Where the event of each decision happened, and who called, in the order of the decisions.
    pub(crate) parties: Vec<EventParties>,
    /// The coverage of the input.
    pub(crate) coverage: CoverageReport,
    /// The settings that the decisions were made with.
    pub(crate) settings: Settings,
    /// The incidents that fit the filter, the most severe first.
    pub(crate) incidents: Vec<Incident>,
    /// The parts of the input that could not be read, by file and position.
    pub(crate) problems: Vec<InputProblem>,
    /// The counts of everything that was decided, whether it is shown or not.
    pub(crate) summary: ReplaySummary,
    /// The filter of the report.
    pub(crate) filter: ReportFilter,
}

impl ReplayResult {
    /// The decisions with their notifications and the parties of their events, to be written as JSON.
    pub(crate) fn locate_decisions<'r>(&'r self, rules: &'r RuleSet) -> Vec<LocatedDecision<'r>> {
        let mut located = Vec::new();
        for (decision, parties) in self.render_decisions(rules).into_iter().zip(&self.parties) {
            located.push(LocatedDecision { parties, decision });
        }
        located
    }

    /// The decisions with the notifications that they send, to be written as JSON.
    pub(crate) fn render_decisions<'r>(&'r self, rules: &'r RuleSet) -> Vec<RenderedPlan<'r, 'r>> {
        let renderer = Renderer::new(rules, &self.settings);
        self.decisions.iter().map(|plan| renderer.render_plan(plan)).collect()
    }
}

/// Where an event happened, and who called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EventParties {
    /// The account that received the event.
    pub(crate) account: String,
    /// The Region of the event.
    pub(crate) region: String,
    /// The caller, as notifications name it; empty if the event has none.
    pub(crate) principal: Untrusted,
}

/// A decision with the parties of its event, as `replay run` prints it.
#[derive(Serialize)]
pub(crate) struct LocatedDecision<'r> {
    #[serde(flatten)]
    parties: &'r EventParties,
    #[serde(flatten)]
    decision: RenderedPlan<'r, 'r>,
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

/// The problem of an event that a rule matches and that no window can count.
const UNDATED_MATCH: &str =
    "a rule matches this event, but it has no time that can be read: it was not counted";

/// Decides about every event below `paths`, in order of time, and then leaves out what does not fit the filter.
pub(crate) fn replay_events(
    rules: &RuleSet,
    facts: Facts,
    paths: &[PathBuf],
    mut filter: ReportFilter,
    progress: &mut dyn ReadProgress,
) -> ReplayResult {
    let mut unseen = UnseenValues::of_filter(&filter.events);
    let mut summary = ReplaySummary::default();
    let mut matched_events: Vec<MatchedEvent<'_>> = Vec::new();
    let mut copies = 0;
    let reading = read_events(paths, progress, &mut |located| {
        let found = rules.match_event(located.text).map_err(|error| error.to_string())?;
        summary.events += 1;
        if found.is_empty() {
            summary.ignored += 1;
        } else {
            copies += 1;
        }
        if let Some(matched) = found.first() {
            unseen.see(&matched.event);
        }
        // An event that several handlers answer is found once for each.
        let is_undated = found.first().is_some_and(|matched| !matched.event.time_known);
        matched_events.extend(found);
        if is_undated { Err(UNDATED_MATCH.to_owned()) } else { Ok(()) }
    });
    let (matched_events, _) = order_and_deduplicate(matched_events);
    let keys: BTreeSet<&str> = matched_events.iter().map(|matched| matched.event.key()).collect();
    summary.matched = keys.len();
    summary.duplicates = copies - summary.matched;
    summary.quarantined = reading.problems.len();
    let settings = facts.settings.clone();
    let mut store = MemoryStore::new(facts);
    let mut decisions = Vec::with_capacity(matched_events.len());
    let mut parties = Vec::with_capacity(matched_events.len());
    for matched_event in &matched_events {
        let plan = store.decide(matched_event);
        match plan.outcome {
            PlanOutcome::Answered | PlanOutcome::Quarantined => summary.answered += 1,
            PlanOutcome::Coalesced => summary.coalesced += 1,
            PlanOutcome::Ignored => summary.not_ours += 1,
        }
        decisions.push(plan);
        let event = &matched_event.event;
        parties.push(EventParties {
            account: event.account.clone(),
            region: event.region.clone(),
            principal: event.principal.id.clone(),
        });
    }
    let mut incidents = store.incidents();
    summary.incidents = incidents.len();
    let coverage = reading.coverage.report();
    if !filter.is_empty() {
        filter.note_unseen(&coverage, unseen.texts());
        let shown = ShownEvents::find(&matched_events, &filter.events);
        shown.retain_incidents(&mut filter, &mut incidents);
        let marks = shown.mark_decisions(&filter, &incidents);
        retain_marked(&mut decisions, &marks);
        retain_marked(&mut parties, &marks);
    }
    ReplayResult {
        decisions,
        parties,
        coverage,
        settings,
        incidents,
        problems: reading.problems,
        summary,
        filter,
    }
}
