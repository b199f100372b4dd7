//! From what ECS answers to what matters of it.

use std::collections::BTreeSet;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    DeploymentAlarms, DeploymentCircuitBreaker, DeploymentRolloutState, DeploymentStrategy, LogConfiguration,
    RepositoryCredentials, ResourceManagementType, Service, TaskDefinition,
};
use responder_core::aws::ecs_service::{EcsDeployment, RolloutState};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use responder_engine::port::{DescribedService, TaskDefinition};

/// The service; `None` if the answer does not even say its ARN.
pub(super) fn described(service: &Service) -> Option<DescribedService> {
    let controller = service.deployment_controller().map_or("ECS", |controller| controller.r#type().as_str());
    let connects = service.deployments().iter().filter_map(|one| one.service_connect_configuration());
    let logs = connects.map(|connect| connect.log_configuration());
    let tags = service.tags().iter();
    Some(DescribedService {
        arn: service.service_arn()?.to_owned(),
        cluster: service.cluster_arn()?.to_owned(),
        status: service.status().unwrap_or_default().to_owned(),
        controller: controller.to_owned(),
        primary: primary(service, controller),
        managed: service.resource_management_type() == Some(&ResourceManagementType::Ecs),
        findings: findings(service, controller),
        tags: tags
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
            .collect(),
        task_definitions: task_definitions(service),
        references: logs.flat_map(|log| log_secrets(log, ReferenceKind::ServiceConnectSecret)).collect(),
    })
}

/// What makes a forced deployment less harmless. Circuit breaker and alarms watch rolling updates by ECS; other strategies
/// have their own ways back (`API_DeploymentConfiguration`). Only services on Fargate have a platform version.
fn findings(service: &Service, controller: &str) -> BTreeSet<DeploymentRisk> {
    let set = service.deployment_configuration();
    let rolling = set.and_then(|set| set.strategy()).is_none_or(|how| *how == DeploymentStrategy::Rolling);
    let breaks =
        set.and_then(|set| set.deployment_circuit_breaker()).is_some_and(DeploymentCircuitBreaker::enable);
    let alarms = set.and_then(|set| set.alarms()).is_some_and(DeploymentAlarms::enable);
    let unwatched = controller == "ECS" && rolling && !breaks && !alarms;
    let latest = service.platform_version() == Some("LATEST");
    let found = [(unwatched, DeploymentRisk::NoCircuitBreaker), (latest, DeploymentRisk::LatestPlatform)];
    found.into_iter().filter_map(|(holds, finding)| holds.then_some(finding)).collect()
}

/// What matters of a task definition. An image is fixed only by its digest.
pub(super) fn definition(definition: &TaskDefinition) -> TaskDefinition {
    let mut images = definition.container_definitions().iter().filter_map(|container| container.image());
    let mutable = images.any(|image| !image.contains("@sha256:"));
    TaskDefinition {
        references: references(definition),
        role: definition.execution_role_arn().map(Untrusted::new),
        findings: mutable.then_some(DeploymentRisk::MutableImage).into_iter().collect(),
    }
}

/// The task definitions that a service's tasks may run now: those of its deployments and task sets, and its own.
fn task_definitions(service: &Service) -> BTreeSet<String> {
    let live = |status: Option<&str>| matches!(status, Some("PRIMARY" | "ACTIVE"));
    let deployments = service.deployments().iter().filter(|deployment| live(deployment.status()));
    let sets = service.task_sets().iter().filter(|set| live(set.status()));
    let deployed = deployments.filter_map(|deployment| deployment.task_definition());
    let own = service.task_definition().into_iter();
    let all = deployed.chain(sets.filter_map(|set| set.task_definition())).chain(own);
    all.map(str::to_owned).collect()
}

/// Every reference of a task definition (API reference of ECS: `ContainerDefinition`, `Volume`).
fn references(definition: &TaskDefinition) -> Vec<SecretReference> {
    let mut found = Vec::new();
    for container in definition.container_definitions() {
        let secrets = container.secrets().iter();
        found.extend(secrets.map(|secret| reference(ReferenceKind::ContainerSecret, secret.value_from())));
        found.extend(log_secrets(container.log_configuration(), ReferenceKind::LogSecret));
        let registry = container.repository_credentials().map(RepositoryCredentials::credentials_parameter);
        found.extend(registry.map(|value| reference(ReferenceKind::RepositoryCredentials, value)));
    }
    for volume in definition.volumes() {
        let share = volume.fsx_windows_file_server_volume_configuration();
        let user = share.and_then(|share| share.authorization_config());
        found.extend(user.map(|user| reference(ReferenceKind::FsxCredentials, user.credentials_parameter())));
    }
    found
}

fn log_secrets(log: Option<&LogConfiguration>, kind: ReferenceKind) -> Vec<SecretReference> {
    let secrets = log.into_iter().flat_map(LogConfiguration::secret_options);
    secrets.map(|secret| reference(kind, secret.value_from())).collect()
}

fn reference(kind: ReferenceKind, value: &str) -> SecretReference {
    SecretReference { kind, value: Untrusted::new(value) }
}

/// Services that something else than ECS deploys have task sets instead of deployments.
fn primary(service: &Service, controller: &str) -> Option<EcsDeployment> {
    let made = |id: Option<&str>, at: Option<&DateTime>, state| {
        let created_at = Timestamp::from_millis(at?.to_millis().ok()?);
        Some(EcsDeployment { id: id?.to_owned(), created_at, state })
    };
    if controller == "ECS" {
        let mut deployments = service.deployments().iter();
        let primary = deployments.find(|deployment| deployment.status() == Some("PRIMARY"))?;
        made(primary.id(), primary.created_at(), primary.rollout_state().and_then(state))
    } else {
        let primary = service.task_sets().iter().find(|set| set.status() == Some("PRIMARY"))?;
        made(primary.id(), primary.created_at(), None)
    }
}

fn state(state: &DeploymentRolloutState) -> Option<RolloutState> {
    match state {
        DeploymentRolloutState::InProgress => Some(RolloutState::InProgress),
        DeploymentRolloutState::Completed => Some(RolloutState::Completed),
        DeploymentRolloutState::Failed => Some(RolloutState::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{
        ContainerDefinition, DeploymentConfiguration, DeploymentController, DeploymentControllerType,
        EcsDeployment as Deployed, FSxWindowsFileServerAuthorizationConfig,
        FSxWindowsFileServerVolumeConfiguration, LogDriver, Secret, ServiceConnectConfiguration, Tag,
        TaskSet, Volume,
    };

    use super::*;

    fn log(value: &str) -> LogConfiguration {
        LogConfiguration::builder()
            .log_driver(LogDriver::Splunk)
            .secret_options(secret(value))
            .build()
            .unwrap()
    }

    fn secret(value: &str) -> Secret {
        Secret::builder().name("X").value_from(value).build().unwrap()
    }

    fn deployed(status: &str, definition: &str) -> Deployed {
        Deployed::builder()
            .id(format!("ecs-svc/{definition}"))
            .status(status)
            .task_definition(definition)
            .created_at(DateTime::from_millis(1_700_000_000_250))
            .build()
    }

    #[test]
    fn every_place_that_holds_a_reference_is_read() {
        let user = FSxWindowsFileServerAuthorizationConfig::builder()
            .credentials_parameter("fsx")
            .domain("d")
            .build()
            .unwrap();
        let share = FSxWindowsFileServerVolumeConfiguration::builder()
            .file_system_id("fs")
            .root_directory("/")
            .authorization_config(user)
            .build()
            .unwrap();
        let container = ContainerDefinition::builder()
            .secrets(secret("one"))
            .secrets(secret("two"))
            .log_configuration(log("log"))
            .repository_credentials(
                RepositoryCredentials::builder().credentials_parameter("registry").build().unwrap(),
            )
            .build();
        let definition = TaskDefinition::builder()
            .container_definitions(container)
            .volumes(Volume::builder().fsx_windows_file_server_volume_configuration(share).build())
            .build();
        let found: Vec<(ReferenceKind, String)> = super::definition(&definition)
            .references
            .into_iter()
            .map(|r| (r.kind, r.value.raw().to_owned()))
            .collect();
        let expected = [
            (ReferenceKind::ContainerSecret, "one"),
            (ReferenceKind::ContainerSecret, "two"),
            (ReferenceKind::LogSecret, "log"),
            (ReferenceKind::RepositoryCredentials, "registry"),
            (ReferenceKind::FsxCredentials, "fsx"),
        ];
        assert_eq!(found, expected.map(|(kind, value)| (kind, value.to_owned())));
    }

    #[test]
    fn a_rolling_service_is_known_by_its_deployments() {
        let connect =
            ServiceConnectConfiguration::builder().enabled(true).log_configuration(log("mesh")).build();
        let mut primary = deployed("PRIMARY", "web:2");
        primary.service_connect_configuration = Some(connect);
        let service = Service::builder()
            .service_arn("arn:aws:ecs:us-west-2:111122223333:service/shop/web")
            .cluster_arn("arn:aws:ecs:us-west-2:111122223333:cluster/shop")
            .status("ACTIVE")
            .task_definition("web:2")
            .deployments(deployed("ACTIVE", "web:1"))
            .deployments(deployed("INACTIVE", "web:0"))
            .deployments(primary)
            .tags(Tag::builder().key("secrets-responder:redeploy").value("off").build())
            .build();
        let service = described(&service).unwrap();
        assert_eq!(service.task_definitions.iter().collect::<Vec<_>>(), ["web:1", "web:2"]);
        assert_eq!((service.controller.as_str(), service.status.as_str()), ("ECS", "ACTIVE"));
        let primary = service.primary.unwrap();
        assert_eq!((primary.id.as_str(), primary.created_at.millis()), ("ecs-svc/web:2", 1_700_000_000_250));
        assert_eq!(service.tags["secrets-responder:redeploy"], "off");
        let values: Vec<&str> = service.references.iter().map(|reference| reference.value.raw()).collect();
        assert_eq!(values, ["mesh"]);
    }

    #[test]
    fn a_definition_says_its_execution_role_and_whether_an_image_may_change() {
        let of = |images: &[&str]| {
            let containers = images.iter().map(|image| ContainerDefinition::builder().image(*image).build());
            let builder = TaskDefinition::builder().execution_role_arn("arn:aws:iam::111122223333:role/run");
            super::definition(&builder.set_container_definitions(Some(containers.collect())).build())
        };
        let fixed = format!("repo/app@sha256:{}", "0".repeat(64));
        assert_eq!(of(&[&fixed]).findings, BTreeSet::new());
        for image in ["app", "app:latest", "app:1.2.3", "registry.example:443/app"] {
            assert_eq!(
                of(&[&fixed, image]).findings,
                BTreeSet::from([DeploymentRisk::MutableImage]),
                "{image}"
            );
        }
        let role = of(&[]).role.unwrap();
        assert_eq!(role.raw(), "arn:aws:iam::111122223333:role/run");
    }

    fn configured(set: DeploymentConfiguration, platform: Option<&str>) -> BTreeSet<DeploymentRisk> {
        let service = Service::builder().service_arn("a").cluster_arn("c").deployment_configuration(set);
        described(&service.set_platform_version(platform.map(str::to_owned)).build()).unwrap().findings
    }

    #[test]
    fn what_watches_a_rollout_is_a_circuit_breaker_an_alarm_or_another_strategy() {
        let breaker = |enable| DeploymentCircuitBreaker::builder().enable(enable).rollback(false).build();
        let alarms = |enable| {
            let alarms = DeploymentAlarms::builder().alarm_names("x").enable(enable).rollback(true);
            alarms.build().unwrap()
        };
        let set = DeploymentConfiguration::builder;
        let unwatched = BTreeSet::from([DeploymentRisk::NoCircuitBreaker]);
        assert_eq!(configured(set().build(), None), unwatched);
        let off = set().deployment_circuit_breaker(breaker(false)).alarms(alarms(false));
        assert_eq!(configured(off.strategy(DeploymentStrategy::Rolling).build(), Some("1.4.0")), unwatched);
        for watched in [
            set().deployment_circuit_breaker(breaker(true)),
            set().alarms(alarms(true)),
            set().strategy(DeploymentStrategy::BlueGreen),
        ] {
            let latest = BTreeSet::from([DeploymentRisk::LatestPlatform]);
            assert_eq!(configured(watched.build(), Some("LATEST")), latest);
        }
    }

    #[test]
    fn a_rollout_says_how_far_it_is_and_a_service_who_manages_it() {
        for (said, state) in [
            (Some(DeploymentRolloutState::InProgress), Some(RolloutState::InProgress)),
            (Some(DeploymentRolloutState::Completed), Some(RolloutState::Completed)),
            (Some(DeploymentRolloutState::Failed), Some(RolloutState::Failed)),
            (Some(DeploymentRolloutState::from("STOPPED")), None),
            (None, None),
        ] {
            let mut primary = deployed("PRIMARY", "web:2");
            primary.rollout_state = said;
            let service = Service::builder().service_arn("a").cluster_arn("c").deployments(primary);
            let managed = service.clone().resource_management_type(ResourceManagementType::Ecs).build();
            let own = service.resource_management_type(ResourceManagementType::Customer).build();
            let (managed, own) = (described(&managed).unwrap(), described(&own).unwrap());
            assert_eq!(own.primary.unwrap().state, state);
            assert!(managed.managed && !own.managed);
        }
    }

    #[test]
    fn a_service_of_another_controller_is_known_by_its_task_sets() {
        let kind = DeploymentControllerType::CodeDeploy;
        let set = TaskSet::builder()
            .id("ecs-svc/9")
            .status("PRIMARY")
            .task_definition("web:7")
            .created_at(DateTime::from_secs(1_700_000_000))
            .build();
        let service = Service::builder()
            .service_arn("a")
            .cluster_arn("c")
            .deployment_controller(DeploymentController::builder().r#type(kind).build().unwrap())
            .task_sets(set)
            .build();
        let service = described(&service).unwrap();
        assert_eq!(service.task_definitions.iter().collect::<Vec<_>>(), ["web:7"]);
        assert_eq!((service.controller.as_str(), service.findings.len()), ("CODE_DEPLOY", 0));
        assert_eq!(service.primary.unwrap().id, "ecs-svc/9");
    }
}
