//! The harness of the acceptance tests: an emulated AWS, the real function binaries, and what a test says about them.
//!
//! A test makes a [`World`], deploys the functions that it needs, changes something, and waits for what must follow. The emulator's own behaviour,
//! and where it differs from AWS, is in `EMULATOR.md`.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a harness fails by panicking"
)]

pub mod aws;
pub mod deployed;
mod emulator;
pub mod events;
mod fake;
mod http;
mod meter;
pub mod paths;
mod runtime;
mod wait;
mod world;

pub use emulator::Emulator;
pub use fake::{Fake, Trouble};
pub use meter::Meter;
pub use runtime::{Answer, Function, Outcome};
pub use wait::{now, wait_until};
pub use world::{Handler, Page, TABLE, World};
