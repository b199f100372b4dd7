//! The vocabulary of AWS: ARNs, principals, secrets, ECS services and their tags, as types.

pub mod arn;
pub mod deployment_progress;
pub mod ecs_arn;
pub mod ecs_deployment;
pub mod ecs_refusal;
pub mod ecs_service;
pub mod location;
pub mod managed_daemon;
pub mod principal;
pub mod reference_match;
pub mod rollout_configuration;
pub mod secret_metadata;
pub mod secret_ref;
pub mod secret_reference;
pub mod service_tags;
