//! The body of an e-mail: short lines of plain text. First the conclusion, then what to do, then the facts.

use super::limits::{BODY_MAX_BYTES, DETAILS_MAX, SECRETS_MAX, VALUE_MAX_CHARS, detail_max_chars};
use super::next_steps::NextStep;
use super::password_advice::find_password_advice;
use super::phrases::{
    describe_end, describe_page_before, describe_principal, describe_target, format_account, format_count,
    format_period, join_with_and, parse_region_name,
};
use super::view::NotificationView;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::incident::{Incident, IncidentDetail};
use crate::rules::Handler;
use crate::text::Untrusted;

/// The parts of a body, the most important first. Where there is no room for all of them, the last are dropped first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BodyPart {
    /// 1. The incident, in a sentence.
    Headline,
    /// 2. Whether the password in use still works.
    PasswordAdvice,
    /// 3. The principal, the call, the place and the time.
    Facts,
    /// 4. The meaning of the incident.
    Meaning,
    /// 5. The next steps.
    NextSteps,
    /// 6. The incident's key.
    Reference,
    /// 7. Everything else that is known.
    Details,
    /// 8. The names of several secrets.
    Secrets,
    /// 9. The pages of the console.
    Links,
}

/// Up to so many details are read before the advice; a longer list comes after it.
const SHORT_DETAILS_MAX: usize = 8;

/// The longest name of a secret in a sentence or a list, in characters.
const NAME_MAX_CHARS: usize = 120;

/// The end of a body of which parts were dropped.
const SHORTENED_NOTE: &str = "\nShortened: there was more than a message takes.\n";

/// Renders the body: the conclusion, the next steps, the facts. At 3 a.m. nobody reads twenty lines to find the first command.
pub(super) fn render_body(view: &NotificationView<'_>) -> String {
    let incident = view.incident;
    let details = find_remaining_details(incident);
    let mut parts = vec![
        (BodyPart::Headline, render_headline(view)),
        (BodyPart::PasswordAdvice, render_password_advice(view)),
        (BodyPart::NextSteps, render_next_steps(view)),
        (BodyPart::Facts, render_facts(view)),
        (BodyPart::Meaning, render_meaning(view)),
        (BodyPart::Secrets, render_secrets(incident)),
        (BodyPart::Links, render_links(view)),
        (BodyPart::Reference, render_reference(incident)),
    ];
    let details_before =
        if details.len() <= SHORT_DETAILS_MAX { BodyPart::Meaning } else { BodyPart::Secrets };
    let index = parts.iter().position(|(part, _)| *part == details_before).unwrap_or_default();
    parts.insert(index, (BodyPart::Details, render_details(&details)));
    join_parts(parts)
}

/// Joins the parts in their order, without the least important ones if there is no room for all.
fn join_parts(mut parts: Vec<(BodyPart, TextLines)>) -> String {
    parts.retain(|(_, lines)| !lines.0.is_empty());
    let mut is_shortened = false;
    while count_bytes(&parts) > BODY_MAX_BYTES - SHORTENED_NOTE.len() && parts.len() > 1 {
        let least_important = parts.iter().map(|(part, _)| *part).max();
        parts.retain(|(part, _)| Some(*part) != least_important);
        is_shortened = true;
    }
    let texts: Vec<String> = parts.into_iter().map(|(_, lines)| lines.0).collect();
    let mut body = texts.join("\n");
    if is_shortened {
        body.push_str(SHORTENED_NOTE);
    }
    body
}

fn count_bytes(parts: &[(BodyPart, TextLines)]) -> usize {
    let mut bytes = 0;
    for (_, lines) in parts {
        bytes += lines.0.len() + 1;
    }
    bytes
}

/// Renders the incident in a sentence.
fn render_headline(view: &NotificationView<'_>) -> TextLines {
    let incident = view.incident;
    let mut lines = TextLines::default();
    let target = describe_target(incident, view.response, |name| name.show(NAME_MAX_CHARS));
    match incident.resolved_at {
        Some(at) if !view.is_open() => {
            lines.add(&describe_end(incident, at, |event| event.show(NAME_MAX_CHARS)));
            lines.add(&format!("It was: {}{target}.", incident.title));
        }
        _ => {
            lines.add(&format!("{}{target}.", incident.title));
            if let Some(before) = describe_page_before(incident, |value| value.show(NAME_MAX_CHARS)) {
                lines.add(&before);
            }
        }
    }
    lines
}

