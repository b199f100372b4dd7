//! A model of the parts of AWS that the product works on: deterministic, in memory, without a clock and without I/O.
//!
//! Every call is told the time, and chance comes from a seed: the same seed and the same calls give the same answers, identifiers and events.
//! The acceptance tests serve the model over HTTP to the real functions; a simulation calls it directly.

mod bus;
pub mod clock;
mod cloud;
pub mod ecs;
mod event;
mod faults;
pub mod oracle;
mod place;
mod ports;
mod queue;
mod random;
pub mod random_world;
pub mod secrets;
pub mod store;
pub mod throttle;
pub mod world;

pub use faults::{Calls, Fault, Refusal};
pub use place::Place;
pub use random::Random;
