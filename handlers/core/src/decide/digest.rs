//! Once a day: what happened the day before, told in one page.

use std::collections::BTreeSet;

use super::{PlanBuilder, incident_key};
use crate::facts::{Facts, Question};
use crate::incident::Incident;
use crate::plan::PlanStep;
use crate::rules::{MatchedEvent, Response};
use crate::state::digest_entry::due;
use crate::state::digest_report::DigestReport;
use crate::state::observation::{Observation, WindowMatch};
use crate::time::{Date, Span};

/// The day that a sweep summarises, and the key under which it is claimed.
fn day(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> (Date, String) {
    let date = due(facts.now.unwrap_or(case.event.time), &facts.settings);
    (date, incident_key(response, &format!("{} {date}", case.event.account)))
}

/// First whether it was sent already: the notes of a day may be many.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let (date, key) = day(case, response, facts);
    if facts.incidents.contains_key(&key) {
        return Vec::new();
    }
    vec![Question::Incident { key }, Question::OpenIncidents, Question::DigestDay { date }]
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    let (case, facts) = (draft.case, draft.facts);
    let (date, key) = day(case, response, facts);
    if facts.incidents.contains_key(&key) {
        return;
    }
    let day = facts.digest_days.get(&date).cloned().unwrap_or_default();
    let report = DigestReport::new(date, &case.event.account, day, &facts.open_incidents, &response.id);
    let Some(report) = report else { return };
    let observation = Observation::of(draft.event(), false);
    let window_match =
        WindowMatch { observations: vec![&observation], severity: response.severity, resolved: None };
    let mut incident = Incident::of(response, key, &window_match, Vec::new());
    incident.first = date.start();
    incident.last = date.end().minus(Span::from_millis(1));
    draft.steps.push(PlanStep::Page {
        incident: Box::new(incident),
        digest: Some(Box::new(report)),
        resolve_after: response.resolve_after,
        groups: BTreeSet::new(),
        consumers: Vec::new(),
    });
}
