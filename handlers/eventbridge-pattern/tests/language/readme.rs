//! The README is right: its semantics and its figures.

use crate::conformance::{EVENT_VECTORS, PATTERN_VECTORS, agreement};
use crate::verdict::verdict;

const README: &str = include_str!("../../README.md");

/// The cells of the README's table rows.
fn rows() -> Vec<Vec<&'static str>> {
    let mut rows = Vec::new();
    for line in README.lines() {
        if let Some(row) = line.strip_prefix("| ") {
            rows.push(row.trim_end_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    rows
}

#[test]
fn every_row_of_the_semantics_holds() {
    let mut checked = 0;
    for row in rows() {
        let [pattern, event, matches @ ("yes" | "no")] = row[..] else { continue };
        let expected = if matches == "yes" { "match" } else { "no_match" };
        let (found, message) = verdict(pattern.trim_matches('`'), event.trim_matches('`'));
        assert_eq!(found, expected, "{pattern} {event} {message}");
        checked += 1;
    }
    assert!(checked > 30, "only {checked} rows were found");
}

#[test]
fn the_figures_of_conformance_are_those_of_the_vectors() {
    for (file, lines) in [("patterns.jsonl", PATTERN_VECTORS), ("events.jsonl", EVENT_VECTORS)] {
        let (agreeing, count) = agreement(lines);
        let row = [format!("`{file}`"), agreeing.to_string(), count.to_string()];
        assert!(rows().contains(&row.each_ref().map(String::as_str).to_vec()), "{row:?}");
    }
}
