//! The chat message: Amazon Q Developer's custom notification, which it turns into a message of a thread.

use serde_json::json;

use super::chat_markup::{format_code_span, is_safe_in_code_span, is_safe_with_code_spans};
use super::next_steps::NextStep;
use super::password_advice::find_password_advice;
use super::phrases::{
    describe_end, describe_page_before, describe_principal, describe_target, format_account, format_period,
    format_region, join_with_and,
};
use super::view::NotificationView;
use crate::detail_kind::DetailKind;
use crate::incident::Incident;
use crate::text::to_json_line;

// The limits of each field, in characters ("Custom notifications", Amazon Q Developer in chat applications' guide). Longer
// fields are dropped without a word.
const TITLE_MAX_CHARS: usize = 250;
const DESCRIPTION_MAX_CHARS: usize = 8_000;
const STEP_MAX_CHARS: usize = 350;
const KEYWORD_MAX_CHARS: usize = 75;

/// How many secrets a message names.
const NAMED_SECRETS_MAX: usize = 10;

/// Renders the notification. `threadId` is the incident's key, so that all messages about one incident are one thread.
///
/// Text is Markdown of the client, so a string from outside stands in a code span, without the characters that could end one
/// or that Slack reads anywhere (`<`, `>`, `&`). No such string is in the title or the keywords.
pub(super) fn render_chat(view: &NotificationView<'_>, title: &str) -> String {
    let incident = view.incident;
    let mut keywords = vec![
        incident.severity.as_str().to_owned(),
        incident.rule.clone(),
        format_account(incident),
        format_region(incident),
        view.state().to_owned(),
    ];
    keywords.retain(|word| word.chars().count() <= KEYWORD_MAX_CHARS);
    let mut notification = json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": cut_text(title, TITLE_MAX_CHARS),
            "description": render_description(view),
            "keywords": keywords,
        },
        "metadata": {
            "threadId": incident.key,
            "summary": title,
            "eventType": incident.rule,
            "enableCustomActions": false,
        },
    });
    let mut steps = Vec::new();
    for step in view.next_steps {
        steps.extend(render_step(step));
    }
    if !steps.is_empty() {
        notification["content"]["nextSteps"] = json!(steps);
    }
    to_json_line(&notification).unwrap_or_default()
}

fn cut_text(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

fn render_description(view: &NotificationView<'_>) -> String {
    let incident = view.incident;
    let mut lines = vec![render_headline(view)];
    if view.is_open()
        && let Some(advice) = find_password_advice(incident)
    {
        lines.push(format!("Does AWSCURRENT still work: {} {}", advice.answer, advice.action));
    }
    if let Some(principal) = describe_principal(incident, format_code_span) {
        lines.push(format!("Who: {principal}"));
    }
    for (kind, name) in SHOWN_DETAILS {
        if let Some(value) = incident.detail(kind) {
            lines.push(format!("{name}: {}", format_code_span(value)));
        }
    }
    if !incident.secret_refs.is_empty() {
        lines.push(format!("Secrets: {}", list_secrets(incident)));
    }
    if !incident.account.is_empty() {
        lines.push(format!("Where: account {}, {}", format_account(incident), format_region(incident)));
    }
    if incident.reads > 0 {
        lines.push(format!("When: {}", format_period(incident.first, incident.last)));
    }
    add_meaning(view, &mut lines);
    if !incident.also.is_empty() {
        lines.push(format!("Found as well by: {}", join_with_and(&incident.also)));
    }
    lines.push(format!("Runbook: {}", view.runbook));
    lines.push(format!("Incident: {}", incident.key));
    // Where there is no room, the lines before the last two are dropped: those two lead to everything else.
    while count_chars(&lines) > DESCRIPTION_MAX_CHARS && lines.len() > 3 {
        lines.remove(lines.len() - 3);
    }
    cut_text(&lines.join("\n"), DESCRIPTION_MAX_CHARS)
}

/// Renders the incident in a sentence, or how it ended.
fn render_headline(view: &NotificationView<'_>) -> String {
    let incident = view.incident;
    match incident.resolved_at {
        Some(at) if !view.is_open() => describe_end(incident, at, format_code_span),
        _ => {
            let target = describe_target(incident, view.response, format_code_span);
            let mut sentences = vec![format!("{}{target}.", incident.title)];
            sentences.extend(describe_page_before(incident, format_code_span));
            sentences.join(" ")
        }
    }
}

/// The details that a message shows, with what it calls them.
const SHOWN_DETAILS: [(DetailKind, &str); 10] = [
    (DetailKind::CallTarget, "On"),
    (DetailKind::SessionName, "Session"),
    (DetailKind::AccessKeyId, "Access key"),
    (DetailKind::SourceAddress, "Address"),
    (DetailKind::UserAgent, "User agent"),
    (DetailKind::FailedStep, "Failed step"),
    (DetailKind::ErrorMessage, "Message"),
    (DetailKind::RotationFunction, "Function"),
    (DetailKind::Service, "Service"),
    (DetailKind::Reason, "Reason"),
];

fn list_secrets(incident: &Incident) -> String {
    let mut names = Vec::new();
    for secret in incident.secret_refs.iter().take(NAMED_SECRETS_MAX) {
        names.push(format_code_span(&secret.display_name()));
    }
    let list = names.join(", ");
    match incident.secret_refs.len() - names.len() {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

fn add_meaning(view: &NotificationView<'_>, lines: &mut Vec<String>) {
    if !view.is_open() {
        return;
    }
    let response = view.response;
    // The advice on the password says more than the meaning.
    let has_advice = find_password_advice(view.incident).is_some();
    if !has_advice && is_safe_in_code_span(&response.meaning) {
        lines.push(format!("What it means: {}", response.meaning));
    }
    if is_safe_in_code_span(&response.certainty) {
        lines.push(format!("How sure: {}", response.certainty));
    }
}

/// The characters of some lines, each with its line break.
fn count_chars(lines: &[String]) -> usize {
    let mut chars = 0;
    for line in lines {
        chars += line.chars().count() + 1;
    }
    chars
}

/// Renders one thing to do. The first of these forms is taken that fits:
///
/// 1. with the link, the command and the remark on others;
/// 2. without the command and the remark;
/// 3. the sentence alone.
fn render_step(step: &NextStep) -> Option<String> {
    let sentence = Some(step.chat_sentence.as_str()).filter(|sentence| is_safe_with_code_spans(sentence));
    let link = step.link.as_deref();
    let mut command = None;
    let mut others = None;
    if let Some(text) = &step.command
        && is_safe_in_code_span(text)
    {
        command = Some(format!("`{text}`"));
        others = step.others.as_ref().map(|others| format!("({others})"));
    }
    let forms = [
        [sentence, link, command.as_deref(), others.as_deref()],
        [sentence, link, None, None],
        [sentence, None, None, None],
    ];
    for form in forms {
        let parts: Vec<&str> = form.into_iter().flatten().collect();
        let text = parts.join(" ");
        if !text.is_empty() && text.chars().count() <= STEP_MAX_CHARS {
            return Some(text);
        }
    }
    None
}
