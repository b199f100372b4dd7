//! `replay run`: events in, decisions, incidents and a summary out.

use std::io::{self, BufWriter, Write as _};

use responder_core::notify::Renderer;

use crate::cli::{Format, RunArgs};
use crate::story::replay;
use crate::{End, Failure, output, report, settings, warn};

pub(crate) fn run(args: &RunArgs) -> Result<End, Failure> {
    let rules = settings::rules(&args.rules)?;
    let facts = settings::facts(args.facts.as_deref())?;
    let known = facts.services.is_some();
    let story = replay(&rules, facts, &args.paths);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => output::lines(&story, Renderer::new(&rules, &story.settings), &mut out)?,
        Format::Text => {
            for problem in &story.problems {
                warn(&report::problem(problem));
            }
            report::write(&story, known, &mut out)?;
        }
    }
    out.flush()?;
    Ok(if story.problems.is_empty() { End::Done } else { End::Parked })
}
