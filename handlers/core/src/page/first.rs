//! What to do first: the lines of a response with the incident's values in them.

use super::chat::code;
use super::shell;
use super::values::{Piece, Values, pieces};
use crate::rules::Response;
use crate::text::Untrusted;

/// One thing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Advice {
    /// A sentence.
    pub(super) say: String,
    /// The same for a chat, with values as code.
    pub(super) marked: String,
    /// A page of the console.
    pub(super) open: Option<String>,
    /// A command for a shell.
    pub(super) run: Option<String>,
}

/// As many as a person keeps in mind at 3 a.m.
const MOST: usize = 3;

const VALUE: usize = 200;

/// The first lines that have all their values.
pub(super) fn advice(response: &Response, values: &Values) -> Vec<Advice> {
    response.first.iter().filter_map(|line| expand(line, values)).take(MOST).collect()
}

fn expand(line: &str, values: &Values) -> Option<Advice> {
    // `sentence: command`, or one of them.
    let (say, run) = match line.find(": aws ") {
        _ if line.starts_with("aws ") => ("", Some(line)),
        Some(colon) => (line.get(..=colon)?, line.get(colon + 2..)),
        None => (line, None),
    };
    let mut said = pieces(say);
    // A link at the end stands alone, so that a finger finds it.
    let open = match said.last() {
        Some(Piece::Name(name)) => name.strip_prefix("link:"),
        _ => None,
    };
    if open.is_some() {
        said.pop();
    }
    let open = match open {
        Some(name) => Some(values.link(name)?.to_owned()),
        None => None,
    };
    let run = match run {
        Some(run) => Some(shell::command(&pieces(run), |name| values.get(name))?),
        None => None,
    };
    let say = sentence(&said, values, |value| value.show(VALUE))?;
    let marked = sentence(&said, values, code)?;
    Some(Advice { say, marked, open, run })
}

fn sentence(pieces: &[Piece<'_>], values: &Values, show: impl Fn(&Untrusted) -> String) -> Option<String> {
    let said = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => Some((*text).to_owned()),
        Piece::Name(name) if name.starts_with("link:") => values.get(name).map(str::to_owned),
        Piece::Name(name) => values.get(name).map(|value| show(&Untrusted::new(value))),
    });
    said.collect::<Option<String>>().map(|said| said.trim_end().to_owned())
}
