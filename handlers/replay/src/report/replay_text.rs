//! The report of `replay run` that people read: totals first, then incidents, rotations and a summary.

use std::io::{self, Write};

use responder_core::incident::{Incident, IncidentStatus};
use responder_core::plan::Plan;
use responder_core::rules::Handler;
use responder_core::text::Untrusted;

use super::coverage_text::{write_coverage_text, write_nothing_read};
use super::replay_result::{EventParties, ReplayResult, ReplaySummary};
use super::replay_totals::ReplayTotals;
use super::step_line::describe_step;
use crate::output::TextLayout;

/// How many characters of a name or a value a line shows.
const VALUE_LENGTH_MAX: usize = 160;

/// How many characters of a Region or an account a line shows.
const LOCATION_LENGTH_MAX: usize = 32;

/// How many characters of the name of an event a line shows.
const EVENT_NAME_LENGTH_MAX: usize = 40;

/// What a filter does not change.
const FILTER_EFFECT: &str = "Everything was decided before: a filter changes no incident.";

/// Writes the report. `are_services_known` is whether the facts name services.
pub(crate) fn write_replay_text(
    result: &ReplayResult,
    are_services_known: bool,
    layout: TextLayout,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut report = Vec::new();
    write_report(result, are_services_known, layout, &mut report)?;
    layout.write(&String::from_utf8_lossy(&report), out)
}

fn write_report(
    result: &ReplayResult,
    are_services_known: bool,
    layout: TextLayout,
    out: &mut impl Write,
) -> io::Result<()> {
    write_nothing_read(&result.coverage, out)?;
    result.filter.write_text("incidents", FILTER_EFFECT, out)?;
    if !result.incidents.is_empty() {
        write_heading("Totals", out)?;
        ReplayTotals::count(&result.incidents).write_text(out)?;
    }
    write_heading("Incidents", out)?;
    if result.incidents.is_empty() {
        let hidden = if result.filter.hidden > 0 { " that fits" } else { "" };
        writeln!(out, "  none{hidden}")?;
    }
    let mut details = Vec::new();
    for incident in &result.incidents {
        details.push(to_text(|text| write_incident(incident, text))?);
    }
    write_details(&details, "incidents", layout, out)?;
    write_rotations(result, are_services_known, layout, out)?;
    write_heading("Summary", out)?;
    write_summary(&result.summary, out)?;
    write_heading("Coverage", out)?;
    write_coverage_text(&result.coverage, out)
}

