//! ECS: its calls, and their answers as the engine knows them.

mod daemon_calls;
mod map_answers;
mod map_daemons;
mod map_deployments;
mod service_calls;

pub(crate) use daemon_calls::{
    describe_daemon, describe_daemon_revisions, describe_daemon_task_definition, list_daemons,
};
pub(crate) use service_calls::force_deployment;
pub use service_calls::{describe_services, describe_task_definition, list_clusters, list_services};
