//! Auto-resolution: closes incidents that had no event for `resolve_after`.

use super::plan_builder::PlanBuilder;
use crate::detail_kind::DetailKind;
use crate::detection::correlate::{Detection, merge_into_incident};
use crate::detection::window_match::{WindowMatch, find_window_matches};
use crate::facts::{Facts, IncidentState};
use crate::incident::{Incident, IncidentDetail, IncidentStatus};
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::observation::Observation;
use crate::state::open_incident::OpenIncident;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How many incidents one sweep closes; the others wait for the next sweep, a minute later.
const CLOSED_PER_SWEEP_MAX: usize = 20;
/// How far back the observations of an incident are counted, at most: the ledger keeps them for a day, and an attacker may
/// have made very many.
const COUNTED_HISTORY: Span = Span::from_secs(3 * 3_600);

/// An open incident with its state.
struct Candidate<'f> {
    key: &'f String,
    opened: &'f OpenIncident,
    state: &'f IncidentState,
}

/// What to ask first, and then what the answers make worth asking: the open incidents, the states of those that may be over,
/// and the observations of those that are.
pub(super) fn questions(event: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(event.event.time);
    let mut questions = vec![Question::OpenIncidents];
    for (key, opened) in &facts.open_incidents {
        if opened.may_be_over(now) {
            questions.push(Question::Incident { key: key.clone() });
        }
    }
    for Candidate { opened, state, .. } in incidents_to_close(facts, now) {
        for group in &opened.groups {
            questions.push(Question::GroupWindow {
                group: group.clone(),
                from: counted_from(opened, state),
                to: state.last,
            });
        }
    }
    questions
}

/// Adds the resolutions that are due, and those that the index of open incidents does not know of yet.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>) {
    let facts = builder.facts;
    for candidate in incidents_to_close(facts, builder.now()) {
        // Without its observations the notice would have nothing to say: the next sweep asks again.
        if candidate.opened.groups.iter().all(|group| facts.observations.contains_key(group)) {
            builder.steps.push(resolution(builder, &candidate));
        }
    }
    for Candidate { key, opened, state } in known_candidates(facts) {
        // A function resolved it, and could not update the index.
        let is_resolved = opened.last <= state.last && state.resolved >= Some(state.last);
        if opened.resolved.is_none() && is_resolved {
            builder.steps.push(PlanStep::Resolve {
                rule: opened.rule.clone(),
                key: key.clone(),
                at: state.resolved.unwrap_or(state.last),
                last_event: Some(state.last),
                notice: None,
                severity: state.severity,
            });
        }
    }
}

/// The open incidents whose state is known.
fn known_candidates(facts: &Facts) -> Vec<Candidate<'_>> {
    let mut known = Vec::new();
    for (key, opened) in &facts.open_incidents {
        if let Some(state) = facts.incidents.get(key) {
            known.push(Candidate { key, opened, state });
        }
    }
    known
}

/// The incidents that may end now, those that ended longest ago first. An incident ends when
///
/// 1. nothing happened after the last page for `resolve_after`,
/// 2. its state is no older than that page (the state of a page that is not yet marked as sent is older),
/// 3. it was not resolved since it began, and
/// 4. nothing happened after the last event of its state for `resolve_after`.
fn incidents_to_close(facts: &Facts, now: Timestamp) -> Vec<Candidate<'_>> {
    let mut over = known_candidates(facts);
    over.retain(|Candidate { opened, state, .. }| {
        opened.may_be_over(now)
            && opened.last <= state.last
            && state.resolved < Some(state.first)
            && state.last.plus(opened.resolve_after) < now
    });
    over.sort_by_key(|candidate| (candidate.state.last, candidate.key));
    over.truncate(CLOSED_PER_SWEEP_MAX);
    over
}

fn counted_from(opened: &OpenIncident, state: &IncidentState) -> Timestamp {
    state.first.max(state.last.minus(opened.resolve_after.max(COUNTED_HISTORY)))
}

/// The resolution of an incident. It ends `resolve_after` after its last event, whenever a sweep looks: so every sweep says
/// the same.
fn resolution(builder: &PlanBuilder<'_, '_>, candidate: &Candidate<'_>) -> PlanStep {
    let Candidate { key, opened, state } = candidate;
    let at = state.last.plus(opened.resolve_after);
    // There is nothing to say about a rule that this release does not have.
    let response = builder.case.all_responses.get(&opened.rule);
    PlanStep::Resolve {
        rule: opened.rule.clone(),
        key: (*key).clone(),
        at,
        last_event: Some(state.last),
        notice: response.map(|response| Box::new(notice(builder, candidate, response, at))),
        severity: state.severity,
    }
}

/// The incident for the notice.
fn notice(
    builder: &PlanBuilder<'_, '_>,
    candidate: &Candidate<'_>,
    response: &Response,
    at: Timestamp,
) -> Incident {
    let Candidate { key, opened, state } = candidate;
    let from = counted_from(opened, state);
    let mut observations = Vec::new();
    for group in &opened.groups {
        for observation in builder.facts.observations.get(group).into_iter().flatten() {
            let counts = !observation.resolves && !observation.only_precedes();
            if counts && observation.at >= from && observation.at <= state.last {
                observations.push(observation);
            }
        }
    }
    let window_match = counted_match(response, &observations, state.severity, at);
    let since = if from > state.first { format!(" since {from}") } else { String::new() };
    let why =
        format!("it was quiet for {}; counted{since} is at least what is said here", opened.resolve_after);
    let details = vec![IncidentDetail { kind: DetailKind::ClosingReason, value: Untrusted::new(why) }];
    let detection = Detection { response, window_match };
    let mut incident = merge_into_incident(response, (*key).clone(), &[detection], observations, details);
    incident.first = state.first;
    incident.last = state.last;
    // A pager that closes its alert takes it from everybody's list. Twenty secrets stay known, and a policy stays open, however
    // quiet it is: only what leaves nothing behind is resolved.
    if !response.resolves_when_quiet {
        incident.state = IncidentStatus::Quiet;
    }
    incident
}

/// The observations that fired for a response; where another response of the incident fired, all that count.
fn counted_match<'m>(
    response: &Response,
    observations: &[&'m Observation],
    severity: Severity,
    at: Timestamp,
) -> WindowMatch<'m> {
    let mut fired: Vec<&Observation> = Vec::new();
    for window_match in find_window_matches(response, observations.iter().copied()) {
        fired.extend(window_match.observations);
    }
    if fired.is_empty() {
        fired.extend(observations.iter().filter(|observation| observation.suppressed_by().is_none()));
    }
    WindowMatch { observations: fired, severity, resolved: Some(at) }
}
