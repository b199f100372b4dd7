//! The alert: a notification for machines, shaped as `PagerDuty`'s Events API v2 takes it.

use serde_json::{Value, json};

use super::limits::{ALERT_MAX_BYTES, VALUE_MAX_CHARS, detail_max_chars};
use super::view::NotificationView;
use crate::incident::IncidentStatus;
use crate::severity::Severity;
use crate::text::{Untrusted, to_json_line};

/// How many entries each list of an alert has: fewer if the alert is too long with more.
const LIST_SIZES: [usize; 3] = [50, 10, 0];

/// The longest name of an account or a Region in an alert, in characters.
const NAME_MAX_CHARS: usize = 64;

/// Renders the alert on one line. Lists are cut if there is no room for them.
///
/// `dedup_key` and `event_action` open and close the incident ("Send an alert event", `PagerDuty`'s developer documentation); only a `routing_key` is
/// missing. `state`, `rule` and the rest for other machines are in `custom_details`. Strings from outside are shown ones.
pub(super) fn render_alert(view: &NotificationView<'_>, summary: &str) -> String {
    for list_size in LIST_SIZES {
        let alert = render_with_lists(view, summary, list_size);
        if alert.len() <= ALERT_MAX_BYTES {
            return alert;
        }
    }
    // The texts of an operator may be too long by themselves: the outline opens and closes the incident without them.
    to_json_line(&build_outline(view, summary)).unwrap_or_default()
}

fn render_with_lists(view: &NotificationView<'_>, summary: &str, list_size: usize) -> String {
    let incident = view.incident;
    let mut secrets = Vec::new();
    for secret in incident.secret_refs.iter().take(list_size) {
        secrets.push(json!({
            "name": secret.display_name().show(VALUE_MAX_CHARS),
            "account": show_name(&secret.account),
            "region": show_name(&secret.region),
        }));
    }
    let mut details = Vec::new();
    for detail in incident.details.iter().take(list_size) {
        details.push(json!({ detail.kind.label(): detail.value.show(detail_max_chars(detail.kind)) }));
    }
    let mut regions = Vec::new();
    for region in incident.regions.iter().take(list_size) {
        regions.push(show_name(region));
    }
    let mut alert = build_outline(view, summary);
    alert["links"] = json!(build_links(view, list_size));
    alert["payload"]["custom_details"] = json!({
        "state": view.state(),
        "rule": incident.rule,
        "severity": incident.severity.as_str(),
        "title": incident.title,
        "account": show_name(&incident.account),
        "regions": regions,
        "principal": incident.principal.as_ref().map(|principal| principal.show(VALUE_MAX_CHARS)),
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
        "counted_apart": incident.counted_apart,
        "secrets": secrets,
        "details": details,
        "runbook": view.runbook,
    });
    to_json_line(&alert).unwrap_or_default()
}

/// The runbook and the pages of the console.
fn build_links(view: &NotificationView<'_>, list_size: usize) -> Vec<Value> {
    let mut links = Vec::new();
    // A path is no link.
    if view.runbook.starts_with("https://") {
        links.push(json!({ "href": view.runbook, "text": "Runbook" }));
    }
    for page in view.values.console_pages.iter().take(list_size) {
        links.push(json!({ "href": page.url, "text": page.title }));
    }
    links
}

/// The fields that open and close an incident.
fn build_outline(view: &NotificationView<'_>, summary: &str) -> Value {
    let incident = view.incident;
    let action = match incident.state {
        IncidentStatus::Open | IncidentStatus::Quiet => "trigger",
        IncidentStatus::Resolved => "resolve",
    };
    json!({
        "event_action": action,
        "dedup_key": incident.key,
        "client": "secrets-responder",
        "payload": {
            "summary": summary,
            "source": show_name(&incident.account),
            "severity": pagerduty_severity(incident.severity),
            "timestamp": incident.first,
            "component": "secrets",
            "class": incident.rule,
        },
    })
}

/// The severity in `PagerDuty`'s four words.
fn pagerduty_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

fn show_name(text: &str) -> String {
    Untrusted::new(text).show(NAME_MAX_CHARS)
}
