//! The rotations of one account and Region: changes, requested deployments, concurrency slots, and notifications of
//! consumers. They share one partition, which is read in one go.

use responder_core::facts::Facts;
use responder_core::settings::Settings;
use responder_core::state::deployment::{
    AffectedConsumer, ConcurrencySlot, DeploymentEnd, DeploymentRecord, KnownChange, SecretChange,
    is_change_news,
};
use responder_core::time::Timestamp;

use super::conditions::write_condition;
use super::deployments::parse_outcome;
use super::ledger::Ledger;
use super::schema::{
    self, ARN, AT, CHANGE_LIFETIME, CHANGES, CLUSTER, DEPLOYMENT, ENDED_AT, IS_RESOLVED, LEASE_UNTIL,
    OUTCOME, REQUESTED_AT, SECRET_KEY, SERVICE, SLOT, StoredItemKind, TTL, UNTIL, VERSION, WAITING_SINCE,
    expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, Equals, LessThan};
use crate::port::{AttributeValue, AwsPort, ItemUpdate, TableItem};

impl<A: AwsPort> Ledger<'_, A> {
    /// Reads the partition of an account and Region into the facts.
    pub(crate) async fn read_rotation_state(
        &self,
        account: &str,
        region: &str,
        facts: &mut Facts,
    ) -> Result<(), EngineError> {
        let mut range = schema::whole_partition(schema::location_partition(account, region));
        // A partition that could be read only in part counts as unread: the facts get all of it or nothing.
        let mut items = Vec::new();
        loop {
            let page = self.query_items(&range).await?;
            items.extend(page.items);
            range.after = page.next_key;
            if range.after.is_none() {
                break;
            }
        }
        for item in &items {
            store_rotation_item(item, facts);
        }
        Ok(())
    }

    /// Records a change as unresolved, unless a later change of the secret is known. The version is added to a change that
    /// was recorded without one.
    pub(crate) async fn record_change(&self, change: &SecretChange) -> Result<(), EngineError> {
        self.write_or_skip(&change_update(change, self.aws.now(), self.settings)).await
    }

    /// Marks a change as resolved, unless another change of the secret is known by now.
    pub(crate) async fn resolve_change(&self, change: &SecretChange) -> Result<(), EngineError> {
        self.write_or_skip(&resolution_update(change, self.settings)).await
    }

    /// Records that on-call was notified of a consumer.
    pub(crate) async fn record_notified_consumer(
        &self,
        consumer: &AffectedConsumer,
    ) -> Result<(), EngineError> {
        self.write_or_skip(&notified_update(consumer, self.aws.now())).await
    }
}

fn change_update(change: &SecretChange, now: Timestamp, settings: &Settings) -> ItemUpdate {
    let mut update = ItemUpdate::new(schema::change_key(&change.secret, settings))
        .set_number(AT, change.at.millis())
        .set_number(TTL, expiry_seconds(now, change.at, CHANGE_LIFETIME))
        .set_number_if_absent(WAITING_SINCE, change.at.millis())
        .remove_attributes([IS_RESOLVED]);
    update = match &change.version {
        Some(version) => update.set_text(VERSION, version),
        None => update.remove_attributes([VERSION]),
    };
    if change.secret.from_arn {
        update = update.set_text(ARN, &change.secret.to_arn());
    }
    update.only_if(write_condition(&is_change_news(change.at)))
}

fn resolution_update(change: &SecretChange, settings: &Settings) -> ItemUpdate {
    ItemUpdate::new(schema::change_key(&change.secret, settings))
        .set_number(IS_RESOLVED, 1)
        .remove_attributes([WAITING_SINCE])
        .only_if(Equals(AT, AttributeValue::Number(change.at.millis())))
}

fn notified_update(consumer: &AffectedConsumer, now: Timestamp) -> ItemUpdate {
    let changed_at = consumer.change.at;
    let mut update = ItemUpdate::new(schema::notified_key(&consumer.service, &consumer.change.secret));
    if !schema::holds_names(&update.key) {
        update =
            update.set_text(SERVICE, &consumer.service).set_text(SECRET_KEY, &consumer.change.secret.key());
    }
    update
        .set_number(AT, changed_at.millis())
        .set_number(TTL, expiry_seconds(now, changed_at, CHANGE_LIFETIME))
        .only_if(Any(vec![Absent(AT), LessThan(AT, changed_at.millis())]))
}

/// Puts an item of an account and Region where it belongs in the facts. An item that cannot be read was written by another
/// release, and counts as absent.
pub(super) fn store_rotation_item(item: &TableItem, facts: &mut Facts) {
    match schema::parse_item_kind(&item.key) {
        Some(StoredItemKind::Change(secret)) => {
            if let Some(change) = read_change(item) {
                facts.changes.insert(secret.to_owned(), change);
            }
        }
        Some(StoredItemKind::Deployment(service)) => {
            if let Some(record) = read_deployment_record(item) {
                facts.deployments.insert(service.into(), record);
            }
        }
        Some(StoredItemKind::Slot { cluster, number }) => {
            if let Some(slot) = read_slot(item) {
                facts.concurrency_slots.entry(cluster.into()).or_default().insert(number, slot);
            }
        }
        Some(StoredItemKind::Notified { service, secret }) => {
            if let Some(changed_at) = item.timestamp(AT) {
                // The attributes are there where the key is too short for the names.
                let service = item.text(SERVICE).unwrap_or(service);
                let secret = item.text(SECRET_KEY).unwrap_or(secret);
                facts.notified.entry(service.into()).or_default().insert(secret.to_owned(), changed_at);
            }
        }
        _ => {}
    }
}

