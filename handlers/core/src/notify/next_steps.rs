//! The next steps of an incident: the lines of its response with the incident's values in them.

use super::chat_markup::format_code_span;
use super::placeholders::PlaceholderValues;
use super::shell_quote::quote_command;
use super::template::{TemplatePiece, split_template};
use crate::rules::{Response, WITHOUT_PREFIX};
use crate::text::Untrusted;

/// One thing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NextStep {
    /// A sentence.
    pub(super) sentence: String,
    /// The same sentence for a chat, with values as code.
    pub(super) chat_sentence: String,
    /// A page of the console.
    pub(super) link: Option<String>,
    /// A command for a shell.
    pub(super) command: Option<String>,
    /// A remark on the other secrets, services or Regions that need the same.
    pub(super) others: Option<String>,
}

/// As many steps as a person keeps in mind at 3 a.m.
const SHOWN_STEPS_MAX: usize = 3;

/// The longest value in a sentence, in characters.
const SENTENCE_VALUE_MAX_CHARS: usize = 200;

/// Expands the first lines of a response for which the incident has all values.
pub(super) fn expand_next_steps(response: &Response, values: &PlaceholderValues) -> Vec<NextStep> {
    let mut steps = Vec::new();
    for line in &response.next_steps {
        if steps.len() < SHOWN_STEPS_MAX {
            steps.extend(expand_line(line, values));
        }
    }
    steps
}

fn expand_line(line: &str, values: &PlaceholderValues) -> Option<NextStep> {
    let (sentence, command) = split_line(line);
    let command = match command {
        Some(command) => Some(quote_command(&split_template(command), |name| values.find_value(name))?),
        None => None,
    };
    let (pieces, page) = take_page_link(split_template(sentence), values);
    let url = match page {
        PageLink::Found(url) => Some(url),
        // A line that names a page of the console and no command needs the page.
        PageLink::Missing if command.is_none() => return None,
        PageLink::Missing | PageLink::NotNamed => None,
    };
    let mut sentence = expand_sentence(&pieces, values, |value| value.show(SENTENCE_VALUE_MAX_CHARS))?;
    let mut chat_sentence = expand_sentence(&pieces, values, format_code_span)?;
    if url.is_some() || command.is_some() {
        sentence = end_with_colon(&sentence);
        chat_sentence = end_with_colon(&chat_sentence);
    }
    let others = if command.is_some() { values.describe_others(&split_template(line)) } else { None };
    Some(NextStep { sentence, chat_sentence, link: url, command, others })
}

/// Splits `sentence: command` and `question? command`; a line may be one of them alone.
fn split_line(line: &str) -> (&str, Option<&str>) {
    if line.starts_with("aws ") {
        return ("", Some(line));
    }
    let colon = line.find(": aws ");
    let question_mark = line.find("? aws ");
    let end = match (colon, question_mark) {
        (Some(colon), Some(question_mark)) => colon.min(question_mark),
        (Some(end), None) | (None, Some(end)) => end,
        (None, None) => return (line, None),
    };
    // Both marks are one byte long, and the space behind them, too.
    let (sentence, rest) = line.split_at(end + 1);
    (sentence, rest.strip_prefix(' '))
}

/// The page of the console that a sentence names at its end.
enum PageLink {
    /// The sentence names no page.
    NotNamed,
    /// The incident has no value for the page.
    Missing,
    /// The address, with what to do there.
    Found(String),
}

/// Takes `, at LINK (what to do there) or by:` off the end of a sentence: a link stands alone, so that a finger finds it.
fn take_page_link<'l>(
    mut pieces: Vec<TemplatePiece<'l>>,
    values: &PlaceholderValues,
) -> (Vec<TemplatePiece<'l>>, PageLink) {
    let [.., TemplatePiece::Text(before), TemplatePiece::Placeholder(name), TemplatePiece::Text(after)] =
        pieces.as_slice()
    else {
        return (pieces, PageLink::NotNamed);
    };
    let (Some(sentence), Some(page), Some(remark)) =
        (before.strip_suffix(" at "), name.strip_prefix("link:"), after.strip_suffix(" or by:"))
    else {
        return (pieces, PageLink::NotNamed);
    };
    let link = match values.find_link(page) {
        Some(url) => PageLink::Found(format!("{url}{remark}")),
        None => PageLink::Missing,
    };
    let sentence = sentence.trim_end_matches([',', ';']);
    pieces.truncate(pieces.len() - 3);
    pieces.push(TemplatePiece::Text(sentence));
    (pieces, link)
}

fn end_with_colon(sentence: &str) -> String {
    if sentence.is_empty() || sentence.ends_with('?') {
        return sentence.to_owned();
    }
    format!("{}:", sentence.trim_end_matches(':'))
}

fn expand_sentence(
    pieces: &[TemplatePiece<'_>],
    values: &PlaceholderValues,
    show: impl Fn(&Untrusted) -> String,
) -> Option<String> {
    let mut sentence = String::new();
    for piece in pieces {
        match piece {
            TemplatePiece::Text(text) => sentence.push_str(text),
            // We build links ourselves, out of encoded values.
            TemplatePiece::Placeholder(name) if name.starts_with("link:") => {
                sentence.push_str(values.find_value(name)?);
            }
            // A condition has no text of its own.
            TemplatePiece::Placeholder(name) if name.starts_with(WITHOUT_PREFIX) => {
                values.find_value(name)?;
            }
            TemplatePiece::Placeholder(name) => {
                let value = Untrusted::new(values.find_value(name)?);
                sentence.push_str(&show(&value));
            }
        }
    }
    Some(sentence.trim_end().to_owned())
}