/// After a failed rotation: whether the password in use still works.
fn render_password_advice(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if view.is_open()
        && let Some(advice) = find_password_advice(view.incident)
    {
        lines.add_field("Does AWSCURRENT still work", advice.answer);
        lines.add(advice.reason);
        lines.add(advice.action);
    }
    lines
}

/// Renders the principal, the call, the place and the time.
fn render_facts(view: &NotificationView<'_>) -> TextLines {
    let incident = view.incident;
    let mut lines = TextLines::default();
    lines.add_field("Severity", incident.severity.as_str());
    if let Some(principal) = describe_principal(incident, |principal| principal.show(VALUE_MAX_CHARS)) {
        lines.add_field("Who", &principal);
    }
    lines.add_details(incident, &CALLER_DETAILS);
    if let [secret] = incident.secret_refs.as_slice() {
        lines.add_field("Secret", &secret.display_name().show(VALUE_MAX_CHARS));
    }
    lines.add_details(incident, &CALL_DETAILS);
    if incident.handler == Handler::Failure && incident.reads > 1 {
        let events = format_count(incident.reads, "event");
        lines.add_field("Events", &format!("{events}; tries of one rotation are one incident"));
    }
    if incident.secret_refs.len() > 1 {
        lines.add_field("Secrets", &format!("{}, below", incident.secret_refs.len()));
    }
    if !incident.account.is_empty() {
        let regions = join_with_and(&list_regions(incident));
        lines.add_field("Where", &format!("account {}, {regions}", format_account(incident)));
    }
    if incident.reads > 0 {
        lines.add_field("When", &format_period(incident.first, incident.last));
    }
    lines
}

fn list_regions(incident: &Incident) -> Vec<String> {
    let mut regions = Vec::new();
    for region in incident.regions.iter().take(SECRETS_MAX) {
        regions.push(parse_region_name(region).unwrap_or("unknown Region").to_owned());
    }
    if incident.regions.len() > SECRETS_MAX {
        regions.push(format!("{} more", incident.regions.len() - SECRETS_MAX));
    }
    regions
}

/// The details about the caller, with what the page calls them.
const CALLER_DETAILS: [(DetailKind, &str); 6] = [
    (DetailKind::SessionName, "Session"),
    (DetailKind::SourceIdentity, "Source identity"),
    (DetailKind::AccessKeyId, "Access key"),
    (DetailKind::CallingService, "Through"),
    (DetailKind::SourceAddress, "Address"),
    (DetailKind::UserAgent, "User agent"),
];

/// The details about the call, with what the page calls them.
const CALL_DETAILS: [(DetailKind, &str); 5] = [
    (DetailKind::Event, "Event"),
    (DetailKind::CallTarget, "On"),
    (DetailKind::FailedStep, "Failed step"),
    (DetailKind::ErrorMessage, "Message"),
    (DetailKind::RotationFunction, "Function"),
];

fn render_meaning(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if !view.is_open() || view.response.meaning.is_empty() {
        return lines;
    }
    // The advice on the password says more than the meaning.
    if find_password_advice(view.incident).is_none() {
        lines.add_field("What it means", &view.response.meaning);
    }
    lines.add_field("How sure", &view.response.certainty);
    lines
}

fn render_next_steps(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if !view.next_steps.is_empty() {
        lines.add("Do this first:");
    }
    for (index, step) in view.next_steps.iter().enumerate() {
        let mut step_lines = list_step_lines(step).into_iter();
        lines.add(&format!("{}. {}", index + 1, step_lines.next().unwrap_or_default()));
        for line in step_lines {
            lines.add(&format!("   {line}"));
        }
    }
    lines.add_field("Runbook", view.runbook);
    lines
}

/// The lines of a step: the sentence, the link, the command, and the remark on others.
fn list_step_lines(step: &NextStep) -> Vec<&str> {
    let mut lines = Vec::new();
    if !step.sentence.is_empty() {
        lines.push(step.sentence.as_str());
    }
    for line in [&step.link, &step.command, &step.others] {
        lines.extend(line.as_deref());
    }
    lines
}

