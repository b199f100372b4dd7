//! A standard queue of SQS with a dead-letter queue: it delivers at least once, and not in order.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use responder_core::time::{Span, Timestamp};

/// How often a message is received before it goes to the dead-letter queue (`maxReceiveCount`).
const MAX_RECEIVE_COUNT: u32 = 5;

/// A queue and its dead-letter queue.
#[derive(Debug, Default)]
pub(crate) struct SimulatedQueue {
    messages: BTreeMap<u64, QueuedMessage>,
    /// The messages, each by the instant from which on it can be received.
    order: BTreeSet<(Timestamp, u64)>,
    sent: u64,
    /// The messages that were received too often.
    pub(crate) dead_letters: Vec<Rc<str>>,
}

#[derive(Debug)]
struct QueuedMessage {
    text: Rc<str>,
    visible_at: Timestamp,
    receives: u32,
}

impl SimulatedQueue {
    /// Takes a message that arrives at an instant.
    pub(crate) fn send(&mut self, text: Rc<str>, at: Timestamp) {
        self.sent += 1;
        self.messages.insert(self.sent, QueuedMessage { text, visible_at: at, receives: 0 });
        self.order.insert((at, self.sent));
    }

    /// Hands out at most `most` messages, each with its number, and hides them for a while.
    pub(crate) fn receive(&mut self, now: Timestamp, most: usize, hidden: Span) -> Vec<(u64, Rc<str>)> {
        let mut received = Vec::new();
        while received.len() < most {
            let Some((at, id)) = self.order.first().copied() else { break };
            if at > now {
                break;
            }
            self.order.remove(&(at, id));
            let Some(message) = self.messages.get_mut(&id) else { continue };
            if message.receives == MAX_RECEIVE_COUNT {
                self.dead_letters.push(Rc::clone(&message.text));
                self.messages.remove(&id);
                continue;
            }
            message.receives += 1;
            message.visible_at = now.plus(hidden);
            self.order.insert((message.visible_at, id));
            received.push((id, Rc::clone(&message.text)));
        }
        received
    }

    /// Deletes a message that its receiver is done with.
    pub(crate) fn delete(&mut self, id: u64) {
        if let Some(message) = self.messages.remove(&id) {
            self.order.remove(&(message.visible_at, id));
        }
    }

    /// When the next message can be received.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// How many messages were sent.
    pub(crate) fn count_sent(&self) -> u64 {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_not_deleted_comes_again_and_ends_as_a_dead_letter() {
        let mut queue = SimulatedQueue::default();
        let hidden = Span::from_millis(10);
        let at = Timestamp::from_millis;
        queue.send("a".into(), at(0));
        queue.send("b".into(), at(5));
        assert_eq!(queue.receive(at(4), 10, hidden).len(), 1);
        let (b, _) = queue.receive(at(5), 10, hidden).pop().unwrap();
        queue.delete(b);
        for round in 1..5 {
            assert_eq!(queue.next_due(), Some(at(4 + (round - 1) * 10 + 10)));
            assert_eq!(queue.receive(at(4 + round * 10), 10, hidden).len(), 1);
        }
        assert!(queue.receive(at(1_000), 10, hidden).is_empty());
        assert_eq!((queue.dead_letters.len(), queue.count_sent(), queue.next_due()), (1, 2, None));
    }
}
