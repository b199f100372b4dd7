//! The counts of `replay reads`.

use std::collections::BTreeSet;

use responder_audit::access_history::AccessReport;
use responder_core::time::Timestamp;
use serde::Serialize;

/// The counts of `replay reads`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct AccessTotals {
    /// Different principals among those that read the secret or tried to.
    pub(crate) principals: usize,
    /// Different secrets among those that they read or tried to.
    pub(crate) secrets: usize,
    /// Calls that read it. Each counts once for each secret.
    pub(crate) reads: usize,
    /// Calls for it that were refused or failed.
    pub(crate) refused: usize,
    /// Calls that may have read it.
    pub(crate) may: usize,
    /// Further copies of all those, which were not counted.
    pub(crate) copies: usize,
    /// Parts of the input that could not be read.
    pub(crate) quarantined: usize,
    /// The time of the first event of the input, whatever it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Timestamp>,
    /// The time of the last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Timestamp>,
}

impl AccessTotals {
    /// Counts a report of an input with so many problems.
    pub(crate) fn count(report: &AccessReport, problems: usize) -> Self {
        let mut totals = Self { copies: report.copies, quarantined: problems, ..Self::default() };
        let mut principals = BTreeSet::new();
        let mut secrets = BTreeSet::new();
        for row in &report.readers {
            principals.insert(row.principal.raw());
            secrets.extend(row.secret.as_ref());
            totals.reads += row.reads;
            totals.refused += row.refused;
        }
        totals.principals = principals.len();
        totals.secrets = secrets.len();
        for row in &report.possible_readers {
            totals.may += row.reads + row.refused;
        }
        if let Some((first, last)) = report.covered {
            totals.from = Some(first);
            totals.to = Some(last);
        }
        totals
    }
}
