//! The notification of an incident: subject, body, attributes, alert and chat message.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::chat::render_chat;
use super::email::render_body;
use super::incident_subject::IncidentSubject;
use super::next_steps::expand_next_steps;
use super::pagerduty::render_alert;
use super::phrases::{format_account, format_region};
use super::placeholders::PlaceholderValues;
use super::subject::{format_chat_title, format_subject};
use super::view::{NotificationView, QUIET_STATE};
use crate::incident::{Incident, IncidentStatus};
use crate::rules::Response;
use crate::settings::Settings;
use crate::text::to_json_line;

/// A notification, as it is published. The body, the alert and the chat message hold the same in three forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// The subject, and all that an SMS gets: printable ASCII, at most 99 characters (`API_Publish` of SNS: fewer than 100, no
    /// line breaks).
    pub subject: String,
    /// The body of an e-mail: plain text.
    pub body: String,
    /// Message attributes, for subscription filters: account, region, rule, severity, state.
    pub attributes: BTreeMap<&'static str, String>,
    /// The message for machines: an object as `PagerDuty`'s Events API v2 takes it, but for the `routing_key`.
    #[serde(skip)]
    pub alert: String,
    /// The whole message for a chat topic: a custom notification of Amazon Q Developer in chat applications.
    #[serde(skip)]
    pub chat: String,
}

/// Renders the notification of an incident.
pub fn render(incident: &Incident, response: &Response, settings: &Settings) -> Notification {
    let subject = IncidentSubject::from_incident(incident);
    let values = PlaceholderValues::from_incident(incident, &subject);
    let next_steps = match incident.state {
        IncidentStatus::Open => expand_next_steps(response, &values),
        // An incident that is over needs no action.
        IncidentStatus::Resolved | IncidentStatus::Quiet => Vec::new(),
    };
    let runbook = format!("{}{}", settings.runbook_base_url, response.runbook);
    let view =
        NotificationView { incident, response, values: &values, next_steps: &next_steps, runbook: &runbook };
    let subject = format_subject(incident);
    Notification {
        body: render_body(&view),
        alert: render_alert(&view, &subject),
        chat: render_chat(&view, &format_chat_title(incident)),
        attributes: BTreeMap::from([
            ("account", format_account(incident)),
            ("region", format_region(incident)),
            ("rule", incident.rule.clone()),
            ("severity", incident.severity.as_str().to_owned()),
            ("state", view.state().to_owned()),
        ]),
        subject,
    }
}

impl Notification {
    /// Whether it goes to the chat alone. That an incident went quiet wakes nobody, and must not close an alert of which nobody
    /// has mended the cause.
    pub fn is_for_chat_alone(&self) -> bool {
        self.attributes.get("state").is_some_and(|state| state == QUIET_STATE)
    }

    /// The message to publish with `MessageStructure` `json`: a text for each protocol. A protocol that is not named gets
    /// the body (`API_Publish` of SNS).
    pub fn message(&self) -> String {
        let Self { subject, body, alert, .. } = self;
        let message = json!({
            "default": body, "email": body, "sms": subject,
            "http": alert, "https": alert, "sqs": alert, "lambda": alert,
        });
        // Strings in a map can always be written.
        to_json_line(&message).unwrap_or_default()
    }
}
