//! Everything that is there before a test begins: clusters, revisions of task definitions, and services.

use std::collections::BTreeMap;

use responder_core::aws::ecs_service::{DeploymentController, RolloutState, ServiceStatus};
use responder_core::aws::rollout_configuration::RolloutConfiguration;
use responder_core::time::Timestamp;

use super::model::SimulatedEcs;
use super::service::{CircuitBreaker, SimulatedDeployment, SimulatedService};
use super::task_definition::RegisteredTaskDefinition;

/// A service that is to be created; its cluster is created with it. By default the circuit breaker is off and the controller ECS.
#[derive(Clone, Debug)]
pub struct NewService {
    /// The cluster's name.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How many tasks it has.
    pub desired: u32,
    /// How it is deployed.
    pub configuration: RolloutConfiguration,
    /// Its deployment controller.
    pub controller: DeploymentController,
    /// The deployment circuit breaker.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The Fargate platform version.
    pub platform_version: Option<String>,
    /// `resourceManagementType`.
    pub resource_management_type: Option<String>,
    /// The references of Service Connect's log configuration.
    pub connect_secrets: Vec<String>,
}

impl Default for NewService {
    fn default() -> Self {
        Self {
            cluster: String::new(),
            name: String::new(),
            task_definition: String::new(),
            desired: 0,
            configuration: RolloutConfiguration::default(),
            controller: DeploymentController::Ecs,
            circuit_breaker: None,
            tags: BTreeMap::new(),
            platform_version: None,
            resource_management_type: None,
            connect_secrets: Vec::new(),
        }
    }
}

impl SimulatedEcs {
    /// Creates a cluster, if it is not there; returns its ARN.
    pub fn create_cluster(&mut self, name: &str) -> String {
        let arn = self.location.arn("ecs", &format!("cluster/{name}"));
        self.clusters.insert(arn.clone());
        arn
    }

    /// Registers the next revision of a family; returns its ARN.
    pub fn register_task_definition(&mut self, mut definition: RegisteredTaskDefinition) -> String {
        let revision = self.last_revisions.entry(definition.family.clone()).or_default();
        *revision += 1;
        definition.revision = *revision;
        let name = format!("task-definition/{}:{revision}", definition.family);
        definition.arn = self.location.arn("ecs", &name);
        let arn = definition.arn.clone();
        self.definitions.insert(arn.clone(), definition);
        arn
    }

    /// Creates a service, deployed at `now`: no event tells of it. Returns its ARN.
    pub fn create_service(&mut self, new: NewService, now: Timestamp) -> String {
        let cluster = self.create_cluster(&new.cluster);
        let arn = self.location.arn("ecs", &format!("service/{}/{}", new.cluster, new.name));
        let id = format!("ecs-svc/{}", self.random.digits(19));
        let deployment = SimulatedDeployment {
            reason: format!("ECS deployment {id} completed."),
            id,
            primary: true,
            created_at: now,
            updated_at: now,
            task_definition: new.task_definition.clone(),
            rollout_state: RolloutState::Completed,
            forced: false,
            tasks: self.make_earlier_tasks(new.desired, now),
            connect_secrets: new.connect_secrets.clone(),
            drained_at: None,
        };
        let service = SimulatedService {
            arn: arn.clone(),
            name: new.name,
            cluster,
            status: ServiceStatus::Active,
            controller: new.controller,
            circuit_breaker: new.circuit_breaker,
            tags: new.tags,
            platform_version: new.platform_version,
            resource_management_type: new.resource_management_type,
            task_definition: new.task_definition,
            connect_secrets: new.connect_secrets,
            desired: new.desired,
            configuration: new.configuration,
            created_at: now,
            deployments: vec![deployment],
        };
        self.services.insert(arn.clone(), service);
        arn
    }

    /// Deletes a service (an ARN): DRAINING at once, INACTIVE later, and never listed again (API reference of ECS, `DeleteService`).
    pub fn delete_service(&mut self, service: &str, now: Timestamp) {
        self.run_until(now);
        self.retire_service(service, now);
    }

    /// Forgets a deleted service (an ARN): `DescribeServices` answers that it is MISSING.
    pub fn forget_service(&mut self, service: &str) {
        self.services.remove(service);
    }

    /// Deletes a cluster (an ARN) with its services, of which no trace is left.
    pub fn delete_cluster(&mut self, cluster: &str) {
        self.clusters.remove(cluster);
        self.services.retain(|_, service| service.cluster != cluster);
    }
}
