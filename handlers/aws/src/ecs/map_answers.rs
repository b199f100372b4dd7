//! Maps the answers of ECS to the engine's data.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    DeploymentAlarms, DeploymentCircuitBreaker, DeploymentStrategy, LogConfiguration, RepositoryCredentials,
    ResourceManagementType, Secret, Service, TaskDefinition,
};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;
use responder_engine::port::{DescribedService, DescribedTaskDefinition};

use super::map_deployments::{map_configuration, other_deployments, primary_deployment};

/// Maps a service; `None` if the answer does not even name its ARN.
pub(super) fn map_service(service: &Service) -> Option<DescribedService> {
    let controller = match service.deployment_controller() {
        Some(controller) => controller.r#type().as_str(),
        None => "ECS",
    };
    let mut tags = BTreeMap::new();
    for tag in service.tags() {
        if let Some(key) = tag.key() {
            tags.insert(key.to_owned(), tag.value().unwrap_or_default().to_owned());
        }
    }
    let mut references = Vec::new();
    for deployment in service.deployments() {
        if let Some(connect) = deployment.service_connect_configuration() {
            let log = connect.log_configuration();
            references.extend(log_references(log, ReferenceKind::ServiceConnectSecret));
        }
    }
    Some(DescribedService {
        arn: service.service_arn()?.to_owned(),
        cluster: service.cluster_arn()?.to_owned(),
        status: service.status().unwrap_or_default().to_owned(),
        controller: controller.to_owned(),
        primary: primary_deployment(service, controller),
        other_deployments: other_deployments(service),
        desired_count: u32::try_from(service.desired_count()).ok(),
        running_count: u32::try_from(service.running_count()).ok(),
        deployment_configuration: map_configuration(service.deployment_configuration()),
        service_deployment: service.current_service_deployment().map(str::to_owned),
        tags,
        daemon: None,
        managed: service.resource_management_type() == Some(&ResourceManagementType::Ecs),
        risks: service_risks(service, controller),
        task_definitions: running_task_definitions(service),
        references,
    })
}

/// The risks of a forced deployment that a service shows. Circuit breaker and alarms watch rolling updates by ECS; other
/// strategies have their own ways back (`API_DeploymentConfiguration`). Only services on Fargate have a platform version.
fn service_risks(service: &Service, controller: &str) -> BTreeSet<DeploymentRisk> {
    let mut risks = BTreeSet::new();
    let configuration = service.deployment_configuration();
    let strategy = configuration.and_then(|configuration| configuration.strategy());
    let breaker = configuration.and_then(|configuration| configuration.deployment_circuit_breaker());
    let alarms = configuration.and_then(|configuration| configuration.alarms());
    let is_rolling = matches!(strategy, None | Some(DeploymentStrategy::Rolling));
    let is_watched =
        breaker.is_some_and(DeploymentCircuitBreaker::enable) || alarms.is_some_and(DeploymentAlarms::enable);
    if controller == "ECS" && is_rolling && !is_watched {
        risks.insert(DeploymentRisk::NoCircuitBreaker);
    }
    if service.platform_version() == Some("LATEST") {
        risks.insert(DeploymentRisk::LatestPlatform);
    }
    risks
}

/// Maps a task definition, as far as it concerns secrets. An image is fixed only by its digest.
pub(super) fn map_task_definition(definition: &TaskDefinition) -> DescribedTaskDefinition {
    let mut risks = BTreeSet::new();
    for container in definition.container_definitions() {
        if container.image().is_some_and(|image| !image.contains("@sha256:")) {
            risks.insert(DeploymentRisk::MutableImage);
        }
    }
    DescribedTaskDefinition {
        references: definition_references(definition),
        role: definition.execution_role_arn().map(Untrusted::new),
        risks,
    }
}

/// The task definitions that a service's tasks may run now: those of its deployments and task sets, and its own.
fn running_task_definitions(service: &Service) -> BTreeSet<String> {
    let mut arns = BTreeSet::new();
    for deployment in service.deployments() {
        if may_run_tasks(deployment.status()) {
            arns.extend(deployment.task_definition().map(str::to_owned));
        }
    }
    for set in service.task_sets() {
        if may_run_tasks(set.status()) {
            arns.extend(set.task_definition().map(str::to_owned));
        }
    }
    arns.extend(service.task_definition().map(str::to_owned));
    arns
}

