//! The report of `replay proof` that people read: a table, the missing links and where to look, the totals.

use std::io::{self, Write};

use responder_audit::proof::{ChainState, FailedRotation, ProofChain, ProofLink, UnconsumedChange};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

use super::coverage_text::{write_coverage_text, write_nothing_read};
use super::proof_report::ProofReport;
use super::short_names::show_service;
use crate::output::{write_counts, write_table};

const COLUMNS: usize = 10;

const TABLE_HEAD: [&str; COLUMNS] = [
    "CHANGED",
    "ACCOUNT",
    "REGION",
    "SECRET",
    "SERVICE",
    "DECISION",
    "DEPLOYED",
    "COMPLETED",
    "FETCHED",
    "TOOK",
];

/// How many characters of a name a cell shows.
const CELL_LENGTH_MAX: usize = 40;

/// How many characters of a name or a reason a sentence shows.
const SENTENCE_LENGTH_MAX: usize = 300;

/// How a cell without a value is written.
const EMPTY_CELL: &str = "-";

/// The units of a span, the largest first, in seconds.
const UNITS_SECONDS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// The effect of a filter.
const FILTER_EFFECT: &str = "Totals and exit status are about those that fit.";

/// Writes the report. Times after a change are relative to it: `+1m 50s`.
pub(crate) fn write_proof_text(report: &ProofReport, out: &mut impl Write) -> io::Result<()> {
    write_nothing_read(&report.coverage, out)?;
    report.filter.write_text("rows", FILTER_EFFECT, out)?;
    if report.chains.is_empty() && report.unconsumed.is_empty() && report.failed.is_empty() {
        let hidden = if report.filter.hidden > 0 { " that fits" } else { "" };
        writeln!(out, "No change of a secret{hidden} in this input.")?;
        return write_coverage_text(&report.coverage, out);
    }
    let mut rows_by_time: Vec<(Timestamp, [String; COLUMNS])> = Vec::new();
    for chain in &report.chains {
        rows_by_time.push((chain.proof.changed_at, chain_row(chain)));
    }
    for change in &report.unconsumed {
        rows_by_time.push((change.changed_at, unconsumed_row(change)));
    }
    for rotation in &report.failed {
        rows_by_time.push((rotation.failed_at, failed_row(rotation)));
    }
    rows_by_time.sort_by_key(|(changed_at, _)| *changed_at);
    let rows: Vec<_> = rows_by_time.into_iter().map(|(_, row)| row).collect();
    write_table(TABLE_HEAD, &rows, out)?;
    write_unproved(report, out)?;
    write_totals(report, out)?;
    write_coverage_text(&report.coverage, out)
}

fn chain_row(chain: &ProofChain) -> [String; COLUMNS] {
    let proof = &chain.proof;
    let decision = proof.decision.map_or(EMPTY_CELL, |decision| decision.as_str());
    let mut fetched = show_offset(proof.changed_at, proof.fetched_at);
    if proof.fetched_at.is_some() && proof.shared {
        fetched += " (shared role)";
    }
    [
        proof.changed_at.to_string(),
        show_part(&proof.secret.account),
        show_part(&proof.secret.region),
        proof.secret.friendly_name().show(CELL_LENGTH_MAX),
        show_service(&proof.service, CELL_LENGTH_MAX),
        decision.to_owned(),
        show_offset(proof.changed_at, proof.deployed_at),
        show_end(chain),
        fetched,
        show_state(chain),
    ]
}

/// Shows how the rollout ended. A rollout that failed and completed after that has completed.
fn show_end(chain: &ProofChain) -> String {
    let proof = &chain.proof;
    match (proof.failed_at, proof.completed_at) {
        (Some(failed), Some(completed)) if failed < completed => {
            show_offset(proof.changed_at, proof.completed_at)
        }
        (Some(_), _) => format!("failed {}", show_offset(proof.changed_at, proof.failed_at)),
        (None, Some(_)) => show_offset(proof.changed_at, proof.completed_at),
        (None, None) if is_end_unknown(chain) => "?".to_owned(),
        (None, None) => EMPTY_CELL.to_owned(),
    }
}

/// Whether there is a rollout whose end no event of the input would show.
fn is_end_unknown(chain: &ProofChain) -> bool {
    !chain.ends_known && chain.proof.deployed_at.is_some() && chain.proof.completed_at.is_none()
}

