//! The ledger as one invocation sees it: how its table is read and written within the deadline.

use std::sync::atomic::{AtomicBool, Ordering};

use responder_core::settings::Settings;
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
    pub(super) settings: &'l Settings,
    /// Whether a call got no answer. The other calls of this invocation then do not wait for one.
    is_unavailable: AtomicBool,
}

impl<'l, A: AwsPort> Ledger<'l, A> {
    /// The ledger for an invocation that holds claims as `owner`, each for as long as `lease`.
    pub(crate) fn new(
        aws: &'l A,
        owner: &'l str,
        lease: Span,
        deadline: Deadline,
        settings: &'l Settings,
    ) -> Self {
        Self { aws, owner, lease, deadline, settings, is_unavailable: AtomicBool::new(false) }
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
