//! What is remembered of our work in one account and Region: one partition, read in one go.

use std::collections::BTreeSet;

use responder_core::aws::arn::Arn;
use responder_core::facts::{Facts, place};
use responder_core::state::deployment::is_change_news;
use responder_core::state::deployment::{
    AffectedConsumer, ConcurrencySlot, DeploymentEnd, DeploymentRecord, KnownChange, PendingReadEvidence,
    SecretChange,
};
use responder_core::time::Span;

use super::conditions::write_condition;
use super::deployments::how_of;
use super::{Ledger, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, Equal, Exists, Less};
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate, SortKeyRange, TableItem};

/// How long a change is remembered: longer than any rotation schedule but the rarest.
const CHANGES_KEPT: Span = Span::from_secs(400 * 86_400);
/// How long a read of the new value is waited for: tasks may start long after.
const AWAITED: Span = Span::from_secs(7 * 86_400);

impl<A: AwsPort> Ledger<'_, A> {
    /// Reads a place's partition into the facts.
    pub(crate) async fn progress(
        &self,
        account: &str,
        region: &str,
        facts: &mut Facts,
    ) -> Result<(), EngineError> {
        let pk = ItemKey::place(&place(account, region));
        let mut range = SortKeyRange { pk, from: "a".to_owned(), to: "z".to_owned(), after: None };
        let mut items = Vec::new();
        loop {
            let page = self.call(self.aws.query(&range, self.deadline.at())).await?;
            items.extend(page.items);
            range.after = page.next;
            if range.after.is_none() {
                break;
            }
        }
        for item in &items {
            store(item, facts);
        }
        Ok(())
    }

    /// Remembers a change until it is answered for.
    pub(crate) async fn note(&self, changed: &SecretChange) -> Result<(), EngineError> {
        let now = self.aws.now();
        let mut update = ItemUpdate::of(change_key(changed))
            .number("at", changed.at.millis())
            .number("ttl", expiry(now, changed.at, CHANGES_KEPT))
            .if_absent("since", AttributeValue::Number(changed.at.millis()))
            .remove(["settled"]);
        update = match &changed.version {
            Some(version) => update.text("version", version),
            None => update.remove(["version"]),
        };
        let news = write_condition(&is_change_news(changed.at));
        self.write(&update.only_if(news)).await.map(|_| ())
    }

    /// Every consumer of a change is answered for.
    pub(crate) async fn settle(&self, changed: &SecretChange) -> Result<(), EngineError> {
        let update = ItemUpdate::of(change_key(changed))
            .number("settled", 1)
            .remove(["since"])
            .only_if(Equal("at", AttributeValue::Number(changed.at.millis())));
        self.write(&update).await.map(|_| ())
    }

    /// A human was told of a consumer.
    pub(crate) async fn notified(&self, consumer: &AffectedConsumer) -> Result<(), EngineError> {
        let at = consumer.change.at;
        let update = ItemUpdate::of(ItemKey::notified(&consumer.service, &consumer.change.secret.key()))
            .number("at", at.millis())
            .number("ttl", expiry(self.aws.now(), at, CHANGES_KEPT))
            .only_if(Any(vec![Absent("at"), Less("at", at.millis())]));
        self.write(&update).await.map(|_| ())
    }

    /// Waits for a read that proves something.
    pub(crate) async fn wait_for(
        &self,
        key: &str,
        evidence: &PendingReadEvidence,
    ) -> Result<(), EngineError> {
        let Ok(text) = serde_json::to_string(evidence) else { return Ok(()) };
        let update = ItemUpdate::of(ItemKey::evidence(key))
            .add("waiting", BTreeSet::from([text]))
            .number("ttl", expiry(self.aws.now(), evidence.since, AWAITED));
        self.write(&update).await.map(|_| ())
    }

    /// The read has come.
    pub(crate) async fn came(&self, key: &str, evidence: &PendingReadEvidence) -> Result<(), EngineError> {
        let Ok(text) = serde_json::to_string(evidence) else { return Ok(()) };
        let update = ItemUpdate::of(ItemKey::evidence(key))
            .take("waiting", BTreeSet::from([text]))
            .only_if(Exists("waiting"));
        self.write(&update).await.map(|_| ())
    }
}

fn change_key(changed: &SecretChange) -> ItemKey {
    let secret = &changed.secret;
    let pk = ItemKey::place(&place(&secret.account, &secret.region));
    ItemKey { pk, sk: format!("change#{}", secret.key()) }
}

impl ItemKey {
    /// The partition of an account and Region.
    fn place(place: &str) -> String {
        format!("place#{place}")
    }

    fn of_service(arn: &str) -> String {
        let (account, region) =
            Arn::parse_for_service("ecs", arn).map_or(("", ""), |arn| (arn.account, arn.region));
        Self::place(&place(account, region))
    }

    pub(super) fn service(arn: &str) -> Self {
        Self { pk: Self::of_service(arn), sk: format!("service#{arn}") }
    }

    pub(super) fn slot(cluster: &str, slot: u32) -> Self {
        Self { pk: Self::of_service(cluster), sk: format!("slot#{cluster}#{slot:05}") }
    }

    fn notified(service: &str, secret: &str) -> Self {
        Self { pk: Self::of_service(service), sk: format!("told#{service}#{secret}") }
    }

    pub(super) fn evidence(key: &str) -> Self {
        Self { pk: format!("awaited#{key}"), sk: "reads".to_owned() }
    }
}