/// Shows how long a complete chain took, or how far another one is.
fn show_state(chain: &ProofChain) -> String {
    match (chain.state, chain.to_consume) {
        (ChainState::Late, _) => {
            let late_by = chain.late_by.map_or_else(|| EMPTY_CELL.to_owned(), show_span);
            format!("LATE by {late_by}")
        }
        (ChainState::Complete, Some(span)) => show_span(span),
        (ChainState::Complete, None) => EMPTY_CELL.to_owned(),
        (ChainState::Read, _) => "READ".to_owned(),
        (ChainState::Open, _) => "OPEN".to_owned(),
        (ChainState::Broken, _) => "BROKEN".to_owned(),
    }
}

fn failed_row(rotation: &FailedRotation) -> [String; COLUMNS] {
    let state = match rotation.recovered_at {
        Some(_) => format!("RECOVERED {}", show_offset(rotation.failed_at, rotation.recovered_at)),
        None => "FAILED".to_owned(),
    };
    [
        rotation.failed_at.to_string(),
        show_part(&rotation.secret.account),
        show_part(&rotation.secret.region),
        rotation.secret.friendly_name().show(CELL_LENGTH_MAX),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        state,
    ]
}

/// Names a secret in a sentence, with its account and Region: names are alike in several.
fn locate_secret(secret: &SecretRef) -> String {
    let name = secret.friendly_name().show(SENTENCE_LENGTH_MAX);
    format!("{name} ({}, {})", show_part(&secret.account), show_part(&secret.region))
}

/// Shows the account or the Region of a secret.
fn show_part(part: &str) -> String {
    Untrusted::new(part).show(CELL_LENGTH_MAX)
}

fn unconsumed_row(change: &UnconsumedChange) -> [String; COLUMNS] {
    let read_at = change.first_read.as_ref().map(|read| read.at);
    let [service, state] = if change.certain { ["none", EMPTY_CELL] } else { ["unknown", "UNKNOWN"] };
    [
        change.changed_at.to_string(),
        show_part(&change.secret.account),
        show_part(&change.secret.region),
        change.secret.friendly_name().show(CELL_LENGTH_MAX),
        service.to_owned(),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        EMPTY_CELL.to_owned(),
        show_offset(change.changed_at, read_at),
        state.to_owned(),
    ]
}

/// Writes about each chain that is not complete, and each change whose services are unknown: why, and where to look.
fn write_unproved(report: &ProofReport, out: &mut impl Write) -> io::Result<()> {
    let totals = &report.totals;
    if totals.complete == totals.consumers && totals.unknown == 0 && report.failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNot proved")?;
    for chain in &report.chains {
        if let (Some(link), Some(reason)) = (chain.link, &chain.reason) {
            write_missing_link(chain, link, reason, out)?;
        }
    }
    for change in &report.unconsumed {
        if !change.certain {
            write_unconsumed(change, out)?;
        }
    }
    for rotation in &report.failed {
        write_failed_rotation(rotation, out)?;
    }
    Ok(())
}

fn write_failed_rotation(rotation: &FailedRotation, out: &mut impl Write) -> io::Result<()> {
    let secret = locate_secret(&rotation.secret);
    let event = rotation.event.show(CELL_LENGTH_MAX);
    writeln!(out, "  {secret}: {event} of {}, {} in a row", rotation.failed_at, rotation.tries)?;
    if !rotation.message.is_empty() {
        writeln!(out, "      {}", rotation.message.show(SENTENCE_LENGTH_MAX))?;
    }
    match rotation.recovered_at {
        Some(at) => writeln!(out, "      the secret got a new value at {at}"),
        None => writeln!(out, "      look at rules/README.md#rotation-failed"),
    }
}

fn write_missing_link(
    chain: &ProofChain,
    link: ProofLink,
    reason: &Untrusted,
    out: &mut impl Write,
) -> io::Result<()> {
    let proof = &chain.proof;
    let state = match chain.state {
        ChainState::Complete => return Ok(()),
        ChainState::Late => "late",
        ChainState::Read => "read, but open",
        ChainState::Open => "open",
        ChainState::Broken => "broken",
    };
    let service = show_service(&proof.service, SENTENCE_LENGTH_MAX);
    let secret = locate_secret(&proof.secret);
    writeln!(out, "  {service}, {secret} of {}: {state} at `{}`", proof.changed_at, link.as_str())?;
    writeln!(out, "      {}", reason.show(SENTENCE_LENGTH_MAX))?;
    if let Some(deployment) = &proof.deployment {
        writeln!(out, "      deployment {}", Untrusted::new(&**deployment).show(SENTENCE_LENGTH_MAX))?;
    }
    writeln!(out, "      look at {}", advise_place(link))
}

