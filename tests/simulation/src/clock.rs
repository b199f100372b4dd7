//! Virtual time, and tasks that run in it: one at a time, in an order that chance decides, polled by hand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use responder_core::time::Timestamp;

use crate::Random;

/// The time of a world. It stands still while anything can run.
#[derive(Clone, Debug, Default)]
pub struct Clock(Rc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    now: Cell<Timestamp>,
    sleepers: RefCell<BTreeMap<(Timestamp, u64), Waker>>,
    serial: Cell<u64>,
}

impl Clock {
    /// A clock that shows this.
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
    pub fn sleep_until(&self, at: Timestamp) -> Sleep {
        let serial = self.0.serial.get();
        self.0.serial.set(serial + 1);
        Sleep { clock: self.clone(), key: (at, serial) }
    }

    /// When somebody wakes next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0.sleepers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Goes on to an instant, and wakes who waited for it. Time never goes back.
    pub fn advance(&self, to: Timestamp) {
        let now = self.now().max(to);
        self.0.now.set(now);
        let later = self.0.sleepers.borrow_mut().split_off(&(now, u64::MAX));
        let woken = self.0.sleepers.replace(later);
        woken.into_values().for_each(Waker::wake);
    }
}

/// Ends at its instant.
#[derive(Debug)]
pub struct Sleep {
    clock: Clock,
    key: (Timestamp, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.clock.0.sleepers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.0.sleepers.borrow_mut().remove(&self.key);
    }
}

/// The tasks of a world.
pub struct Tasks<T> {
    tasks: BTreeMap<u64, Task<T>>,
}

struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    ready: Arc<Ready>,
    /// After how many more turns it dies, wherever it waits then.
    turns: Option<u64>,
}

/// What became of the task whose turn it was.
#[derive(Debug)]
pub enum Turned<T> {
    /// It waits.
    Waits,
    /// It is done.
    Done(u64, T),
    /// It died.
    Died(u64),
}

impl<T> Tasks<T> {
    /// Adds a task under a number of its own; it dies after so many turns, if it takes as many.
    pub fn spawn(&mut self, number: u64, future: impl Future<Output = T> + 'static, turns: Option<u64>) {
        let ready = Arc::new(Ready(AtomicBool::new(true)));
        self.tasks.insert(number, Task { future: Box::pin(future), ready, turns });
    }

    /// Ends a task where it waits; whether it was there.
    pub fn kill(&mut self, number: u64) -> bool {
        self.tasks.remove(&number).is_some()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Gives one of those that can run a turn; `None` if nobody can.
    pub fn turn(&mut self, random: &mut Random) -> Option<Turned<T>> {
        let ready = self.tasks.iter().filter(|(_, task)| task.ready.0.load(Ordering::Relaxed));
        let ready: Vec<u64> = ready.map(|(number, _)| *number).collect();
        let chosen = usize::try_from(random.below(ready.len() as u64)).ok()?;
        let number = *ready.get(chosen)?;
        let task = self.tasks.get_mut(&number)?;
        if let Some(turns) = &mut task.turns {
            if *turns == 0 {
                self.tasks.remove(&number);
                return Some(Turned::Died(number));
            }
            *turns -= 1;
        }
        task.ready.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.ready));
        let Poll::Ready(output) = task.future.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return Some(Turned::Waits);
        };
        self.tasks.remove(&number);
        Some(Turned::Done(number, output))
    }
}

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self { tasks: BTreeMap::new() }
    }
}

impl<T> fmt::Debug for Tasks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tasks.keys()).finish()
    }
}

/// Whether a task can run.
struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sleeps_wakes_at_the_instant_and_who_dies_never_does() {
        let (clock, mut tasks, mut random) = (Clock::default(), Tasks::default(), Random::new(1));
        let at = Timestamp::from_millis;
        for (number, millis, turns) in [(1, 30, None), (2, 10, None), (3, 20, Some(1)), (4, 10, Some(0))] {
            let (sleep, clock) = (clock.sleep_until(at(millis)), clock.clone());
            let future = async move {
                sleep.await;
                clock.now().millis()
            };
            tasks.spawn(number, future, turns);
        }
        let mut ended = Vec::new();
        loop {
            while let Some(turned) = tasks.turn(&mut random) {
                match turned {
                    Turned::Waits => {}
                    Turned::Done(number, woke) => ended.push((number, woke)),
                    Turned::Died(number) => ended.push((number, -1)),
                }
            }
            let Some(next) = clock.next_due() else { break };
            clock.advance(next);
        }
        ended.sort_unstable();
        assert_eq!(ended, [(1, 30), (2, 10), (3, -1), (4, -1)]);
        assert_eq!((tasks.count(), clock.now()), (0, at(30)));
    }
}
