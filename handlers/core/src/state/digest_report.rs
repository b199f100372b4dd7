//! The content of a daily summary: what was paged on a day, and what nobody was paged for.

use std::collections::BTreeMap;

use super::digest_entry::DigestDay;
use super::open_incident::OpenIncident;
use crate::severity::Severity;
use crate::time::Date;

/// The content of the summary of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestReport {
    /// The day, in UTC.
    pub date: Date,
    /// The account.
    pub account: String,
    /// How many incidents were paged, by the response's id and by severity.
    pub paged: BTreeMap<String, BTreeMap<Severity, usize>>,
    /// The events that nobody was paged for.
    pub day: DigestDay,
}

impl DigestReport {
    /// The report of a day; `None` if nothing happened on it. `own_rule` is the response that sends summaries: an earlier
    /// summary is no incident to report.
    pub fn new(
        date: Date,
        account: &str,
        day: DigestDay,
        open_incidents: &BTreeMap<String, OpenIncident>,
        own_rule: &str,
    ) -> Option<Self> {
        let mut paged: BTreeMap<String, BTreeMap<Severity, usize>> = BTreeMap::new();
        for incident in open_incidents.values() {
            if incident.rule == own_rule {
                continue;
            }
            if let Some(severity) = incident.pages.get(&date) {
                *paged.entry(incident.rule.clone()).or_default().entry(*severity).or_default() += 1;
            }
        }
        if paged.is_empty() && day.is_empty() {
            return None;
        }
        Some(Self { date, account: account.to_owned(), paged, day })
    }
}
