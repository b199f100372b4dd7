//! A row of `responses.json` as it is written, with the defaults of its fields.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::handler::Handler;
use super::response_action::ResponseAction;
use super::threshold::{CountPer, DistinctBy, Threshold};
use crate::severity::Severity;
use crate::time::Span;

/// A row of `responses.json` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseRow {
    #[serde(default)]
    pub(super) on: Vec<String>,
    #[serde(default, rename = "do")]
    pub(super) action: ResponseAction,
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) runbook: String,
    pub(super) when: Option<Threshold>,
    #[serde(alias = "quiet")]
    pub(super) resolve_after: Option<Span>,
    #[serde(default)]
    pub(super) resolves_when_quiet: bool,
    #[serde(default)]
    pub(super) resolved_by: Vec<String>,
    #[serde(rename = "where")]
    pub(super) where_pattern: Option<Value>,
    #[serde(rename = "unless")]
    pub(super) unless_pattern: Option<Value>,
    #[serde(default, rename = "means")]
    pub(super) meaning: String,
    #[serde(default, rename = "sure")]
    pub(super) certainty: String,
    #[serde(alias = "first", default)]
    pub(super) next_steps: Vec<String>,
    pub(super) incident: Option<String>,
    /// Names from `_exceptions`, and exceptions of its own.
    #[serde(default)]
    pub(super) exceptions: Vec<Value>,
}

/// The window of a threshold that a row does not give.
const DEFAULT_WINDOW: Span = Span::from_secs(600);

impl ResponseRow {
    /// The handler of the row, from the handlers of its rules. A message that cannot be understood has no rule: it is a
    /// failure of its sender.
    pub(super) fn find_handler(&self, rule_handlers: &BTreeSet<Handler>) -> Option<Handler> {
        match rule_handlers.first() {
            Some(handler) => Some(*handler),
            None if self.action == ResponseAction::Quarantine => Some(Handler::Failure),
            None => None,
        }
    }

    /// The threshold; without `when`, the first event fires.
    pub(super) fn threshold_or_default(&self, handler: Handler) -> Threshold {
        if let Some(threshold) = &self.when {
            return threshold.clone();
        }
        Threshold {
            distinct: DistinctBy::Event,
            at_least: 1,
            within: DEFAULT_WINDOW,
            per: if handler == Handler::Access { CountPer::Principal } else { CountPer::Secret },
            after: None,
            principals: 1,
            escalate: Vec::new(),
        }
    }

    /// How long no event must have come for the incident to be over; by default as long as the window of the threshold.
    pub(super) fn resolve_after_or_default(&self, handler: Handler) -> Span {
        match self.resolve_after {
            Some(resolve_after) => resolve_after,
            None => self.threshold_or_default(handler).within,
        }
    }
}
