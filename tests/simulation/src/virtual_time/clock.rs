//! A clock that stands still until somebody moves it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use responder_core::time::Timestamp;

/// The time of a simulated world. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Rc<ClockState>);

#[derive(Debug, Default)]
struct ClockState {
    now: Cell<Timestamp>,
    sleepers: RefCell<BTreeMap<SleeperKey, Waker>>,
    /// How many sleeps there were.
    sleeps: Cell<u64>,
}

/// When a sleep ends, and its number: two may end at the same instant.
type SleeperKey = (Timestamp, u64);

impl VirtualClock {
    /// A clock that shows this instant.
    pub fn at(now: Timestamp) -> Self {
        let clock = Self::default();
        clock.0.now.set(now);
        clock
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    /// Waits for an instant.
    pub fn sleep_until(&self, at: Timestamp) -> ClockSleep {
        let number = self.0.sleeps.get();
        self.0.sleeps.set(number + 1);
        ClockSleep { clock: self.clone(), key: (at, number) }
    }

    /// When the next sleep ends.
    pub fn next_due(&self) -> Option<Timestamp> {
        let sleepers = self.0.sleepers.borrow();
        sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Moves the clock on to an instant and wakes the tasks whose sleep has ended. Time never goes back.
    pub fn advance_to(&self, to: Timestamp) {
        let now = self.now().max(to);
        self.0.now.set(now);
        let later = self.0.sleepers.borrow_mut().split_off(&(now, u64::MAX));
        let woken = self.0.sleepers.replace(later);
        for waker in woken.into_values() {
            waker.wake();
        }
    }
}

/// A future that ends at an instant.
#[derive(Debug)]
pub struct ClockSleep {
    clock: VirtualClock,
    key: SleeperKey,
}

impl Future for ClockSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.clock.0.sleepers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for ClockSleep {
    fn drop(&mut self) {
        self.clock.0.sleepers.borrow_mut().remove(&self.key);
    }
}
