//! The filter of a report: what it shows, as the report says it.

use std::io::{self, Write};

use responder_audit::input::CoverageReport;
use responder_audit::query::{EventFilter, PrincipalQuery, SecretQuery};
use responder_core::severity::Severity;
use responder_core::text::Untrusted;
use serde::Serialize;

/// How many characters of a name a line shows.
const NAME_LENGTH_MAX: usize = 160;

/// The filter of a report, and how much it hides.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ReportFilter {
    /// The filter of events.
    #[serde(flatten)]
    pub(crate) events: EventFilter,
    /// The lowest severity that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Severity>,
    /// The values that nothing in the input has: somebody may have mistyped them.
    pub(crate) unseen: Vec<Untrusted>,
    /// How many things fit: incidents, chains and other rows of a proof, or calls.
    pub(crate) shown: usize,
    /// How many do not, and are left out.
    pub(crate) hidden: usize,
}

impl ReportFilter {
    /// A filter before anything is shown.
    pub(crate) fn new(events: EventFilter, severity: Option<Severity>) -> Self {
        Self { events, severity, ..Self::default() }
    }

    /// Whether everything is shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.severity.is_none()
    }

    /// Adds the accounts and the Regions that no event of the input has, to the names that no event has.
    pub(crate) fn note_unseen(&mut self, coverage: &CoverageReport, names: Vec<Untrusted>) {
        for account in self.events.accounts.difference(&coverage.accounts) {
            self.unseen.push(Untrusted::new(account.as_str()));
        }
        for region in self.events.regions.difference(&coverage.regions) {
            self.unseen.push(Untrusted::new(region.as_str()));
        }
        self.unseen.extend(names);
    }

    /// Drops the values that do not fit, and counts both.
    pub(crate) fn retain<T>(&mut self, values: &mut Vec<T>, fits: impl FnMut(&T) -> bool) {
        let before = values.len();
        values.retain(fits);
        self.shown += values.len();
        self.hidden += before - values.len();
    }

    /// Writes what is shown, and how many of the `things` that is. `effect` says what the filter does not change.
    pub(super) fn write_text(&self, things: &str, effect: &str, out: &mut impl Write) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        writeln!(out, "FILTER: {}.", self.describe_values().join("; "))?;
        let total = self.shown + self.hidden;
        let sentence = format!("{} of {total} {things} fit; the others are not shown. {effect}", self.shown);
        writeln!(out, "{}", sentence.trim_end())?;
        if !self.unseen.is_empty() {
            let unseen: Vec<String> = self.unseen.iter().map(|value| value.show(NAME_LENGTH_MAX)).collect();
            writeln!(out, "NOTHING IN THIS INPUT HAS {}. Is it spelled right?", unseen.join(", "))?;
        }
        Ok(())
    }

    fn describe_values(&self) -> Vec<String> {
        let EventFilter { since, until, accounts, regions, secrets, principals } = &self.events;
        let mut parts = Vec::new();
        if let Some(since) = since {
            parts.push(format!("from {since}"));
        }
        if let Some(until) = until {
            parts.push(format!("before {until}"));
        }
        let secrets: Vec<&str> = secrets.iter().map(SecretQuery::text).collect();
        let principals: Vec<&str> = principals.iter().map(PrincipalQuery::text).collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
        for (noun, values) in
            [("account", accounts), ("Region", regions), ("secret", secrets), ("principal", principals)]
        {
            if !values.is_empty() {
                let values = Untrusted::new(values.join(" or ")).show(NAME_LENGTH_MAX);
                parts.push(format!("{noun} {values}"));
            }
        }
        if let Some(severity) = self.severity {
            parts.push(format!("severity {} or higher", severity.as_str()));
        }
        parts
    }
}

/// What was looked at, with the filter of the report, as a line of JSON.
#[derive(Serialize)]
pub(crate) struct FilteredCoverage<'c> {
    #[serde(flatten)]
    coverage: &'c CoverageReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'c ReportFilter>,
}

impl<'c> FilteredCoverage<'c> {
    /// The line of a report.
    pub(crate) fn new(coverage: &'c CoverageReport, filter: &'c ReportFilter) -> Self {
        Self { coverage, filter: (!filter.is_empty()).then_some(filter) }
    }
}
