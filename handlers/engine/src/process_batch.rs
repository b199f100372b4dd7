//! Processes one batch of events: reads them, gathers facts, decides, executes the plans, persists, logs and counts.
//!
//! Every event ends in exactly one way, and none keeps another from being answered.

mod engine;
mod invocation;
mod persist;
mod process;
mod sort_events;

pub use engine::Engine;
pub use invocation::{EventResult, Invocation};
