//! The proofs as people read them: a table, what is missing and where to look, the totals.

use std::io::{self, Write};

use responder_audit::proof::{ChainState, ProofChain, ProofLink, UnconsumedChange};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

use crate::proof::Proofs;

const HEAD: [&str; 8] =
    ["CHANGED", "SECRET", "SERVICE", "DECISION", "DEPLOYED", "COMPLETED", "FETCHED", "TOOK"];

/// How long a name may be in a cell, and in a sentence.
const CELL: usize = 40;
const MAX: usize = 300;

/// Writes the table. Times after a change are told from it: `+1m 50s`.
pub(crate) fn write(proofs: &Proofs, out: &mut impl Write) -> io::Result<()> {
    if proofs.chains.is_empty() && proofs.lone.is_empty() {
        return writeln!(out, "No change of a secret in this input.");
    }
    let mut rows: Vec<(Timestamp, [String; 8])> = proofs.chains.iter().map(row).collect();
    rows.extend(proofs.lone.iter().map(lone_row));
    rows.sort_by_key(|(at, _)| *at);
    let rows: Vec<[String; 8]> = rows.into_iter().map(|(_, cells)| cells).collect();
    grid(HEAD, &rows, out)?;
    missing(proofs, out)?;
    totals(proofs, out)
}

/// A head and rows in columns as wide as their widest cell.
pub(crate) fn grid<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut widths = head.map(str::len);
    for cells in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut line = |cells: [&str; N]| {
        let cells: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())
    };
    line(head)?;
    rows.iter().try_for_each(|cells| line(cells.each_ref().map(String::as_str)))
}

fn row(chain: &ProofChain) -> (Timestamp, [String; 8]) {
    let proof = &chain.proof;
    let after = |at: Option<Timestamp>| at.map(|at| offset(proof.changed_at, at));
    let unknown = || if ends_unknown(chain) { "?" } else { "-" }.to_owned();
    let completed = match (proof.completed_at, proof.failed_at) {
        // What failed and then completed has completed.
        (Some(completed), failed) if failed.is_none_or(|failed| failed < completed) => {
            after(proof.completed_at)
        }
        (_, Some(_)) => after(proof.failed_at).map(|failed| format!("failed {failed}")),
        (completed, None) => after(completed),
    };
    let fetched = after(proof.fetched_at).map(|at| at + if proof.shared { " (shared role)" } else { "" });
    let cells = [
        proof.changed_at.to_string(),
        name(&proof.secret, CELL),
        service(&proof.service, CELL),
        proof.decision.map_or("-", |decision| decision.name()).to_owned(),
        after(proof.deployed_at).unwrap_or_else(|| "-".to_owned()),
        completed.unwrap_or_else(unknown),
        fetched.unwrap_or_else(|| "-".to_owned()),
        match chain.state {
            ChainState::Complete => chain.to_consume.map_or_else(|| "-".to_owned(), clock),
            ChainState::Read => "READ".to_owned(),
            ChainState::Open => "OPEN".to_owned(),
            ChainState::Broken => "BROKEN".to_owned(),
        },
    ];
    (proof.changed_at, cells)
}

/// Whether it has a rollout of which nothing would tell the end.
fn ends_unknown(chain: &ProofChain) -> bool {
    !chain.ends_known && chain.proof.deployed_at.is_some() && chain.proof.completed_at.is_none()
}

fn lone_row(lone: &UnconsumedChange) -> (Timestamp, [String; 8]) {
    let read = lone.first_read.as_ref().map(|read| offset(lone.changed_at, read.at));
    let [service, state] = if lone.certain { ["none", "-"] } else { ["unknown", "UNKNOWN"] };
    let dash = || "-".to_owned();
    let cells = [
        lone.changed_at.to_string(),
        name(&lone.secret, CELL),
        service.to_owned(),
        dash(),
        dash(),
        dash(),
        read.unwrap_or_else(dash),
        state.to_owned(),
    ];
    (lone.changed_at, cells)
}

