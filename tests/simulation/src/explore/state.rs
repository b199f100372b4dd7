//! A state of the world: small, comparable, and all that the future depends on.

use super::process::{Deliveries, History, Millis, Number};
use super::scene::Bounds;

/// A state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) now: Millis,
    /// The number of the table's content.
    pub(super) table: Number,
    pub(super) messages: [Message; 2],
    /// Sorted: they differ in nothing but what they are at.
    pub(super) workers: [Option<History>; 2],
    /// A request that is still under way although nobody waits for it.
    pub(super) late: Option<Number>,
    pub(super) notified: Told,
    pub(super) left: Left,
}

/// A message in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Message {
    pub(super) fate: Fate,
    pub(super) receives: u8,
    pub(super) visible_at: Millis,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Queued,
    Deleted,
    /// It is in the dead-letter queue.
    Dead,
}

/// What humans were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Told {
    /// The most urgent page that SNS took; 0 for none.
    pub(super) open: u8,
    /// Whether SNS took one that says that the incident is over.
    pub(super) resolved: bool,
    /// The most urgent page that excuses no other: it was claimed, sent, and marked.
    pub(super) marked: u8,
    /// The same for the resolution.
    pub(super) marked_resolved: bool,
    /// Why a page may be sent again: see [`Cause`].
    pub(super) causes: u8,
}

/// Why there may be one more page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A process died between SNS accepting and the mark.
    Died,
    /// The answer of SNS was lost.
    Unanswered,
    /// The ledger did not take the mark.
    Unmarked,
    /// The ledger did not answer the claim.
    Unclaimed,
}

impl Cause {
    pub(super) const ALL: [Self; 4] = [Self::Died, Self::Unanswered, Self::Unmarked, Self::Unclaimed];

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Died => "a death between SNS accepting and the mark",
            Self::Unanswered => "an answer of SNS that was lost",
            Self::Unmarked => "a mark that the ledger did not take",
            Self::Unclaimed => "a ledger that did not answer the claim",
        }
    }
}

/// What may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) deaths: u8,
    pub(super) faults: u8,
    pub(super) copies: u8,
}

impl State {
    /// The beginning: all messages have arrived.
    pub(super) fn first(messages: usize, bounds: Bounds) -> Self {
        let message = |index| {
            let fate = if index < messages { Fate::Queued } else { Fate::Deleted };
            Message { fate, receives: 0, visible_at: 0 }
        };
        Self {
            now: 0,
            table: Number::MIN,
            messages: [message(0), message(1)],
            workers: [None; 2],
            late: None,
            notified: Told::default(),
            left: Left { deaths: bounds.deaths, faults: bounds.faults, copies: bounds.copies },
        }
    }

    /// Whether nobody is at anything any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.workers.iter().all(Option::is_none)
            && self.messages.iter().all(|message| message.fate != Fate::Queued)
    }

    /// Hands out the messages of a set of bits.
    pub(super) fn receive(&mut self, messages: u8, visibility: Millis) -> Deliveries {
        let mut deliveries = [0; 2];
        for (index, message) in self.messages.iter_mut().enumerate() {
            if messages & (1 << index) != 0 {
                message.receives += 1;
                message.visible_at = self.now.saturating_add(visibility);
                deliveries[index] = message.receives;
            }
        }
        deliveries
    }

    /// Puts aside what was received too often.
    pub(super) fn put_aside(&mut self, receives: u8) {
        for message in &mut self.messages {
            let over = message.receives >= receives && message.visible_at <= self.now;
            if message.fate == Fate::Queued && over {
                message.fate = Fate::Dead;
            }
        }
    }
}
