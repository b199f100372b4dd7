//! The body of an e-mail: short lines of plain text, what matters most first.

use super::next_steps::NextStep;
use super::phrases::{account, listed, region_name, several, stretch, what, who};
use super::{DETAILS_MAX, NotificationView, SECRETS_MAX, VALUE_MAX, password_advice};
use crate::incident::{Incident, IncidentDetail, IncidentStatus};
use crate::rules::Handler;
use crate::text::Untrusted;

/// The longest body in bytes. A message holds it twice, and four times an alert of half as much; in JSON a byte of either becomes two at most:
/// together below the 256 KiB that SNS takes.
pub(super) const MAX: usize = 32 * 1024;

/// Renders the body. What is least important is dropped if there is no room.
pub(super) fn body(view: &NotificationView<'_>) -> String {
    let incident = view.incident;
    let mut parts = Vec::new();
    let mut add = |rank, lines: TextLines| parts.push((rank, lines.0));
    add(0, headline(view));
    add(1, current(incident));
    add(2, facts(view));
    let rest = rest(incident);
    // What is short is read before the advice, and what is long after it.
    let long = rest.len() > FEW;
    add(6, if long { TextLines::default() } else { details(&rest) });
    add(3, meaning(view));
    add(4, to_do(view));
    add(6, if long { details(&rest) } else { TextLines::default() });
    add(7, secrets(incident));
    add(8, links(view));
    add(5, reference(view));
    fitted(parts)
}

/// The parts in their order, without those of the highest ranks if there is no room for all.
fn fitted(mut parts: Vec<(u8, String)>) -> String {
    parts.retain(|(_, text)| !text.is_empty());
    let size = |parts: &[(u8, String)]| parts.iter().map(|(_, text)| text.len() + 1).sum::<usize>();
    let mut dropped = false;
    while size(&parts) > MAX - CUT.len() && parts.len() > 1 {
        let least = parts.iter().map(|(rank, _)| *rank).max();
        parts.retain(|(rank, _)| Some(*rank) != least);
        dropped = true;
    }
    let mut text = parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    if dropped {
        text.push_str(CUT);
    }
    text
}

const CUT: &str = "\nShortened: there was more than a message takes.\n";

/// What happened, in a sentence.
fn headline(view: &NotificationView<'_>) -> TextLines {
    let (incident, mut lines) = (view.incident, TextLines::default());
    let what = what(incident, view.response, |name| name.show(120));
    match incident.resolved_at {
        Some(at) if incident.state == IncidentStatus::Resolved => {
            lines.text(&format!("Over since {}: nothing needs to be done.", stretch(at, at)));
            lines.text(&format!("It was: {}{what}.", incident.title));
        }
        _ => lines.text(&format!("{}{what}.", incident.title)),
    }
    lines
}

/// After a failed rotation: whether the password in use still works.
fn current(incident: &Incident) -> TextLines {
    let mut lines = TextLines::default();
    let Some(password) = password_advice::after(incident).filter(|_| incident.state == IncidentStatus::Open)
    else {
        return lines;
    };
    lines.row("Does AWSCURRENT still work", password.safe);
    lines.text(password.why);
    lines.text(password.then);
    lines
}

/// Who, what, where, when.
fn facts(view: &NotificationView<'_>) -> TextLines {
    let (incident, mut lines) = (view.incident, TextLines::default());
    lines.row("Severity", incident.severity.name());
    if let Some(who) = who(incident, |principal| principal.show(VALUE_MAX)) {
        lines.row("Who", &who);
    }
    for (label, name) in WHO {
        if let Some(value) = incident.detail(label) {
            lines.row(name, &value.show(VALUE_MAX));
        }
    }
    if let [secret] = incident.secret_refs.as_slice() {
        lines.row("Secret", &secret.name().show(VALUE_MAX));
    }
    for (label, name) in WHAT {
        if let Some(value) = incident.detail(label) {
            lines.row(name, &value.show(VALUE_MAX));
        }
    }
    if incident.handler == Handler::Failure && incident.reads > 1 {
        let note = "tries of one rotation are one incident";
        lines.row("Events", &format!("{}; {note}", several(incident.reads, "event")));
    }
    if incident.secret_refs.len() > 1 {
        lines.row("Secrets", &format!("{}, below", incident.secret_refs.len()));
    }
    if !incident.account.is_empty() {
        let regions = incident.regions.iter().map(|region| region_name(region).unwrap_or("unknown Region"));
        let mut regions: Vec<String> = regions.take(SECRETS_MAX).map(str::to_owned).collect();
        if incident.regions.len() > SECRETS_MAX {
            regions.push(format!("{} more", incident.regions.len() - SECRETS_MAX));
        }
        lines.row("Where", &format!("account {}, {}", account(incident), listed(&regions)));
    }
    if incident.reads > 0 {
        lines.row("When", &stretch(incident.first, incident.last));
    }
    lines
}

