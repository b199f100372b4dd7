//! Why each response fired for some events, or did not.

use std::collections::BTreeMap;

use eventbridge_pattern::MatchExplanation;
use responder_core::facts::{Facts, Settings};
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::{MatchedEvent, NarrowingExplanation, Response, ResponseAction, RuleSet};

use super::response_words::{
    describe_action_steps, describe_count, describe_incidents, describe_unfired_action, describe_where,
};

/// What a set of events meant to one response.
#[derive(Debug, Default)]
pub(super) struct ResponseEvidence<'r> {
    /// How many events one of its rules matches.
    matched: usize,
    /// To how many of those it applies.
    applied: usize,
    /// How many of those say no time.
    undated: usize,
    /// How many of those `unless` excludes.
    excluded: usize,
    /// How many of those each failing part of `where` excludes.
    where_failures: Vec<(MatchExplanation, usize)>,
    /// How many of those an exception leaves uncounted, with its reason.
    suppressed: BTreeMap<(&'r str, &'r str), usize>,
    /// What was planned for the events to which it applies, if its action is not to page.
    steps: Vec<&'r PlanStep>,
}

/// Everything that was decided about some events.
struct DecidedEvents<'r> {
    settings: Settings,
    events: Vec<MatchedEvent<'r>>,
    plans: Vec<Plan>,
    narrowings: Vec<BTreeMap<&'r str, NarrowingExplanation>>,
    incidents: Vec<Incident>,
    /// The highest count of each response that counted something.
    highest_counts: BTreeMap<&'r str, usize>,
    /// The parts of the input that a function would quarantine.
    problems: usize,
}

/// Returns a line for each response, by handler and id: whether it fires for these events together, and if not, why.
/// `problems` is the number of parts of the input that could not be read.
pub(crate) fn explain_responses<'r>(
    rules: &'r RuleSet,
    facts: Facts,
    events: Vec<MatchedEvent<'r>>,
    problems: usize,
) -> Vec<String> {
    let decided = DecidedEvents::decide(rules, facts, events, problems);
    let id_width = rules.responses.keys().map(String::len).max().unwrap_or_default();
    let mut responses: Vec<&Response> = rules.responses.values().collect();
    responses.sort_by_key(|response| response.handler);
    let mut lines = Vec::new();
    for response in responses {
        let reason = decided.explain_response(response);
        lines.push(format!("{:<9} {:<id_width$}  {reason}", response.handler.as_str(), response.id));
    }
    lines
}

impl<'r> DecidedEvents<'r> {
    fn decide(rules: &'r RuleSet, facts: Facts, found: Vec<MatchedEvent<'r>>, problems: usize) -> Self {
        let (events, _) = order_and_deduplicate(found);
        let settings = facts.settings.clone();
        let mut store = MemoryStore::new(facts);
        let mut plans = Vec::new();
        let mut narrowings = Vec::new();
        for event in &events {
            plans.push(store.decide(event));
            // Explained afterwards: by then it is known which secrets the role's launches read.
            let mut narrowing = BTreeMap::new();
            for response in rules.responses.values() {
                if is_on_event(response, event)
                    && let Some(reason) = rules.explain_narrowing(event, response, store.facts())
                {
                    narrowing.insert(response.id.as_str(), reason);
                }
            }
            narrowings.push(narrowing);
        }
        let mut highest_counts = BTreeMap::new();
        for response in rules.responses.values() {
            if let Some(count) = store.highest_count(response) {
                highest_counts.insert(response.id.as_str(), count);
            }
        }
        let incidents = store.incidents();
        Self { settings, events, plans, narrowings, incidents, highest_counts, problems }
    }

