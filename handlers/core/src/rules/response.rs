//! What a rule means: one row of `responses.json`.

use serde::{Deserialize, Serialize};

use super::narrowing::NarrowingIndex;
use super::{Handler, ResponseException};
use crate::incident::Incident;
use crate::time::Span;

/// How urgent an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody is paged: it stands in the daily summary.
    Info,
    /// Worth knowing.
    Low,
    /// To be looked at today.
    Medium,
    /// To be looked at now.
    High,
    /// Somebody must get up.
    Critical,
}

impl Severity {
    /// The word in pages, filters and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// 0 for `info`, 1 for `low` to 4 for `critical`.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// One less.
    pub(crate) fn lower(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

/// What to do about an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseAction {
    /// Open an incident and page.
    #[default]
    Page,
    /// Redeploy the services that use the secret; page about those that cannot be.
    Redeploy,
    /// Follow a deployment that was asked for; page when it fails.
    Follow,
    /// Page about rotations that should have happened.
    Overdue,
    /// Note that a new task read a secret that had changed.
    Prove,
    /// Tell, in the daily summary, that a principal reads a secret that it has not read for long.
    #[serde(rename = "first-read")]
    FirstRead,
    /// Tell once a day what nobody was paged for.
    Summarise,
    /// Page about what arrives and cannot be understood.
    #[serde(alias = "park")]
    Quarantine,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistinctBy {
    /// Secrets; the spellings of one secret count once.
    Secret,
    /// Regions.
    Region,
    /// Principals.
    Principal,
    /// Events.
    Event,
}

/// Whose count it is, and so what one incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountPer {
    /// One count for each principal.
    Principal,
    /// One count for each secret.
    Secret,
    /// One count for each account.
    Account,
}

/// When a counted response fires: `at_least` distinct things within any stretch of `within`, in event time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What is counted.
    pub distinct: DistinctBy,
    /// From how many on.
    pub at_least: usize,
    /// Within how long; events exactly so far apart still count together.
    pub within: Span,
    /// Whose count.
    pub per: CountPer,
    /// The rule of which an event must come first, at most `within` before what counts; itself it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Higher severities from higher counts on, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<EscalationStep>,
}

/// One step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// From how many on.
    pub at_least: usize,
    /// How urgent it then is.
    pub severity: Severity,
}

/// One response: who is woken for what.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its key in `responses.json`, and the incident's `rule`.
    pub id: String,
    /// What its incidents are called: responses with one name share the incident of a subject. By default its id.
    pub incident: String,
    /// The handler of its rules.
    pub handler: Handler,
    /// The rules that it answers.
    pub on: Vec<String>,
    /// What to do.
    pub action: ResponseAction,
    /// How urgent an incident is at first.
    pub severity: Severity,
    /// A short sentence in our own words, for subjects and headings.
    pub title: String,
    /// Where the runbook is: a URL, or a path in the repository.
    pub runbook: String,
    /// When it fires; a response that is not counted fires at the first event.
    pub when: Threshold,
    /// Whether `when` was given.
    pub counted: bool,
    /// How long nothing must have happened for the next event to be a new occurrence of the incident.
    pub resolve_after: Span,
    /// The rules whose events close the incident of the same secret.
    pub resolved_by: Vec<String>,
    /// What an incident means, in a sentence or two of our own; empty if nobody wrote it.
    pub means: String,
    /// How sure that is, and what else it can be.
    pub sure: String,
    /// What to do first: lines of a sentence, a command, or `sentence: command`, with [`super::PLACEHOLDERS`].
    pub next_steps: Vec<String>,
    /// Events that mean less.
    pub exceptions: Vec<ResponseException>,
    /// Its narrowing pattern `where`.
    pub(super) only_if: Option<NarrowingIndex>,
    /// Its excluding pattern `unless`.
    pub(super) unless: Option<NarrowingIndex>,
}

impl Response {
    /// A response for an incident whose own response this release does not have: no advice, and no threshold.
    pub(crate) fn unknown(incident: &Incident) -> Self {
        Self {
            id: incident.rule.clone(),
            incident: incident.rule.clone(),
            handler: incident.handler,
            on: Vec::new(),
            action: ResponseAction::Page,
            severity: incident.severity,
            title: incident.title.clone(),
            runbook: format!("rules/README.md#{}", incident.rule),
            when: Threshold {
                distinct: DistinctBy::Event,
                at_least: 1,
                within: Span::default(),
                per: CountPer::Account,
                after: None,
                escalate: Vec::new(),
            },
            counted: false,
            resolve_after: Span::default(),
            resolved_by: Vec::new(),
            means: String::new(),
            sure: String::new(),
            next_steps: Vec::new(),
            exceptions: Vec::new(),
            only_if: None,
            unless: None,
        }
    }

    /// Whether its incidents page nobody and are of one event each: nothing is counted.
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

    /// The severity at a count; `None` below the threshold.
    pub fn severity_at(&self, count: usize) -> Option<Severity> {
        (count >= self.when.at_least).then(|| {
            let reached = self.when.escalate.iter().filter(|step| count >= step.at_least);
            reached.map(|step| step.severity).fold(self.severity, Severity::max)
        })
    }
}
