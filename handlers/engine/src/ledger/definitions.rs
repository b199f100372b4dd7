//! What task definitions say, for every process: a revision never changes, so it is read from ECS once.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::arn::Arn;
use responder_core::time::{Span, Timestamp};

use super::{Ledger, ROLE_MAX, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, SizeLess};
use crate::port::{AwsPort, ItemKey, ItemUpdate, TableItem, TaskDefinition};

/// How long what was read is kept; then it is read again.
const KEPT: Span = Span::from_secs(400 * 86_400);

/// What is kept of a definition, as a number: another one whenever more of it is read than before.
const FORMAT: i64 = 1;

/// How many secrets of a role are remembered, and how many a revision may add: an item has at most 400 KB, a secret's name
/// at most 512 bytes.
const LAUNCHED: usize = 400;
const ADDED_AT_ONCE: usize = 100;

impl<A: AwsPort> Ledger<'_, A> {
    /// What is known of these revisions.
    ///
    /// # Errors
    /// If the ledger does not answer for all of them.
    pub(crate) async fn definitions(
        &self,
        arns: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, TaskDefinition>, EngineError> {
        let keys: Vec<ItemKey> = arns.iter().map(|arn| key(arn)).collect();
        let mut known = BTreeMap::new();
        // `BatchGetItem` takes at most 100 keys.
        for keys in keys.chunks(100) {
            let items = self.get(keys).await?;
            known.extend(items.iter().filter_map(|item| Some((arn(item)?.to_owned(), read(item)?))));
        }
        Ok(known)
    }

    /// Remembers what a revision says, and first for its execution role which secrets that reads.
    ///
    /// # Errors
    /// If the ledger does not answer.
    pub(crate) async fn record_definition(
        &self,
        arn: &str,
        definition: &TaskDefinition,
    ) -> Result<(), EngineError> {
        if let Some(update) = launches(arn, definition, self.aws.now()) {
            // What a role reads beyond that many counts as any read does.
            drop(self.write(&update).await?);
        }
        let text = serde_json::to_string(definition).unwrap_or_default();
        let now = self.aws.now();
        let update = ItemUpdate::of(key(arn))
            .text("definition", &text)
            .number("format", FORMAT)
            .number("ttl", expiry(now, now, KEPT));
        self.write(&update).await.map(|_| ())
    }
}

/// What a revision adds to its execution role's secrets, if anything.
fn launches(arn: &str, definition: &TaskDefinition, now: Timestamp) -> Option<ItemUpdate> {
    let role = definition.role.as_ref().filter(|role| role.raw().len() <= ROLE_MAX)?;
    let place = Arn::parse_for_service("ecs", arn)?;
    let secrets =
        definition.references.iter().filter_map(|known| known.resolve_secret(place.account, place.region));
    let keys: BTreeSet<String> = secrets.map(|(secret, _)| secret.key()).take(ADDED_AT_ONCE).collect();
    let room = Any(vec![Absent("secrets"), SizeLess("secrets", LAUNCHED)]);
    let update = ItemUpdate::of(ItemKey::role(role.raw())).number("ttl", expiry(now, now, KEPT));
    (!keys.is_empty()).then(|| update.add("secrets", keys).only_if(room))
}

fn key(arn: &str) -> ItemKey {
    ItemKey { pk: format!("definition#{arn}"), sk: "read".to_owned() }
}

fn arn(item: &TableItem) -> Option<&str> {
    item.key.pk.strip_prefix("definition#")
}

