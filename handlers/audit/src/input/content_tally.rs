//! Counts what a content holds beside events.

use std::collections::BTreeMap;

use super::beside_kind::BesideKind;

/// What a content holds beside events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentTally {
    /// How many things of each kind lie beside the events.
    pub beside: BTreeMap<BesideKind, usize>,
    /// The objects of other products, by the reason why they are not read.
    refused: BTreeMap<&'static str, RefusedObjects>,
}

/// Objects that are not read for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefusedObjects {
    /// The position of the first one.
    pub(super) offset: usize,
    /// How many there are.
    pub(super) count: usize,
}

impl ContentTally {
    pub(super) fn count_beside(&mut self, kind: BesideKind) {
        *self.beside.entry(kind).or_default() += 1;
    }

    pub(super) fn count_refused(&mut self, reason: &'static str, offset: usize) {
        self.refused.entry(reason).or_insert(RefusedObjects { offset, count: 0 }).count += 1;
    }

    /// Adds what a message in the content holds.
    pub(super) fn add_inner(&mut self, inner: Self) {
        for (kind, count) in inner.beside {
            *self.beside.entry(kind).or_default() += count;
        }
    }

    pub(super) fn take_refused(&mut self) -> BTreeMap<&'static str, RefusedObjects> {
        std::mem::take(&mut self.refused)
    }
}
