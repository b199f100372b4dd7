//! `replay reads`: lists who read a secret, from where and when.

use std::io::{self, BufWriter, Write};

use responder_audit::access_history::{AccessHistory, AccessReport};
use responder_audit::input::{InputProblem, read_events};
use responder_core::event::Event;

use crate::cli::{ReadsArgs, ReportFormat};
use crate::command_outcome::{CommandError, CommandOutcome};
use crate::output::{JsonLines, TerminalProgress, warn_of_problems};
use crate::report::{AccessTotals, write_access_text};
use crate::rules_and_facts::load_facts;

pub(crate) fn list_reads(args: &ReadsArgs) -> Result<CommandOutcome, CommandError> {
    let facts = load_facts(args.facts.as_deref())?;
    let mut history = AccessHistory::new(args.secret.clone(), facts, args.since, args.until);
    let problems = read_events(&args.paths, &mut TerminalProgress::new(), &mut |text| {
        let event = Event::parse(text).map_err(|error| error.to_string())?;
        history.add_event(&event).map_err(|error| error.to_string())
    });
    let report = history.report();
    let totals = AccessTotals::count(&report, problems.len());
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        ReportFormat::Json => write_json_lines(&report, &problems, &totals, &mut out)?,
        ReportFormat::Text => {
            warn_of_problems(&problems);
            write_access_text(&report, &totals, &mut out)?;
        }
    }
    out.flush()?;
    Ok(CommandOutcome::after_problems(problems.len()))
}

fn write_json_lines(
    report: &AccessReport,
    problems: &[InputProblem],
    totals: &AccessTotals,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut lines = JsonLines::new(out);
    lines.write_all("reader", &report.readers)?;
    lines.write_all("may-have-read", &report.possible_readers)?;
    lines.write_all("problem", problems)?;
    lines.write_one("summary", totals)
}
