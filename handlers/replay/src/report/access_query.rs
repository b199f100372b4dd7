//! The question that `replay reads` answers, and what the input says about the question itself.

use responder_audit::access_history::{AccessHistory, AccessReport};
use responder_audit::input::CoverageReport;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Serialize;

use super::access_totals::AccessTotals;
use super::report_filter::ReportFilter;
use crate::cli::ReadsArgs;

/// The secret and the window that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AskedQuery {
    /// The name of the secret, or the wildcards.
    pub(crate) secret: Untrusted,
    /// Whether it may mean several secrets.
    #[serde(skip)]
    pub(crate) has_wildcards: bool,
    /// The start of the window, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// The end of the window, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// Whether an event of the input names the secret.
    pub(crate) named: bool,
    /// Of wildcards, the names in the input that fit, read or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<Untrusted>,
    /// The most similar names in the input, if no event names the secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nearest: Vec<Untrusted>,
}

/// Everything that `replay reads` reports.
#[derive(Debug)]
pub(crate) struct AccessAnswer {
    /// The question.
    pub(crate) query: AskedQuery,
    /// The readers.
    pub(crate) report: AccessReport,
    /// The counts.
    pub(crate) totals: AccessTotals,
    /// The coverage of the input.
    pub(crate) coverage: CoverageReport,
    /// The filter of the report.
    pub(crate) filter: ReportFilter,
}

impl AskedQuery {
    /// The question as it was asked.
    pub(crate) fn from_args(args: &ReadsArgs) -> Self {
        Self {
            secret: args.secret.name(),
            has_wildcards: args.secret.has_wildcards(),
            since: args.filter.since,
            until: args.filter.until,
            named: false,
            secrets: Vec::new(),
            nearest: Vec::new(),
        }
    }

    /// Adds what the input says: whether it names the secret, and which ones, else which names are like it.
    pub(crate) fn answer(self, history: &AccessHistory) -> Self {
        let named = history.is_secret_named();
        let mut secrets = Vec::new();
        if self.has_wildcards {
            secrets.extend(history.meant_names());
        }
        let mut nearest = Vec::new();
        if !named {
            nearest.extend(history.nearest_names().into_iter().map(Untrusted::new));
        }
        Self { named, secrets, nearest, ..self }
    }
}
