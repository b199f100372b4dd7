//! Updates of open incidents by the sweep: the last figures, and a reminder after a day.
//!
//! A theft of 33 secrets pages at 20, and on-call changes 20. Further steps would page a theft of a thousand secrets dozens of
//! times. So the pages follow the steps while it goes on, and one more tells the figures as they are in the end.

use super::incident_history::{OpenIncidentHistory, list_known_incidents};
use super::plan_builder::PlanBuilder;
use crate::facts::Facts;
use crate::incident::Incident;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::incident_extent::IncidentExtent;
use crate::state::open_incident::OpenIncident;
use crate::time::{Span, Timestamp};

/// How long nothing must have followed. Records of `CloudTrail` come within minutes of each other.
const SETTLED_AFTER: Span = Span::from_secs(600);
/// How long sweeps look at the observations after that. When the incident ends they are looked at once more.
const LOOKED_AT_FOR: Span = Span::from_secs(300);
/// How many incidents one sweep counts; a sweep a minute later counts the others.
const COUNTED_PER_SWEEP_MAX: usize = 20;

/// The states of the incidents that may have an update, and then the observations of those that may still have one.
pub(super) fn questions(event: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(event.event.time);
    let mut questions = Vec::new();
    for (key, opened) in &facts.open_incidents {
        if may_have_settled(event, opened, now) || may_be_reminded_of(opened, now) {
            questions.push(Question::Incident { key: key.clone() });
        }
    }
    for history in list_incidents_to_count(event, facts, now) {
        questions.extend(history.questions());
    }
    questions
}

/// Adds a page for each incident that
///
/// 1. has settled, and of which the pages told less than nine tenths; or
/// 2. is open for a day, and was not reminded of.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>) {
    let facts = builder.facts;
    let now = builder.now();
    for history in list_incidents_to_count(builder.case, facts, now) {
        let OpenIncidentHistory { opened, state, .. } = history;
        let Some(response) = builder.case.all_responses.get(&opened.rule) else { continue };
        if !history.is_counted(facts) {
            continue;
        }
        let mut incident = history.count(builder, response, None, Vec::new());
        let known = if response.can_grow() { incident.extent() } else { IncidentExtent::default() };
        let extent = known.max(state.extent).lasting(state.first, now);
        // 1. The last figures.
        let is_told = extent.secrets.saturating_mul(9) <= state.extent.secrets.saturating_mul(10);
        if has_settled(&history, now) && !is_told {
            incident.settled_after = Some(SETTLED_AFTER);
        }
        // 2. A reminder.
        let is_reminder = extent.reminders > state.extent.reminders;
        let has_update = incident.settled_after.is_some() || is_reminder;
        if has_update && incident.severity > Severity::Info {
            builder.steps.push(update_page(&history, incident, extent));
        }
    }
}

fn update_page(
    history: &OpenIncidentHistory<'_>,
    mut incident: Incident,
    extent: IncidentExtent,
) -> PlanStep {
    let OpenIncidentHistory { opened, state, .. } = history;
    incident.notified = Some(**state);
    incident.is_reminder = extent.reminders > state.extent.reminders;
    PlanStep::Page {
        incident: Box::new(incident),
        extent,
        digest: None,
        resolve_after: opened.resolve_after,
        groups: opened.groups.clone(),
        consumers: Vec::new(),
    }
}

/// Whether an incident of a response that can grow had its last page long enough ago.
fn may_have_settled(event: &MatchedEvent<'_>, opened: &OpenIncident, now: Timestamp) -> bool {
    let can_grow = event.all_responses.get(&opened.rule).is_some_and(Response::can_grow);
    can_grow && is_counted_and_open(opened) && opened.last.plus(SETTLED_AFTER) < now
}

/// Whether the last page of an incident was about events of a day ago, so that it is certainly as old as that.
fn may_be_reminded_of(opened: &OpenIncident, now: Timestamp) -> bool {
    is_counted_and_open(opened) && IncidentExtent::default().lasting(opened.last, now).reminders > 0
}

fn is_counted_and_open(opened: &OpenIncident) -> bool {
    opened.resolved.is_none() && !opened.groups.is_empty()
}

/// Whether an incident has just settled, or ends now.
fn has_settled(history: &OpenIncidentHistory<'_>, now: Timestamp) -> bool {
    let since = history.state.last.plus(SETTLED_AFTER);
    let ends = history.state.last.plus(history.opened.resolve_after) < now;
    since < now && (now <= since.plus(LOOKED_AT_FOR) || ends)
}

/// The incidents that have just settled, those that end now, and those to remind of.
fn list_incidents_to_count<'f>(
    event: &MatchedEvent<'_>,
    facts: &'f Facts,
    now: Timestamp,
) -> Vec<OpenIncidentHistory<'f>> {
    let mut counted = list_known_incidents(facts);
    counted.retain(|history| {
        let OpenIncidentHistory { opened, state, .. } = history;
        let settles = may_have_settled(event, opened, now) && has_settled(history, now);
        let is_old = IncidentExtent::default().lasting(state.first, now).reminders > state.extent.reminders;
        history.is_open() && is_counted_and_open(opened) && (settles || is_old)
    });
    counted.sort_by_key(|history| (history.state.last, history.key));
    counted.truncate(COUNTED_PER_SWEEP_MAX);
    counted
}
