//! Tasks on virtual time: the seed decides which of those that can run gets the next turn.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::random::SeededRandom;

/// The tasks of a world, by number.
pub struct TaskPool<T> {
    tasks: BTreeMap<u64, PooledTask<T>>,
}

struct PooledTask<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    readiness: Arc<TaskReadiness>,
    /// After how many more turns the task dies, wherever it waits then.
    turns_to_live: Option<u64>,
}

/// The state of the task that had a turn.
#[derive(Debug)]
pub enum TaskTurn<T> {
    /// It waits.
    Waiting,
    /// The task of this number is done.
    Done(u64, T),
    /// The task of this number died.
    Died(u64),
}

impl<T> TaskPool<T> {
    /// Adds a task under a number of its own. It dies after `turns_to_live` turns, if it takes as many.
    pub fn spawn(
        &mut self,
        number: u64,
        future: impl Future<Output = T> + 'static,
        turns_to_live: Option<u64>,
    ) {
        let readiness = Arc::new(TaskReadiness(AtomicBool::new(true)));
        self.tasks.insert(number, PooledTask { future: Box::pin(future), readiness, turns_to_live });
    }

    /// Ends a task where it waits; says whether it was there.
    pub fn kill(&mut self, number: u64) -> bool {
        self.tasks.remove(&number).is_some()
    }

    /// How many tasks there are.
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Gives a turn to one of the tasks that can run; `None` if none can.
    pub fn run_one_turn(&mut self, random: &mut SeededRandom) -> Option<TaskTurn<T>> {
        let mut ready = Vec::new();
        for (number, task) in &self.tasks {
            if task.readiness.0.load(Ordering::Relaxed) {
                ready.push(*number);
            }
        }
        let number = *ready.get(random.index(ready.len()))?;
        let task = self.tasks.get_mut(&number)?;
        if let Some(turns) = &mut task.turns_to_live {
            if *turns == 0 {
                self.tasks.remove(&number);
                return Some(TaskTurn::Died(number));
            }
            *turns -= 1;
        }
        task.readiness.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.readiness));
        let Poll::Ready(output) = task.future.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return Some(TaskTurn::Waiting);
        };
        self.tasks.remove(&number);
        Some(TaskTurn::Done(number, output))
    }
}

impl<T> Default for TaskPool<T> {
    fn default() -> Self {
        Self { tasks: BTreeMap::new() }
    }
}

impl<T> fmt::Debug for TaskPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tasks.keys()).finish()
    }
}

/// Whether a task can run.
struct TaskReadiness(AtomicBool);

impl Wake for TaskReadiness {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use responder_core::time::Timestamp;

    use super::*;
    use crate::virtual_time::clock::VirtualClock;

    #[test]
    fn a_sleeping_task_wakes_at_its_instant_unless_it_died() {
        let clock = VirtualClock::default();
        let mut tasks = TaskPool::default();
        let mut random = SeededRandom::new(1);
        for (number, millis, turns_to_live) in
            [(1, 30, None), (2, 10, None), (3, 20, Some(1)), (4, 10, Some(0))]
        {
            let sleep = clock.sleep_until(Timestamp::from_millis(millis));
            let watched = clock.clone();
            let future = async move {
                sleep.await;
                watched.now().millis()
            };
            tasks.spawn(number, future, turns_to_live);
        }
        let mut ended = Vec::new();
        loop {
            while let Some(turn) = tasks.run_one_turn(&mut random) {
                match turn {
                    TaskTurn::Waiting => {}
                    TaskTurn::Done(number, woke) => ended.push((number, woke)),
                    TaskTurn::Died(number) => ended.push((number, -1)),
                }
            }
            let Some(next) = clock.next_due() else { break };
            clock.advance_to(next);
        }
        ended.sort_unstable();
        assert_eq!(ended, [(1, 30), (2, 10), (3, -1), (4, -1)]);
        assert_eq!((tasks.count(), clock.now()), (0, Timestamp::from_millis(30)));
    }
}
