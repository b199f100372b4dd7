//! The CloudFormation templates: generated from the rules, read back as what they wire together, and checked.
//!
//! ```text
//! rules/ + infra/source/ -> generate -> infra/*.yaml -> yaml -> lint
//!                                                            -> resolve -> wiring -> doctor
//! ```

mod dashboard;
mod generate;
pub mod lint;
pub mod metrics;
pub mod permissions;
mod picture;
pub mod resolve;
pub mod rules;
pub mod settings;
mod wiring;
pub mod yaml;

pub use generate::{GenerateError, Template, templates};
pub use picture::picture;
pub use resolve::Place;
pub use wiring::{Alarm, Function, Queue, QueueKind, Role, Rule, Table, Target, Topic, Wiring, WiringError};
