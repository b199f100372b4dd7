//! What task definitions say, for every process: a revision never changes, so it is read from ECS once.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::time::Span;

use super::{Ledger, expiry};
use crate::error::Error;
use crate::port::{Aws, Definition, Item, Key, Update};

/// How long what was read is kept; then it is read again.
const KEPT: Span = Span::from_secs(400 * 86_400);

/// What is kept of a definition, as a number: another one whenever more of it is read than before.
const FORMAT: i64 = 1;

impl<A: Aws> Ledger<'_, A> {
    /// What is known of these revisions.
    ///
    /// # Errors
    /// If the ledger does not answer for all of them.
    pub(crate) async fn definitions(
        &self,
        arns: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Definition>, Error> {
        let keys: Vec<Key> = arns.iter().map(|arn| key(arn)).collect();
        let mut known = BTreeMap::new();
        // `BatchGetItem` takes at most 100 keys.
        for keys in keys.chunks(100) {
            let items = self.get(keys).await?;
            known.extend(items.iter().filter_map(|item| Some((arn(item)?.to_owned(), read(item)?))));
        }
        Ok(known)
    }

    /// Remembers what a revision says.
    ///
    /// # Errors
    /// If the ledger does not answer.
    pub(crate) async fn record_definition(&self, arn: &str, definition: &Definition) -> Result<(), Error> {
        let text = serde_json::to_string(definition).unwrap_or_default();
        let now = self.aws.now();
        let update = Update::of(key(arn))
            .text("definition", &text)
            .number("format", FORMAT)
            .number("ttl", expiry(now, now, KEPT));
        self.write(&update).await.map(|_| ())
    }
}

fn key(arn: &str) -> Key {
    Key { pk: format!("definition#{arn}"), sk: "read".to_owned() }
}

fn arn(item: &Item) -> Option<&str> {
    item.key.pk.strip_prefix("definition#")
}

/// `None` for what another version of this program wrote: it is read again.
fn read(item: &Item) -> Option<Definition> {
    let same = item.number("format") == Some(FORMAT);
    serde_json::from_str(item.text("definition").filter(|_| same)?).ok()
}

#[cfg(test)]
mod tests {
    use responder_core::service::{Reference, ReferenceKind};
    use responder_core::settings::Finding;
    use responder_core::text::Untrusted;
    use responder_core::time::Timestamp;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fleet::Fleet;
    use crate::port::Value;

    fn ledger(fleet: &Fleet) -> Ledger<'_, Fleet> {
        let lease = Span::from_secs(60);
        Ledger::new(fleet, "me", lease, Deadline::of(fleet.now().plus(lease), lease, fleet.now()))
    }

    fn example() -> Definition {
        Definition {
            references: vec![Reference {
                kind: ReferenceKind::ContainerSecret,
                value: Untrusted::new("arn:<script>"),
            }],
            role: Some(Untrusted::new("role")),
            findings: BTreeSet::from([Finding::MutableImage]),
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

    #[test]
    fn what_another_version_wrote_or_nobody_can_read_is_read_again() {
        let fleet = Fleet::default();
        let arns = BTreeSet::from(["web:1".to_owned()]);
        let known = || fleet.block_on(ledger(&fleet).definitions(&arns)).unwrap().len();
        for (name, value) in [
            ("format", Value::Number(FORMAT + 1)),
            ("definition", Value::Text("{\"references\":[],\"more\":1}".to_owned())),
            ("definition", Value::Number(1)),
        ] {
            fleet.block_on(ledger(&fleet).record_definition("web:1", &example())).unwrap();
            assert_eq!(known(), 1);
            let update = Update::of(key("web:1")).value(name, value);
            fleet.block_on(fleet.update(&update, Timestamp::from_millis(i64::MAX))).unwrap();
            assert_eq!(known(), 0);
        }
    }
}
