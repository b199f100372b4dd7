//! `replay reads`: who read a secret, from where and when.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write as _};

use responder_audit::access_history::{AccessHistory, AccessReport, AccessRow};
use responder_core::event::Event;
use responder_core::time::Timestamp;
use serde::Serialize;

use crate::cli::{Format, ReadsArgs};
use crate::output::line;
use crate::source::{Problem, each_event};
use crate::{End, Failure, readers, report, settings, warn};

/// The counts.
#[derive(Debug, Serialize)]
pub(crate) struct Totals {
    /// Different principals among those who read it or tried.
    pub(crate) principals: usize,
    /// Calls that read it, each once.
    pub(crate) reads: usize,
    /// Calls for it that were refused or failed.
    pub(crate) refused: usize,
    /// Calls that may have read it.
    pub(crate) may: usize,
    /// Further copies of all those, which were not counted.
    pub(crate) copies: usize,
    /// Parts of the input that could not be read.
    pub(crate) quarantined: usize,
    /// When the first event of the input was, whatever it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Timestamp>,
    /// When the last one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Timestamp>,
}

pub(crate) fn reads(args: &ReadsArgs) -> Result<End, Failure> {
    let facts = settings::facts(args.facts.as_deref())?;
    let mut readings = AccessHistory::new(args.secret.clone(), facts, args.since, args.until);
    let problems = each_event(&args.paths, &mut |text| {
        let event = Event::parse(text).map_err(|error| error.to_string())?;
        readings.add(&event).map_err(|error| error.to_string())
    });
    let report = readings.report();
    let totals = totals(&report, problems.len());
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => lines(&report, &problems, &totals, &mut out)?,
        Format::Text => {
            for problem in &problems {
                warn(&report::problem(problem));
            }
            readers::write(&report, &totals, &mut out)?;
        }
    }
    out.flush()?;
    Ok(if problems.is_empty() { End::Done } else { End::Parked })
}

fn totals(report: &AccessReport, quarantined: usize) -> Totals {
    let sum = |rows: &[AccessRow], count: fn(&AccessRow) -> usize| rows.iter().map(count).sum();
    let principals: BTreeSet<_> = report.readers.iter().map(|row| row.principal.raw()).collect();
    Totals {
        principals: principals.len(),
        reads: sum(&report.readers, |row| row.reads),
        refused: sum(&report.readers, |row| row.refused),
        may: sum(&report.may, |row| row.reads + row.refused),
        copies: report.copies,
        quarantined,
        from: report.covered.map(|(from, _)| from),
        to: report.covered.map(|(_, to)| to),
    }
}

fn lines(
    report: &AccessReport,
    problems: &[Problem],
    totals: &Totals,
    out: &mut impl io::Write,
) -> io::Result<()> {
    for row in &report.readers {
        line("reader", row, out)?;
    }
    for row in &report.may {
        line("may-have-read", row, out)?;
    }
    for problem in problems {
        line("problem", problem, out)?;
    }
    line("summary", totals, out)
}
