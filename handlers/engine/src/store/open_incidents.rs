//! The index of paged incidents, in which the sweep finds those that are over.
//!
//! An entry is written before its page is marked as sent, so that no paged incident is missing. Entries of resolved
//! incidents stay for some days: the daily digest counts them.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::Facts;
use responder_core::incident::{Incident, IncidentStatus};
use responder_core::severity::Severity;
use responder_core::state::open_incident::OpenIncident;
use responder_core::time::{Date, Span, Timestamp};

use super::ledger::Ledger;
use super::schema::{
    self, ENDED_INCIDENT_LIFETIME, GROUPS, INCIDENT_LIFETIME, LAST, PAGES, RESOLVE_AFTER, RESOLVED, RULE,
    TTL, expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::{All, Exists, LessThan};
use crate::port::{AwsPort, ItemUpdate, TableItem};

/// An incident that is about to be paged, as the index keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenIncidentEntry<'i> {
    pub(crate) incident: &'i Incident,
    /// The day of the digest that counts the page.
    pub(crate) date: Date,
    /// How long the incident must be without an event to be resolved.
    pub(crate) resolve_after: Span,
    /// The groups of its observations; none if it does not auto-resolve.
    pub(crate) groups: &'i BTreeSet<String>,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds an incident to the index, or a page to the incident's entry.
    pub(crate) async fn add_open_incident(&self, entry: OpenIncidentEntry<'_>) -> Result<(), EngineError> {
        let OpenIncidentEntry { incident, date, resolve_after, groups } = entry;
        let Incident { key, rule, last, severity, .. } = incident;
        let resolved_at = match incident.state {
            IncidentStatus::Resolved => incident.resolved_at,
            IncidentStatus::Open | IncidentStatus::Quiet => None,
        };
        // No sweep has to find an incident that is resolved, or that never auto-resolves.
        let lifetime = if groups.is_empty() || resolved_at.is_some() {
            ENDED_INCIDENT_LIFETIME
        } else {
            resolve_after.max(INCIDENT_LIFETIME)
        };
        let mut update = ItemUpdate::new(schema::open_incident_key(key))
            .set_text(RULE, rule)
            .set_number(LAST, last.millis())
            .add_strings(PAGES, BTreeSet::from([write_page(date, *severity)]))
            .set_number(RESOLVE_AFTER, resolve_after.millis())
            .set_number(TTL, expiry_seconds(self.aws.now(), *last, lifetime));
        update = match resolved_at {
            Some(resolved_at) => update.set_number(RESOLVED, resolved_at.millis()),
            None => update.remove_attributes([RESOLVED]),
        };
        if !groups.is_empty() {
            update = update.add_strings(GROUPS, groups.clone());
        }
        self.write_or_skip(&update).await
    }

    /// Marks an incident as resolved in the index, unless a page told of an event later than `last`.
    pub(crate) async fn mark_incident_resolved(
        &self,
        key: &str,
        resolved_at: Timestamp,
        last: Timestamp,
    ) -> Result<(), EngineError> {
        let update = ItemUpdate::new(schema::open_incident_key(key))
            .set_number(RESOLVED, resolved_at.millis())
            .set_number(TTL, expiry_seconds(self.aws.now(), resolved_at, ENDED_INCIDENT_LIFETIME))
            .only_if(All(vec![Exists(RULE), LessThan(LAST, last.millis().saturating_add(1))]));
        self.write_or_skip(&update).await
    }

    /// Reads the whole index into the facts.
    pub(crate) async fn read_open_incidents(&self, facts: &mut Facts) -> Result<(), EngineError> {
        let mut range = schema::whole_partition(schema::OPEN_INCIDENTS_PARTITION.to_owned());
        loop {
            let page = self.query_items(&range).await?;
            for item in &page.items {
                if let Some(incident) = read_open_incident(item) {
                    facts.open_incidents.insert(item.key.sk.clone(), incident);
                }
            }
            range.after = page.next_key;
            if range.after.is_none() {
                return Ok(());
            }
        }
    }
}

/// Reads an entry; `None` if another release wrote it in another form.
fn read_open_incident(item: &TableItem) -> Option<OpenIncident> {
    Some(OpenIncident {
        rule: item.text(RULE)?.to_owned(),
        last: item.timestamp(LAST)?,
        pages: read_pages(item),
        resolve_after: Span::from_millis(item.number(RESOLVE_AFTER)?),
        groups: item.set(GROUPS).cloned().unwrap_or_default(),
        resolved: item.timestamp(RESOLVED),
    })
}

/// A page in the set of pages, such as `2026-05-04 3`.
fn write_page(date: Date, severity: Severity) -> String {
    format!("{date} {}", severity.rank())
}

/// The highest severity that was paged on each day.
fn read_pages(item: &TableItem) -> BTreeMap<Date, Severity> {
    let mut pages = BTreeMap::new();
    for page in item.set(PAGES).into_iter().flatten() {
        let Some((date, rank)) = page.split_once(' ') else { continue };
        let Ok(date) = date.parse() else { continue };
        let Ok(rank) = rank.parse() else { continue };
        let severity = Severity::from_rank(rank);
        let highest = pages.entry(date).or_insert(severity);
        *highest = severity.max(*highest);
    }
    pages
}
