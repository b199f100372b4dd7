//! The report of `replay reads` that people read: the readers, the possible readers, the totals.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use responder_audit::access_history::{AccessDoubt, AccessRow};
use responder_core::text::Untrusted;

use super::access_query::{AccessAnswer, AskedQuery};
use super::coverage_text::{write_coverage_text, write_nothing_read};
use super::each_read_text::write_each_read;
use crate::output::{write_counts, write_table};

/// Account and Region are those of the secret, or of its replica.
const TABLE_HEAD: [&str; 10] =
    ["PRINCIPAL", "CALLER", "ACCESS KEY", "FROM", "REGION", "ACCOUNT", "READS", "REFUSED", "FIRST", "LAST"];

/// How many characters of a principal a cell shows: the ARN of a role without a path has at most 95.
const PRINCIPAL_LENGTH_MAX: usize = 120;

/// How many characters any other cell shows: an IPv6 address has at most 39.
const CELL_LENGTH_MAX: usize = 45;

/// How many names of secrets a sentence lists.
const LISTED_NAMES_MAX: usize = 20;

/// The heading of the table for each doubt.
const DOUBT_HEADINGS: [(AccessDoubt, &str); 3] = [
    (AccessDoubt::Filter, "May have read it: batches by filter, whose records do not show what they read"),
    (AccessDoubt::Spelling, "May have read it: spellings that can mean this secret or another one"),
    (AccessDoubt::Unnamed, "May have asked for it: the record names no secret"),
];

/// Writes the question, the tables, the totals and what was looked at.
pub(crate) fn write_access_text(answer: &AccessAnswer, out: &mut impl Write) -> io::Result<()> {
    write_nothing_read(&answer.coverage, out)?;
    write_question(answer, out)?;
    write_tables(answer, out)?;
    write_each_read(&answer.report.each, out)?;
    write_totals(answer, out)?;
    write_coverage_text(&answer.coverage, out)
}

/// Writes what was asked for, and what is wrong with the question.
fn write_question(answer: &AccessAnswer, out: &mut impl Write) -> io::Result<()> {
    let AskedQuery { secret, since, until, named, secrets, nearest, .. } = &answer.query;
    let secret = secret.show(PRINCIPAL_LENGTH_MAX);
    let since_text = since.map_or("the first event".to_owned(), |since| since.to_string());
    let until_text = until.map_or("the last event".to_owned(), |until| until.to_string());
    writeln!(out, "Reads of {secret}, from {since_text} to {until_text}.")?;
    if !named {
        writeln!(out, "NO EVENT OF THIS INPUT NAMES {secret}, read or not. Is it spelled right?")?;
    }
    if !secrets.is_empty() {
        let count = secrets.len();
        writeln!(out, "Of the secrets that this input names, {count} fit: {}.", list_names(secrets))?;
    }
    if !nearest.is_empty() {
        writeln!(out, "Did you mean: {}?", list_names(nearest))?;
    }
    if let (Some(from), Some(to)) = (answer.totals.from, answer.totals.to) {
        if since.is_some_and(|since| since < from) {
            writeln!(out, "The window begins before the input, whose first event is of {from}.")?;
        }
        if until.is_some_and(|until| until > to) || since.is_some_and(|since| since > to) {
            writeln!(out, "The window ends after the input, whose last event is of {to}.")?;
        }
    }
    answer.filter.write_text("records of calls for it", "", out)?;
    writeln!(out)
}

/// Lists the first names.
fn list_names(names: &[Untrusted]) -> String {
    let shown = names.iter().take(LISTED_NAMES_MAX).map(|name| name.show(PRINCIPAL_LENGTH_MAX));
    let listed = shown.collect::<Vec<_>>().join(", ");
    if names.len() > LISTED_NAMES_MAX {
        let rest = names.len() - LISTED_NAMES_MAX;
        return format!("{listed} and {rest} more");
    }
    listed
}

fn write_tables(answer: &AccessAnswer, out: &mut impl Write) -> io::Result<()> {
    let report = &answer.report;
    let noun = if answer.query.has_wildcards { "these secrets" } else { "this secret" };
    if report.readers.is_empty() {
        let fitting = if answer.filter.hidden > 0 { " that fits" } else { "" };
        writeln!(out, "No read of {noun}{fitting} in this input.")?;
    } else {
        let mut read_secrets: BTreeMap<Option<&Untrusted>, Vec<_>> = BTreeMap::new();
        for reader in &report.readers {
            let secret = reader.secret.as_ref().filter(|_| answer.query.has_wildcards);
            read_secrets.entry(secret).or_default().push(table_row(reader));
        }
        let mut separator = "";
        for (secret, rows) in &read_secrets {
            // With wildcards, each secret has a table of its own.
            if let Some(secret) = secret {
                writeln!(out, "{separator}{}\n", secret.show(PRINCIPAL_LENGTH_MAX))?;
                separator = "\n";
            }
            write_table(TABLE_HEAD, rows, out)?;
        }
    }
    for (doubt, heading) in DOUBT_HEADINGS {
        let readers = report.possible_readers.iter().filter(|reader| reader.doubt == Some(doubt));
        let rows: Vec<_> = readers.map(table_row).collect();
        if !rows.is_empty() {
            writeln!(out, "\n{heading}\n")?;
            write_table(TABLE_HEAD, &rows, out)?;
        }
    }
    Ok(())
}

fn table_row(reader: &AccessRow) -> [String; 10] {
    let caller = match &reader.invoked_by {
        Some(service) => format!("{} ({})", reader.caller.as_str(), service.show(CELL_LENGTH_MAX)),
        None => reader.caller.as_str().to_owned(),
    };
    [
        reader.principal.show(PRINCIPAL_LENGTH_MAX),
        caller,
        show_one_or_count(&reader.access_keys, "keys"),
        show_one_or_count(&reader.addresses, "addresses"),
        Untrusted::new(&*reader.region).show(CELL_LENGTH_MAX),
        Untrusted::new(&*reader.account).show(CELL_LENGTH_MAX),
        reader.reads.to_string(),
        reader.refused.to_string(),
        reader.first.to_string(),
        reader.last.to_string(),
    ]
}

fn show_one_or_count(values: &BTreeSet<Untrusted>, noun: &str) -> String {
    match (values.first(), values.len()) {
        (Some(only), 1) => only.show(CELL_LENGTH_MAX),
        (None, _) => "-".to_owned(),
        (_, count) => format!("{count} {noun}"),
    }
}

fn write_totals(answer: &AccessAnswer, out: &mut impl Write) -> io::Result<()> {
    let totals = &answer.totals;
    let secrets = if answer.query.has_wildcards { totals.secrets } else { 0 };
    // The count of reads is the answer, even if it is 0.
    writeln!(out, "\n{:>9}  reads", totals.reads)?;
    let counts = [
        (totals.refused, "refused"),
        (totals.principals, "principals"),
        (secrets, "of the secrets that fit were read, or somebody tried to"),
        (totals.may, "calls that may have read it"),
        (totals.copies, "further copies of those calls, counted once"),
        (totals.quarantined, "parts of the input could not be read: reads may be missing"),
    ];
    write_counts(&counts, out)?;
    match (totals.from, totals.to) {
        (Some(from), Some(to)) => writeln!(out, "The input has events from {from} to {to}."),
        _ => writeln!(out, "The input has no events with a time."),
    }
}
