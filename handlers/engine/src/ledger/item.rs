//! The ledger's keys, and what the core makes of its items.

use responder_core::facts::{Facts, IncidentState};
use responder_core::severity::Severity;
use responder_core::time::Timestamp;

use super::progress;
#[cfg(test)]
use crate::port::AttributeValue;
use crate::port::{ItemKey, TableItem};

impl ItemKey {
    pub(super) fn observations(group: &str, chunk: &str) -> Self {
        Self { pk: format!("marks#{group}"), sk: chunk.to_owned() }
    }

    pub(super) fn role(arn: &str) -> Self {
        Self { pk: format!("role#{arn}"), sk: "launches".to_owned() }
    }

    pub(super) fn incident(key: &str) -> Self {
        Self { pk: format!("incident#{key}"), sk: "state".to_owned() }
    }
}

impl TableItem {
    pub(super) fn instant(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }

    /// What was said about an incident; `None` if it was never paged.
    fn incident(&self) -> Option<IncidentState> {
        Some(IncidentState {
            first: self.instant("first")?,
            last: self.instant("last")?,
            severity: severity(self.number("paged")?),
            resolved: self.instant("resolved"),
        })
    }

    /// Puts what it says where it belongs.
    pub(super) fn store(&self, facts: &mut Facts) {
        let Some((kind, name)) = self.key.pk.split_once('#') else { return };
        match kind {
            "incident" => facts.incidents.extend(self.incident().map(|state| (name.to_owned(), state))),
            "awaited" => {
                facts.pending_evidence.insert(name.to_owned(), progress::waiting(self));
            }
            "role" => {
                let secrets = self.set("secrets").cloned().unwrap_or_default();
                facts.launch_secrets.insert(name.to_owned(), secrets);
            }
            "place" => progress::store(self, facts),
            _ => {}
        }
    }
}

pub(super) fn severity(rank: i64) -> Severity {
    let known = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    known.into_iter().rfind(|severity| rank >= i64::from(severity.rank())).unwrap_or(Severity::Info)
}

#[cfg(test)]
pub(super) fn example(fields: &[(&str, i64)]) -> TableItem {
    let values = fields.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Number(*value)));
    TableItem { values: values.collect(), ..TableItem::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_read_back_as_the_severities_that_wrote_them() {
        for known in [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
            assert_eq!(severity(i64::from(known.rank())), known);
        }
    }

    #[test]
    fn an_incident_that_was_only_claimed_was_never_said() {
        assert_eq!(example(&[("lease_until", 5), ("ttl", 9)]).incident(), None);
        let state = example(&[("first", 1), ("last", 2), ("paged", 3), ("resolved", 4)]).incident().unwrap();
        assert_eq!((state.severity, state.resolved), (Severity::High, Some(Timestamp::from_millis(4))));
    }

    #[test]
    fn items_are_sorted_by_their_keys() {
        let mut found = Facts::default();
        let mut item = example(&[("first", 1), ("last", 2), ("paged", 1)]);
        item.key = ItemKey::incident("abc");
        item.store(&mut found);
        assert!(found.incidents.contains_key("abc") && found.deployments.is_empty());
    }
}
