//! The input of the three renderers.

use super::next_steps::NextStep;
use super::placeholders::PlaceholderValues;
use crate::incident::{Incident, IncidentStatus};
use crate::rules::Response;

/// The word for an incident that went quiet and left something behind.
pub(super) const QUIET_STATE: &str = "quiet";

/// Everything from which a notification is rendered.
pub(super) struct NotificationView<'v> {
    pub(super) incident: &'v Incident,
    pub(super) response: &'v Response,
    pub(super) values: &'v PlaceholderValues,
    /// The next steps, with their values; empty where the incident is over.
    pub(super) next_steps: &'v [NextStep],
    /// The runbook's path or URL.
    pub(super) runbook: &'v str,
}

impl NotificationView<'_> {
    pub(super) fn is_open(&self) -> bool {
        self.incident.state == IncidentStatus::Open
    }

    /// The word for filters, machines and chats.
    pub(super) fn state(&self) -> &'static str {
        match self.incident.state {
            IncidentStatus::Open => "open",
            IncidentStatus::Quiet => QUIET_STATE,
            IncidentStatus::Resolved => "resolved",
        }
    }
}
