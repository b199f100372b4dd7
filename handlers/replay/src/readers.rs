//! The readers of a secret as people read them: who did, who may have, the totals.

use std::collections::BTreeSet;
use std::io::{self, Write};

use responder_audit::access_history::{AccessDoubt, AccessReport, AccessRow};
use responder_core::text::Untrusted;

use crate::reads::Totals;
use crate::table::grid;

const HEAD: [&str; 10] =
    ["PRINCIPAL", "CALLER", "ACCESS KEY", "FROM", "REGION", "ACCOUNT", "READS", "REFUSED", "FIRST", "LAST"];

/// How long a cell may be: an ARN of a role without a path has at most 95 characters, an IPv6 address 39.
const PRINCIPAL: usize = 120;
const CELL: usize = 45;

/// Writes the tables. Account and Region are the secret's, or its replica's.
pub(crate) fn write(report: &AccessReport, totals: &Totals, out: &mut impl Write) -> io::Result<()> {
    if report.readers.is_empty() {
        writeln!(out, "No read of this secret in this input.")?;
    } else {
        rows(&report.readers, out)?;
    }
    for (doubt, head) in DOUBTS {
        let own = report.may.iter().filter(|row| row.doubt == Some(doubt));
        let own: Vec<AccessRow> = own.cloned().collect();
        if !own.is_empty() {
            writeln!(out, "\n{head}\n")?;
            rows(&own, out)?;
        }
    }
    self::totals(totals, out)
}

const DOUBTS: [(AccessDoubt, &str); 3] = [
    (
        AccessDoubt::Filter,
        "May have read it: batches by filter, of which the log does not say what they read",
    ),
    (AccessDoubt::Spelling, "May have read it: spellings that can mean this secret or another one"),
    (AccessDoubt::Unnamed, "May have asked for it: the log names no secret"),
];

fn rows(readers: &[AccessRow], out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[String; 10]> = readers.iter().map(row).collect();
    grid(HEAD, &rows, out)
}

fn row(reader: &AccessRow) -> [String; 10] {
    let show = |text: &str| Untrusted::new(text).show(CELL);
    let caller = match &reader.invoked_by {
        Some(service) => format!("{} ({})", reader.caller.name(), service.show(CELL)),
        None => reader.caller.name().to_owned(),
    };
    [
        reader.principal.show(PRINCIPAL),
        caller,
        one_or_count(&reader.access_keys, "keys"),
        one_or_count(&reader.addresses, "addresses"),
        show(&reader.region),
        show(&reader.account),
        reader.reads.to_string(),
        reader.refused.to_string(),
        reader.first.to_string(),
        reader.last.to_string(),
    ]
}

fn one_or_count(all: &BTreeSet<Untrusted>, what: &str) -> String {
    match (all.first(), all.len()) {
        (Some(only), 1) => only.show(CELL),
        (None, _) => "-".to_owned(),
        (_, count) => format!("{count} {what}"),
    }
}

fn totals(totals: &Totals, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    let rows = [
        (totals.reads, "reads"),
        (totals.refused, "refused"),
        (totals.principals, "principals"),
        (totals.may, "calls that may have read it"),
        (totals.copies, "further copies of those calls, counted once"),
        (totals.quarantined, "parts of the input could not be read: reads may be missing"),
    ];
    for (at, (count, what)) in rows.iter().enumerate() {
        if *count > 0 || at == 0 {
            writeln!(out, "{count:>9}  {what}")?;
        }
    }
    match (totals.from, totals.to) {
        (Some(from), Some(to)) => writeln!(out, "The input has events from {from} to {to}."),
        _ => writeln!(out, "The input has no events with a time."),
    }
}
