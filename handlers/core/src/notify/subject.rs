//! The subject of a page: our own words alone.

use super::phrases::{account, place};
use crate::incident::{Incident, IncidentStatus};

/// Fewer than 100 (`API_Publish` of SNS).
const MAX: usize = 99;

/// Severity, title, rule, account and Region, without the rule if there is no room. A phone shows the beginning.
pub(super) fn subject(incident: &Incident) -> String {
    let word = match incident.state {
        IncidentStatus::Open => incident.severity.name().to_uppercase(),
        IncidentStatus::Resolved => "RESOLVED".to_owned(),
    };
    let known = [account(incident), place(incident)].into_iter().filter(|part| part != "unknown");
    let place = known.collect::<Vec<_>>().join(" ");
    let long = format!("[{word}] {} ({}) {place}", incident.title, incident.rule);
    let mut subject =
        if long.trim_end().len() <= MAX { long } else { format!("[{word}] {} {place}", incident.title) };
    subject.retain(|c| (' '..='~').contains(&c));
    subject.truncate(MAX);
    subject.trim_end().to_owned()
}
