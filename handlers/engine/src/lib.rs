//! The engine: what the functions do between an event and its effects. It knows AWS by its port only, and holds no policy:
//! the core decides.
//!
//! ```text
//! texts -> events -> questions -> gather_facts -> facts -> respond -> plan -> execute_plan
//! ```

mod deadline;
mod discovery;
mod error;
mod execute_plan;
#[cfg(test)]
mod fleet;
mod gather_facts;
mod log;
mod metrics;
mod outcome;
pub mod port;
mod process_batch;
mod rate_limit;
mod run_parallel;
mod store;
#[cfg(test)]
mod test_clock;

pub use error::{CallFailure, EngineError, FailureCause, RefusedCall, sanitize_code};
pub use metrics::{Counters, IncidentCounts};
pub use outcome::EventOutcome;
pub use process_batch::{Engine, EventResult, Invocation};
