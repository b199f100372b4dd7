//! Task definitions, for every process: a revision never changes, so it is read from ECS once.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::arn::Arn;
use responder_core::time::Timestamp;

use super::ledger::{Ledger, MAX_KEYS_OF_BATCH_GET};
use super::schema::{self, DEFINITION, FORMAT, SECRETS, TASK_DEFINITION_LIFETIME, TTL, expiry_seconds};
use super::stored_facts::MAX_ROLE_BYTES;
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, Any, SizeLessThan};
use crate::port::{AwsPort, DescribedTaskDefinition, ItemKey, ItemUpdate, TableItem};

/// The number of the stored form. It grows whenever more of a definition is read than before.
const DEFINITION_FORMAT: i64 = 1;

/// How many secrets of a role are stored before no more are added. An item has at most 400 KB, and a secret's name at most
/// 512 bytes.
const MAX_SECRETS_OF_ROLE: usize = 400;
/// How many secrets one revision may add.
const MAX_SECRETS_OF_REVISION: usize = 100;

impl<A: AwsPort> Ledger<'_, A> {
    /// Reads the task definitions of these ARNs, as far as they are known.
    ///
    /// # Errors
    /// If the ledger has no answer for one of them.
    pub(crate) async fn read_task_definitions(
        &self,
        arns: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, DescribedTaskDefinition>, EngineError> {
        let keys: Vec<ItemKey> = arns.iter().map(|arn| schema::task_definition_key(arn)).collect();
        let mut definitions = BTreeMap::new();
        for batch in keys.chunks(MAX_KEYS_OF_BATCH_GET) {
            for item in &self.get_items(batch).await? {
                let Some(arn) = schema::parse_task_definition_key(&item.key) else { continue };
                let Some(definition) = read_definition(item) else { continue };
                definitions.insert(arn.to_owned(), definition);
            }
        }
        Ok(definitions)
    }

    /// Writes a task definition, and before that its secrets to the item of its execution role.
    ///
    /// # Errors
    /// If the ledger does not answer.
    pub(crate) async fn write_task_definition(
        &self,
        arn: &str,
        definition: &DescribedTaskDefinition,
    ) -> Result<(), EngineError> {
        let now = self.aws.now();
        if let Some(update) = build_role_update(arn, definition, now) {
            // A role that has too many secrets gets no more. A read of one that is missing counts as any read does.
            self.write_or_skip(&update).await?;
        }
        let text = serde_json::to_string(definition).unwrap_or_default();
        let update = ItemUpdate::new(schema::task_definition_key(arn))
            .set_text(DEFINITION, &text)
            .set_number(FORMAT, DEFINITION_FORMAT)
            .set_number(TTL, expiry_seconds(now, now, TASK_DEFINITION_LIFETIME));
        self.write_or_skip(&update).await
    }
}

/// The secrets that a revision adds to its execution role; `None` if it has no role or refers to no secret.
fn build_role_update(arn: &str, definition: &DescribedTaskDefinition, now: Timestamp) -> Option<ItemUpdate> {
    let role = definition.role.as_ref()?.raw();
    if role.len() > MAX_ROLE_BYTES {
        return None;
    }
    let own = Arn::parse_for_service("ecs", arn)?;
    let mut secret_keys = BTreeSet::new();
    for reference in &definition.references {
        if secret_keys.len() == MAX_SECRETS_OF_REVISION {
            break;
        }
        if let Some((secret, _)) = reference.resolve_secret(own.account, own.region) {
            secret_keys.insert(secret.key());
        }
    }
    if secret_keys.is_empty() {
        return None;
    }
    let update = ItemUpdate::new(schema::role_key(role))
        .set_number(TTL, expiry_seconds(now, now, TASK_DEFINITION_LIFETIME))
        .add_strings(SECRETS, secret_keys)
        .only_if(Any(vec![Absent(SECRETS), SizeLessThan(SECRETS, MAX_SECRETS_OF_ROLE)]));
    Some(update)
}

