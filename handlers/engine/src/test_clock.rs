//! A clock for unit tests that only waits move, and the executor that runs a future on it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use responder_core::time::{Span, Timestamp};

/// The clock.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    now: Cell<Timestamp>,
    timers: RefCell<BTreeMap<Timestamp, Vec<Waker>>>,
}

impl TestClock {
    /// A clock that stands at an instant.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { now: Cell::new(now), timers: RefCell::default() }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Waits for so long.
    pub(crate) async fn sleep(&self, span: Span) {
        TestTimer { clock: self, until: self.now().plus(span) }.await;
    }

    /// Runs a future; time passes only while everything waits.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let woken = Arc::new(WakeFlag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
                continue;
            }
            let next = self.timers.borrow_mut().pop_first();
            let Some((at, wakers)) = next else { unreachable!("everything waits for nothing") };
            self.now.set(self.now().max(at));
            wakers.iter().for_each(Waker::wake_by_ref);
        }
    }
}

struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct TestTimer<'c> {
    clock: &'c TestClock,
    until: Timestamp,
}

impl Future for TestTimer<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        self.clock.timers.borrow_mut().entry(self.until).or_default().push(context.waker().clone());
        Poll::Pending
    }
}
