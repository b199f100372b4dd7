//! The ledger as one invocation sees it: how its table is read and written within the deadline.

use std::sync::atomic::{AtomicBool, Ordering};

use responder_core::time::Span;

use crate::deadline::Deadline;
use crate::error::EngineError;
use crate::port::{AwsPort, ItemKey, ItemPage, ItemUpdate, SortKeyRange, TableItem, WriteResult};

/// `BatchGetItem` takes at most 100 keys (`API_BatchGetItem`).
pub(super) const MAX_KEYS_OF_BATCH_GET: usize = 100;
/// How often a batch is read before the keys that the table was too busy for count as unanswered.
const BATCH_GET_ATTEMPTS: u32 = 5;
/// The wait before the second attempt is twice as long as this, and doubles with each further one.
const BATCH_GET_BACKOFF_MILLIS: i64 = 50;
/// How many items are written at the same time.
pub(super) const MAX_PARALLEL_WRITES: usize = 8;

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger<'l, A> {
    pub(super) aws: &'l A,
    /// The owner of the claims that are made: the invocation's request id.
    pub(super) owner: &'l str,
    /// How long a claim is held.
    pub(super) lease: Span,
    pub(super) deadline: Deadline,
    /// Whether a call got no answer. The other calls of this invocation then do not wait for one.
    is_unavailable: AtomicBool,
}

impl<'l, A: AwsPort> Ledger<'l, A> {
    /// The ledger for an invocation that holds claims as `owner`, each for as long as `lease`.
    pub(crate) fn new(aws: &'l A, owner: &'l str, lease: Span, deadline: Deadline) -> Self {
        Self { aws, owner, lease, deadline, is_unavailable: AtomicBool::new(false) }
    }

    /// The same ledger with another deadline. A table that was too slow for the first one is tried again: it may be quick
    /// enough for this one.
    pub(crate) fn with_deadline(self, deadline: Deadline) -> Self {
        Self { deadline, is_unavailable: AtomicBool::new(false), ..self }
    }

    /// Reads at most 100 items. Keys that the table is too busy for come back as unprocessed, and are read again after a
    /// pause.
    pub(super) async fn get_items(&self, keys: &[ItemKey]) -> Result<Vec<TableItem>, EngineError> {
        let mut items = Vec::new();
        let mut remaining_keys = keys.to_vec();
        for attempt in 0..BATCH_GET_ATTEMPTS {
            if attempt > 0 {
                self.pause(Span::from_millis(BATCH_GET_BACKOFF_MILLIS << attempt)).await?;
            }
            let found =
                self.watch_answer(self.aws.get_items(&remaining_keys, self.deadline.instant())).await?;
            items.extend(found.items);
            remaining_keys = found.unprocessed_keys;
            if remaining_keys.is_empty() {
                return Ok(items);
            }
        }
        Err(EngineError::StoreUnavailable)
    }

    /// Reads a page of a range.
    pub(super) async fn query_items(&self, range: &SortKeyRange) -> Result<ItemPage, EngineError> {
        self.watch_answer(self.aws.query_items(range, self.deadline.instant())).await
    }

    /// Writes an item, and says whether the condition held.
    pub(super) async fn write_item(&self, update: &ItemUpdate) -> Result<WriteResult, EngineError> {
        self.watch_answer(self.aws.update_item(update, self.deadline.instant())).await
    }

    /// Writes an item where it makes no difference whether the condition held.
    pub(super) async fn write_or_skip(&self, update: &ItemUpdate) -> Result<(), EngineError> {
        self.write_item(update).await?;
        Ok(())
    }

    async fn pause(&self, span: Span) -> Result<(), EngineError> {
        let remaining = self.deadline.remaining(self.aws);
        self.aws.sleep(span.min(remaining)).await;
        if span > remaining {
            return Err(EngineError::DeadlineReached("BatchGetItem"));
        }
        Ok(())
    }

