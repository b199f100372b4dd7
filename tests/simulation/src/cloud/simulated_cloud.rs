//! A cloud: its clock and its state, shared by all who have a port to it.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use responder_core::time::{Span, Timestamp};
use responder_engine::port::{ItemKey, TableItem};

use super::record::{CloudJournal, CloudRecord};
use super::state::CloudState;
use crate::ecs::SimulatedEcs;
use crate::secrets::SimulatedSecrets;
use crate::table::SimulatedTable;
use crate::virtual_time::VirtualClock;

/// One account of AWS.
#[derive(Debug)]
pub struct SimulatedCloud {
    /// Its time.
    pub clock: VirtualClock,
    pub(super) state: RefCell<CloudState>,
    /// Whether a process died since [`SimulatedCloud::run_to_end`] began.
    pub(super) has_death: Cell<bool>,
}

impl SimulatedCloud {
    pub(super) fn new(now: Timestamp, state: CloudState) -> Rc<Self> {
        let clock = VirtualClock::at(now);
        Rc::new(Self { clock, state: RefCell::new(state), has_death: Cell::new(false) })
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Span) {
        self.clock.advance_to(self.now().plus(span));
    }

    /// Looks at everything, or changes it.
    pub fn with_state<T>(&self, act: impl FnOnce(&mut CloudState) -> T) -> T {
        act(&mut self.state.borrow_mut())
    }

    /// Looks at ECS, or changes it.
    pub fn with_ecs<T>(&self, act: impl FnOnce(&mut SimulatedEcs) -> T) -> T {
        act(&mut self.state.borrow_mut().ecs)
    }

    /// Looks at Secrets Manager, or changes it.
    pub fn with_secrets<T>(&self, act: impl FnOnce(&mut SimulatedSecrets) -> T) -> T {
        act(&mut self.state.borrow_mut().secrets)
    }

    /// Looks at the ledger's table, or changes it.
    pub fn with_table<T>(&self, act: impl FnOnce(&mut SimulatedTable) -> T) -> T {
        act(&mut self.state.borrow_mut().table)
    }

    /// Looks at what happened.
    pub fn with_record<T>(&self, look: impl FnOnce(&CloudRecord) -> T) -> T {
        look(&self.state.borrow().record)
    }

    /// The details of what happened since the last time, if they are kept.
    pub fn take_journal(&self) -> CloudJournal {
        let mut state = self.state.borrow_mut();
        state.record.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// An item of the ledger's table.
    pub fn item(&self, key: &ItemKey) -> Option<TableItem> {
        self.state.borrow().table.item(key).cloned()
    }

    /// How often an operation was called.
    pub fn count_calls(&self, operation: &str) -> u64 {
        self.state.borrow().record.calls.get(operation).copied().unwrap_or_default()
    }

    /// Writes a line of the trace, if there is one.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(trace) = &mut self.state.borrow_mut().record.trace {
            trace.push(format!("{now} {}", line()));
        }
    }

    /// Runs a future to its end; time passes only while it waits. `None` if its process died.
    pub fn run_to_end<F: Future>(&self, future: F) -> Option<F::Output> {
        let wake = Arc::new(WakeFlag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&wake));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        self.has_death.set(false);
        loop {
            while wake.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return Some(output);
                }
                if self.has_death.get() {
                    return None;
                }
            }
            self.clock.advance_to(self.clock.next_due()?);
        }
    }
}

struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