    fn explain_response(&self, response: &Response) -> String {
        if response.action == ResponseAction::Quarantine {
            return match self.problems {
                0 => "did not fire: every part of the input could be read".to_owned(),
                count => format!("fires: {count} parts of the input could not be read"),
            };
        }
        let mut own = Vec::new();
        for incident in &self.incidents {
            if incident.rule == response.id || incident.also.contains(&response.id) {
                own.push(incident);
            }
        }
        if !own.is_empty() {
            return describe_incidents(response, &own);
        }
        let evidence = self.collect_evidence(response);
        if let Some(text) = describe_action_steps(response, &evidence.steps) {
            return text;
        }
        format!("did not fire: {}", self.describe_evidence(response, &evidence))
    }

    fn collect_evidence(&self, response: &'r Response) -> ResponseEvidence<'_> {
        let mut evidence = ResponseEvidence::default();
        for ((event, plan), narrowing) in self.events.iter().zip(&self.plans).zip(&self.narrowings) {
            if !is_on_event(response, event) {
                continue;
            }
            evidence.matched += 1;
            match narrowing.get(response.id.as_str()) {
                Some(NarrowingExplanation::UnlessMatches) => evidence.excluded += 1,
                Some(NarrowingExplanation::WhereDiffers(reason)) => evidence.add_where_failure(reason),
                None => {
                    evidence.applied += 1;
                    evidence.undated += usize::from(!event.event.time_known);
                    evidence.add_plan(response, plan);
                }
            }
        }
        evidence
    }

    /// The reasons are tried in this order, from what is nearest to firing:
    ///
    /// 1. no rule matches;
    /// 2. the event of `after` is missing, or the count is below the threshold;
    /// 3. an exception leaves every event uncounted;
    /// 4. the action had nothing to do;
    /// 5. `where` or `unless` excludes every event.
    fn describe_evidence(&self, response: &Response, evidence: &ResponseEvidence<'_>) -> String {
        // 1.
        if evidence.matched == 0 {
            return format!("its rules match no event ({})", response.on.join(", "));
        }
        let mut parts = Vec::new();
        // 2.
        let count = self.highest_counts.get(response.id.as_str()).copied().unwrap_or_default();
        if response.counted && evidence.applied > evidence.suppressed.values().sum() {
            if let Some(first_rule) = &response.when.after
                && !self.has_event_of(first_rule)
            {
                parts.push(format!("no event of {first_rule} came first"));
            }
            parts.push(describe_count(response, count));
        }
        // 3.
        for ((exception, why), count) in &evidence.suppressed {
            parts.push(format!("exception {exception} leaves {count} uncounted: {why}"));
        }
        // 4.
        if evidence.applied > 0 && parts.is_empty() {
            parts.push(describe_unfired_action(response, &self.settings, &evidence.steps));
        }
        if evidence.undated > 0 {
            parts.push(format!("{} without a time that can be read", evidence.undated));
        }
        // 5.
        if evidence.excluded > 0 {
            parts.push(format!("`unless` excludes {}", evidence.excluded));
        }
        for (reason, count) in &evidence.where_failures {
            parts.push(describe_where(reason, *count));
        }
        let events = if evidence.matched == 1 { "event" } else { "events" };
        format!("of {} {events} that its rules match: {}", evidence.matched, parts.join("; "))
    }

    fn has_event_of(&self, rule: &str) -> bool {
        self.events.iter().any(|event| event.rules.iter().any(|matched| matched.id == rule))
    }
}

impl<'r> ResponseEvidence<'r> {
    fn add_where_failure(&mut self, reason: &MatchExplanation) {
        for (known, count) in &mut self.where_failures {
            if known == reason {
                *count += 1;
                return;
            }
        }
        self.where_failures.push((reason.clone(), 1));
    }

    fn add_plan(&mut self, response: &Response, plan: &'r Plan) {
        for step in &plan.steps {
            match step {
                PlanStep::Count { .. } => {}
                PlanStep::Suppress { rule, exception, why } if *rule == response.id => {
                    *self.suppressed.entry((exception, why)).or_default() += 1;
                }
                _ => self.steps.push(step),
            }
        }
    }
}

/// Whether one of a response's rules matches an event.
fn is_on_event(response: &Response, event: &MatchedEvent<'_>) -> bool {
    event.rules.iter().any(|rule| response.on.contains(&rule.id))
}
