//! The subject of a page: our own words alone.

use super::phrases::{UNKNOWN_TEXT, format_account, format_region};
use crate::incident::{Incident, IncidentStatus};

/// The longest subject: fewer than 100 characters (`API_Publish` of SNS).
const SUBJECT_MAX_CHARS: usize = 99;

/// Formats the severity, the title, the rule, the account and the Region, without the rule if there is no room. A phone
/// shows the beginning.
pub(super) fn format_subject(incident: &Incident) -> String {
    let status = match incident.state {
        IncidentStatus::Open => incident.severity.as_str().to_uppercase(),
        IncidentStatus::Quiet => "QUIET".to_owned(),
        IncidentStatus::Resolved => "RESOLVED".to_owned(),
    };
    let mut location = vec![format_account(incident), format_region(incident)];
    location.retain(|part| part != UNKNOWN_TEXT);
    let location = location.join(" ");
    let Incident { title, rule, .. } = incident;
    let mut subject = format!("[{status}] {title} ({rule}) {location}");
    if subject.trim_end().len() > SUBJECT_MAX_CHARS {
        subject = format!("[{status}] {title} {location}");
    }
    subject.retain(|c| (' '..='~').contains(&c));
    subject.truncate(SUBJECT_MAX_CHARS);
    subject.trim_end().to_owned()
}