fn read_change(item: &TableItem) -> Option<KnownChange> {
    Some(KnownChange {
        at: item.timestamp(AT)?,
        version: item.text(VERSION).map(str::to_owned),
        waiting_since: item.timestamp(WAITING_SINCE),
        resolved: item.number(IS_RESOLVED) == Some(1),
        arn: item.text(ARN).map(str::to_owned),
    })
}

/// A slot that was given back has no service.
fn read_slot(item: &TableItem) -> Option<ConcurrencySlot> {
    Some(ConcurrencySlot { service: item.text(SERVICE)?.into(), until: item.timestamp(UNTIL)? })
}

fn read_deployment_record(item: &TableItem) -> Option<DeploymentRecord> {
    let ended_at = item.timestamp(ENDED_AT).unwrap_or_default();
    let outcome = item.text(OUTCOME).and_then(parse_outcome);
    Some(DeploymentRecord {
        requested_at: item.timestamp(REQUESTED_AT)?,
        cluster: item.text(CLUSTER)?.into(),
        deployment: item.text(DEPLOYMENT).map(str::to_owned),
        slot: item.number(SLOT).and_then(|slot| slot.try_into().ok()),
        changes: serde_json::from_str(item.text(CHANGES).unwrap_or_default()).unwrap_or_default(),
        lease_until: item.timestamp(LEASE_UNTIL),
        end: outcome.map(|outcome| DeploymentEnd { at: ended_at, outcome }),
    })
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_ref::SecretRef;

    use super::*;

    fn changed(second: i64, version: Option<&str>) -> SecretChange {
        let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
        SecretChange {
            secret: SecretRef::from_arn(arn).unwrap(),
            at: at(second),
            version: version.map(str::to_owned),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn write(item: &mut Option<TableItem>, update: &ItemUpdate) {
        if update.condition.holds(item.as_ref()) {
            *item = Some(update.apply(item.take()));
        }
    }

    fn facts_of(item: Option<&TableItem>) -> Facts {
        let mut facts = Facts::default();
        item.inspect(|item| store_rotation_item(item, &mut facts));
        facts
    }

    #[test]
    fn the_latest_change_is_kept_until_it_is_answered_for() {
        let settings = &Settings::default();
        let mut item = None;
        let state = |item: &Option<TableItem>| {
            facts_of(item.as_ref()).changes["111122223333/us-west-2/prod/db"].clone()
        };
        write(&mut item, &change_update(&changed(100, Some("v1")), at(100), settings));
        write(&mut item, &change_update(&changed(90, Some("v0")), at(100), settings));
        assert_eq!((state(&item).at, state(&item).version.as_deref()), (at(100), Some("v1")));
        write(&mut item, &resolution_update(&changed(90, None), settings));
        assert!(!state(&item).resolved, "another change is open");
        write(&mut item, &resolution_update(&changed(100, None), settings));
        assert!(state(&item).resolved);
        write(&mut item, &change_update(&changed(100, Some("v1")), at(100), settings));
        assert!(state(&item).resolved, "the same change again is no news");
        write(&mut item, &change_update(&changed(110, None), at(110), settings));
        assert_eq!((state(&item).resolved, state(&item).version), (false, None));
        write(&mut item, &change_update(&changed(110, Some("v2")), at(110), settings));
        assert_eq!(state(&item).version.as_deref(), Some("v2"));
        assert!(item.unwrap().number("ttl").is_some());
    }

    #[test]
    fn the_latest_notified_change_of_a_consumer_reads_back() {
        let service = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";
        let mut item = None;
        for second in [100, 90] {
            let consumer = AffectedConsumer { service: service.into(), change: changed(second, None) };
            write(&mut item, &notified_update(&consumer, at(100)));
        }
        let facts = facts_of(item.as_ref());
        let notified: Vec<_> = facts.notified.values().flatten().collect();
        assert_eq!(notified, [(&"111122223333/us-west-2/prod/db".to_owned(), &at(100))]);
        assert!(item.unwrap().number("ttl").is_some());
    }

    #[test]
    fn the_longest_names_fit_into_the_key_and_read_back() {
        let service =
            format!("arn:aws:ecs:us-west-2:111122223333:service/{}/{}", "c".repeat(255), "s".repeat(255));
        let name = "n".repeat(512);
        let secret = SecretRef::from_name_or_arn(&name, "111122223333", "us-west-2").unwrap();
        let change = SecretChange { secret, ..changed(100, None) };
        let consumer = AffectedConsumer { service: service.as_str().into(), change };
        let update = notified_update(&consumer, at(100));
        assert!(update.key.sk.len() <= 1_024, "{}", update.key.sk.len());
        let mut item = None;
        write(&mut item, &update);
        let facts = facts_of(item.as_ref());
        let notified = &facts.notified[service.as_str()];
        assert_eq!(notified.get(&format!("111122223333/us-west-2/{name}")), Some(&at(100)));
    }
}
