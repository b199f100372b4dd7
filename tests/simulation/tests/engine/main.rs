//! Invocations of the functions over the simulated cloud: what the engine does is tested by what it leaves there.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod deployments;
mod discovery;
mod fleet;
mod functions;
mod ledger;
mod life;
mod observations;
mod rotation;
mod rotation_process;
mod windows;
