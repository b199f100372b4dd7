//! What to do first: the lines of a response with the incident's values in them.

use super::chat::code;
use super::placeholders::{PlaceholderValues, TemplatePiece, pieces};
use super::shell_quote;
use crate::rules::Response;
use crate::text::Untrusted;

/// One thing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NextStep {
    /// A sentence.
    pub(super) say: String,
    /// The same for a chat, with values as code.
    pub(super) marked: String,
    /// A page of the console.
    pub(super) open: Option<String>,
    /// A command for a shell.
    pub(super) run: Option<String>,
    /// What else it is to be done with.
    pub(super) likewise: Option<String>,
}

/// As many as a person keeps in mind at 3 a.m.
const MOST: usize = 3;

const VALUE: usize = 200;

/// The first lines that have all their values.
pub(super) fn advice(response: &Response, values: &PlaceholderValues) -> Vec<NextStep> {
    response.next_steps.iter().filter_map(|line| expand(line, values)).take(MOST).collect()
}

fn expand(line: &str, values: &PlaceholderValues) -> Option<NextStep> {
    // `sentence: command`, or one of them.
    let command = [": aws ", "? aws "].iter().filter_map(|begin| line.find(begin)).min();
    let (say, run) = match command {
        _ if line.starts_with("aws ") => ("", Some(line)),
        Some(colon) => (line.get(..=colon)?, line.get(colon + 2..)),
        None => (line, None),
    };
    let run = match run {
        Some(run) => Some(shell_quote::command(&pieces(run), |name| values.get(name))?),
        None => None,
    };
    let (said, open) = apart(pieces(say), values, run.is_some())?;
    let colon = |say: String| if open.is_some() || run.is_some() { with_colon(&say) } else { say };
    let say = colon(sentence(&said, values, |value| value.show(VALUE))?);
    let marked = colon(sentence(&said, values, code)?);
    let likewise = run.as_ref().and_then(|_| values.likewise(&pieces(line)));
    Some(NextStep { say, marked, open, run, likewise })
}

/// Takes `, at LINK (what to do there) or by:` off the end of a sentence: a link stands alone, so that a finger finds it. Where there
/// is none, the command will do.
fn apart<'l>(
    mut said: Vec<TemplatePiece<'l>>,
    values: &PlaceholderValues,
    runs: bool,
) -> Option<(Vec<TemplatePiece<'l>>, Option<String>)> {
    let [.., TemplatePiece::Text(before), TemplatePiece::Name(name), TemplatePiece::Text(after)] =
        said.as_slice()
    else {
        return Some((said, None));
    };
    let (Some(before), Some(name), Some(after)) =
        (before.strip_suffix(" at "), name.strip_prefix("link:"), after.strip_suffix(" or by:"))
    else {
        return Some((said, None));
    };
    let open = values.link(name).map(|link| format!("{link}{after}"));
    said.truncate(said.len() - 3);
    said.push(TemplatePiece::Text(before.trim_end_matches([',', ';'])));
    (open.is_some() || runs).then_some((said, open))
}

fn with_colon(say: &str) -> String {
    if say.is_empty() || say.ends_with('?') {
        return say.to_owned();
    }
    format!("{}:", say.trim_end_matches(':'))
}

fn sentence(
    pieces: &[TemplatePiece<'_>],
    values: &PlaceholderValues,
    show: impl Fn(&Untrusted) -> String,
) -> Option<String> {
    let said = pieces.iter().map(|piece| match piece {
        TemplatePiece::Text(text) => Some((*text).to_owned()),
        TemplatePiece::Name(name) if name.starts_with("link:") => values.get(name).map(str::to_owned),
        TemplatePiece::Name(name) => values.get(name).map(|value| show(&Untrusted::new(value))),
    });
    said.collect::<Option<String>>().map(|said| said.trim_end().to_owned())
}
