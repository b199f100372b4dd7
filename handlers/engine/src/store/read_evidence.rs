//! Pending read evidence: the consumers whose new tasks have still to be seen reading a secret.

use std::collections::BTreeSet;

use responder_core::state::deployment::PendingReadEvidence;

use super::ledger::Ledger;
use super::schema::{self, CONSUMERS, EVIDENCE_LIFETIME, TTL, expiry_seconds};
use crate::error::EngineError;
use crate::port::WriteCondition::Exists;
use crate::port::{AwsPort, ItemUpdate, TableItem};

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds a consumer whose read of the secret is to be seen.
    pub(crate) async fn add_pending_evidence(
        &self,
        key: &str,
        evidence: &PendingReadEvidence,
    ) -> Result<(), EngineError> {
        let Ok(consumer) = serde_json::to_string(evidence) else { return Ok(()) };
        let ttl = expiry_seconds(self.aws.now(), evidence.since, EVIDENCE_LIFETIME);
        self.write_or_skip(&addition_update(key, consumer).set_number(TTL, ttl)).await
    }

    /// Removes a consumer whose read was seen.
    pub(crate) async fn remove_pending_evidence(
        &self,
        key: &str,
        evidence: &PendingReadEvidence,
    ) -> Result<(), EngineError> {
        let Ok(consumer) = serde_json::to_string(evidence) else { return Ok(()) };
        self.write_or_skip(&removal_update(key, consumer)).await
    }
}

fn addition_update(key: &str, consumer: String) -> ItemUpdate {
    ItemUpdate::new(schema::evidence_key(key)).add_strings(CONSUMERS, BTreeSet::from([consumer]))
}

fn removal_update(key: &str, consumer: String) -> ItemUpdate {
    ItemUpdate::new(schema::evidence_key(key))
        .delete_strings(CONSUMERS, BTreeSet::from([consumer]))
        .only_if(Exists(CONSUMERS))
}

/// Reads the pending consumers. One that cannot be read was written by another release, and is left out.
pub(super) fn read_pending_consumers(item: &TableItem) -> BTreeSet<PendingReadEvidence> {
    let mut consumers = BTreeSet::new();
    for text in item.set(CONSUMERS).into_iter().flatten() {
        if let Ok(consumer) = serde_json::from_str(text) {
            consumers.insert(consumer);
        }
    }
    consumers
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::state::deployment::SecretChange;
    use responder_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_pending_consumer_reads_back_until_it_is_removed() {
        let secret = SecretRef::from_name_or_arn("prod/db", "111122223333", "us-west-2").unwrap();
        let change = SecretChange { secret, at: Timestamp::from_millis(5), version: None };
        let service = "arn:aws:ecs:us-west-2:111122223333:service/shop/web".into();
        let evidence = PendingReadEvidence { service, change, since: Timestamp::from_millis(20) };
        let consumer = serde_json::to_string(&evidence).unwrap();
        let item = addition_update("k", consumer.clone()).apply(None);
        assert_eq!(read_pending_consumers(&item), BTreeSet::from([evidence]));
        let removal = removal_update("k", consumer);
        assert!(removal.condition.holds(Some(&item)) && !removal.condition.holds(None));
        assert!(read_pending_consumers(&removal.apply(Some(item))).is_empty());
    }
}