/// Puts an item where it belongs. What cannot be read was written by another release, and is as good as absent.
pub(super) fn store(item: &TableItem, facts: &mut Facts) {
    let Some((kind, name)) = item.key.sk.split_once('#') else { return };
    match kind {
        "change" => facts.changes.extend(change(item).map(|change| (name.to_owned(), change))),
        "service" => facts.deployments.extend(requested(item).map(|requested| (name.to_owned(), requested))),
        "slot" => {
            let parts = name.rsplit_once('#').and_then(|(cluster, slot)| Some((cluster, slot.parse().ok()?)));
            if let (Some((cluster, number)), Some(slot)) = (parts, slot(item)) {
                facts.concurrency_slots.entry(cluster.to_owned()).or_default().insert(number, slot);
            }
        }
        "told" => {
            // Neither ARNs of ECS nor names of secrets hold a `#`.
            if let (Some((service, secret)), Some(at)) = (name.split_once('#'), item.instant("at")) {
                facts.notified.entry(service.to_owned()).or_default().insert(secret.to_owned(), at);
            }
        }
        _ => {}
    }
}

/// The consumers that a read would prove.
pub(super) fn waiting(item: &TableItem) -> BTreeSet<PendingReadEvidence> {
    let texts = item.set("waiting").into_iter().flatten();
    texts.filter_map(|text| serde_json::from_str(text).ok()).collect()
}

fn change(item: &TableItem) -> Option<KnownChange> {
    let version = item.text("version").map(str::to_owned);
    let settled = item.number("settled") == Some(1);
    Some(KnownChange {
        at: item.instant("at")?,
        version,
        waiting_since: item.instant("since"),
        resolved: settled,
    })
}

fn slot(item: &TableItem) -> Option<ConcurrencySlot> {
    Some(ConcurrencySlot { service: item.text("service")?.to_owned(), until: item.instant("until")? })
}

fn requested(item: &TableItem) -> Option<DeploymentRecord> {
    let how = item.text("ended").and_then(how_of);
    let ended =
        how.map(|how| DeploymentEnd { at: item.instant("ended_at").unwrap_or_default(), outcome: how });
    Some(DeploymentRecord {
        requested_at: item.instant("asked_at")?,
        cluster: item.text("cluster")?.to_owned(),
        deployment: item.text("deployment").map(str::to_owned),
        slot: item.number("slot").and_then(|slot| slot.try_into().ok()),
        changes: item.text("secrets").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        lease_until: item.instant("lease_until"),
        end: ended,
    })
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::time::Timestamp;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fake::{EngineFake, block_on};

    fn changed(second: i64, version: Option<&str>) -> SecretChange {
        let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
        let secret = SecretRef::from_arn(arn).unwrap();
        SecretChange {
            secret,
            at: Timestamp::from_millis(second * 1_000),
            version: version.map(str::to_owned),
        }
    }

    fn with<T>(aws: &EngineFake, act: impl AsyncFnOnce(&Ledger<'_, EngineFake>) -> T) -> T {
        let lease = Span::from_secs(60);
        block_on(act(&Ledger::new(aws, "me", lease, Deadline::of(aws.now().plus(lease), lease, aws.now()))))
    }

    fn known(aws: &EngineFake) -> Facts {
        let mut facts = Facts::default();
        with(aws, async |ledger| ledger.progress("111122223333", "us-west-2", &mut facts).await).unwrap();
        facts
    }

    #[test]
    fn the_latest_change_is_kept_until_it_is_answered_for() {
        let aws = EngineFake::default();
        let note = |changed: &SecretChange| with(&aws, async |ledger| ledger.note(changed).await).unwrap();
        let settle =
            |changed: &SecretChange| with(&aws, async |ledger| ledger.settle(changed).await).unwrap();
        let state = || known(&aws).changes["111122223333/us-west-2/prod/db"].clone();
        note(&changed(100, Some("v1")));
        note(&changed(90, Some("v0")));
        assert_eq!((state().at.millis(), state().version.as_deref()), (100_000, Some("v1")));
        settle(&changed(90, None));
        assert!(!state().resolved, "another change is open");
        settle(&changed(100, None));
        assert!(state().resolved);
        note(&changed(100, Some("v1")));
        assert!(state().resolved, "the same change again is no news");
        note(&changed(110, None));
        assert_eq!((state().resolved, state().version), (false, None));
        note(&changed(110, Some("v2")));
        assert_eq!(state().version.as_deref(), Some("v2"));
    }

    #[test]
    fn what_was_told_and_what_is_awaited_reads_back() {
        let aws = EngineFake::default();
        let service = "arn:aws:ecs:us-west-2:111122223333:service/shop/web".to_owned();
        for second in [100, 90] {
            let consumer = AffectedConsumer { service: service.clone(), change: changed(second, None) };
            with(&aws, async |ledger| ledger.notified(&consumer).await).unwrap();
        }
        let notified = &known(&aws).notified[&service];
        assert_eq!(notified["111122223333/us-west-2/prod/db"].millis(), 100_000);
        let evidence =
            PendingReadEvidence { service, change: changed(100, None), since: Timestamp::from_millis(5) };
        let waiting = || {
            let keys = BTreeSet::from(["k".to_owned()]);
            let none = BTreeSet::new();
            with(&aws, async |ledger| ledger.remember(&none, &none, &keys, &none).await)
                .facts
                .pending_evidence
        };
        with(&aws, async |ledger| ledger.wait_for("k", &evidence).await).unwrap();
        assert_eq!(waiting()["k"], BTreeSet::from([evidence.clone()]));
        with(&aws, async |ledger| ledger.came("k", &evidence).await).unwrap();
        assert!(waiting()["k"].is_empty());
        assert!(aws.table.borrow().values().all(|item| item.number("ttl").is_some()));
    }
}
