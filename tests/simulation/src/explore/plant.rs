//! Bugs that are planted between the engine and the world: to see that each is found.

use responder_core::time::Span;
use responder_engine::port::{AttributeValue, ItemUpdate, TableItem, WriteResult};

use super::request::{Meaning, Request};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// What is claimed is marked as done before it is sent.
    MarkBeforeSend,
    /// A claim is held for ever.
    NoLease,
    /// What somebody else claimed counts as done.
    OpenClaim,
    /// A claim is held for so long only, whatever the function's timeout.
    ShortLease(Span),
}

impl Plant {
    /// The write as the bug has it.
    pub(super) fn rewrite(self, mut update: ItemUpdate, now: i64) -> ItemUpdate {
        let until = match self {
            Self::NoLease => i64::MAX,
            Self::ShortLease(lease) => now.saturating_add(lease.millis()),
            Self::MarkBeforeSend | Self::OpenClaim => return update,
        };
        if let Some(lease) = update.set.get_mut("lease_until") {
            *lease = AttributeValue::Number(until);
        }
        update
    }

    /// The answer to a write as the bug has it.
    pub(super) fn answer(self, update: &ItemUpdate, written: WriteResult) -> WriteResult {
        let claims = Request::Update(update.clone()).meaning() == Meaning::Claim;
        match written {
            WriteResult::ConditionFailed(Some(item)) if self == Self::OpenClaim && claims => {
                WriteResult::ConditionFailed(Some(done(item)))
            }
            written => written,
        }
    }
}

/// The item as if everything had been said.
fn done(mut item: TableItem) -> TableItem {
    for (name, value) in [("first", i64::MIN), ("last", i64::MAX), ("paged", 9)] {
        item.values.insert(name.to_owned(), AttributeValue::Number(value));
    }
    item.values.remove("resolved");
    item
}
