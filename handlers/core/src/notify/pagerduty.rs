//! The alert: a page for machines, shaped as `PagerDuty`'s Events API v2 takes it.

use serde_json::{Value, json};

use super::{NotificationView, VALUE_MAX};
use crate::incident::IncidentStatus;
use crate::rules::Severity;
use crate::text::{Untrusted, json_line};

/// The longest alert in bytes: half of a body.
pub(super) const MAX: usize = super::email::MAX / 2;

/// Renders the alert on one line. Lists are cut if there is no room for them.
///
/// `dedup_key` and `event_action` open and close the incident ("Send an alert event", `PagerDuty`'s developer documentation); only a `routing_key` is
/// missing. `state`, `rule` and the rest for other machines are in `custom_details`. Strings from outside are shown ones.
pub(super) fn alert(view: &NotificationView<'_>, summary: &str) -> String {
    let most = [50, 10, 0].into_iter().map(|most| line(view, summary, most));
    let mut fitting = most.filter(|line| line.len() <= MAX);
    fitting.next().unwrap_or_else(|| least(view, summary))
}

fn line(view: &NotificationView<'_>, summary: &str, most: usize) -> String {
    let incident = view.incident;
    let shown = |text: &Untrusted| text.show(VALUE_MAX);
    let secrets: Vec<Value> = incident.secret_refs.iter().take(most).map(|secret| {
        json!({ "name": shown(&secret.name()), "account": safe(&secret.account), "region": safe(&secret.region) })
    }).collect();
    let details: Vec<Value> = incident
        .details
        .iter()
        .take(most)
        .map(|detail| json!({ detail.label: shown(&detail.value) }))
        .collect();
    let regions: Vec<String> = incident.regions.iter().take(most).map(|region| safe(region)).collect();
    let links =
        view.values.links.iter().take(most).map(|(_, what, link)| json!({ "href": link, "text": what }));
    // A path is no link.
    let runbook = json!({ "href": view.runbook, "text": "Runbook" });
    let links: Vec<Value> =
        Some(runbook).filter(|_| view.runbook.starts_with("https://")).into_iter().chain(links).collect();
    let mut alert = outline(view, summary);
    alert["links"] = json!(links);
    alert["payload"]["custom_details"] = json!({
        "state": view.state(),
        "rule": incident.rule,
        "severity": incident.severity.name(),
        "title": incident.title,
        "account": safe(&incident.account),
        "regions": regions,
        "principal": incident.principal.as_ref().map(shown),
        "first": incident.first,
        "last": incident.last,
        "resolved": incident.resolved_at,
        "counts": {
            "events": incident.reads,
            "refused": incident.errors,
            "secrets": incident.distinct_secrets,
            "principals": incident.principals,
            "regions": incident.regions.len(),
        },
        "also": incident.also,
        "suppressed": incident.suppressed,
        "secrets": secrets,
        "details": details,
        "runbook": view.runbook,
    });
    json_line(&alert).unwrap_or_default()
}

/// What opens and closes an incident.
fn outline(view: &NotificationView<'_>, summary: &str) -> Value {
    let incident = view.incident;
    let action = match incident.state {
        IncidentStatus::Open => "trigger",
        IncidentStatus::Resolved => "resolve",
    };
    json!({
        "event_action": action,
        "dedup_key": incident.key,
        "client": "secrets-responder",
        "payload": {
            "summary": summary,
            "source": safe(&incident.account),
            "severity": severity(incident.severity),
            "timestamp": incident.first,
            "component": "secrets",
            "class": incident.rule,
        },
    })
}

/// An alert that fits whatever an operator wrote.
fn least(view: &NotificationView<'_>, summary: &str) -> String {
    json_line(&outline(view, summary)).unwrap_or_default()
}

/// `PagerDuty`'s four words.
fn severity(severity: Severity) -> &'static str {
    if severity >= Severity::Critical {
        "critical"
    } else if severity >= Severity::High {
        "error"
    } else if severity >= Severity::Medium {
        "warning"
    } else {
        "info"
    }
}

fn safe(text: &str) -> String {
    Untrusted::new(text).show(64)
}
