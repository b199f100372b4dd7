//! The state of an incident: what was paged about it, and since when and until when it lasts.

use responder_core::severity::Severity;
use responder_core::state::incident_extent::IncidentExtent;
use responder_core::state::incident_state::{IncidentState, is_part_of_occurrence};
use responder_core::state::origin_set::OriginSet;
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::ledger::Ledger;
use super::schema::{
    self, FIRST, INCIDENT_LIFETIME, LAST, ORIGINS, PAGED, PAGED_LISTS, PAGED_REGIONS, PAGED_REMINDERS,
    PAGED_SECRETS, RESOLVED, TTL, expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::{All, GreaterThan, LessThan};
use crate::port::{AwsPort, ItemUpdate, TableItem, WriteCondition, WriteResult};

/// Events of a paged incident that lie before its known beginning or after its known end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IncidentExtension<'k> {
    /// The incident's key.
    pub(crate) key: &'k str,
    /// When the occurrence began that the events belong to.
    pub(crate) began_at: Timestamp,
    /// The earlier beginning, if there is one.
    pub(crate) first: Option<Timestamp>,
    /// The later end, if there is one.
    pub(crate) last: Option<Timestamp>,
    /// How long the incident must be without an event to be resolved.
    pub(crate) resolve_after: Span,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Extends a paged incident to its events.
    ///
    /// # Errors
    /// [`EngineError::ClaimHeld`] if the incident was resolved meanwhile, before the last of the events. The core must then
    /// decide again: the events may be another occurrence.
    pub(crate) async fn extend_incident(&self, extension: &IncidentExtension<'_>) -> Result<(), EngineError> {
        for update in extension.updates(self.aws.now()) {
            if let WriteResult::ConditionFailed(Some(item)) = self.write_item(&update).await?
                && extension.is_overtaken(&item)
            {
                return Err(EngineError::ClaimHeld);
            }
        }
        Ok(())
    }
}

impl IncidentExtension<'_> {
    /// The later end, then the earlier beginning.
    fn updates(&self, now: Timestamp) -> Vec<ItemUpdate> {
        let mut updates = Vec::new();
        if let Some(last) = self.last {
            let lifetime = self.resolve_after.max(INCIDENT_LIFETIME);
            updates.push(
                ItemUpdate::new(schema::incident_key(self.key))
                    .set_number(LAST, last.millis())
                    .set_number(TTL, expiry_seconds(now, last, lifetime))
                    .only_if(All(vec![self.is_same_occurrence(), LessThan(LAST, last.millis())])),
            );
        }
        if let Some(first) = self.first {
            updates.push(
                ItemUpdate::new(schema::incident_key(self.key))
                    .set_number(FIRST, first.millis())
                    .only_if(All(vec![self.is_same_occurrence(), GreaterThan(FIRST, first.millis())])),
            );
        }
        updates
    }

    /// Whether the incident was resolved in the time of the events.
    fn is_overtaken(&self, item: &TableItem) -> bool {
        let resolved = item.timestamp(RESOLVED);
        resolved.is_some_and(|resolved| self.began_at <= resolved && resolved < self.until())
    }

    /// The last instant of which the events say something.
    fn until(&self) -> Timestamp {
        self.last.or(self.first).unwrap_or(self.began_at)
    }

    /// The item is of the occurrence that the events belong to.
    fn is_same_occurrence(&self) -> WriteCondition {
        write_condition(&is_part_of_occurrence(self.began_at, self.until()))
    }
}

/// Reads what was paged about an incident; `None` if the item holds only a claim.
pub(super) fn read_incident_state(item: &TableItem) -> Option<IncidentState> {
    Some(IncidentState {
        first: item.timestamp(FIRST)?,
        last: item.timestamp(LAST)?,
        severity: Severity::from_rank(item.number(PAGED)?),
        extent: IncidentExtent {
            secrets: count(item, PAGED_SECRETS),
            regions: count(item, PAGED_REGIONS),
            lists: count(item, PAGED_LISTS),
            reminders: count(item, PAGED_REMINDERS),
            origins: read_origins(item),
        },
        resolved: item.timestamp(RESOLVED),
    })
}

/// The origins that the pages named; none of an item of an earlier release.
fn read_origins(item: &TableItem) -> OriginSet {
    let text = item.text(ORIGINS).unwrap_or("[]");
    serde_json::from_str(text).unwrap_or_default()
}

/// A count that earlier releases did not write: 0 where it is absent.
fn count(item: &TableItem, name: &str) -> usize {
    let number = item.number(name).unwrap_or_default();
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::AttributeValue;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn incident(fields: &[(&str, i64)]) -> TableItem {
        let values = fields.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Number(*value)));
        TableItem { values: values.collect(), ..TableItem::default() }
    }

    /// Extends an incident; returns whether the events must be decided again.
    fn extend(item: &mut TableItem, began_at: i64, first: Option<i64>, last: i64) -> bool {
        let extension = IncidentExtension {
            key: "k",
            began_at: at(began_at),
            first: first.map(at),
            last: Some(at(last)),
            resolve_after: Span::from_millis(100),
        };
        for update in extension.updates(at(0)) {
            if update.condition.holds(Some(item)) {
                *item = update.apply(Some(item.clone()));
            } else if extension.is_overtaken(item) {
                return true;
            }
        }
        false
    }

    #[test]
    fn a_late_event_is_part_of_an_incident_that_is_over_and_what_happened_since_is_looked_at_again() {
        let mut item = incident(&[("first", 10), ("last", 20), ("paged", 3), ("resolved", 50)]);
        assert!(!extend(&mut item, 10, None, 30));
        assert!(!extend(&mut item, 10, None, 25));
        assert!(extend(&mut item, 10, None, 60));
        assert_eq!(item.number("last"), Some(30));
    }

    #[test]
    fn an_incident_stretches_both_ways_unless_it_ended_meanwhile() {
        let mut item = incident(&[("first", 500), ("last", 600), ("paged", 2)]);
        assert!(!extend(&mut item, 450, Some(450), 550));
        assert_eq!((item.number("first"), item.number("last")), (Some(450), Some(600)));
        assert!(!extend(&mut item, 450, Some(460), 700));
        assert_eq!((item.number("first"), item.number("last")), (Some(450), Some(700)));
        item.values.insert("resolved".to_owned(), AttributeValue::Number(650));
        assert!(extend(&mut item, 450, Some(400), 800));
        assert_eq!((item.number("first"), item.number("last")), (Some(450), Some(700)));
    }

    #[test]
    fn an_incident_that_was_never_paged_is_not_extended() {
        let extension = IncidentExtension {
            key: "k",
            began_at: at(500),
            first: Some(at(500)),
            last: Some(at(600)),
            resolve_after: Span::from_millis(100),
        };
        for update in extension.updates(at(0)) {
            assert!(!update.condition.holds(None) && !update.condition.holds(Some(&incident(&[("ttl", 1)]))));
        }
    }
}
