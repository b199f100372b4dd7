//! A row of `responses.json` as it is written, and what can be wrong with it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::response::{CountPer, DistinctBy, ResponseAction, Severity, Threshold};
use super::{Handler, page_text};
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
    pub(super) resolved_by: Vec<String>,
    #[serde(rename = "where")]
    pub(super) only_if: Option<Value>,
    pub(super) unless: Option<Value>,
    #[serde(default)]
    pub(super) means: String,
    #[serde(default)]
    pub(super) sure: String,
    #[serde(alias = "first", default)]
    pub(super) next_steps: Vec<String>,
    pub(super) incident: Option<String>,
    /// Names from `_exceptions`, and exceptions of its own.
    #[serde(default)]
    pub(super) exceptions: Vec<Value>,
}

/// The ledger keeps marks for two of the longest windows.
const MAX_WITHIN: Span = Span::from_secs(24 * 3600);

impl ResponseRow {
    /// The handler of its rules, whose handlers are given.
    pub(super) fn handler(&self, handlers: &BTreeSet<Handler>) -> Option<Handler> {
        // What cannot be understood is a failure of somebody.
        let parks = (self.action == ResponseAction::Quarantine).then_some(Handler::Failure);
        handlers.first().copied().or(parks)
    }

    /// What is counted; without `when`, the first event fires.
    pub(super) fn when_or_default(&self, handler: Handler) -> Threshold {
        let per = if handler == Handler::Access { CountPer::Principal } else { CountPer::Secret };
        let (distinct, within, escalate) = (DistinctBy::Event, Span::from_secs(600), Vec::new());
        self.when.clone().unwrap_or(Threshold { distinct, at_least: 1, within, per, after: None, escalate })
    }

    /// How long an incident must have been quiet to be a new one; by default as long as its window.
    pub(super) fn resolve_after(&self, handler: Handler) -> Span {
        self.resolve_after.unwrap_or(self.when_or_default(handler).within)
    }

    /// Everything that is wrong with it, by field.
    pub(super) fn problems(&self, handlers: &BTreeSet<Handler>) -> Vec<(&'static str, &'static str)> {
        let handler = self.handler(handlers);
        let when = self.when_or_default(handler.unwrap_or(Handler::Access));
        let printable = self.title.bytes().all(|b| (b' '..=b'~').contains(&b));
        let deploys = matches!(self.action, ResponseAction::Redeploy | ResponseAction::Follow);
        // The sweep does again what the events of rotations ask for.
        let swept = BTreeSet::from([Handler::Rotation, Handler::Sweep]);
        let several = handlers.len() > 1 && !(deploys && *handlers == swept);
        let mut floor = (when.at_least, self.severity);
        let rises = when.escalate.iter().all(|step| {
            let higher = step.at_least > floor.0 && step.severity > floor.1;
            floor = (step.at_least, step.severity);
            higher
        });
        let checks = [
            (
                self.on.is_empty() != (self.action == ResponseAction::Quarantine) || several,
                "on",
                "name one or more rules of one folder (none for `\"do\": \"park\"`; what redeploys or follows may add those of sweep/)",
            ),
            (
                !(1..=60).contains(&self.title.len()) || !printable,
                "title",
                "a title is 1 to 60 printable ASCII characters",
            ),
            (self.runbook.is_empty(), "runbook", "says where to look at 3 a.m.; must not be empty"),
            (
                self.action != ResponseAction::Page && self.when.is_some()
                    || !matches!(self.action, ResponseAction::Page | ResponseAction::Overdue)
                        && !self.resolved_by.is_empty(),
                "do",
                "only pages are counted (`when`), and only they and what is overdue are resolved (`resolved_by`)",
            ),
            (
                self.action != ResponseAction::Page
                    && !(self.exceptions.is_empty() && self.incident.is_none()),
                "do",
                "only pages have exceptions and share an incident",
            ),
            (
                when.after.as_ref().is_some_and(|rule| !self.on.contains(rule) || self.on.len() < 2),
                "when.after",
                "must be a rule of `on`, which must name another one beside it",
            ),
            (
                deploys && handler != Some(Handler::Rotation)
                    || matches!(self.action, ResponseAction::Overdue | ResponseAction::Summarise)
                        && handler != Some(Handler::Sweep)
                    || matches!(self.action, ResponseAction::Prove | ResponseAction::FirstRead)
                        && handler != Some(Handler::Access),
                "do",
                "rules of rotation/ redeploy and follow, those of sweep/ find what is overdue and summarise, those of access/ prove and find first reads",
            ),
            (when.at_least == 0, "when.at_least", "must be at least 1"),
            (
                when.within > MAX_WITHIN || when.within.millis() == 0,
                "when.within",
                "must be more than nothing and at most 24h",
            ),
            (!rises, "when.escalate", "each step must raise both the count and the severity"),
            (
                !self.resolved_by.is_empty() && when.per != CountPer::Secret,
                "resolved_by",
                "closes the incident of a secret: needs `per` `secret`",
            ),
            (
                self.resolve_after.is_some_and(|resolve_after| resolve_after < when.within),
                "resolve_after",
                "must not be shorter than `when.within`",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, ..)| *wrong);
        let wrong = wrong.map(|(_, field, reason)| (field, reason));
        wrong.chain(page_text::problems(&self.means, &self.sure, &self.next_steps)).collect()
    }
}
