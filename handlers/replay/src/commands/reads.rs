//! `replay reads`: lists who read a secret, from where and when.

use std::io::{self, BufWriter, Write};

use responder_audit::access_history::AccessHistory;
use responder_audit::input::{InputProblem, read_events};
use responder_audit::query::UnseenValues;
use responder_core::event::Event;

use crate::cli::{ReadsArgs, ReportFormat};
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{JsonLines, ReportHeader, TerminalProgress, warn_of_problems};
use crate::report::{
    AccessAnswer, AccessTotals, AskedQuery, FilteredCoverage, ReportFilter, write_access_text,
};
use crate::rules_and_facts::load_facts;

pub(crate) fn list_reads(args: &ReadsArgs) -> Result<CommandOutcome, CommandError> {
    let query = AskedQuery::from_args(args);
    let facts = load_facts(args.facts.as_deref())?;
    check_paths(&args.paths)?;
    let mut filter = ReportFilter::new(args.filter.to_filter(&[])?, None);
    let mut unseen = UnseenValues::of_filter(&filter.events);
    let mut history = AccessHistory::new(args.secret.clone(), facts, filter.events.clone());
    if args.each {
        history = history.list_each();
    }
    let reading = read_events(&args.paths, &mut TerminalProgress::new(), &mut |located| {
        let event = Event::parse(located.text).map_err(|error| error.to_string())?;
        unseen.see(&event);
        history.add_event(&event, located.file).map_err(|error| error.to_string())
    });
    let report = history.report();
    let coverage = reading.coverage.report();
    filter.note_unseen(&coverage, unseen.texts());
    filter.shown = report.shown;
    filter.hidden = report.hidden;
    let answer = AccessAnswer {
        totals: AccessTotals::count(&report, reading.problems.len()),
        coverage,
        filter,
        query: query.answer(&history),
        report,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        ReportFormat::Json => write_json_lines(&answer, &reading.problems, &mut out)?,
        ReportFormat::Text => {
            warn_of_problems(&reading.problems);
            write_access_text(&answer, &mut out)?;
        }
    }
    out.flush()?;
    Ok(CommandOutcome::after_reading(answer.coverage.events, reading.problems.len()))
}

fn write_json_lines(
    answer: &AccessAnswer,
    problems: &[InputProblem],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut lines = JsonLines::new(out);
    lines.write_one("header", &ReportHeader::of_process(None))?;
    lines.write_one("query", &answer.query)?;
    lines.write_all("reader", &answer.report.readers)?;
    lines.write_all("may-have-read", &answer.report.possible_readers)?;
    lines.write_all("read", &answer.report.each)?;
    lines.write_all("problem", problems)?;
    lines.write_one("coverage", &FilteredCoverage::new(&answer.coverage, &answer.filter))?;
    lines.write_one("summary", &answer.totals)
}
