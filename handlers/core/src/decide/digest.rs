//! The daily summary: once a day, one page lists what happened the day before.

use std::collections::BTreeSet;

use super::plan_builder::PlanBuilder;
use crate::detection::window_match::WindowMatch;
use crate::facts::Facts;
use crate::incident::{Incident, incident_key};
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::digest_entry::last_due_date;
use crate::state::digest_report::DigestReport;
use crate::state::incident_extent::IncidentExtent;
use crate::state::observation::Observation;
use crate::time::{Date, Span};

/// The day that a sweep summarises, and the key under which its summary is claimed.
fn day_and_key(event: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> (Date, String) {
    let date = last_due_date(facts.now.unwrap_or(event.event.time), &facts.settings);
    (date, incident_key(response, &format!("{} {date}", event.event.account)))
}

/// Asks first whether the summary was sent already: the entries of a day may be many.
pub(super) fn questions(event: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let (date, key) = day_and_key(event, response, facts);
    if facts.incidents.contains_key(&key) {
        return Vec::new();
    }
    vec![Question::Incident { key }, Question::OpenIncidents, Question::DigestDay { date }]
}

pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    let facts = builder.facts;
    let (date, key) = day_and_key(builder.case, response, facts);
    if facts.incidents.contains_key(&key) {
        return;
    }
    let day = facts.digest_days.get(&date).cloned().unwrap_or_default();
    let account = &builder.event().account;
    let report = DigestReport::new(date, account, day, &facts.open_incidents, &response.id);
    let Some(report) = report else { return };
    let observation = Observation::from_event(builder.event());
    let window_match =
        WindowMatch { observations: vec![&observation], severity: response.severity, resolved: None };
    let mut incident = Incident::from_match(response, key, &window_match, Vec::new());
    incident.first = date.start();
    incident.last = date.end().minus(Span::from_millis(1));
    builder.steps.push(PlanStep::Page {
        incident: Box::new(incident),
        extent: IncidentExtent::default(),
        digest: Some(Box::new(report)),
        resolve_after: response.resolve_after,
        groups: BTreeSet::new(),
        consumers: Vec::new(),
    });
}
