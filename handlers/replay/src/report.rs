//! The reports of the commands: their data, and the text that people read.

mod access_query;
mod access_text;
mod access_totals;
mod case_summary;
mod coverage_text;
mod each_read_text;
mod fixture_case;
mod guessed_facts;
mod json_difference;
mod proof_report;
mod proof_text;
mod replay_result;
mod replay_text;
mod replay_totals;
mod report_filter;
mod response_reasons;
mod response_words;
mod short_names;
mod shown_decisions;
mod shown_incident;
mod step_line;

pub(crate) use access_query::{AccessAnswer, AskedQuery};
pub(crate) use access_text::write_access_text;
pub(crate) use access_totals::AccessTotals;
pub(crate) use case_summary::summarise_case;
pub(crate) use fixture_case::{CheckedCase, check_case};
pub(crate) use guessed_facts::SeenParties;
pub(crate) use proof_report::ProofReport;
pub(crate) use proof_text::write_proof_text;
pub(crate) use replay_result::{ReplayResult, replay_events};
pub(crate) use replay_text::write_replay_text;
pub(crate) use replay_totals::ReplayTotals;
pub(crate) use report_filter::{FilteredCoverage, ReportFilter};
pub(crate) use response_reasons::explain_responses;
pub(crate) use shown_incident::{example_incident, find_incident, incident_below_threshold};
