//! ECS and the metadata of Secrets Manager over HTTP: the simulation's model, served to the real functions by the real clock; and CloudTrail's event history.
//!
//! Point `AWS_ENDPOINT_URL_ECS` of a function at it; everything else stays with the emulator. Faults are planted in two places: AWS's answers
//! (throttling, 5xx, denials) in the model's `calls`, faults of a connection in the server.

mod ecs;
mod event_history;
mod json;
mod secrets;
mod server;

pub use server::{ConnectionFault, FakeAws};
