//! Auto-resolution: closes incidents that had no event for `resolve_after`.

use super::incident_history::{OpenIncidentHistory, list_known_incidents};
use super::plan_builder::PlanBuilder;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::incident::{Incident, IncidentDetail, IncidentStatus};
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::text::Untrusted;
use crate::time::Timestamp;

/// How many incidents one sweep closes; the others wait for the next sweep, a minute later.
const CLOSED_PER_SWEEP_MAX: usize = 20;

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
    for history in incidents_to_close(facts, now) {
        questions.extend(history.questions());
    }
    questions
}

/// Adds the resolutions that are due, and those that the index of open incidents does not know of yet.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>) {
    let facts = builder.facts;
    for history in incidents_to_close(facts, builder.now()) {
        // Without its observations the notice would have nothing to say: the next sweep asks again.
        if history.is_counted(facts) {
            builder.steps.push(resolution(builder, &history));
        }
    }
    for OpenIncidentHistory { key, opened, state } in list_known_incidents(facts) {
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

/// The incidents that may end now, those that ended longest ago first. An incident ends when
///
/// 1. nothing happened after the last page for `resolve_after`,
/// 2. its state is no older than that page (the state of a page that is not yet marked as sent is older),
/// 3. it was not resolved since it began, and
/// 4. nothing happened after the last event of its state for `resolve_after`.
fn incidents_to_close(facts: &Facts, now: Timestamp) -> Vec<OpenIncidentHistory<'_>> {
    let mut over = list_known_incidents(facts);
    over.retain(|history| {
        let OpenIncidentHistory { opened, state, .. } = history;
        opened.may_be_over(now) && history.is_open() && state.last.plus(opened.resolve_after) < now
    });
    over.sort_by_key(|history| (history.state.last, history.key));
    over.truncate(CLOSED_PER_SWEEP_MAX);
    over
}

/// The resolution of an incident. It ends `resolve_after` after its last event, whenever a sweep looks: so every sweep says
/// the same.
fn resolution(builder: &PlanBuilder<'_, '_>, history: &OpenIncidentHistory<'_>) -> PlanStep {
    let OpenIncidentHistory { key, opened, state } = history;
    let at = state.last.plus(opened.resolve_after);
    // There is nothing to say about a rule that this release does not have.
    let response = builder.case.all_responses.get(&opened.rule);
    PlanStep::Resolve {
        rule: opened.rule.clone(),
        key: (*key).clone(),
        at,
        last_event: Some(state.last),
        notice: response.map(|response| Box::new(notice(builder, history, response, at))),
        severity: state.severity,
    }
}

/// The incident for the notice.
fn notice(
    builder: &PlanBuilder<'_, '_>,
    history: &OpenIncidentHistory<'_>,
    response: &Response,
    at: Timestamp,
) -> Incident {
    let from = history.counted_from();
    let since = if from > history.state.first { format!(" since {from}") } else { String::new() };
    let resolve_after = history.opened.resolve_after;
    let why = format!("it was quiet for {resolve_after}; counted{since} is at least what is said here");
    let details = vec![IncidentDetail { kind: DetailKind::ClosingReason, value: Untrusted::new(why) }];
    let mut incident = history.count(builder, response, Some(at), details);
    // A pager that closes its alert takes it from everybody's list. Twenty secrets stay known, and a policy stays open, however
    // quiet it is: only what leaves nothing behind is resolved.
    if !response.resolves_when_quiet {
        incident.state = IncidentStatus::Quiet;
    }
    incident
}
