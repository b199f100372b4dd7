//! A blocking client for the emulator: the three protocols, and one file of helpers per service.
//!
//! It is not an AWS client: requests carry a credential scope, which names account and Region to the emulator, and no signature. A refused call panics with the
//! emulator's answer.

mod client;
mod compute;
mod dynamodb;
mod ecs;
mod messaging;
mod secrets;

pub use client::{EmulatorClient, RefusedCall};
pub use compute::zip_binary;
pub use messaging::{SqsMessage, SqsQueue};
