//! When each principal last read each secret, to the day.

use std::collections::BTreeSet;

use responder_core::facts::Facts;
use responder_core::time::Timestamp;

use super::ledger::{Ledger, MAX_KEYS_OF_BATCH_GET};
use super::schema::{self, AT, TTL};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, LessThan};
use crate::port::{AwsPort, ItemKey, ItemUpdate};

impl<A: AwsPort> Ledger<'_, A> {
    /// Reads when secrets were last read into the facts, by the core's key. Returns the keys for which the ledger had no
    /// answer.
    pub(crate) async fn read_last_seen(
        &self,
        wanted: &BTreeSet<String>,
        facts: &mut Facts,
    ) -> BTreeSet<String> {
        let wanted: Vec<&String> = wanted.iter().collect();
        let mut unanswered = BTreeSet::new();
        for batch in wanted.chunks(MAX_KEYS_OF_BATCH_GET) {
            let keys: Vec<ItemKey> = batch.iter().map(|key| table_key(key)).collect();
            let Ok(items) = self.get_items(&keys).await else {
                unanswered.extend(batch.iter().map(|key| (*key).clone()));
                continue;
            };
            for item in &items {
                let Some(key) = schema::parse_last_seen_key(&item.key) else { continue };
                let Some(at) = item.timestamp(AT) else { continue };
                facts.last_seen.insert(key, at);
            }
        }
        unanswered
    }

    /// Records that a secret was read, unless a later read is known.
    pub(crate) async fn update_last_seen(&self, key: &str, at: Timestamp) -> Result<(), EngineError> {
        let (table_key, ttl) = schema::last_seen_key_and_ttl(key, at);
        let update = ItemUpdate::new(table_key)
            .set_number(AT, at.millis())
            .set_number(TTL, ttl)
            .only_if(Any(vec![Absent(AT), LessThan(AT, at.millis())]));
        self.write_or_skip(&update).await
    }
}

fn table_key(key: &str) -> ItemKey {
    schema::last_seen_key_and_ttl(key, Timestamp::default()).0
}
