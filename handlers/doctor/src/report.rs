//! The findings as people read them, and as JSON.

use std::cmp::Reverse;
use std::io::{self, Write};

use responder_core::text::{Untrusted, to_json_line};
use serde::Serialize;

use crate::finding::{CheckFinding, FindingLevel};

/// The longest name in the table, in characters.
const MAX_NAME_CHARACTERS: usize = 64;
/// The longest sentence in the table, in characters.
const MAX_SENTENCE_CHARACTERS: usize = 300;

const TABLE_HEAD: [&str; 5] = ["LEVEL", "CHECK", "REGION", "RESOURCE", "WHAT"];

/// Writes a table of what is not well, worst first; with `all`, of everything. Then it says how many findings there are of each level.
pub(crate) fn write_table(findings: &[CheckFinding], all: bool, out: &mut impl Write) -> io::Result<()> {
    let mut shown: Vec<&CheckFinding> = findings.iter().collect();
    shown.retain(|finding| all || finding.level > FindingLevel::Ok);
    shown.sort_by_key(|finding| Reverse(finding.level));
    let mut rows = Vec::new();
    let mut widths = TABLE_HEAD.map(str::len);
    for finding in &shown {
        let row = [
            finding.level.word().to_owned(),
            finding.check.to_owned(),
            Untrusted::new(&*finding.region).show(MAX_NAME_CHARACTERS),
            Untrusted::new(&*finding.resource).show(MAX_NAME_CHARACTERS),
            Untrusted::new(&*finding.what).show(MAX_SENTENCE_CHARACTERS),
        ];
        for (width, cell) in widths.iter_mut().zip(&row) {
            *width = cell.chars().count().max(*width);
        }
        rows.push(row);
    }
    if !rows.is_empty() {
        write_row(&TABLE_HEAD.map(str::to_owned), widths, out)?;
    }
    for (finding, row) in shown.iter().zip(&rows) {
        write_row(row, widths, out)?;
        if !finding.means.is_empty() {
            writeln!(out, "      means  {}", finding.means)?;
            writeln!(out, "      fix    {}", Untrusted::new(&*finding.fix).show(MAX_SENTENCE_CHARACTERS))?;
        }
    }
    if !rows.is_empty() {
        writeln!(out)?;
    }
    let [ok, warn, fail] = count_levels(findings);
    writeln!(out, "{ok} OK, {warn} WARN, {fail} FAIL")
}

fn write_row(row: &[String; 5], widths: [usize; 5], out: &mut impl Write) -> io::Result<()> {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    writeln!(out, "{}", cells.join("  ").trim_end())
}

/// Writes one JSON object a line: the findings, then their summary.
pub(crate) fn write_json_lines(findings: &[CheckFinding], out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct FindingLine<'f> {
        kind: &'static str,
        #[serde(flatten)]
        finding: &'f CheckFinding,
    }
    for finding in findings {
        writeln!(out, "{}", to_json_line(&FindingLine { kind: "finding", finding })?)?;
    }
    let [ok, warn, fail] = count_levels(findings);
    let summary = serde_json::json!({"kind": "summary", "ok": ok, "warn": warn, "fail": fail});
    writeln!(out, "{summary}")
}

fn count_levels(findings: &[CheckFinding]) -> [usize; 3] {
    [FindingLevel::Ok, FindingLevel::Warn, FindingLevel::Fail]
        .map(|level| findings.iter().filter(|finding| finding.level == level).count())
}
