//! The models of ECS and of Secrets Manager behave as AWS does.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod ecs_calls;
mod rollouts;
mod secrets;