/// A sentence about each chain that is not complete, and where to look.
fn missing(proofs: &Proofs, out: &mut impl Write) -> io::Result<()> {
    let gaps = proofs.chains.iter().filter(|chain| chain.state != ChainState::Complete);
    let unknown = proofs.lone.iter().filter(|lone| !lone.certain);
    if gaps.clone().next().is_some() || unknown.clone().next().is_some() {
        writeln!(out, "\nNot proved")?;
    }
    for chain in gaps {
        let proof = &chain.proof;
        let (Some(link), Some(reason)) = (chain.link, &chain.reason) else { continue };
        let state = match chain.state {
            ChainState::Complete => continue,
            ChainState::Read => "read, but open",
            ChainState::Open => "open",
            ChainState::Broken => "broken",
        };
        let (service, secret) = (service(&proof.service, MAX), name(&proof.secret, MAX));
        writeln!(out, "  {service}, {secret} of {}: {state} at `{}`", proof.changed_at, link.name())?;
        writeln!(out, "      {}", reason.show(MAX))?;
        if let Some(deployment) = &proof.deployment {
            writeln!(out, "      deployment {}", Untrusted::new(&**deployment).show(MAX))?;
        }
        writeln!(out, "      look at {}", place(link))?;
    }
    for lone in unknown {
        let secret = name(&lone.secret, MAX);
        writeln!(out, "  {secret} of {}: its services are unknown", lone.changed_at)?;
        writeln!(out, "      {}; give the services with --facts", lone.reason)?;
        if let Some(read) = &lone.first_read {
            writeln!(out, "      the first task to read it since, at {}: {}", read.at, read.role.show(MAX))?;
        }
    }
    Ok(())
}

/// No commands here: names from outside would be pasted into a shell.
fn place(link: ProofLink) -> &'static str {
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

fn totals(proofs: &Proofs, out: &mut impl Write) -> io::Result<()> {
    let totals = &proofs.summary;
    writeln!(out, "\n{} of {} consumers proved", totals.complete, totals.consumers)?;
    let rows = [
        (totals.read, "read by a new task, but nothing tells how the rollout ended"),
        (totals.open, "open: not proved yet"),
        (totals.broken, "broken"),
        (totals.unknown, "changes whose services are unknown"),
        (totals.unused, "changes of secrets that no service uses"),
        (totals.quarantined, "parts of the input could not be read: more may be missing"),
    ];
    for (count, what) in rows.iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "{count:>9}  {what}")?;
    }
    if proofs.chains.iter().any(ends_unknown) {
        writeln!(
            out,
            "`?`: CloudTrail does not tell how a rollout ends: a read of the secret is proof of one new task, not of all."
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

fn name(secret: &SecretRef, max: usize) -> String {
    secret.name().show(max)
}

/// The part of a service's ARN that people know it by.
fn service(arn: &str, max: usize) -> String {
    Untrusted::new(arn.split_once(":service/").map_or(arn, |(_, path)| path)).show(max)
}

/// `+1m 50s` after a change; `-2s` before it.
fn offset(from: Timestamp, at: Timestamp) -> String {
    let millis = at.millis().saturating_sub(from.millis());
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{}", clock(Span::from_millis(millis.saturating_abs())))
}

/// Two units at the most: `52s`, `1m 50s`, `3h 5m`, `2d 4h`.
fn clock(span: Span) -> String {
    let seconds = span.millis() / 1_000;
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let parts = units.iter().scan(seconds, |rest, (unit, size)| {
        let count = *rest / size;
        *rest %= size;
        Some((count, unit))
    });
    let shown: Vec<String> = parts
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_two_units_at_the_most() {
        for (seconds, shown) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (110, "1m 50s"), (3_601, "1h"), (187_200, "2d 4h")]
        {
            assert_eq!(clock(Span::from_secs(seconds)), shown);
        }
        let at = Timestamp::from_millis;
        assert_eq!((offset(at(5_000), at(3_000)), offset(at(0), at(999))), ("-2s".into(), "+0s".into()));
        assert!(!offset(at(i64::MIN), at(i64::MAX)).is_empty());
    }
}
