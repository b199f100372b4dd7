//! The index of incidents that were paged: what the sweep goes through to find those that are over.
//!
//! An entry is written before its page is marked as sent, so that what was said is always found. Entries of what is over stay
//! for some days: the daily summary counts them.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::Facts;
use responder_core::incident::{Incident, IncidentStatus};
use responder_core::severity::Severity;
use responder_core::state::open_incident::OpenIncident;
use responder_core::time::{Date, Span, Timestamp};

use super::item::severity;
use super::{INCIDENTS_KEPT, Ledger, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::{All, Exists, Less};
use crate::port::{AwsPort, ItemKey, ItemUpdate, SortKeyRange, TableItem};

/// The partition.
const INDEX: &str = "open#incidents";
/// How long an entry stays whose incident is over, or that no sweep closes.
const ENDED_KEPT: Span = Span::from_secs(3 * 86_400);

impl<A: AwsPort> Ledger<'_, A> {
    /// Notes that an incident is about to be paged.
    pub(crate) async fn open(
        &self,
        incident: &Incident,
        date: Date,
        resolve_after: Span,
        groups: &BTreeSet<String>,
    ) -> Result<(), EngineError> {
        let Incident { key, rule, last, severity, .. } = incident;
        let over = incident.resolved_at.filter(|_| incident.state == IncidentStatus::Resolved);
        let stays =
            if groups.is_empty() || over.is_some() { ENDED_KEPT } else { resolve_after.max(INCIDENTS_KEPT) };
        let mut update = ItemUpdate::of(ItemKey::open(key))
            .text("rule", rule)
            .number("last", last.millis())
            .add("pages", BTreeSet::from([format!("{date} {}", severity.rank())]))
            .number("quiet", resolve_after.millis())
            .number("ttl", expiry(self.aws.now(), *last, stays));
        update = match over {
            Some(at) => update.number("ended", at.millis()),
            None => update.remove(["ended"]),
        };
        if !groups.is_empty() {
            update = update.add("streams", groups.clone());
        }
        self.write(&update).await.map(|_| ())
    }

    /// Notes that an incident is over of which nothing is known that is later than `last`.
    pub(crate) async fn shut(&self, key: &str, at: Timestamp, last: Timestamp) -> Result<(), EngineError> {
        let known = All(vec![Exists("rule"), Less("last", last.millis().saturating_add(1))]);
        let update = ItemUpdate::of(ItemKey::open(key))
            .number("ended", at.millis())
            .number("ttl", expiry(self.aws.now(), at, ENDED_KEPT))
            .only_if(known);
        self.write(&update).await.map(|_| ())
    }

    /// Reads the index.
    pub(crate) async fn opened(&self, facts: &mut Facts) -> Result<(), EngineError> {
        let (from, to) = ("0".to_owned(), "~".to_owned());
        let mut range = SortKeyRange { pk: INDEX.to_owned(), from, to, after: None };
        loop {
            let page = self.call(self.aws.query(&range, self.deadline.at())).await?;
            let read = page.items.iter().filter_map(|item| Some((item.key.sk.clone(), read(item)?)));
            facts.open_incidents.extend(read);
            range.after = page.next;
            if range.after.is_none() {
                return Ok(());
            }
        }
    }
}

impl ItemKey {
    fn open(incident: &str) -> Self {
        Self { pk: INDEX.to_owned(), sk: incident.to_owned() }
    }
}

/// What cannot be read was written by another release, and is as good as absent.
fn read(item: &TableItem) -> Option<OpenIncident> {
    Some(OpenIncident {
        rule: item.text("rule")?.to_owned(),
        last: item.instant("last")?,
        pages: pages(item),
        resolve_after: Span::from_millis(item.number("quiet")?),
        groups: item.set("streams").cloned().unwrap_or_default(),
        resolved: item.instant("ended"),
    })
}

fn pages(item: &TableItem) -> BTreeMap<Date, Severity> {
    let mut pages = BTreeMap::new();
    for page in item.set("pages").into_iter().flatten() {
        let Some((date, rank)) = page.split_once(' ') else { continue };
        if let (Ok(date), Ok(rank)) = (date.parse(), rank.parse()) {
            let known = pages.entry(date).or_insert(severity(rank));
            *known = severity(rank).max(*known);
        }
    }
    pages
}
