//! Bugs that are planted between the engine and the world: to see that each is found.

use responder_core::time::Span;
use responder_engine::port::{Item, Update, Value, Written};

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
    pub(super) fn rewrite(self, mut update: Update, now: i64) -> Update {
        let until = match self {
            Self::NoLease => i64::MAX,
            Self::ShortLease(lease) => now.saturating_add(lease.millis()),
            Self::MarkBeforeSend | Self::OpenClaim => return update,
        };
        if let Some(lease) = update.set.get_mut("lease_until") {
            *lease = Value::Number(until);
        }
        update
    }

    /// The answer to a write as the bug has it.
    pub(super) fn answer(self, update: &Update, written: Written) -> Written {
        let claims = Request::Update(update.clone()).meaning() == Meaning::Claim;
        match written {
            Written::No(Some(item)) if self == Self::OpenClaim && claims => Written::No(Some(done(item))),
            written => written,
        }
    }
}

/// The item as if everything had been said.
fn done(mut item: Item) -> Item {
    for (name, value) in [("first", i64::MIN), ("last", i64::MAX), ("paged", 9)] {
        item.values.insert(name.to_owned(), Value::Number(value));
    }
    item.values.remove("resolved");
    item
}
