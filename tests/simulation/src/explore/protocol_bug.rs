//! Bugs that are planted between the engine and the world, to see that each is found.

use responder_core::time::Span;
use responder_engine::port::{AttributeValue, ItemUpdate, TableItem, WriteResult};

use super::request::{RequestMeaning, WorkerRequest};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolBug {
    /// A claimed page is marked as done before it is sent.
    MarksBeforeSending,
    /// A claim is held for ever.
    HoldsClaimsForEver,
    /// A page that another worker claimed counts as done.
    TakesHeldForDone,
    /// A claim is held for so long only, whatever the function's timeout.
    HoldsClaimsFor(Span),
}

impl ProtocolBug {
    /// The write as the bug has it.
    pub(super) fn rewrite(self, mut update: ItemUpdate, now: i64) -> ItemUpdate {
        let until = match self {
            Self::HoldsClaimsForEver => i64::MAX,
            Self::HoldsClaimsFor(lease) => now.saturating_add(lease.millis()),
            Self::MarksBeforeSending | Self::TakesHeldForDone => return update,
        };
        if let Some(lease) = update.set.get_mut("lease_until") {
            *lease = AttributeValue::Number(until);
        }
        update
    }

    /// The answer to a write as the bug has it.
    pub(super) fn answer(self, update: &ItemUpdate, written: WriteResult) -> WriteResult {
        let is_claim = WorkerRequest::Update(update.clone()).meaning() == RequestMeaning::Claim;
        match written {
            WriteResult::ConditionFailed(Some(item)) if self == Self::TakesHeldForDone && is_claim => {
                WriteResult::ConditionFailed(Some(pretend_done(item)))
            }
            written => written,
        }
    }
}

/// The item as if everything had been paged.
fn pretend_done(mut item: TableItem) -> TableItem {
    let said = [("first", i64::MIN), ("last", i64::MAX), ("paged", 9), ("paged_secrets", i64::MAX)];
    for (name, value) in said {
        item.values.insert(name.to_owned(), AttributeValue::Number(value));
    }
    item.values.remove("resolved");
    item
}
