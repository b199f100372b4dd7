//! JSON output: one object a line, each with its kind.

use std::io::{self, Write};

use crate::story::Story;
use responder_core::notify::Renderer;
use responder_core::text::json_line;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

/// Decisions by time, incidents by severity, problems by file, the summary last.
pub(crate) fn lines(story: &Story, renderer: Renderer<'_>, out: &mut impl Write) -> io::Result<()> {
    for decision in &story.decisions {
        line("decision", &renderer.render_plan(decision), out)?;
    }
    for incident in &story.incidents {
        line("incident", incident, out)?;
    }
    for problem in &story.problems {
        line("problem", problem, out)?;
    }
    line("summary", &story.summary, out)
}

/// One line of any kind.
pub(crate) fn line<T: Serialize>(kind: &'static str, value: &T, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", json_line(&Line { kind, value })?)
}