    /// Makes a call unless an earlier one got no answer, and remembers if this one gets none. So an invocation waits only
    /// once for a table that does not answer.
    async fn watch_answer<T>(
        &self,
        call: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        if self.is_unavailable.load(Ordering::Relaxed) {
            return Err(EngineError::StoreUnavailable);
        }
        let answer = call.await;
        if let Err(error) = &answer
            && error.is_missing_answer()
        {
            self.is_unavailable.store(true, Ordering::Relaxed);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::error::{CallFailure, FailureCause};
    use crate::fake::{EngineFake, block_on, refused};
    use crate::port::AttributeValue;
    use crate::store::incident_state::IncidentExtension;
    use crate::store::schema;
    use crate::store::stored_facts::StoredFactKeys;
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::state::deployment::{PendingReadEvidence, SecretChange};
    use responder_core::time::Timestamp;

    fn ledger(aws: &EngineFake) -> Ledger<'_, EngineFake> {
        let lease = Span::from_secs(60);
        Ledger::new(aws, "me", lease, Deadline::from_invocation(aws.now().plus(lease), lease, aws.now()))
    }

    fn keys(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_table_that_does_not_answer_is_asked_once_and_again_with_another_deadline() {
        let failure = CallFailure::without_code(FailureCause::ConnectionTimeout);
        let silent = EngineError::CallFailed { service: "dynamodb", operation: "BatchGetItem", failure };
        for (broken, requested) in
            [(silent, 1), (EngineError::DeadlineReached("x"), 1), (refused("dynamodb", "x", "x"), 2)]
        {
            let aws = EngineFake { broken: Some(broken).into(), ..EngineFake::default() };
            let ledger = ledger(&aws);
            let found = block_on(ledger.read_stored_facts(&StoredFactKeys {
                incidents: keys(&["i"]),
                services: ["d".into()].into(),
                evidence: keys(&[]),
                roles: keys(&[]),
            }));
            assert_eq!(found.unanswered, keys(&["d", "i"]));
            assert!(block_on(ledger.record_deployment_id("d", aws.now(), "id")).is_err());
            assert_eq!(aws.requested.get(), requested);
            let deadline = ledger.deadline;
            assert!(
                block_on(ledger.with_deadline(deadline).record_deployment_id("d", aws.now(), "id")).is_err()
            );
            assert_eq!(aws.requested.get(), requested + 1);
        }
    }

    #[test]
    fn a_late_event_is_part_of_an_incident_that_is_over_and_what_happened_since_is_looked_at_again() {
        let (aws, key, at) = (EngineFake::default(), schema::incident_key("k"), Timestamp::from_millis);
        let values = [("first", 10), ("last", 20), ("paged", 3), ("resolved", 50)];
        let values = values.map(|(name, value)| (name.to_owned(), AttributeValue::Number(value)));
        aws.table.borrow_mut().insert(key.clone(), TableItem { key: key.clone(), values: values.into() });
        let extend = |last| {
            block_on(ledger(&aws).extend_incident(&IncidentExtension {
                key: "k",
                began_at: at(10),
                first: None,
                last: Some(at(last)),
                resolve_after: Span::from_secs(60),
            }))
        };
        assert_eq!((extend(30), extend(25), extend(60)), (Ok(()), Ok(()), Err(EngineError::ClaimHeld)));
        assert_eq!(aws.table.borrow()[&key].number("last"), Some(30));
    }

    #[test]
    fn what_a_busy_table_leaves_is_asked_for_again_until_the_deadline() {
        let aws = EngineFake::default();
        let evidence = PendingReadEvidence {
            service: "s".into(),
            change: SecretChange {
                secret: SecretRef::from_name_or_arn("prod/db", "111122223333", "us-west-2").unwrap(),
                at: Timestamp::from_millis(5),
                version: None,
            },
            since: Timestamp::from_millis(20),
        };
        for key in ["a", "b", "c"] {
            block_on(ledger(&aws).add_pending_evidence(key, &evidence)).unwrap();
        }
        let remember = || {
            block_on(ledger(&aws).read_stored_facts(&StoredFactKeys {
                incidents: keys(&[]),
                services: BTreeSet::new(),
                evidence: keys(&["a", "b", "c"]),
                roles: keys(&[]),
            }))
        };
        aws.busy.set(2);
        let found = remember().facts.pending_evidence;
        assert_eq!(found.into_values().collect::<Vec<_>>(), vec![BTreeSet::from([evidence]); 3]);
        assert_eq!(aws.now().millis(), 100 + 200);
        // Not even the first pause fits.
        let soon =
            Deadline::from_invocation(aws.now().plus(Span::from_millis(100)), Span::from_secs(60), aws.now());
        aws.busy.set(1);
        let found = block_on(ledger(&aws).with_deadline(soon).read_stored_facts(&StoredFactKeys {
            incidents: keys(&["a"]),
            services: BTreeSet::new(),
            evidence: keys(&["b"]),
            roles: keys(&[]),
        }));
        assert_eq!(found.unanswered, keys(&["a", "b"]));
        assert_eq!(aws.now(), soon.instant());
    }

    #[test]
    fn an_incident_stretches_both_ways_unless_it_ended_meanwhile() {
        let aws = EngineFake::default();
        let at = Timestamp::from_millis;
        let resolve_after = Span::from_millis(100);
        let extend = |of, first, last| {
            block_on(ledger(&aws).extend_incident(&IncidentExtension {
                key: "k",
                began_at: at(of),
                first: Some(at(first)),
                last: Some(at(last)),
                resolve_after,
            }))
        };
        extend(500, 500, 600).unwrap();
        assert!(aws.table.borrow().is_empty(), "nothing was said that could be stretched");
        let said = [("first", 500), ("last", 600), ("paged", 2)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::Number(value)));
        let item = TableItem { key: schema::incident_key("k"), values: said.into() };
        aws.table.borrow_mut().insert(item.key.clone(), item);
        let known = || {
            let item = aws.table.borrow()[&schema::incident_key("k")].clone();
            (item.number("first"), item.number("last"))
        };
        extend(450, 450, 550).unwrap();
        assert_eq!(known(), (Some(450), Some(600)));
        extend(450, 460, 700).unwrap();
        assert_eq!(known(), (Some(450), Some(700)));
        let ended =
            |item: &mut TableItem| item.values.insert("resolved".to_owned(), AttributeValue::Number(650));
        aws.table.borrow_mut().values_mut().for_each(|item| drop(ended(item)));
        assert_eq!(extend(450, 400, 800), Err(EngineError::ClaimHeld));
        assert_eq!(known(), (Some(450), Some(700)));
    }
}