/// Reads a task definition; `None` if another release wrote it. It is then read from ECS again.
fn read_definition(item: &TableItem) -> Option<DescribedTaskDefinition> {
    if item.number(FORMAT) != Some(DEFINITION_FORMAT) {
        return None;
    }
    serde_json::from_str(item.text(DEFINITION)?).ok()
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
    use responder_core::settings::{DeploymentRisk, Settings};
    use responder_core::text::Untrusted;
    use responder_core::time::Span;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fleet::Fleet;
    use crate::port::AttributeValue;
    use crate::store::stored_facts::StoredFactKeys;

    fn ledger<'l>(fleet: &'l Fleet, settings: &'l Settings) -> Ledger<'l, Fleet> {
        let lease = Span::from_secs(60);
        let deadline = Deadline::from_invocation(fleet.now().plus(lease), lease, fleet.now());
        Ledger::new(fleet, "me", lease, deadline, settings)
    }

    fn example() -> DescribedTaskDefinition {
        DescribedTaskDefinition {
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
        let settings = Settings::default();
        let arns: BTreeSet<String> = (0..250).map(|n| format!("web:{n}")).collect();
        for arn in arns.iter().skip(1) {
            fleet.block_on(ledger(&fleet, &settings).write_task_definition(arn, &example())).unwrap();
        }
        let known = fleet.block_on(ledger(&fleet, &settings).read_task_definitions(&arns)).unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), arns.iter().skip(1).collect::<Vec<_>>());
        assert!(known.values().all(|definition| *definition == example()));
        let kept = fleet.now().plus(TASK_DEFINITION_LIFETIME).millis() / 1_000;
        assert!(fleet.table.borrow().values().all(|item| item.number("ttl").is_some_and(|ttl| ttl > kept)));
    }

    fn referring(names: impl IntoIterator<Item = String>) -> DescribedTaskDefinition {
        let value =
            |name| format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:{name}-a1B2c3:key::");
        let reference = |name| SecretReference {
            kind: ReferenceKind::ContainerSecret,
            value: Untrusted::new(value(name)),
        };
        let references = names.into_iter().map(reference).collect();
        DescribedTaskDefinition {
            references,
            role: Some(Untrusted::new("arn:role")),
            ..DescribedTaskDefinition::default()
        }
    }

    #[test]
    fn what_a_role_reads_is_what_its_definitions_refer_to_and_stays_small() {
        let fleet = Fleet::default();
        let settings = Settings::default();
        let arn = |n: usize| format!("arn:aws:ecs:us-west-2:111122223333:task-definition/web:{n}");
        let launched = || {
            let roles = BTreeSet::from(["arn:role".to_owned()]);
            let found = fleet.block_on(
                ledger(&fleet, &settings)
                    .read_stored_facts(&StoredFactKeys { roles, ..StoredFactKeys::default() }),
            );
            found.facts.launch_secrets.get("arn:role").cloned().unwrap_or_default()
        };
        assert!(launched().is_empty());
        let record = |n: usize, definition: &DescribedTaskDefinition| {
            fleet.block_on(ledger(&fleet, &settings).write_task_definition(&arn(n), definition)).unwrap();
        };
        record(1, &referring(["prod/db".to_owned()]));
        record(2, &referring(["prod/db".to_owned(), "prod/mail".to_owned()]));
        let keys = ["prod/db", "prod/mail"].map(|name| format!("111122223333/us-west-2/{name}"));
        assert_eq!(launched(), BTreeSet::from(keys));
        // Without a role, or without secrets, there is nothing to say.
        record(3, &DescribedTaskDefinition { role: None, ..referring(["other".to_owned()]) });
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
        let settings = Settings::default();
        let arns = BTreeSet::from(["web:1".to_owned()]);
        let known = || fleet.block_on(ledger(&fleet, &settings).read_task_definitions(&arns)).unwrap().len();
        for (name, value) in [
            ("format", AttributeValue::Number(DEFINITION_FORMAT + 1)),
            ("definition", AttributeValue::Text("{\"references\":1}".to_owned())),
            ("definition", AttributeValue::Number(1)),
        ] {
            fleet.block_on(ledger(&fleet, &settings).write_task_definition("web:1", &example())).unwrap();
            assert_eq!(known(), 1);
            let update = ItemUpdate::new(schema::task_definition_key("web:1")).set_value(name, value);
            fleet.block_on(fleet.update_item(&update, Timestamp::from_millis(i64::MAX))).unwrap();
            assert_eq!(known(), 0);
        }
    }
}
