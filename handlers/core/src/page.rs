//! The page: what a person reads at 3 a.m., in our own words around shown, never raw, strings from outside.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facts::Settings;
use crate::incident::{Incident, State};
use crate::principal::UNKNOWN;
use crate::rules::{Handler, Response};
use crate::text::Untrusted;

/// What is published to the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The subject: printable ASCII, at most 99 characters (`API_Publish` of SNS: fewer than 100, no line breaks).
    pub subject: String,
    /// The body: plain text.
    pub body: String,
    /// Message attributes, for subscription filters: account, region, rule, severity, state.
    pub attributes: BTreeMap<&'static str, String>,
}

/// The longest subject.
const SUBJECT_MAX: usize = 99;
/// How many secrets and details a body names, and how long anything from outside may be in it: SNS takes 256 KiB, a phone
/// less.
pub(crate) const SECRETS_MAX: usize = 20;
pub(crate) const DETAILS_MAX: usize = 40;
const VALUE_MAX: usize = 300;

/// Renders the page of an incident.
pub fn render(incident: &Incident, response: &Response, settings: &Settings) -> Page {
    let state = match incident.state {
        State::Open => "open",
        State::Resolved => "resolved",
    };
    let region = match incident.regions.as_slice() {
        [region] => safe(region),
        regions => format!("{} Regions", regions.len()),
    };
    let attributes = BTreeMap::from([
        ("account", or_unknown(safe(&incident.account))),
        ("region", or_unknown(region.clone())),
        ("rule", incident.rule.clone()),
        ("severity", incident.severity.name().to_owned()),
        ("state", state.to_owned()),
    ]);
    Page { subject: subject(incident, &region), body: body(incident, response, settings), attributes }
}

fn subject(incident: &Incident, region: &str) -> String {
    let word = match incident.state {
        State::Open => incident.severity.name().to_uppercase(),
        State::Resolved => "RESOLVED".to_owned(),
    };
    let place = [safe(&incident.account), region.to_owned()].join(" ");
    let mut subject = format!("[{word}] {} ({}) {}", incident.title, incident.rule, place.trim());
    subject.retain(|c| (' '..='~').contains(&c));
    subject.truncate(SUBJECT_MAX);
    subject.trim_end().to_owned()
}

fn body(incident: &Incident, response: &Response, settings: &Settings) -> String {
    let mut lines = Lines::default();
    lines.text(&incident.title);
    lines.blank();
    lines.row("Severity", incident.severity.name());
    if let Some(at) = incident.resolved_at {
        lines.row("Resolved", &format!("{at}; no action is needed for this incident"));
    }
    // Of rotations the details say what.
    if !matches!(incident.handler, Handler::Rotation | Handler::Sweep) {
        lines.row("What", &what(incident, response));
    }
    match &incident.principal {
        // ECS's own events name nobody.
        Some(principal) if principal.raw() == UNKNOWN => {}
        Some(principal) => lines.row("Who", &principal.show(VALUE_MAX)),
        None if incident.principals > 1 => lines.row("Who", &format!("{} principals", incident.principals)),
        None => {}
    }
    let regions: Vec<String> = incident.regions.iter().take(SECRETS_MAX).map(|region| safe(region)).collect();
    if !incident.account.is_empty() {
        lines.row(
            "Where",
            &format!("account {}, {}", safe(&incident.account), or_unknown(regions.join(", "))),
        );
    }
    if incident.reads > 0 {
        lines.row("When", &when(incident));
    }
    for detail in incident.details.iter().take(DETAILS_MAX) {
        lines.row(&capitalised(detail.label), &detail.value.show(VALUE_MAX));
    }
    if incident.details.len() > DETAILS_MAX {
        lines.row("And", &format!("{} more of these", incident.details.len() - DETAILS_MAX));
    }
    if !incident.secrets.is_empty() {
        lines.blank();
        lines.text("Secrets:");
        for secret in incident.secrets.iter().take(SECRETS_MAX) {
            lines.text(&format!("  {}", secret.show(120)));
        }
        if incident.secrets.len() > SECRETS_MAX {
            lines.text(&format!("  and {} more", incident.secrets.len() - SECRETS_MAX));
        }
    }
    lines.blank();
    lines.row("Runbook", &format!("{}{}", settings.runbooks, response.runbook));
    lines.row("Incident", &incident.key);
    lines.0
}

/// The first sentence: how much of what.
fn what(incident: &Incident, response: &Response) -> String {
    let count = incident.reads;
    match incident.handler {
        Handler::Failure => match count {
            0 | 1 => "one event".to_owned(),
            _ => format!("{count} events; retries of one rotation count as one incident"),
        },
        Handler::Access | Handler::Rotation | Handler::Sweep => {
            let noun = if count == 1 { "call" } else { "calls" };
            let secrets = match incident.distinct_secrets {
                None => "how many secrets is unknown: the log does not say of every call which it concerned"
                    .to_owned(),
                Some(many) => format!("{many} different secrets"),
            };
            let refused = match incident.errors {
                0 => String::new(),
                errors if errors == count => ", all refused".to_owned(),
                errors => format!(", {errors} refused"),
            };
            let window =
                if response.counted { format!(" (window {})", response.when.within) } else { String::new() };
            format!("{count} {noun}{refused}; {secrets}{window}")
        }
    }
}

fn when(incident: &Incident) -> String {
    if incident.first == incident.last {
        incident.first.to_string()
    } else {
        format!("{} to {}", incident.first, incident.last)
    }
}

/// Accounts and Regions come from events too.
fn safe(text: &str) -> String {
    let mut text = Untrusted::new(text).show(32);
    text.retain(|c| c.is_ascii());
    text
}

fn or_unknown(text: String) -> String {
    if text.is_empty() { "unknown".to_owned() } else { text }
}

fn capitalised(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn row(&mut self, label: &str, value: &str) {
        self.text(&format!("{label}: {value}"));
    }
}
