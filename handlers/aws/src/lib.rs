//! The shell: the functions, their configuration, and the engine's port over the AWS SDKs, one file a service.

mod aws_sdks;
mod calls;
mod clients;
mod config;
mod dynamodb;
pub mod ecs;
mod error;
mod function;
mod payload;
mod secrets;
mod sns;

pub use config::{ConfigError, FunctionConfig, ServiceEndpoints};
pub use error::FunctionError;
pub use function::run;
