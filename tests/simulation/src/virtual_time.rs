//! Virtual time, and tasks that run in it: one at a time, in an order that a seed decides, polled by hand.

mod clock;
mod tasks;

pub use clock::{ClockSleep, VirtualClock};
pub use tasks::{TaskPool, TaskTurn};
