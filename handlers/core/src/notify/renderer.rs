//! Rendering what a plan asks to be sent: the plan holds incidents, and this turns them into notifications.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser};
use serde_json::Value;

use super::daily_digest;
use super::notification::{Notification, render};
use crate::incident::Incident;
use crate::plan::{Plan, PlanStep};
use crate::rules::{Response, RuleSet};
use crate::settings::Settings;
use crate::state::digest_report::DigestReport;

/// Renders notifications with the words of a rule set and the links of an operator's settings.
///
/// The functions use it when they send, the replay when it prints: the same plan gives the same bytes in both.
#[derive(Clone, Copy, Debug)]
pub struct Renderer<'r> {
    responses: &'r BTreeMap<String, Response>,
    settings: &'r Settings,
}

impl<'r> Renderer<'r> {
    /// A renderer for incidents of these rules.
    pub fn new(rules: &'r RuleSet, settings: &'r Settings) -> Self {
        Self { responses: &rules.responses, settings }
    }

    /// The notification about an incident.
    ///
    /// An incident that the ledger kept may name a response that this release no longer has; it is rendered without
    /// advice, because a notification with less in it is better than none.
    pub fn render_incident(&self, incident: &Incident) -> Notification {
        match self.responses.get(&incident.rule) {
            Some(response) => render(incident, response, self.settings),
            None => {
                let Incident { rule, title, handler, severity, .. } = incident;
                render(incident, &Response::unknown(rule, title, *handler, *severity), self.settings)
            }
        }
    }

    /// The notification with the summary of a day: its e-mail is the report instead of a description of the incident.
    pub fn render_digest(&self, incident: &Incident, report: &DigestReport) -> Notification {
        let body = daily_digest::render_body(report, self.responses);
        Notification { body, ..self.render_incident(incident) }
    }

    /// The notification that a step sends, if it sends one.
    pub fn render_step(&self, step: &PlanStep) -> Option<Notification> {
        match step {
            PlanStep::Page { incident, digest: Some(report), .. } => {
                Some(self.render_digest(incident, report))
            }
            PlanStep::Page { incident, digest: None, .. }
            | PlanStep::Resolve { notice: Some(incident), .. } => Some(self.render_incident(incident)),
            _ => None,
        }
    }

    /// The plan with what it sends, to be written as JSON.
    pub fn render_plan<'p>(self, plan: &'p Plan) -> RenderedPlan<'r, 'p> {
        RenderedPlan { renderer: self, plan }
    }
}

/// A plan and the notifications that its steps send. In JSON a step that pages has its notification as `page`, and one
/// that resolves an incident as `notice`.
#[derive(Clone, Copy, Debug)]
pub struct RenderedPlan<'r, 'p> {
    renderer: Renderer<'r>,
    plan: &'p Plan,
}

impl Serialize for RenderedPlan<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(self.plan).map_err(ser::Error::custom)?;
        let written = value.get_mut("steps").and_then(Value::as_array_mut);
        for (written, step) in written.into_iter().flatten().zip(&self.plan.steps) {
            let Some(notification) = self.renderer.render_step(step) else { continue };
            let name = if matches!(step, PlanStep::Page { .. }) { "page" } else { "notice" };
            written[name] = serde_json::to_value(notification).map_err(ser::Error::custom)?;
        }
        value.serialize(serializer)
    }
}
