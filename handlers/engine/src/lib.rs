//! The engine: what the functions do between an event and its effects. It knows AWS by its port only and holds no policy:
//! what should happen is the core's to say.
//!
//! ```text
//! texts -> cases -> questions -> gather -> facts -> respond -> plan -> execute
//! ```

#[cfg(test)]
extern crate self as responder_engine;

mod batch;
mod deadline;
mod discover;
mod error;
mod execute;
#[cfg(test)]
mod fake;
#[cfg(test)]
#[path = "../benches/discovery/fleet.rs"]
mod fleet;
mod gather;
mod ledger;
#[cfg(test)]
mod life;
mod log;
mod metrics;
mod pace;
mod parallel;
pub mod port;
mod record;
#[cfg(test)]
mod windows;

pub use batch::{Engine, EventResult, Invocation};
pub use error::{CallFailure, EngineError, FailureCause, word};
pub use log::EventOutcome;
pub use metrics::{Counters, IncidentCounts};
