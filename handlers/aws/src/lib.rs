//! The shell: gathers facts from AWS and executes plans. It holds no policy: what should happen is the core's to say.
//!
//! ```text
//! payload -> cases -> questions -> gather -> facts -> respond -> plan -> execute
//! ```

mod batch;
mod clients;
mod config;
mod deadline;
mod ecs;
mod error;
mod execute;
mod function;
mod gather;
mod ledger;
mod log;
mod payload;
mod sns;

pub use config::{Config, ConfigError, Endpoints};
pub use error::{Error, Failure};
pub use function::run;
