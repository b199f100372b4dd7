//! What is there before a test begins: clusters, revisions, services, and whole estates of them.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

use super::{
    CircuitBreaker, Container, Controller, Deployment, Ecs, RolloutState, Service, Status, TaskDefinition,
};
use crate::{Place, Random};

/// A service that is to be created; its cluster comes with it. The circuit breaker is off and the controller ECS, unless something else is said.
#[derive(Clone, Debug, Default)]
pub struct NewService {
    /// The cluster's name.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How many tasks it has.
    pub desired: u32,
    /// Who deploys it.
    pub controller: Controller,
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

/// How large a made-up account is.
#[derive(Clone, Debug)]
pub struct Estate {
    /// How many clusters; half of the services are in the first tenth of them.
    pub clusters: usize,
    /// How many services. One in 20 is `CODE_DEPLOY`, one in 50 `EXTERNAL`; two in three have a circuit breaker.
    pub services: usize,
    /// How many revisions of task definitions, three to a family. All are used if there are as many services.
    pub revisions: usize,
    /// The ARNs of the secrets that the revisions refer to, in all the ways there are.
    pub secrets: Vec<String>,
}

impl Ecs {
    /// A made-up account, the same for the same arguments. Its services were created at `created`, and are all deployed.
    pub fn estate(place: Place, seed: u64, estate: &Estate, created: Timestamp) -> Self {
        let mut ecs = Self::new(place, seed);
        let clusters: Vec<String> = (0..estate.clusters.max(1)).map(|i| format!("cluster-{i:03}")).collect();
        for cluster in &clusters {
            ecs.create_cluster(cluster);
        }
        let revisions: Vec<String> =
            (0..estate.revisions.max(1)).map(|i| ecs.made_up_revision(i, &estate.secrets)).collect();
        let crowded = clusters.len().div_ceil(10);
        for (i, task_definition) in revisions.iter().cycle().take(estate.services).enumerate() {
            let cluster = i / 2 % if i % 2 == 0 { crowded } else { clusters.len() };
            let controller = match i {
                i if i % 20 == 7 => Controller::CodeDeploy,
                i if i % 50 == 3 => Controller::External,
                _ => Controller::Ecs,
            };
            let mesh = (i % 23 == 5).then(|| estate.secrets.get(i % estate.secrets.len().max(1))).flatten();
            ecs.create_service(
                NewService {
                    cluster: clusters.get(cluster).cloned().unwrap_or_default(),
                    name: format!("service-{i:05}"),
                    task_definition: task_definition.clone(),
                    desired: u32::try_from(i % 4).unwrap_or_default() + 1,
                    controller,
                    circuit_breaker: (i % 3 != 0).then_some(CircuitBreaker { rollback: i % 3 == 1 }),
                    tags: [("team".to_owned(), format!("team-{}", i % 12))].into(),
                    connect_secrets: mesh.into_iter().cloned().collect(),
                    ..NewService::default()
                },
                created,
            );
        }
        ecs
    }

    /// Creates a cluster, if it is not there; gives its ARN back.
    pub fn create_cluster(&mut self, name: &str) -> String {
        let arn = self.place.arn("ecs", &format!("cluster/{name}"));
        self.clusters.insert(arn.clone());
        arn
    }

    /// Registers the next revision of a family; gives its ARN back.
    pub fn register(&mut self, mut definition: TaskDefinition) -> String {
        let revision = self.revisions.entry(definition.family.clone()).or_default();
        *revision += 1;
        definition.revision = *revision;
        definition.arn = self.place.arn("ecs", &format!("task-definition/{}:{revision}", definition.family));
        let arn = definition.arn.clone();
        self.definitions.insert(arn.clone(), definition);
        arn
    }

    /// Creates a service, deployed at `now`: nothing is launched and nothing told. Gives its ARN back.
    pub fn create_service(&mut self, new: NewService, now: Timestamp) -> String {
        let cluster = self.create_cluster(&new.cluster);
        let arn = self.place.arn("ecs", &format!("service/{}/{}", new.cluster, new.name));
        let id = format!("ecs-svc/{}", self.random.digits(19));
        let deployment = Deployment {
            reason: format!("ECS deployment {id} completed."),
            id,
            primary: true,
            created_at: now,
            updated_at: now,
            task_definition: new.task_definition.clone(),
            state: RolloutState::Completed,
            forced: false,
            launched: new.desired,
            connect_secrets: new.connect_secrets.clone(),
            gone_at: None,
        };
        let service = Service {
            arn: arn.clone(),
            name: new.name,
            cluster,
            status: Status::Active,
            controller: new.controller,
            circuit_breaker: new.circuit_breaker,
            tags: new.tags,
            platform_version: new.platform_version,
            resource_management_type: new.resource_management_type,
            task_definition: new.task_definition,
            connect_secrets: new.connect_secrets,
            desired: new.desired,
            created_at: now,
            deployments: vec![deployment],
        };
        self.services.insert(arn.clone(), service);
        arn
    }

    /// Deletes a service (an ARN): DRAINING at once, INACTIVE later, and never listed again (API reference of ECS, `DeleteService`).
    pub fn delete_service(&mut self, service: &str, now: Timestamp) {
        self.run_until(now);
        self.retire(service, now);
    }

    /// Deletes a cluster (an ARN) with its services: nothing of it is found any more.
    pub fn delete_cluster(&mut self, cluster: &str) {
        self.clusters.remove(cluster);
        self.services.retain(|_, service| service.cluster != cluster);
    }

    fn made_up_revision(&mut self, i: usize, secrets: &[String]) -> String {
        // Of its own, so that more revisions do not change the services.
        let mut random = Random::new(i as u64);
        let count = if secrets.is_empty() { 0 } else { random.below(4) };
        let mut container = Container {
            name: "app".to_owned(),
            image: format!("registry.example.com/app-{i}:1"),
            ..Container::default()
        };
        for _ in 0..count {
            let index = usize::try_from(random.below(secrets.len() as u64)).unwrap_or_default();
            let Some(secret) = secrets.get(index) else { continue };
            let name = secret.rsplit(':').next().unwrap_or_default();
            let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
            match random.below(20) {
                0 => container.secrets.push(format!("{secret}:password:AWSPREVIOUS:")),
                1 => container.secrets.push(format!("{secret}:::{}", random.uuid())),
                2 => container.secrets.push(format!("/aws/reference/secretsmanager/{name}")),
                3 | 4 => container.log_secrets.push(secret.clone()),
                5 | 6 => container.repository_credentials = Some(name.to_owned()),
                7 | 8 => container.secrets.push(secret.clone()),
                _ => container.secrets.push(format!("{secret}:password::")),
            }
        }
        let role = format!("arn:aws:iam::{}:role/execution-{}", self.place.account, i % 40);
        self.register(TaskDefinition {
            family: format!("family-{:04}", i / 3),
            execution_role: Some(role),
            containers: vec![container],
            ..TaskDefinition::default()
        })
    }
}