fn to_text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut text = Vec::new();
    write(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Writes details as far as the layout has room, and says how many are left out.
fn write_details(
    details: &[String],
    things: &str,
    layout: TextLayout,
    out: &mut impl Write,
) -> io::Result<()> {
    let shown = layout.count_fitting(details);
    for text in details.iter().take(shown) {
        write!(out, "{text}")?;
    }
    if shown < details.len() {
        writeln!(out, "  {} more {things} are left out: `--all` shows them.", details.len() - shown)?;
    }
    Ok(())
}

fn write_heading(text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{text}\n{}\n", "-".repeat(text.len()))
}

fn write_rotations(
    result: &ReplayResult,
    are_services_known: bool,
    layout: TextLayout,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut details = Vec::new();
    for (plan, parties) in result.decisions.iter().zip(&result.parties) {
        if matches!(plan.handler, Handler::Rotation | Handler::Sweep) {
            details.push(to_text(|text| write_rotation(plan, parties, text))?);
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    write_heading("Rotations", out)?;
    write_details(&details, "rotations", layout, out)?;
    if !are_services_known {
        writeln!(out, "\n  The services are unknown: give them with --facts.")?;
    }
    Ok(())
}

/// Writes one rotation, with the account and the Region of its event.
fn write_rotation(plan: &Plan, parties: &EventParties, out: &mut impl Write) -> io::Result<()> {
    let secrets: Vec<String> = plan.secrets.iter().map(|secret| secret.show(VALUE_LENGTH_MAX)).collect();
    let account = Untrusted::new(&*parties.account).show(LOCATION_LENGTH_MAX);
    let region = Untrusted::new(&*parties.region).show(LOCATION_LENGTH_MAX);
    let name = plan.name.show(EVENT_NAME_LENGTH_MAX);
    writeln!(out, "  {}  {account}  {region}  {name}  {}", plan.time, secrets.join(", "))?;
    for step in &plan.steps {
        writeln!(out, "      {}", describe_step(step))?;
    }
    Ok(())
}

fn write_summary(summary: &ReplaySummary, out: &mut impl Write) -> io::Result<()> {
    let counts = [
        (summary.events, "events read"),
        (summary.matched, "matched by a rule"),
        (summary.duplicates, "further copies of those, counted once"),
        (summary.ignored, "ignored: no rule matches"),
        (summary.quarantined, "parts of the input could not be read"),
        (summary.incidents, "incidents"),
    ];
    for (count, noun) in counts {
        writeln!(out, "  {count:>9}  {noun}")?;
    }
    Ok(())
}

fn write_incident(incident: &Incident, out: &mut impl Write) -> io::Result<()> {
    let status = match incident.state {
        IncidentStatus::Open => "",
        IncidentStatus::Quiet => " (went quiet)",
        IncidentStatus::Resolved => " (resolved)",
    };
    let severity = incident.severity.as_str().to_uppercase();
    writeln!(out, "  {severity:<8}  {}: {}{status}", incident.rule, incident.title)?;
    let mut row = |label: &str, text: &str| writeln!(out, "            {label:<6} {text}");
    if let Some(principal) = &incident.principal {
        row("who", &principal.show(VALUE_LENGTH_MAX))?;
    } else if incident.principals > 1 {
        row("who", &format!("{} principals", incident.principals))?;
    }
    row("what", &describe_counts(incident))?;
    row("where", &describe_location(incident))?;
    row("when", &format!("{} to {}", incident.first, incident.last))?;
    if let Some(resolved_at) = incident.resolved_at {
        row("until", &resolved_at.to_string())?;
    }
    for detail in &incident.details {
        row("", &format!("{}: {}", detail.kind.label(), detail.value.show(VALUE_LENGTH_MAX)))?;
    }
    row("key", &incident.key)?;
    writeln!(out)
}

/// For example "20 events, 3 refused; 17 different secrets".
fn describe_counts(incident: &Incident) -> String {
    let events = if incident.reads == 1 { "event" } else { "events" };
    let mut refused = String::new();
    if incident.errors > 0 {
        refused = format!(", {} refused", incident.errors);
    }
    let secrets = match incident.distinct_secrets {
        None => "an unknown number of secrets (the log does not say)".to_owned(),
        Some(1) => {
            let name = incident.secrets.first().cloned().unwrap_or_default();
            format!("1 secret: {}", name.show(VALUE_LENGTH_MAX))
        }
        Some(count) => format!("{count} different secrets"),
    };
    format!("{} {events}{refused}; {secrets}", incident.reads)
}

fn describe_location(incident: &Incident) -> String {
    let regions: Vec<String> =
        incident.regions.iter().map(|region| Untrusted::new(region).show(LOCATION_LENGTH_MAX)).collect();
    let account = Untrusted::new(&*incident.account).show(LOCATION_LENGTH_MAX);
    format!("account {account}; {}", regions.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use responder_audit::input::NoProgress;
    use responder_core::facts::Facts;
    use responder_core::rules::builtin;

    use super::super::replay_result::replay_events;
    use super::super::report_filter::ReportFilter;
    use super::*;

    #[test]
    fn a_report_on_a_terminal_fits_it_and_says_what_it_leaves_out() {
        let rules = builtin().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let filter = ReportFilter::default();
        let result = replay_events(&rules, Facts::default(), &[fixtures], filter, &mut NoProgress);
        let render = |layout| {
            let mut text = Vec::new();
            write_replay_text(&result, false, layout, &mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        let whole = render(TextLayout::default());
        assert!(whole.lines().any(|line| line.chars().count() > 80));
        assert!(!whole.contains("left out"));
        let all = render(TextLayout { columns: Some(80), detail_lines: None });
        let short = render(TextLayout { columns: Some(80), detail_lines: Some(24) });
        for text in [&all, &short] {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        assert_eq!(all.matches("    key    ").count(), result.incidents.len());
        let shown = short.matches("    key    ").count();
        let left_out = result.incidents.len() - shown;
        assert!((1..5).contains(&shown), "{shown}");
        assert!(short.contains(&format!("  {left_out} more incidents are left out: `--all` shows them.")));
        assert!(short.contains("more rotations are left out"));
    }
}
