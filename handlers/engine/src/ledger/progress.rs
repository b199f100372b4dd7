//! What is remembered of our work in one account and Region: one partition, read in one go.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::arn::Arn;
use responder_core::facts::{Facts, place};
use responder_core::progress::{Asked, Awaited, Change, Changed, Consumer, Ended, Slot};
use responder_core::time::{Span, Timestamp};

use super::deployments::how_of;
use super::{Ledger, expiry};
use crate::error::Error;
use crate::port::Condition::{Absent, Any, Equal, Exists, Less};
use crate::port::{Aws, Item, Key, Range, Update, Value};

/// How long a change is remembered: longer than any rotation schedule but the rarest.
const CHANGES_KEPT: Span = Span::from_secs(400 * 86_400);
/// How long a read of the new value is waited for: tasks may start long after.
const AWAITED: Span = Span::from_secs(7 * 86_400);

impl<A: Aws> Ledger<'_, A> {
    /// Reads a place's partition into the facts.
    pub(crate) async fn progress(&self, account: &str, region: &str, facts: &mut Facts) -> Result<(), Error> {
        let pk = Key::place(&place(account, region));
        let mut range = Range { pk, from: "a".to_owned(), to: "z".to_owned(), after: None };
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
    pub(crate) async fn note(&self, changed: &Changed) -> Result<(), Error> {
        let now = self.aws.now();
        let mut update = Update::of(change_key(changed))
            .number("at", changed.at.millis())
            .number("ttl", expiry(now, changed.at, CHANGES_KEPT))
            .remove(["settled"]);
        update = match &changed.version {
            Some(version) => update.text("version", version),
            None => update.remove(["version"]),
        };
        let older = Any(vec![Absent("at"), Less("at", changed.at.millis()), Absent("version")]);
        self.write(&update.only_if(older)).await.map(|_| ())
    }

    /// Every consumer of a change is answered for.
    pub(crate) async fn settle(&self, changed: &Changed) -> Result<(), Error> {
        let update = Update::of(change_key(changed))
            .number("settled", 1)
            .only_if(Equal("at", Value::Number(changed.at.millis())));
        self.write(&update).await.map(|_| ())
    }

    /// A human was told of a consumer.
    pub(crate) async fn told(&self, consumer: &Consumer) -> Result<(), Error> {
        let at = consumer.changed.at;
        let update = Update::of(Key::told(&consumer.service, &consumer.changed.secret.key()))
            .number("at", at.millis())
            .number("ttl", expiry(self.aws.now(), at, CHANGES_KEPT))
            .only_if(Any(vec![Absent("at"), Less("at", at.millis())]));
        self.write(&update).await.map(|_| ())
    }

    /// Waits for a read that proves something.
    pub(crate) async fn wait_for(&self, key: &str, awaited: &Awaited) -> Result<(), Error> {
        let Ok(text) = serde_json::to_string(awaited) else { return Ok(()) };
        let update = Update::of(Key::awaited(key))
            .add("waiting", BTreeSet::from([text]))
            .number("ttl", expiry(self.aws.now(), awaited.since, AWAITED));
        self.write(&update).await.map(|_| ())
    }

    /// The read has come.
    pub(crate) async fn came(&self, key: &str, awaited: &Awaited) -> Result<(), Error> {
        let Ok(text) = serde_json::to_string(awaited) else { return Ok(()) };
        let update =
            Update::of(Key::awaited(key)).take("waiting", BTreeSet::from([text])).only_if(Exists("waiting"));
        self.write(&update).await.map(|_| ())
    }
}

fn change_key(changed: &Changed) -> Key {
    let secret = &changed.secret;
    let pk = Key::place(&place(&secret.account, &secret.region));
    Key { pk, sk: format!("change#{}", secret.key()) }
}

impl Key {
    /// The partition of an account and Region.
    fn place(place: &str) -> String {
        format!("place#{place}")
    }

    fn of_service(arn: &str) -> String {
        let (account, region) = Arn::of("ecs", arn).map_or(("", ""), |arn| (arn.account, arn.region));
        Self::place(&place(account, region))
    }

    pub(super) fn service(arn: &str) -> Self {
        Self { pk: Self::of_service(arn), sk: format!("service#{arn}") }
    }

    pub(super) fn slot(cluster: &str, slot: u32) -> Self {
        Self { pk: Self::of_service(cluster), sk: format!("slot#{cluster}#{slot:05}") }
    }

    fn told(service: &str, secret: &str) -> Self {
        Self { pk: Self::of_service(service), sk: format!("told#{service}#{secret}") }
    }

    pub(super) fn awaited(key: &str) -> Self {
        Self { pk: format!("awaited#{key}"), sk: "reads".to_owned() }
    }
}

/// Puts an item where it belongs. What cannot be read was written by another release, and is as good as absent.
pub(super) fn store(item: &Item, facts: &mut Facts) {
    let Some((kind, name)) = item.key.sk.split_once('#') else { return };
    match kind {
        "change" => facts.changes.extend(change(item).map(|change| (name.to_owned(), change))),
        "service" => facts.asked.extend(asked(item).map(|asked| (name.to_owned(), asked))),
        "slot" => {
            let parts = name.rsplit_once('#').and_then(|(cluster, slot)| Some((cluster, slot.parse().ok()?)));
            if let (Some((cluster, number)), Some(slot)) = (parts, slot(item)) {
                facts.slots.entry(cluster.to_owned()).or_default().insert(number, slot);
            }
        }
        "told" => {
            // Neither ARNs of ECS nor names of secrets hold a `#`.
            if let (Some((service, secret)), Some(at)) = (name.split_once('#'), item.instant("at")) {
                facts.told.entry(service.to_owned()).or_default().insert(secret.to_owned(), at);
            }
        }
        _ => {}
    }
}

/// The consumers that a read would prove.
pub(super) fn waiting(item: &Item) -> BTreeSet<Awaited> {
    let texts = item.set("waiting").into_iter().flatten();
    texts.filter_map(|text| serde_json::from_str(text).ok()).collect()
}

fn change(item: &Item) -> Option<Change> {
    let version = item.text("version").map(str::to_owned);
    Some(Change { at: item.instant("at")?, version, settled: item.number("settled") == Some(1) })
}

fn slot(item: &Item) -> Option<Slot> {
    Some(Slot { service: item.text("service")?.to_owned(), until: item.instant("until")? })
}

fn asked(item: &Item) -> Option<Asked> {
    let how = item.text("ended").and_then(how_of);
    let ended = how.map(|how| Ended { at: item.instant("ended_at").unwrap_or_default(), how });
    Some(Asked {
        at: item.instant("asked_at")?,
        cluster: item.text("cluster")?.to_owned(),
        deployment: item.text("deployment").map(str::to_owned),
        slot: item.number("slot").and_then(|slot| slot.try_into().ok()),
        secrets: item.text("secrets").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        lease_until: item.instant("lease_until"),
        ended,
    })
}

/// Awaited consumers by key, for the facts.
pub(super) type Waiting = BTreeMap<String, BTreeSet<Awaited>>;
