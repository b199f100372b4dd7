//! `replay proof`: shows which services are proved to run the new values of changed secrets, and where other chains end.

use std::io::{self, BufWriter, Write};

use crate::cli::{ProofArgs, ReportFormat};
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{JsonLines, ReportHeader, TerminalProgress, warn_of_problems};
use crate::report::{FilteredCoverage, ProofReport, ReportFilter, write_proof_text};
use crate::rules_and_facts::load_facts;

pub(crate) fn prove_rotations(args: &ProofArgs) -> Result<CommandOutcome, CommandError> {
    let filter = ReportFilter::new(args.filter.to_filter(&args.secret.secrets)?, None);
    let facts = load_facts(args.facts.as_deref())?;
    check_paths(&args.paths)?;
    let report = ProofReport::read(&args.paths, &facts, filter, &mut TerminalProgress::new())?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        ReportFormat::Json => write_json_lines(&report, &mut out)?,
        ReportFormat::Text => {
            warn_of_problems(&report.problems);
            write_proof_text(&report, &mut out)?;
        }
    }
    out.flush()?;
    Ok(decide_outcome(&report))
}

/// Decides the exit status: problems of the input, and an input without anything in it, hide
/// other chains, so they come first.
fn decide_outcome(report: &ProofReport) -> CommandOutcome {
    let totals = &report.totals;
    if totals.quarantined > 0 || report.coverage.is_empty() {
        CommandOutcome::PartlyRead
    } else if totals.complete < totals.consumers || totals.unknown > 0 || totals.failed > 0 {
        CommandOutcome::Differs
    } else {
        CommandOutcome::Done
    }
}

fn write_json_lines(report: &ProofReport, out: &mut impl Write) -> io::Result<()> {
    let mut lines = JsonLines::new(out);
    lines.write_one("header", &ReportHeader::of_process(None))?;
    lines.write_all("proof", &report.chains)?;
    lines.write_all("no-consumers", &report.unconsumed)?;
    lines.write_all("failed-rotation", &report.failed)?;
    lines.write_all("problem", &report.problems)?;
    lines.write_one("coverage", &FilteredCoverage::new(&report.coverage, &report.filter))?;
    lines.write_one("summary", &report.totals)
}