/// What is known of the caller, by its label, and what the page calls it.
const WHO: [(&str, &str); 5] = [
    ("session", "Session"),
    ("access key id", "Access key"),
    ("called by service", "Through"),
    ("source address", "Address"),
    ("user agent", "User agent"),
];

/// What is known of the call.
const WHAT: [(&str, &str); 4] = [
    ("event", "Event"),
    ("acted on", "On"),
    ("failed step", "Failed step"),
    ("rotation function", "Function"),
];

fn meaning(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if view.incident.state == IncidentStatus::Open && !view.response.means.is_empty() {
        // What is known of the password says more.
        if password_advice::after(view.incident).is_none() {
            lines.row("What it means", &view.response.means);
        }
        lines.row("How sure", &view.response.sure);
    }
    lines
}

fn to_do(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if !view.first.is_empty() {
        lines.text("Do this first:");
    }
    for (number, NextStep { say, open, run, likewise, .. }) in view.first.iter().enumerate() {
        let under = [open.as_deref(), run.as_deref(), likewise.as_deref()].into_iter().flatten();
        let said = Some(say.as_str()).filter(|say| !say.is_empty());
        let mut said = said.into_iter().chain(under);
        lines.text(&format!("{}. {}", number + 1, said.next().unwrap_or_default()));
        said.for_each(|line| lines.text(&format!("   {line}")));
    }
    lines.row("Runbook", view.runbook);
    lines
}

fn secrets(incident: &Incident) -> TextLines {
    let mut lines = TextLines::default();
    if incident.secret_refs.len() < 2 {
        return lines;
    }
    lines.text("Secrets:");
    for secret in incident.secret_refs.iter().take(SECRETS_MAX) {
        let name = secret.name().show(120);
        let mut place = Vec::new();
        if secret.account != incident.account {
            place.push(format!("account {}", Untrusted::new(&*secret.account).show(20)));
        }
        if incident.regions.as_slice() != [secret.region.as_str()] {
            place.push(Untrusted::new(&*secret.region).show(32));
        }
        let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
        lines.text(&format!("- {name}{place}"));
    }
    if incident.secret_refs.len() > SECRETS_MAX {
        lines.text(&format!("and {} more", incident.secret_refs.len() - SECRETS_MAX));
    }
    lines
}

/// What else is known, that no other line says.
fn rest(incident: &Incident) -> Vec<&IncidentDetail> {
    let named = |detail: &IncidentDetail| {
        let mut named = incident.secret_refs.iter().take(SECRETS_MAX);
        detail.label == "secret" && named.any(|secret| secret.name() == detail.value)
    };
    let shown = |label: &str| WHO.iter().chain(&WHAT).any(|(known, _)| *known == label);
    incident.details.iter().filter(|detail| !shown(detail.label) && !named(detail)).collect()
}

/// Up to so many lines are short.
const FEW: usize = 8;

fn details(rest: &[&IncidentDetail]) -> TextLines {
    let mut lines = TextLines::default();
    for detail in rest.iter().take(DETAILS_MAX) {
        lines.row(&capitalised(detail.label), &detail.value.show(VALUE_MAX));
    }
    if rest.len() > DETAILS_MAX {
        lines.row("And", &format!("{} more of these", rest.len() - DETAILS_MAX));
    }
    lines
}

/// The console's pages that no line of advice has.
fn links(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    let mut seen: Vec<&str> = view.first.iter().filter_map(|advice| advice.open.as_deref()).collect();
    for (_, what, link) in &view.values.links {
        // What follows a link says what to do there.
        let known = seen.iter().any(|open| open.split(' ').next() == Some(link));
        if view.incident.state == IncidentStatus::Open && !known {
            lines.row(what, link);
            seen.push(link);
        }
    }
    lines
}

/// What ties the page to everything else.
fn reference(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    let incident = view.incident;
    if !incident.also.is_empty() {
        lines.row("Found as well by", &listed(&incident.also));
    }
    let suppressed = incident.suppressed.iter().take(SECRETS_MAX);
    let suppressed: Vec<String> =
        suppressed.map(|(id, count)| format!("{} by {id}", several(*count, "event"))).collect();
    if !suppressed.is_empty() {
        lines.row("Not counted", &listed(&suppressed));
    }
    lines.row("Incident", &incident.key);
    lines
}

fn capitalised(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[derive(Default)]
struct TextLines(String);

impl TextLines {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn row(&mut self, label: &str, value: &str) {
        self.text(&format!("{label}: {value}"));
    }
}
