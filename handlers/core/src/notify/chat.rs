//! The notification for chats: Amazon Q Developer's custom notification, which it turns into a message of a thread.

use serde_json::{Value, json};

use super::next_steps::NextStep;
use super::phrases::{account, listed, place, stretch, what, who};
use super::{NotificationView, password_advice};
use crate::incident::IncidentStatus;
use crate::text::{Untrusted, json_line};

/// The limits of each field, in characters ("Custom notifications", Amazon Q Developer in chat applications' guide). What is over
/// them is dropped without a word.
const TITLE: usize = 250;
const DESCRIPTION: usize = 8_000;
const STEP: usize = 350;
const KEYWORD: usize = 75;

/// How many secrets a message names, and how long a value may be in it.
const SECRETS: usize = 10;
const VALUE: usize = 200;

/// Renders the notification. `threadId` is the incident's key, so that what is said of one incident is one thread.
///
/// Text is Markdown of the client, so what comes from outside stands in code spans, without the characters that could end one or that
/// Slack reads anywhere (`<`, `>`, `&`). Nothing of it is in the title or the keywords.
pub(super) fn chat(view: &NotificationView<'_>, subject: &str) -> String {
    let incident = view.incident;
    let steps: Vec<String> = view.first.iter().filter_map(step).collect();
    let keywords = [
        incident.severity.name().to_owned(),
        incident.rule.clone(),
        account(incident),
        place(incident),
        view.state().to_owned(),
    ];
    let keywords: Vec<String> = keywords.into_iter().filter(|word| word.chars().count() <= KEYWORD).collect();
    let mut notification = json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": subject.chars().take(TITLE).collect::<String>(),
            "description": description(view),
            "keywords": keywords,
        },
        "metadata": {
            "threadId": incident.key,
            "summary": subject,
            "eventType": incident.rule,
            "enableCustomActions": false,
        },
    });
    if !steps.is_empty() {
        notification["content"]["nextSteps"] = json!(steps);
    }
    json_line::<Value>(&notification).unwrap_or_default()
}

fn description(view: &NotificationView<'_>) -> String {
    let (incident, response) = (view.incident, view.response);
    let open = incident.state == IncidentStatus::Open;
    let mut lines = Vec::new();
    match incident.resolved_at.filter(|_| !open) {
        Some(at) => lines.push(format!("Over since {}: nothing needs to be done.", stretch(at, at))),
        None => lines.push(format!("{}{}.", incident.title, what(incident, response, code))),
    }
    if let Some(password) = password_advice::after(incident).filter(|_| open) {
        lines.push(format!("Does AWSCURRENT still work: {} {}", password.safe, password.then));
    }
    lines.extend(who(incident, code).map(|who| format!("Who: {who}")));
    for (label, name) in DETAILS {
        lines.extend(incident.detail(label).map(|value| format!("{name}: {}", code(value))));
    }
    let secrets = incident.secret_refs.iter().take(SECRETS).map(|secret| code(&secret.name()));
    let secrets: Vec<String> = secrets.collect();
    if !secrets.is_empty() {
        let more = incident.secret_refs.len() - secrets.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("Secrets: {}{more}", secrets.join(", ")));
    }
    if !incident.account.is_empty() {
        lines.push(format!("Where: account {}, {}", account(incident), place(incident)));
    }
    if incident.reads > 0 {
        lines.push(format!("When: {}", stretch(incident.first, incident.last)));
    }
    if open {
        let means = Some(&response.means).filter(|_| password_advice::after(incident).is_none());
        for (label, text) in [("What it means", means), ("How sure", Some(&response.sure))] {
            lines.extend(text.filter(|text| is_plain(text)).map(|text| format!("{label}: {text}")));
        }
    }
    if !incident.also.is_empty() {
        lines.push(format!("Found as well by: {}", listed(&incident.also)));
    }
    lines.push(format!("Runbook: {}", view.runbook));
    lines.push(format!("Incident: {}", incident.key));
    // The last two are those that everything else leads to.
    while lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() > DESCRIPTION && lines.len() > 3 {
        lines.remove(lines.len() - 3);
    }
    lines.join("\n").chars().take(DESCRIPTION).collect()
}

/// What a message tells of the caller and the call.
const DETAILS: [(&str, &str); 9] = [
    ("acted on", "On"),
    ("session", "Session"),
    ("access key id", "Access key"),
    ("source address", "Address"),
    ("user agent", "User agent"),
    ("failed step", "Failed step"),
    ("rotation function", "Function"),
    ("service", "Service"),
    ("reason", "Reason"),
];

/// One thing to do, if it fits; without its command, if only that does not.
fn step(advice: &NextStep) -> Option<String> {
    let NextStep { marked, open, run, likewise, .. } = advice;
    let link = open.as_deref();
    let run = run.as_deref().filter(|run| is_plain(run)).map(|run| format!("`{run}`"));
    let likewise = likewise.as_ref().filter(|_| run.is_some()).map(|likewise| format!("({likewise})"));
    let fits = |parts: &[Option<&str>]| {
        let step = parts.iter().flatten().copied().collect::<Vec<_>>().join(" ");
        (!step.is_empty() && step.chars().count() <= STEP).then_some(step)
    };
    let say = Some(marked.as_str()).filter(|say| is_marked(say));
    fits(&[say, link, run.as_deref(), likewise.as_deref()])
        .or_else(|| fits(&[say, link]))
        .or_else(|| fits(&[say]))
}

/// Whether a text has nothing that Slack reads anywhere, and every code span its end.
fn is_marked(text: &str) -> bool {
    !text.is_empty() && !text.contains(['<', '>', '&']) && text.matches('`').count().is_multiple_of(2)
}

/// Whether a text has none of the characters that end a code span or that Slack reads anywhere.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['`', '<', '>', '&'])
}

/// A value as a code span.
pub(super) fn code(value: &Untrusted) -> String {
    let shown = value.show(VALUE).replace('`', "\\u{60}").replace('&', "\\u{26}");
    if shown.trim().is_empty() { "(empty)".to_owned() } else { format!("`{shown}`") }
}
