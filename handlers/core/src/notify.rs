//! The page: what a person reads at 3 a.m., in our own words around shown, never raw, strings from outside.

mod chat;
mod daily_digest;

mod console_links;
mod email;
mod next_steps;
mod pagerduty;
mod password_advice;
mod phrases;
mod placeholders;
mod renderer;
mod shell_quote;
mod subject;

pub use renderer::{RenderedPlan, Renderer};

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::facts::Settings;
use crate::incident::{Incident, IncidentStatus};
use crate::rules::Response;
use crate::text::json_line;

use next_steps::NextStep;
use phrases::{account, place};
use placeholders::PlaceholderValues;

/// What is published. The body, the alert and the notification say the same in three forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// The subject, and all that an SMS gets: printable ASCII, at most 99 characters (`API_Publish` of SNS: fewer than 100, no
    /// line breaks).
    pub subject: String,
    /// The body of an e-mail: plain text.
    pub body: String,
    /// Message attributes, for subscription filters: account, region, rule, severity, state.
    pub attributes: BTreeMap<&'static str, String>,
    /// What machines get: an object as `PagerDuty`'s Events API v2 takes it, but for the `routing_key`.
    #[serde(skip)]
    pub alert: String,
    /// The whole message for a chat topic: a custom notification of Amazon Q Developer in chat applications.
    #[serde(skip)]
    pub chat: String,
}

/// How many secrets and details a body names.
pub(crate) const SECRETS_MAX: usize = 20;
pub(crate) const DETAILS_MAX: usize = 40;

/// How long anything from outside may be in a page: a phone shows less than SNS takes.
const VALUE_MAX: usize = 300;

/// Renders the page of an incident.
pub fn render(incident: &Incident, response: &Response, settings: &Settings) -> Notification {
    let values = PlaceholderValues::of(incident);
    let runbook = format!("{}{}", settings.runbooks, response.runbook);
    let first = match incident.state {
        IncidentStatus::Open => next_steps::advice(response, &values),
        // What is over needs nothing.
        IncidentStatus::Resolved => Vec::new(),
    };
    let view = NotificationView { incident, response, values: &values, first: &first, runbook: &runbook };
    let attributes = BTreeMap::from([
        ("account", account(incident)),
        ("region", place(incident)),
        ("rule", incident.rule.clone()),
        ("severity", incident.severity.name().to_owned()),
        ("state", view.state().to_owned()),
    ]);
    let subject = subject::subject(incident);
    Notification {
        body: email::body(&view),
        alert: pagerduty::alert(&view, &subject),
        chat: chat::chat(&view, &subject),
        subject,
        attributes,
    }
}

impl Notification {
    /// The message to publish with `MessageStructure` `json`: what each protocol gets. Where one is not named, it gets the
    /// body (`API_Publish` of SNS).
    pub fn message(&self) -> String {
        let (text, alert) = (&self.body, &self.alert);
        let message = json!({
            "default": text, "email": text, "sms": self.subject,
            "http": alert, "https": alert, "sqs": alert, "lambda": alert,
        });
        // Strings in a map can always be written.
        json_line(&message).unwrap_or_default()
    }
}

/// What a page is rendered from.
struct NotificationView<'v> {
    incident: &'v Incident,
    response: &'v Response,
    values: &'v PlaceholderValues,
    /// What to do first.
    first: &'v [NextStep],
    /// Where the runbook is.
    runbook: &'v str,
}

impl NotificationView<'_> {
    fn state(&self) -> &'static str {
        match self.incident.state {
            IncidentStatus::Open => "open",
            IncidentStatus::Resolved => "resolved",
        }
    }
}