fn may_run_tasks(status: Option<&str>) -> bool {
    matches!(status, Some("PRIMARY" | "ACTIVE"))
}

/// Every reference of a task definition (API reference of ECS: `ContainerDefinition`, `Volume`).
fn definition_references(definition: &TaskDefinition) -> Vec<SecretReference> {
    let mut references = Vec::new();
    for container in definition.container_definitions() {
        references.extend(container_references(
            container.secrets(),
            container.log_configuration(),
            container.repository_credentials(),
        ));
    }
    for volume in definition.volumes() {
        let share = volume.fsx_windows_file_server_volume_configuration();
        if let Some(user) = share.and_then(|share| share.authorization_config()) {
            references.push(build_reference(ReferenceKind::FsxCredentials, user.credentials_parameter()));
        }
    }
    references
}

/// The references of a container, of a task or of a managed daemon: its secrets, those of its log, and its registry's credentials.
pub(super) fn container_references(
    secrets: &[Secret],
    log: Option<&LogConfiguration>,
    registry: Option<&RepositoryCredentials>,
) -> Vec<SecretReference> {
    let mut references = Vec::new();
    for secret in secrets {
        references.push(build_reference(ReferenceKind::ContainerSecret, secret.value_from()));
    }
    references.extend(log_references(log, ReferenceKind::LogSecret));
    if let Some(registry) = registry {
        let value = registry.credentials_parameter();
        references.push(build_reference(ReferenceKind::RepositoryCredentials, value));
    }
    references
}

fn log_references(log: Option<&LogConfiguration>, kind: ReferenceKind) -> Vec<SecretReference> {
    let mut references = Vec::new();
    if let Some(log) = log {
        for secret in log.secret_options() {
            references.push(build_reference(kind, secret.value_from()));
        }
    }
    references
}

fn build_reference(kind: ReferenceKind, value: &str) -> SecretReference {
    SecretReference { kind, value: Untrusted::new(value) }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{
        ContainerDefinition, Deployment as Deployed, DeploymentConfiguration, DeploymentController,
        DeploymentControllerType, FSxWindowsFileServerAuthorizationConfig,
        FSxWindowsFileServerVolumeConfiguration, LogDriver, ServiceConnectConfiguration, Tag, TaskSet,
        Volume,
    };

    use aws_sdk_ecs::primitives::DateTime;
    use aws_sdk_ecs::types::DeploymentRolloutState;
    use responder_core::aws::ecs_service::RolloutState;

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
        let found: Vec<(ReferenceKind, String)> = map_task_definition(&definition)
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
        let service = map_service(&service).unwrap();
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
            map_task_definition(&builder.set_container_definitions(Some(containers.collect())).build())
        };
        let fixed = format!("repo/app@sha256:{}", "0".repeat(64));
        assert_eq!(of(&[&fixed]).risks, BTreeSet::new());
        for image in ["app", "app:latest", "app:1.2.3", "registry.example:443/app"] {
            assert_eq!(of(&[&fixed, image]).risks, BTreeSet::from([DeploymentRisk::MutableImage]), "{image}");
        }
        let role = of(&[]).role.unwrap();
        assert_eq!(role.raw(), "arn:aws:iam::111122223333:role/run");
    }

    fn configured(set: DeploymentConfiguration, platform: Option<&str>) -> BTreeSet<DeploymentRisk> {
        let service = Service::builder().service_arn("a").cluster_arn("c").deployment_configuration(set);
        map_service(&service.set_platform_version(platform.map(str::to_owned)).build()).unwrap().risks
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
            let (managed, own) = (map_service(&managed).unwrap(), map_service(&own).unwrap());
            assert_eq!(own.primary.unwrap().rollout_state, state);
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
        let service = map_service(&service).unwrap();
        assert_eq!(service.task_definitions.iter().collect::<Vec<_>>(), ["web:7"]);
        assert_eq!((service.controller.as_str(), service.risks.len()), ("CODE_DEPLOY", 0));
        assert_eq!(service.primary.unwrap().id, "ecs-svc/9");
    }
}
