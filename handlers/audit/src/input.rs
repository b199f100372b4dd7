//! Input: finds the events in what an auditor has.

mod envelope;
mod events;
mod record_head;
pub(crate) mod scan;

pub use events::{FoundEvent, FoundResult, InputProblem, read};
