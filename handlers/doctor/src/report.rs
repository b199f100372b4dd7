//! The findings as people read them, and as JSON.

use std::io::{self, Write};

use responder_core::text::{Untrusted, to_json_line};
use serde::Serialize;

use crate::finding::{Finding, Level};

/// How long a name or a sentence may be.
const NAME: usize = 64;
const SENTENCE: usize = 300;

/// A table of what is not well, worst first; with `all`, of everything. Then how many of which.
pub(crate) fn table(findings: &[Finding], all: bool, out: &mut impl Write) -> io::Result<()> {
    let mut shown: Vec<&Finding> = findings.iter().filter(|one| all || one.level > Level::Ok).collect();
    shown.sort_by_key(|one| std::cmp::Reverse(one.level));
    let cells: Vec<[String; 5]> = shown
        .iter()
        .map(|one| {
            [
                one.level.word().to_owned(),
                one.check.to_owned(),
                Untrusted::new(&*one.region).show(NAME),
                Untrusted::new(&*one.resource).show(NAME),
                Untrusted::new(&*one.what).show(SENTENCE),
            ]
        })
        .collect();
    let mut widths = HEAD.map(str::len);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if !cells.is_empty() {
        line(&HEAD.map(str::to_owned), &widths, out)?;
    }
    for (one, row) in shown.iter().zip(&cells) {
        line(row, &widths, out)?;
        if !one.means.is_empty() {
            writeln!(out, "      means  {}", one.means)?;
            writeln!(out, "      fix    {}", Untrusted::new(&*one.fix).show(SENTENCE))?;
        }
    }
    if !cells.is_empty() {
        writeln!(out)?;
    }
    let count = |level| findings.iter().filter(|one| one.level == level).count();
    writeln!(out, "{} OK, {} WARN, {} FAIL", count(Level::Ok), count(Level::Warn), count(Level::Fail))
}

const HEAD: [&str; 5] = ["LEVEL", "CHECK", "REGION", "RESOURCE", "WHAT"];

fn line(cells: &[String; 5], widths: &[usize; 5], out: &mut impl Write) -> io::Result<()> {
    let cells: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    writeln!(out, "{}", cells.join("  ").trim_end())
}

/// One JSON object a line, the summary last.
pub(crate) fn lines(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'f> {
        kind: &'static str,
        #[serde(flatten)]
        finding: &'f Finding,
    }
    for finding in findings {
        writeln!(out, "{}", to_json_line(&Line { kind: "finding", finding })?)?;
    }
    let count = |level| findings.iter().filter(|one| one.level == level).count();
    let summary = serde_json::json!({
        "kind": "summary", "ok": count(Level::Ok), "warn": count(Level::Warn), "fail": count(Level::Fail)
    });
    writeln!(out, "{summary}")
}
