//! Configuration: the operator's settings, parsed once from the environment.

mod function_config;
mod settings;
mod variable_reader;

pub use function_config::{ConfigError, FunctionConfig, ServiceEndpoints};