/// `None` for what another version of this program wrote: it is read again.
fn read(item: &TableItem) -> Option<TaskDefinition> {
    let same = item.number("format") == Some(FORMAT);
    serde_json::from_str(item.text("definition").filter(|_| same)?).ok()
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
    use responder_core::settings::DeploymentRisk;
    use responder_core::text::Untrusted;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fleet::Fleet;
    use crate::port::AttributeValue;

    fn ledger(fleet: &Fleet) -> Ledger<'_, Fleet> {
        let lease = Span::from_secs(60);
        Ledger::new(fleet, "me", lease, Deadline::of(fleet.now().plus(lease), lease, fleet.now()))
    }

    fn example() -> TaskDefinition {
        TaskDefinition {
            references: vec![SecretReference {
                kind: ReferenceKind::ContainerSecret,
                value: Untrusted::new("arn:<script>"),
            }],
            role: Some(Untrusted::new("role")),
            risks: BTreeSet::from([DeploymentRisk::MutableImage]),
        }
    }

    #[test]
    fn what_one_invocation_records_another_one_finds_for_more_than_a_year() {
        let fleet = Fleet::default();
        let arns: BTreeSet<String> = (0..250).map(|n| format!("web:{n}")).collect();
        for arn in arns.iter().skip(1) {
            fleet.block_on(ledger(&fleet).record_definition(arn, &example())).unwrap();
        }
        let known = fleet.block_on(ledger(&fleet).definitions(&arns)).unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), arns.iter().skip(1).collect::<Vec<_>>());
        assert!(known.values().all(|definition| *definition == example()));
        let kept = fleet.now().plus(KEPT).millis() / 1_000;
        assert!(fleet.table.borrow().values().all(|item| item.number("ttl").is_some_and(|ttl| ttl > kept)));
    }

    fn referring(names: impl IntoIterator<Item = String>) -> TaskDefinition {
        let value =
            |name| format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:{name}-a1B2c3:key::");
        let reference = |name| SecretReference {
            kind: ReferenceKind::ContainerSecret,
            value: Untrusted::new(value(name)),
        };
        let references = names.into_iter().map(reference).collect();
        TaskDefinition { references, role: Some(Untrusted::new("arn:role")), ..TaskDefinition::default() }
    }

    #[test]
    fn what_a_role_reads_is_what_its_definitions_refer_to_and_stays_small() {
        let fleet = Fleet::default();
        let arn = |n: usize| format!("arn:aws:ecs:us-west-2:111122223333:task-definition/web:{n}");
        let launched = || {
            let (none, roles) = (BTreeSet::new(), BTreeSet::from(["arn:role".to_owned()]));
            let found = fleet.block_on(ledger(&fleet).remember(&none, &none, &none, &roles));
            found.facts.launch_secrets.get("arn:role").cloned().unwrap_or_default()
        };
        assert!(launched().is_empty());
        let record = |n: usize, definition: &TaskDefinition| {
            fleet.block_on(ledger(&fleet).record_definition(&arn(n), definition)).unwrap();
        };
        record(1, &referring(["prod/db".to_owned()]));
        record(2, &referring(["prod/db".to_owned(), "prod/mail".to_owned()]));
        let keys = ["prod/db", "prod/mail"].map(|name| format!("111122223333/us-west-2/{name}"));
        assert_eq!(launched(), BTreeSet::from(keys));
        // Without a role, or without secrets, there is nothing to say.
        record(3, &TaskDefinition { role: None, ..referring(["other".to_owned()]) });
        record(4, &referring([]));
        assert_eq!(launched().len(), 2);
        for n in 0..10 {
            record(10 + n, &referring((0..300).map(|secret| format!("{n}/{secret:05}"))));
        }
        assert_eq!(launched().len(), 402, "a hundred a revision, until there are four hundred");
    }

    #[test]
    fn what_another_version_wrote_or_nobody_can_read_is_read_again() {
        let fleet = Fleet::default();
        let arns = BTreeSet::from(["web:1".to_owned()]);
        let known = || fleet.block_on(ledger(&fleet).definitions(&arns)).unwrap().len();
        for (name, value) in [
            ("format", AttributeValue::Number(FORMAT + 1)),
            ("definition", AttributeValue::Text("{\"references\":[],\"more\":1}".to_owned())),
            ("definition", AttributeValue::Number(1)),
        ] {
            fleet.block_on(ledger(&fleet).record_definition("web:1", &example())).unwrap();
            assert_eq!(known(), 1);
            let update = ItemUpdate::of(key("web:1")).value(name, value);
            fleet.block_on(fleet.update(&update, Timestamp::from_millis(i64::MAX))).unwrap();
            assert_eq!(known(), 0);
        }
    }
}
