//! A made-up account with many services.

use responder_core::aws::ecs_service::DeploymentController;
use responder_core::time::Timestamp;

use super::model::SimulatedEcs;
use super::service::CircuitBreaker;
use super::setup::NewService;
use super::task_definition::{RegisteredTaskDefinition, TaskContainer};
use crate::location::AwsLocation;
use crate::random::SeededRandom;

/// How large a made-up account is.
#[derive(Clone, Debug)]
pub struct EcsEstate {
    /// How many clusters; half of the services are in the first tenth of them.
    pub clusters: usize,
    /// How many services. One in 20 is `CODE_DEPLOY`, one in 50 `EXTERNAL`; two in three have a circuit breaker.
    pub services: usize,
    /// How many revisions of task definitions, three to a family. All are used if there are as many services.
    pub revisions: usize,
    /// The ARNs of the secrets that the revisions refer to, in all the ways there are.
    pub secrets: Vec<String>,
}

impl SimulatedEcs {
    /// A made-up account, the same for the same arguments. Its services were created at `created`, and are all deployed.
    pub fn make_estate(location: AwsLocation, seed: u64, estate: &EcsEstate, created: Timestamp) -> Self {
        let mut ecs = Self::new(location, seed);
        let clusters: Vec<String> = (0..estate.clusters.max(1)).map(|i| format!("cluster-{i:03}")).collect();
        for cluster in &clusters {
            ecs.create_cluster(cluster);
        }
        let mut revisions = Vec::new();
        for number in 0..estate.revisions.max(1) {
            revisions.push(ecs.make_revision(number, &estate.secrets));
        }
        let crowded = clusters.len().div_ceil(10);
        for (number, task_definition) in revisions.iter().cycle().take(estate.services).enumerate() {
            let cluster = number / 2 % if number % 2 == 0 { crowded } else { clusters.len() };
            let mut service = NewService {
                cluster: clusters.get(cluster).cloned().unwrap_or_default(),
                name: format!("service-{number:05}"),
                task_definition: task_definition.clone(),
                desired: u32::try_from(number % 4).unwrap_or_default() + 1,
                controller: choose_controller(number),
                tags: [("team".to_owned(), format!("team-{}", number % 12))].into(),
                ..NewService::default()
            };
            if number % 3 != 0 {
                service.circuit_breaker = Some(CircuitBreaker { rollback: number % 3 == 1 });
            }
            if number % 23 == 5 {
                let secret = estate.secrets.get(number % estate.secrets.len().max(1));
                service.connect_secrets.extend(secret.cloned());
            }
            ecs.create_service(service, created);
        }
        ecs
    }

    fn make_revision(&mut self, number: usize, secrets: &[String]) -> String {
        // A sequence of its own, so that more revisions do not change the services.
        let mut random = SeededRandom::new(number as u64);
        let count = if secrets.is_empty() { 0 } else { random.below(4) };
        let mut container = TaskContainer {
            name: "app".to_owned(),
            image: format!("registry.example.com/app-{number}:1"),
            ..TaskContainer::default()
        };
        for _ in 0..count {
            if let Some(secret) = secrets.get(random.index(secrets.len())) {
                add_reference(&mut container, secret, &mut random);
            }
        }
        let role = format!("arn:aws:iam::{}:role/execution-{}", self.location.account, number % 40);
        self.register_task_definition(RegisteredTaskDefinition {
            family: format!("family-{:04}", number / 3),
            execution_role: Some(role),
            containers: vec![container],
            ..RegisteredTaskDefinition::default()
        })
    }
}

fn choose_controller(number: usize) -> DeploymentController {
    if number % 20 == 7 {
        DeploymentController::CodeDeploy
    } else if number % 50 == 3 {
        DeploymentController::External
    } else {
        DeploymentController::Ecs
    }
}

/// Lets a container refer to a secret, in one of the ways there are.
fn add_reference(container: &mut TaskContainer, secret: &str, random: &mut SeededRandom) {
    let named = secret.rsplit(':').next().unwrap_or_default();
    let name = match named.rsplit_once('-') {
        Some((name, _suffix)) => name,
        None => named,
    };
    match random.below(20) {
        0 => container.secrets.push(format!("{secret}:password:AWSPREVIOUS:")),
        1 => container.secrets.push(format!("{secret}:::{}", random.uuid())),
        2 => container.secrets.push(format!("/aws/reference/secretsmanager/{name}")),
        3 | 4 => container.log_secrets.push(secret.to_owned()),
        5 | 6 => container.repository_credentials = Some(name.to_owned()),
        7 | 8 => container.secrets.push(secret.to_owned()),
        _ => container.secrets.push(format!("{secret}:password::")),
    }
}
