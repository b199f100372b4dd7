//! What ECS holds: services with their deployments, and task definitions.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// Its status.
    pub status: Status,
    /// Who deploys it.
    pub controller: Controller,
    /// The deployment circuit breaker, if it is on.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The Fargate platform version, such as `LATEST`.
    pub platform_version: Option<String>,
    /// `resourceManagementType`: `ECS` where an express gateway owns the service, else `CUSTOMER` or nothing.
    pub resource_management_type: Option<String>,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// The references of Service Connect's log configuration, for the next deployment.
    pub connect_secrets: Vec<String>,
    /// How many tasks it has.
    pub desired: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// The PRIMARY one first. With a controller other than ECS these are task sets.
    pub deployments: Vec<Deployment>,
}

impl Service {
    /// The PRIMARY deployment.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }

    pub(super) fn deployment(&mut self, id: &str) -> Option<&mut Deployment> {
        self.deployments.iter_mut().find(|deployment| deployment.id == id)
    }
}

/// Where a service is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Active,
    /// It was deleted, and its tasks end.
    Draining,
    /// It was deleted.
    Inactive,
}

impl Status {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// The deployment controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Controller {
    /// ECS itself.
    #[default]
    Ecs,
    /// AWS CodeDeploy.
    CodeDeploy,
    /// Somebody else, by task sets.
    External,
}

impl Controller {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::CodeDeploy => "CODE_DEPLOY",
            Self::External => "EXTERNAL",
        }
    }
}

/// The deployment circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Whether a failed deployment is rolled back.
    pub rollback: bool,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// `ecs-svc/` and 19 digits.
    pub id: String,
    /// PRIMARY, else ACTIVE: superseded, but some of its tasks still run.
    pub primary: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How far it is.
    pub state: RolloutState,
    /// Why it is so.
    pub reason: String,
    /// Whether somebody forced it.
    pub forced: bool,
    /// How many of its tasks were launched.
    pub launched: u32,
    /// The references of Service Connect's log configuration.
    pub connect_secrets: Vec<String>,
    /// When the last of its tasks ends: it was superseded twice.
    pub(super) gone_at: Option<Timestamp>,
}

/// `rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutState {
    /// Tasks are being replaced.
    InProgress,
    /// All tasks are its own.
    Completed,
    /// The circuit breaker ended it.
    Failed,
}

impl RolloutState {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// A revision of a task definition. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskDefinition {
    /// Its ARN; given when it is registered.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// Its number in the family; given when it is registered.
    pub revision: u32,
    /// The ARN of the role that reads the secrets.
    pub execution_role: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// `fsxWindowsFileServerVolumeConfiguration.authorizationConfig.credentialsParameter` of its volumes.
    pub fsx_credentials: Vec<String>,
}

impl TaskDefinition {
    /// Everything in it that a starting task reads.
    pub fn references(&self) -> impl Iterator<Item = &String> {
        let containers = self.containers.iter().flat_map(|container| {
            container.secrets.iter().chain(&container.log_secrets).chain(&container.repository_credentials)
        });
        containers.chain(&self.fsx_credentials)
    }
}

/// A container of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// `secrets[].valueFrom`.
    pub secrets: Vec<String>,
    /// `logConfiguration.secretOptions[].valueFrom`.
    pub log_secrets: Vec<String>,
    /// `repositoryCredentials.credentialsParameter`.
    pub repository_credentials: Option<String>,
}
