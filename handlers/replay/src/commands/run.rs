//! `replay run`: decides about events, and reports decisions, incidents and a summary.

use std::io::{self, BufWriter, Write};

use responder_core::rules::RuleSet;

use crate::cli::{IncidentOrder, ReportFormat, RunArgs};
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{JsonLines, ReportHeader, TerminalProgress, TextLayout, warn_of_problems};
use crate::report::{
    FilteredCoverage, ReplayResult, ReplayTotals, ReportFilter, replay_events, write_replay_text,
};
use crate::rules_and_facts::{HashedRules, load_facts, load_hashed_rules};

pub(crate) fn run_replay(args: &RunArgs) -> Result<CommandOutcome, CommandError> {
    let filter = ReportFilter::new(args.filter.to_filter(&args.secret.secrets)?, args.severity.severity);
    let HashedRules { rules, hash } = load_hashed_rules(&args.rules)?;
    let facts = load_facts(args.facts.as_deref())?;
    check_paths(&args.paths)?;
    let are_services_known = facts.services.is_some();
    let mut result = replay_events(&rules, facts, &args.paths, filter, &mut TerminalProgress::new());
    if args.order == IncidentOrder::Time {
        // The sort is stable: incidents that begin together stay in the order of their severity.
        result.incidents.sort_by_key(|incident| incident.first);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        ReportFormat::Json => {
            write_json_lines(&ReportHeader::of_process(Some(hash)), &result, &rules, &mut out)?;
        }
        ReportFormat::Text => {
            warn_of_problems(&result.problems);
            let layout = TextLayout::for_output(args.all);
            write_replay_text(&result, are_services_known, layout, &mut out)?;
        }
    }
    out.flush()?;
    Ok(CommandOutcome::after_reading(result.summary.events, result.problems.len()))
}

/// Writes the header, decisions by time, incidents in the order that was asked for, their totals, problems by file, coverage, and the summary.
fn write_json_lines(
    header: &ReportHeader,
    result: &ReplayResult,
    rules: &RuleSet,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut lines = JsonLines::new(out);
    lines.write_one("header", header)?;
    lines.write_all("decision", &result.locate_decisions(rules))?;
    lines.write_all("incident", &result.incidents)?;
    lines.write_one("totals", &ReplayTotals::count(&result.incidents))?;
    lines.write_all("problem", &result.problems)?;
    lines.write_one("coverage", &FilteredCoverage::new(&result.coverage, &result.filter))?;
    lines.write_one("summary", &result.summary)
}
