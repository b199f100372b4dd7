//! The e-mail of a daily summary: counts first, then what happened.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::Response;
use crate::state::digest_entry::{DIGEST_TEXT_MAX_CHARS, DigestEntry};
use crate::state::digest_report::DigestReport;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// How many lines of detail a summary has.
const DETAIL_LINES_MAX: usize = 200;

/// Renders the body: plain text, one row a rule, then one row for each principal and what it did.
pub(super) fn render_body(report: &DigestReport, responses: &BTreeMap<String, Response>) -> String {
    let account = Untrusted::new(&*report.account).show(32);
    let mut lines = vec![format!("Daily summary of {} (UTC), account {account}", report.date)];
    add_paged(report, responses, &mut lines);
    add_suppressed(report, &mut lines);
    add_entries(report, responses, &mut lines);
    lines.join("\n") + "\n"
}

/// How many incidents of each rule were paged, and how severe they were.
fn add_paged(report: &DigestReport, responses: &BTreeMap<String, Response>, lines: &mut Vec<String>) {
    add_heading("Paged", lines);
    for (rule, by_severity) in &report.paged {
        let mut words = Vec::new();
        for (severity, count) in by_severity.iter().rev() {
            words.push(format!("{count} {}", severity.as_str()));
        }
        let total: usize = by_severity.values().sum();
        lines.push(format!("{total:>7}  {} ({})", rule_title(rule, responses), words.join(", ")));
    }
    if report.paged.is_empty() {
        lines.push("  nobody".to_owned());
    }
}

/// How many events each exception kept from counting.
fn add_suppressed(report: &DigestReport, lines: &mut Vec<String>) {
    if report.day.suppressed.is_empty() {
        return;
    }
    add_heading("Kept from counting, by exception", lines);
    for (exception, events) in &report.day.suppressed {
        let count = counted(report, events.len());
        let noun = if events.len() == 1 { "event" } else { "events" };
        lines.push(format!("{count:>7}  {noun}: {}", Untrusted::new(exception).show(DIGEST_TEXT_MAX_CHARS)));
    }
}

/// The events that are worth knowing: a table of counts, then the details of each rule.
fn add_entries(report: &DigestReport, responses: &BTreeMap<String, Response>, lines: &mut Vec<String>) {
    let mut by_rule: BTreeMap<&str, Vec<&DigestEntry>> = BTreeMap::new();
    for entry in &report.day.entries {
        by_rule.entry(&entry.rule).or_default().push(entry);
    }
    if by_rule.is_empty() {
        return;
    }
    add_heading("Worth knowing, nobody was paged", lines);
    for (rule, entries) in &by_rule {
        // One event may leave an entry for each of its secrets.
        let events: BTreeSet<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
        let count = counted(report, events.len());
        lines.push(format!("{count:>7}  {}", rule_title(rule, responses)));
    }
    // Each rule gets its share of the lines, so that a noisy one does not push the others out.
    let share = (DETAIL_LINES_MAX / by_rule.len()).max(1);
    for (rule, entries) in &by_rule {
        lines.push(String::new());
        lines.push(rule_title(rule, responses));
        add_details(entries, share, lines);
    }
}

/// One line for each principal and what it did: a principal that did the same often stands once.
fn add_details(entries: &[&DigestEntry], lines_max: usize, lines: &mut Vec<String>) {
    let mut grouped: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    for entry in entries {
        let act = (&entry.principal, &entry.secrets, &entry.account, &entry.region);
        grouped.entry(act).or_default().push(entry.at);
    }
    let mut grouped: Vec<_> = grouped.into_iter().collect();
    grouped.sort_by_key(|(_, times)| times.iter().min().copied());
    let more = grouped.len().saturating_sub(lines_max);
    for ((principal, secrets, account, region), times) in grouped.into_iter().take(lines_max) {
        let first = times.iter().min().copied().unwrap_or_default().to_string();
        let clock = first.get(11..16).unwrap_or("--:--");
        let times = if times.len() > 1 { format!(", {} times", times.len()) } else { String::new() };
        let who = match principal {
            Some(principal) => principal.show(DIGEST_TEXT_MAX_CHARS),
            None => "several principals".to_owned(),
        };
        let secrets: Vec<String> = secrets.iter().map(|name| name.show(DIGEST_TEXT_MAX_CHARS)).collect();
        let place = format!("{} {}", Untrusted::new(&**account).show(32), Untrusted::new(&**region).show(32));
        lines.push(format!("  {clock}  {who}  {}  ({}{times})", secrets.join(", "), place.trim()));
    }
    if more > 0 {
        lines.push(format!("         and {more} more"));
    }
}

fn add_heading(text: &str, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.push(text.to_owned());
}

/// A count of events: a lower bound where the ledger had more entries than were read.
fn counted(report: &DigestReport, count: usize) -> String {
    if report.day.more { format!("at least {count}") } else { count.to_string() }
}

fn rule_title(rule: &str, responses: &BTreeMap<String, Response>) -> String {
    match responses.get(rule) {
        Some(response) => format!("{rule}: {}", response.title),
        None => Untrusted::new(rule).show(DIGEST_TEXT_MAX_CHARS),
    }
}
