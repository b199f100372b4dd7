//! The last figures: once nothing followed for a while, a page tells the whole of an incident of which the pages told a part.
//!
//! A theft of 33 secrets pages at 20, and on-call changes 20. Further steps would page a theft of a thousand secrets dozens of
//! times. So the pages follow the steps while it goes on, and one more tells the figures as they are in the end.

use super::incident_history::{OpenIncidentHistory, list_known_incidents};
use super::plan_builder::PlanBuilder;
use crate::facts::Facts;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::open_incident::OpenIncident;
use crate::time::{Span, Timestamp};

/// How long nothing must have followed. Records of `CloudTrail` come within minutes of each other.
const SETTLED_AFTER: Span = Span::from_secs(600);
/// How long sweeps look at the observations after that. When the incident ends they are looked at once more.
const LOOKED_AT_FOR: Span = Span::from_secs(300);
/// How many incidents one sweep counts; a sweep a minute later counts the others.
const COUNTED_PER_SWEEP_MAX: usize = 20;

/// The states of the incidents that may have settled, and then the observations of those that have.
pub(super) fn questions(event: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(event.event.time);
    let mut questions = Vec::new();
    for (key, opened) in &facts.open_incidents {
        if may_have_settled(event, opened, now) {
            questions.push(Question::Incident { key: key.clone() });
        }
    }
    for settled in list_settled_incidents(event, facts, now) {
        questions.extend(settled.questions());
    }
    questions
}

/// Adds a page for each incident that has settled and of which the pages told less than nine tenths.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>) {
    let facts = builder.facts;
    for settled in list_settled_incidents(builder.case, facts, builder.now()) {
        let OpenIncidentHistory { opened, state, .. } = settled;
        let Some(response) = builder.case.all_responses.get(&opened.rule) else { continue };
        if !settled.is_counted(facts) {
            continue;
        }
        let mut incident = settled.count(builder, response, None, Vec::new());
        let extent = incident.extent().max(state.extent);
        let is_told = extent.secrets.saturating_mul(9) <= state.extent.secrets.saturating_mul(10);
        if is_told || incident.severity == Severity::Info {
            continue;
        }
        incident.notified = Some(*state);
        incident.settled_after = Some(SETTLED_AFTER);
        builder.steps.push(PlanStep::Page {
            incident: Box::new(incident),
            extent,
            digest: None,
            resolve_after: opened.resolve_after,
            groups: opened.groups.clone(),
            consumers: Vec::new(),
        });
    }
}

/// Whether an incident of a response that can grow had its last page long enough ago.
fn may_have_settled(event: &MatchedEvent<'_>, opened: &OpenIncident, now: Timestamp) -> bool {
    let can_grow = event.all_responses.get(&opened.rule).is_some_and(Response::can_grow);
    can_grow
        && opened.resolved.is_none()
        && !opened.groups.is_empty()
        && opened.last.plus(SETTLED_AFTER) < now
}

/// The incidents that have just settled, and those that end now.
fn list_settled_incidents<'f>(
    event: &MatchedEvent<'_>,
    facts: &'f Facts,
    now: Timestamp,
) -> Vec<OpenIncidentHistory<'f>> {
    let mut settled = list_known_incidents(facts);
    settled.retain(|history| {
        let since = history.state.last.plus(SETTLED_AFTER);
        let is_in_time = since < now && now <= since.plus(LOOKED_AT_FOR);
        let ends = history.state.last.plus(history.opened.resolve_after) < now;
        may_have_settled(event, history.opened, now)
            && history.is_open()
            && since < now
            && (is_in_time || ends)
    });
    settled.sort_by_key(|history| (history.state.last, history.key));
    settled.truncate(COUNTED_PER_SWEEP_MAX);
    settled
}
