//! The question that `replay reads` answers, and what the input says about the question itself.

use responder_audit::access_history::AccessReport;
use responder_audit::input::CoverageReport;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde::Serialize;

use super::access_totals::AccessTotals;
use super::report_filter::ReportFilter;
use crate::cli::ReadsArgs;
use crate::command_outcome::CommandError;

/// The secret and the window that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AskedQuery {
    /// The name of the secret.
    pub(crate) secret: Untrusted,
    /// The start of the window, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// The end of the window, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// Whether an event of the input names the secret.
    pub(crate) named: bool,
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
    /// What was looked at.
    pub(crate) coverage: CoverageReport,
    /// What is shown.
    pub(crate) filter: ReportFilter,
}

impl AskedQuery {
    /// Checks the question. A name that no secret can have is a mistake.
    pub(crate) fn from_args(args: &ReadsArgs) -> Result<Self, CommandError> {
        let secret = args.secret.name();
        if secret.raw().contains(['*', '?']) {
            let reason = "wildcards are not read here: name one secret".to_owned();
            return Err(CommandError::UnusableContent { file: "--secret".to_owned(), reason });
        }
        let filter = &args.filter;
        Ok(Self { secret, since: filter.since, until: filter.until, named: false, nearest: Vec::new() })
    }

    /// Adds what the input says: whether it names the secret, else which names are like it.
    pub(crate) fn answer(self, named: bool, nearest_names: Vec<String>) -> Self {
        let mut nearest = Vec::new();
        if !named {
            nearest.extend(nearest_names.into_iter().map(Untrusted::new));
        }
        Self { named, nearest, ..self }
    }
}
