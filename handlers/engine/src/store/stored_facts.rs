//! Reading many items of several kinds by their keys, and what the core calls them.

use std::collections::BTreeSet;

use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::facts::Facts;

use super::incident_state::read_incident_state;
use super::ledger::{Ledger, MAX_KEYS_OF_BATCH_GET};
use super::read_evidence::read_pending_consumers;
use super::rotation_state::store_rotation_item;
use super::schema::{self, StoredItemKind};
use crate::port::{AwsPort, ItemKey, TableItem};

/// A key has at most 2,048 bytes, and the ARN of a role a third of that. A longer key would be refused, and the others that
/// are read with it.
pub(super) const MAX_ROLE_BYTES: usize = 1_000;

/// The items that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredFactKeys {
    /// The keys of incidents whose state is wanted.
    pub(crate) incidents: BTreeSet<String>,
    /// The ARNs of services whose last requested deployment is wanted.
    pub(crate) services: BTreeSet<ServiceArn>,
    /// The keys of pending read evidence.
    pub(crate) evidence: BTreeSet<String>,
    /// The ARNs of execution roles whose secrets are wanted.
    pub(crate) roles: BTreeSet<String>,
}

/// The items that were found.
#[derive(Debug, Default)]
pub(crate) struct StoredFacts {
    /// Incidents, deployments, pending evidence and the secrets of roles.
    pub(crate) facts: Facts,
    /// The wanted names for which the ledger had no answer.
    pub(crate) unanswered: BTreeSet<String>,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Reads the items, consistently. An item that does not exist is an answer, too: it adds nothing to the facts.
    pub(crate) async fn read_stored_facts(&self, wanted: &StoredFactKeys) -> StoredFacts {
        let mut stored = StoredFacts::default();
        for batch in wanted.named_keys().chunks(MAX_KEYS_OF_BATCH_GET) {
            let keys: Vec<ItemKey> = batch.iter().map(|(key, _)| key.clone()).collect();
            match self.get_items(&keys).await {
                Ok(items) => {
                    for item in &items {
                        store_item(item, &mut stored.facts);
                    }
                }
                Err(_) => {
                    for (_, name) in batch {
                        stored.unanswered.insert((*name).to_owned());
                    }
                }
            }
        }
        stored
    }
}

impl StoredFactKeys {
    /// Each key of the table with the name that was asked for.
    fn named_keys(&self) -> Vec<(ItemKey, &str)> {
        let mut named_keys = Vec::new();
        for incident in &self.incidents {
            named_keys.push((schema::incident_key(incident), incident.as_str()));
        }
        for service in &self.services {
            named_keys.push((schema::deployment_key(service), service));
        }
        for evidence in &self.evidence {
            named_keys.push((schema::evidence_key(evidence), evidence));
        }
        for role in &self.roles {
            if role.len() <= MAX_ROLE_BYTES {
                named_keys.push((schema::role_key(role), role));
            }
        }
        named_keys
    }
}

/// Puts an item where it belongs in the facts.
fn store_item(item: &TableItem, facts: &mut Facts) {
    match schema::parse_item_kind(&item.key) {
        Some(StoredItemKind::Incident(incident)) => {
            if let Some(state) = read_incident_state(item) {
                facts.incidents.insert(incident.to_owned(), state);
            }
        }
        Some(StoredItemKind::Evidence(evidence)) => {
            facts.pending_evidence.insert(evidence.to_owned(), read_pending_consumers(item));
        }
        Some(StoredItemKind::Role(role)) => {
            let secrets = item.set(schema::SECRETS).cloned().unwrap_or_default();
            facts.launch_secrets.insert(role.to_owned(), secrets);
        }
        Some(_) => store_rotation_item(item, facts),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use responder_core::severity::Severity;
    use responder_core::time::Timestamp;

    use super::*;
    use crate::port::AttributeValue;

    fn example(fields: &[(&str, i64)]) -> TableItem {
        let values = fields.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Number(*value)));
        TableItem { values: values.collect(), ..TableItem::default() }
    }

    #[test]
    fn ranks_read_back_as_the_severities_that_wrote_them() {
        for known in [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
            assert_eq!(Severity::from_rank(i64::from(known.rank())), known);
        }
    }

    #[test]
    fn an_incident_that_was_only_claimed_was_never_said() {
        assert_eq!(read_incident_state(&example(&[("lease_until", 5), ("ttl", 9)])), None);
        let state =
            read_incident_state(&example(&[("first", 1), ("last", 2), ("paged", 3), ("resolved", 4)]))
                .unwrap();
        assert_eq!((state.severity, state.resolved), (Severity::High, Some(Timestamp::from_millis(4))));
    }

    #[test]
    fn items_are_sorted_by_their_keys() {
        let mut found = Facts::default();
        let mut item = example(&[("first", 1), ("last", 2), ("paged", 1)]);
        item.key = schema::incident_key("abc");
        store_item(&item, &mut found);
        assert!(found.incidents.contains_key("abc") && found.deployments.is_empty());
    }
}