fn render_secrets(incident: &Incident) -> TextLines {
    let mut lines = TextLines::default();
    if incident.secret_refs.len() < 2 {
        return lines;
    }
    lines.add("Secrets:");
    for secret in incident.secret_refs.iter().take(SECRETS_MAX) {
        let name = secret.display_name().show(NAME_MAX_CHARS);
        lines.add(&format!("- {name}{}", describe_other_location(secret, incident)));
    }
    if incident.secret_refs.len() > SECRETS_MAX {
        lines.add(&format!("and {} more", incident.secret_refs.len() - SECRETS_MAX));
    }
    lines
}

/// The account and the Region of a secret in brackets, where they are not those of the incident.
fn describe_other_location(secret: &SecretRef, incident: &Incident) -> String {
    let mut location = Vec::new();
    if secret.account != incident.account {
        location.push(format!("account {}", Untrusted::new(&*secret.account).show(20)));
    }
    if incident.regions.as_slice() != [secret.region.as_str()] {
        location.push(Untrusted::new(&*secret.region).show(32));
    }
    if location.is_empty() { String::new() } else { format!(" ({})", location.join(", ")) }
}

/// The details that no other part shows.
fn find_remaining_details(incident: &Incident) -> Vec<&IncidentDetail> {
    let mut remaining = Vec::new();
    for detail in &incident.details {
        let is_fact = CALLER_DETAILS.iter().chain(&CALL_DETAILS).any(|(kind, _)| *kind == detail.kind);
        if !is_fact && !is_named_secret(detail, incident) {
            remaining.push(detail);
        }
    }
    remaining
}

/// Whether a detail is one of the secrets that the body names.
fn is_named_secret(detail: &IncidentDetail, incident: &Incident) -> bool {
    let mut named_secrets = incident.secret_refs.iter().take(SECRETS_MAX);
    detail.kind == DetailKind::Secret && named_secrets.any(|secret| secret.friendly_name() == detail.value)
}

fn render_details(details: &[&IncidentDetail]) -> TextLines {
    let mut lines = TextLines::default();
    for detail in details.iter().take(DETAILS_MAX) {
        lines.add_field(&capitalise(detail.kind.label()), &detail.value.show(detail_max_chars(detail.kind)));
    }
    if details.len() > DETAILS_MAX {
        lines.add_field("And", &format!("{} more of these", details.len() - DETAILS_MAX));
    }
    lines
}

/// The pages of the console to which no step links.
fn render_links(view: &NotificationView<'_>) -> TextLines {
    let mut lines = TextLines::default();
    if !view.is_open() {
        return lines;
    }
    let mut shown: Vec<&str> = Vec::new();
    for step in view.next_steps {
        // The text behind a link says what to do there.
        shown.extend(step.link.as_deref().and_then(|link| link.split(' ').next()));
    }
    for page in &view.values.console_pages {
        if !shown.contains(&page.url.as_str()) {
            lines.add_field(page.title, &page.url);
            shown.push(&page.url);
        }
    }
    lines
}

/// The key that ties the page to everything else, and the responses and exceptions that took part.
fn render_reference(incident: &Incident) -> TextLines {
    let mut lines = TextLines::default();
    if !incident.also.is_empty() {
        lines.add_field("Found as well by", &join_with_and(&incident.also));
    }
    let excepted = [("More, counted apart", &incident.counted_apart), ("Not counted", &incident.suppressed)];
    for (label, counts) in excepted {
        let mut parts = Vec::new();
        for (exception, count) in counts.iter().take(SECRETS_MAX) {
            parts.push(format!("{} by {exception}", format_count(*count, "event")));
        }
        if !parts.is_empty() {
            lines.add_field(label, &join_with_and(&parts));
        }
    }
    lines.add_field("Incident", &incident.key);
    lines
}

fn capitalise(label: &str) -> String {
    let mut chars = label.chars();
    let Some(first) = chars.next() else { return String::new() };
    first.to_uppercase().chain(chars).collect()
}

/// Lines of text, each with its line break.
#[derive(Default)]
struct TextLines(String);

impl TextLines {
    fn add(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn add_field(&mut self, label: &str, value: &str) {
        self.add(&format!("{label}: {value}"));
    }

    /// Adds those of some details that an incident has.
    fn add_details(&mut self, incident: &Incident, details: &[(DetailKind, &str)]) {
        for (kind, name) in details {
            if let Some(value) = incident.detail(*kind) {
                self.add_field(name, &value.show(VALUE_MAX_CHARS));
            }
        }
    }
}
