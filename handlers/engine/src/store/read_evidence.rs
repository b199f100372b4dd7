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
        let update = ItemUpdate::new(schema::evidence_key(key))
            .add_strings(CONSUMERS, BTreeSet::from([consumer]))
            .set_number(TTL, expiry_seconds(self.aws.now(), evidence.since, EVIDENCE_LIFETIME));
        self.write_or_skip(&update).await
    }

    /// Removes a consumer whose read was seen.
    pub(crate) async fn remove_pending_evidence(
        &self,
        key: &str,
        evidence: &PendingReadEvidence,
    ) -> Result<(), EngineError> {
        let Ok(consumer) = serde_json::to_string(evidence) else { return Ok(()) };
        let update = ItemUpdate::new(schema::evidence_key(key))
            .delete_strings(CONSUMERS, BTreeSet::from([consumer]))
            .only_if(Exists(CONSUMERS));
        self.write_or_skip(&update).await
    }
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
