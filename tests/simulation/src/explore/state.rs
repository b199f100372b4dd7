//! A state of the world: small, comparable, and everything that the future depends on.

use super::number::ValueNumber;
use super::scene::ExplorationBounds;
use super::time::WorldMillis;
use super::worker::{DeliveryCounts, HistoryNumber};

/// A state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExploredState {
    pub(super) now: WorldMillis,
    /// The number of the table's content.
    pub(super) table: ValueNumber,
    pub(super) messages: [ExploredMessage; 2],
    /// The workers by their histories, sorted: they differ in nothing else.
    pub(super) workers: [Option<HistoryNumber>; 2],
    /// A request that is still under way although nobody waits for it.
    pub(super) late_request: Option<ValueNumber>,
    pub(super) sent: SentPages,
    pub(super) left: RemainingBounds,
}

/// A message in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExploredMessage {
    pub(super) fate: MessageFate,
    pub(super) receives: u8,
    pub(super) visible_at: WorldMillis,
}

/// The fate of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum MessageFate {
    /// It is in the queue.
    Queued,
    /// It was deleted.
    Deleted,
    /// It is in the dead-letter queue.
    DeadLetter,
}

/// The pages that SNS took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct SentPages {
    /// The most urgent one that opens the incident; 0 for none.
    pub(super) open: u8,
    /// Whether one says that the incident is over.
    pub(super) is_resolved: bool,
    /// The most urgent one that excuses no other: it was claimed, sent, and marked.
    pub(super) marked: u8,
    /// The same for the resolution.
    pub(super) is_resolution_marked: bool,
    /// The causes for which a page may be sent again: see [`RepeatCause`].
    pub(super) causes: u8,
}

/// A cause of one more page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RepeatCause {
    /// A process died between SNS accepting and the mark.
    Died,
    /// The answer of SNS was lost.
    Unanswered,
    /// The ledger did not take the mark.
    Unmarked,
    /// The ledger did not answer the claim.
    Unclaimed,
}

impl RepeatCause {
    pub(super) const ALL: [Self; 4] = [Self::Died, Self::Unanswered, Self::Unmarked, Self::Unclaimed];

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Died => "a death between SNS accepting and the mark",
            Self::Unanswered => "an answer of SNS that was lost",
            Self::Unmarked => "a mark that the ledger did not take",
            Self::Unclaimed => "a ledger that did not answer the claim",
        }
    }
}

/// How often something may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RemainingBounds {
    pub(super) deaths: u8,
    pub(super) faults: u8,
    pub(super) copies: u8,
}

impl ExploredState {
    /// The beginning: all messages have arrived.
    pub(super) fn first(messages: usize, bounds: ExplorationBounds) -> Self {
        let absent = ExploredMessage { fate: MessageFate::Deleted, receives: 0, visible_at: 0 };
        let mut all = [absent; 2];
        for message in all.iter_mut().take(messages) {
            message.fate = MessageFate::Queued;
        }
        Self {
            now: 0,
            table: ValueNumber::MIN,
            messages: all,
            workers: [None; 2],
            late_request: None,
            sent: SentPages::default(),
            left: RemainingBounds { deaths: bounds.deaths, faults: bounds.faults, copies: bounds.copies },
        }
    }

    /// Whether no worker works and no message is queued.
    pub(super) fn is_at_rest(&self) -> bool {
        self.workers == [None; 2] && self.messages.iter().all(|message| message.fate != MessageFate::Queued)
    }

    /// Hands out the messages of a set of bits.
    pub(super) fn receive(&mut self, messages: u8, visibility: WorldMillis) -> DeliveryCounts {
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

    /// Moves messages that were received too often to the dead-letter queue.
    pub(super) fn move_dead_letters(&mut self, max_receives: u8) {
        for message in &mut self.messages {
            let is_used_up = message.receives >= max_receives && message.visible_at <= self.now;
            if message.fate == MessageFate::Queued && is_used_up {
                message.fate = MessageFate::DeadLetter;
            }
        }
    }
}
