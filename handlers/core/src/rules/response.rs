//! Responses: what is done about the events of some rules, and who is paged.

use super::handler::Handler;
use super::narrowing_patterns::NarrowingIndex;
use super::response_action::ResponseAction;
use super::response_exception::ResponseException;
use super::threshold::{CountPer, DistinctBy, Threshold};
use crate::severity::Severity;
use crate::time::Span;

/// A response: a row of `responses.json`, checked.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its key in `responses.json`, and the incident's `rule`.
    pub id: String,
    /// The name of its incidents: responses with one name share the incident of a subject. By default its id.
    pub incident: String,
    /// The handler of its rules.
    pub handler: Handler,
    /// The rules that it answers.
    pub on: Vec<String>,
    /// The action on its events.
    pub action: ResponseAction,
    /// How urgent an incident is at first.
    pub severity: Severity,
    /// A short sentence in our own words, for subjects and headings.
    pub title: String,
    /// The runbook: a URL, or a path in the repository.
    pub runbook: String,
    /// When it fires; a response that is not counted fires at the first event.
    pub when: Threshold,
    /// Whether `when` was given.
    pub counted: bool,
    /// How long no event must have come for the incident to be auto-resolved, and the next event to be a new occurrence.
    pub resolve_after: Span,
    /// Whether its incident leaves nothing behind when it goes quiet: then the end is notified, and closes the pager's alert.
    pub resolves_when_quiet: bool,
    /// The rules whose events close the incident of the same secret.
    pub resolved_by: Vec<String>,
    /// The meaning of an incident, in a sentence or two of our own; empty where the row gives none.
    pub meaning: String,
    /// How sure that is, and what else it can be.
    pub certainty: String,
    /// The next steps: each line is a sentence, a command, or `sentence: command`, with [`super::PLACEHOLDERS`].
    pub next_steps: Vec<String>,
    /// Exceptions for events that mean less.
    pub exceptions: Vec<ResponseException>,
    /// Its narrowing pattern `where`.
    pub(super) where_pattern: Option<NarrowingIndex>,
    /// Its excluding pattern `unless`.
    pub(super) unless_pattern: Option<NarrowingIndex>,
}

impl Response {
    /// A response for an incident whose own response this release does not have: no advice, and no threshold.
    pub(crate) fn unknown(id: &str, title: &str, handler: Handler, severity: Severity) -> Self {
        Self {
            id: id.to_owned(),
            incident: id.to_owned(),
            handler,
            on: Vec::new(),
            action: ResponseAction::Page,
            severity,
            title: title.to_owned(),
            runbook: format!("rules/README.md#{id}"),
            when: Threshold {
                distinct: DistinctBy::Event,
                at_least: 1,
                within: Span::default(),
                per: CountPer::Account,
                after: None,
                principals: 1,
                escalate: Vec::new(),
            },
            counted: false,
            resolve_after: Span::default(),
            resolves_when_quiet: false,
            resolved_by: Vec::new(),
            meaning: String::new(),
            certainty: String::new(),
            next_steps: Vec::new(),
            exceptions: Vec::new(),
            where_pattern: None,
            unless_pattern: None,
        }
    }

    /// Whether its incidents are entries of the daily summary, of one event each: it pages nobody and counts nothing.
    pub(crate) fn is_digest_only(&self) -> bool {
        let Threshold { at_least, after, escalate, .. } = &self.when;
        self.severity == Severity::Info && *at_least <= 1 && after.is_none() && escalate.is_empty()
    }

    /// The highest severity that an incident of this response can reach.
    pub fn highest_severity(&self) -> Severity {
        match self.when.escalate.last() {
            Some(step) => step.severity,
            None => self.severity,
        }
    }

    /// Whether its incidents can grow by further secrets or Regions: those of one secret cannot.
    pub(crate) fn can_grow(&self) -> bool {
        self.when.per != CountPer::Secret
    }

    /// The severity at a count; `None` below the threshold.
    pub fn severity_at(&self, count: usize) -> Option<Severity> {
        if count < self.when.at_least {
            return None;
        }
        let mut severity = self.severity;
        for step in &self.when.escalate {
            if count >= step.at_least {
                severity = severity.max(step.severity);
            }
        }
        Some(severity)
    }

    /// Whether the narrowing patterns that look at the event alone let it apply; `matched_patterns` are those that match.
    pub(super) fn may_apply(&self, matched_patterns: &[usize]) -> bool {
        if let Some(NarrowingIndex::Event(index)) = self.where_pattern
            && !matched_patterns.contains(&index)
        {
            return false;
        }
        if let Some(NarrowingIndex::Event(index)) = self.unless_pattern
            && matched_patterns.contains(&index)
        {
            return false;
        }
        true
    }

    /// Whether one of its narrowing patterns looks at `derived.caller.launch`.
    pub(super) fn narrows_by_launch(&self) -> bool {
        let mut patterns = Vec::new();
        patterns.extend(self.where_pattern);
        patterns.extend(self.unless_pattern);
        for exception in &self.exceptions {
            patterns.push(exception.where_pattern);
        }
        patterns
            .into_iter()
            .any(|pattern| matches!(pattern, NarrowingIndex::Enriched { looks_at_launch: true, .. }))
    }
}
