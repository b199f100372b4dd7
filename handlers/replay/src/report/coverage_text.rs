//! The part of every report that says what was looked at.

use std::io::{self, Write};

use responder_audit::input::{CoverageGap, CoverageReport};
use responder_core::text::Untrusted;

/// How many characters of a Region or an account a line shows.
const LOCATION_LENGTH_MAX: usize = 32;

/// How many gaps are listed.
const LISTED_GAPS_MAX: usize = 20;

/// Says first of all that nothing was read, if so: an empty report must not pass for an all-clear.
pub(super) fn write_nothing_read(coverage: &CoverageReport, out: &mut impl Write) -> io::Result<()> {
    if coverage.is_empty() {
        writeln!(out, "NOTHING WAS READ: the input has no event that can be read. This is no all-clear.")?;
    }
    Ok(())
}

/// Writes files, events, accounts, Regions, days and gaps.
pub(super) fn write_coverage_text(coverage: &CoverageReport, out: &mut impl Write) -> io::Result<()> {
    let CoverageReport { files, bytes, events, ledger_files, undated, accounts, regions, gaps, .. } =
        coverage;
    if *ledger_files > 0 {
        return writeln!(out, "Looked at {ledger_files} files of the ledger ({bytes} bytes unpacked).");
    }
    writeln!(out, "Looked at {events} events in {files} files with events ({bytes} bytes unpacked).")?;
    if let (Some(from), Some(to)) = (coverage.from, coverage.to) {
        let (accounts, regions) = (accounts.len(), regions.len());
        writeln!(out, "Accounts: {accounts}. Regions: {regions}. Days: {from} to {to}.")?;
    }
    if *undated > 0 {
        writeln!(out, "Events without a time that can be read: {undated}.")?;
    }
    for (kind, count) in &coverage.beside {
        writeln!(out, "Beside the events: {count} {}.", kind.as_str())?;
    }
    for gap in gaps.iter().take(LISTED_GAPS_MAX) {
        writeln!(out, "GAP: {}.", describe_gap(gap))?;
    }
    if gaps.len() > LISTED_GAPS_MAX {
        writeln!(out, "GAP: {} more; `--format json` lists all.", gaps.len() - LISTED_GAPS_MAX)?;
    }
    Ok(())
}

fn describe_gap(gap: &CoverageGap) -> String {
    let account = Untrusted::new(&*gap.account).show(LOCATION_LENGTH_MAX);
    let region = Untrusted::new(&*gap.region).show(LOCATION_LENGTH_MAX);
    match (gap.from, gap.to) {
        (Some(from), Some(to)) => {
            let days = if gap.days == 1 { "1 day".to_owned() } else { format!("{} days", gap.days) };
            format!(
                "account {account}, {region}: no events from {from} to {to} ({days}), but before and after"
            )
        }
        _ => format!("account {account} has no events of {region}, which other accounts have"),
    }
}
