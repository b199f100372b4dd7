//! The harness of the acceptance tests: an emulated AWS, the real function binaries, and what a test says about them.
//!
//! A test makes a [`TestBed`], deploys the functions that it needs, changes something, and waits for what must follow. It waits for events, never for a time that
//! should be enough, and it asserts only what holds however a queue cuts its messages into batches. The emulator's own behaviour, and where it differs from AWS, is in
//! `EMULATOR.md`.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a harness fails by panicking"
)]

pub mod aws;
mod call_recorder;
mod emulator;
pub mod events;
mod fake;
mod function_process;
mod http;
pub mod installation;
pub mod paths;
mod test_bed;
mod wait;

pub use call_recorder::{CallRecorder, RecordedCall};
pub use emulator::Emulator;
pub use fake::{ConnectionFault, FakeAws};
pub use function_process::{FunctionProcess, InvocationOutcome, RuntimeAnswer};
pub use test_bed::{DeployedHandler, LEDGER_TABLE, ReceivedPage, RedeliveryPolicy, TestBed};
pub use wait::{PATIENCE, now, wait_for_next_second, wait_until};
