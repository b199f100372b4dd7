//! The end of what nobody ends: an incident is over when nothing of it happened for as long as its response says.

use super::PlanBuilder;
use crate::detection::correlate::{self, Detection};
use crate::facts::{Facts, IncidentState, Question};
use crate::incident::IncidentDetail;
use crate::plan::PlanStep;
use crate::rules::{MatchedEvent, Response, Severity};
use crate::state::observation::{Observation, WindowMatch, find_window_matches};
use crate::state::open_incident::OpenIncident;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How many incidents one sweep closes: the others wait a minute.
const AT_ONCE: usize = 20;
/// How far back the marks of an incident are counted, at most: the ledger keeps them for a day, and somebody may have made
/// very many.
const COUNTED: Span = Span::from_secs(3 * 3_600);

/// What to ask first, and then what the answers make worth asking.
pub(super) fn questions(case: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(case.event.time);
    let due = facts.open_incidents.iter().filter(|(_, opened)| opened.may_be_over(now));
    let states = due.map(|(key, _)| Question::Incident { key: key.clone() });
    let windows = over(facts, now).into_iter().flat_map(|(_, opened, state)| {
        let (from, to) = (counted_from(opened, state), state.last);
        opened.groups.iter().map(move |group| Question::GroupWindow { group: group.clone(), from, to })
    });
    std::iter::once(Question::OpenIncidents).chain(states).chain(windows).collect()
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>) {
    let facts = draft.facts;
    let ends = over(facts, draft.now());
    let steps: Vec<PlanStep> = ends
        .into_iter()
        // Without the marks the notice would say nothing: the next sweep asks again.
        .filter(|(_, opened, _)| opened.groups.iter().all(|group| facts.observations.contains_key(group)))
        .map(|(key, opened, state)| resolve(draft, key, opened, state))
        .collect();
    draft.steps.extend(steps);
    let known = facts
        .open_incidents
        .iter()
        .filter_map(|(key, opened)| Some((key, opened, facts.incidents.get(key)?)));
    // Somebody closed it, and could not say so to the index.
    let closed = known.filter(|(_, opened, state)| {
        opened.resolved.is_none() && opened.last <= state.last && state.resolved >= Some(state.last)
    });
    draft.steps.extend(closed.map(|(key, opened, state)| PlanStep::Resolve {
        rule: opened.rule.clone(),
        key: key.clone(),
        at: state.resolved.unwrap_or(state.last),
        last_event: Some(state.last),
        notice: None,
        severity: state.severity,
    }));
}

/// The incidents that are over, those that are so for longest first.
fn over(facts: &Facts, now: Timestamp) -> Vec<(&String, &OpenIncident, &IncidentState)> {
    let known = facts
        .open_incidents
        .iter()
        .filter_map(|(key, opened)| Some((key, opened, facts.incidents.get(key)?)));
    let mut over: Vec<_> = known
        .filter(|(_, opened, state)| {
            // A page that is not marked as sent tells of more than the state does.
            let said = opened.last <= state.last && state.resolved < Some(state.first);
            opened.may_be_over(now) && said && state.last.plus(opened.resolve_after) < now
        })
        .collect();
    over.sort_by_key(|(key, _, state)| (state.last, *key));
    over.truncate(AT_ONCE);
    over
}

fn counted_from(opened: &OpenIncident, state: &IncidentState) -> Timestamp {
    state.first.max(state.last.minus(opened.resolve_after.max(COUNTED)))
}

/// Ends with the last event and the silence after it, whenever somebody looks: so every sweep says the same.
fn resolve(draft: &PlanBuilder<'_, '_>, key: &str, opened: &OpenIncident, state: &IncidentState) -> PlanStep {
    let at = state.last.plus(opened.resolve_after);
    // Of a rule that this release does not have there is nothing to say.
    let response = draft.case.all_responses.get(&opened.rule);
    let notice = response.map(|response| {
        let from = counted_from(opened, state);
        let observations =
            opened.groups.iter().filter_map(|group| draft.facts.observations.get(group)).flatten();
        let observations: Vec<&Observation> = observations
            .filter(|observation| {
                !observation.resolves
                    && !observation.only_opens()
                    && observation.at >= from
                    && observation.at <= state.last
            })
            .collect();
        let window_match = counted(response, &observations, state.severity, at);
        let since = if from > state.first { format!(" since {from}") } else { String::new() };
        let why = format!(
            "it was quiet for {}; counted{since} is at least what is said here",
            opened.resolve_after
        );
        let details = vec![IncidentDetail { label: "why it is closed", value: Untrusted::new(why) }];
        let finding = Detection { response, window_match: window_match };
        let mut incident = correlate::incident(response, key.to_owned(), &[finding], observations, details);
        (incident.first, incident.last) = (state.first, state.last);
        Box::new(incident)
    });
    let (rule, key, severity) = (opened.rule.clone(), key.to_owned(), state.severity);
    PlanStep::Resolve { rule, key, at, last_event: Some(state.last), notice, severity }
}

/// What fired of some marks; where that was another response of the incident, all that count.
fn counted<'m>(
    response: &Response,
    observations: &[&'m Observation],
    severity: Severity,
    at: Timestamp,
) -> WindowMatch<'m> {
    let fired = find_window_matches(response, observations.iter().copied())
        .into_iter()
        .flat_map(|window_match| window_match.observations);
    let mut fired: Vec<&Observation> = fired.collect();
    if fired.is_empty() {
        fired =
            observations.iter().copied().filter(|observation| observation.suppressed().is_none()).collect();
    }
    WindowMatch { observations: fired, severity, resolved: Some(at) }
}