fn write_unconsumed(change: &UnconsumedChange, out: &mut impl Write) -> io::Result<()> {
    let secret = locate_secret(&change.secret);
    writeln!(out, "  {secret} of {}: its services are unknown", change.changed_at)?;
    writeln!(out, "      {}; give the services with --facts", change.reason)?;
    if let Some(read) = &change.first_read {
        let role = read.role.show(SENTENCE_LENGTH_MAX);
        writeln!(out, "      the first task to read it since, at {}: {role}", read.at)?;
    }
    Ok(())
}

/// Returns where to look for a missing link. It holds no commands: names from outside would be pasted into a shell.
fn advise_place(link: ProofLink) -> &'static str {
    match link {
        ProofLink::Decided => {
            "the service's tags, windows and references: rules/README.md#redeploy-consumers"
        }
        ProofLink::Deployed => {
            "the service's deployments and what the functions logged: rules/README.md#redeploy-consumers"
        }
        ProofLink::Completed => "the service's events and its stopped tasks: rules/README.md#rollout-failed",
        ProofLink::Fetched => {
            "the reads of its execution role in CloudTrail, and its running tasks: rules/README.md#reading-a-proof"
        }
    }
}

fn write_totals(report: &ProofReport, out: &mut impl Write) -> io::Result<()> {
    let totals = &report.totals;
    writeln!(out, "\n{} of {} consumers proved", totals.complete, totals.consumers)?;
    let counts = [
        (totals.late, "late: answered, but not in time"),
        (totals.read, "read by a new task, but nothing shows how the rollout ended"),
        (totals.open, "open: not proved yet"),
        (totals.broken, "broken"),
        (totals.unknown, "changes whose services are unknown"),
        (totals.unused, "changes of secrets that no service uses"),
        (totals.failed, "rotations failed"),
        (totals.recovered, "rotations failed at first, and a new value came later"),
        (totals.quarantined, "parts of the input could not be read: more may be missing"),
    ];
    write_counts(&counts, out)?;
    if report.chains.iter().any(is_end_unknown) {
        writeln!(
            out,
            "`?`: CloudTrail does not show how a rollout ends: a read of the secret is proof of one new task, not of all."
        )?;
    }
    if totals.partial {
        writeln!(
            out,
            "The services come from the task definitions in this input: others may use the secrets too (--facts)."
        )?;
    }
    Ok(())
}

/// Shows a time relative to a change: `+1m 50s`, or `-2s` before it.
fn show_offset(changed_at: Timestamp, at: Option<Timestamp>) -> String {
    let Some(at) = at else { return EMPTY_CELL.to_owned() };
    let millis = at.millis().saturating_sub(changed_at.millis());
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{}", show_span(Span::from_millis(millis.saturating_abs())))
}

/// Shows a span in its two largest units: `52s`, `1m 50s`, `3h 5m`, `2d 4h`. A unit of 0 is left out.
fn show_span(span: Span) -> String {
    let mut rest = span.millis() / 1_000;
    let mut parts = Vec::new();
    let mut units = 0;
    for (unit, seconds) in UNITS_SECONDS {
        let count = rest / seconds;
        rest %= seconds;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
        // The unit after the first one counts as the second, even if it is 0: 1h 0m 1s is `1h`.
        if units > 0 || count > 0 {
            units += 1;
        }
        if units == 2 {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        for (seconds, shown) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (110, "1m 50s"), (3_601, "1h"), (187_200, "2d 4h")]
        {
            assert_eq!(show_span(Span::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn offsets_have_a_sign_and_never_overflow() {
        let at = Timestamp::from_millis;
        assert_eq!(show_offset(at(5_000), Some(at(3_000))), "-2s");
        assert_eq!(show_offset(at(0), Some(at(999))), "+0s");
        assert_eq!(show_offset(at(0), None), "-");
        assert!(!show_offset(at(i64::MIN), Some(at(i64::MAX))).is_empty());
    }
}
