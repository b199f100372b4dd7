//! ECS: its calls, and their answers as the engine knows them.

mod map_answers;
mod map_deployments;
mod service_calls;

pub(crate) use service_calls::force_deployment;
pub use service_calls::{describe_services, describe_task_definition, list_clusters, list_services};
