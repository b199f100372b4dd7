//! From the answers of the models to those of the port: as the adapter to the SDKs makes them.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::{DeploymentController, EcsDeployment, RolloutState};
use responder_core::aws::rollout_configuration::RolloutConfiguration;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;
use responder_engine::port::{
    ArnPage, DescribedDaemon, DescribedDaemonRevision, DescribedService, DescribedServices,
    DescribedTaskDefinition, SecretPage, UndescribedService,
};

use super::state::CloudBug;
use crate::ecs::{
    EcsArnPage, RegisteredTaskDefinition, ServiceDescriptions, SimulatedDaemon, SimulatedDeployment,
    SimulatedService,
};
use crate::secrets::{SecretDescription, SecretDescriptionPage};

pub(super) fn to_arn_page(page: EcsArnPage) -> ArnPage {
    ArnPage { arns: page.arns, next_token: page.next_token }
}

pub(super) fn to_described_services(
    answer: &ServiceDescriptions,
    bug: Option<CloudBug>,
) -> DescribedServices {
    let mut described = DescribedServices::default();
    for service in &answer.services {
        let mut service = to_described_service(service);
        plant_bug(&mut service, bug);
        described.services.push(service);
    }
    for failure in &answer.failures {
        let (arn, reason) = (Some(failure.arn.clone()), Some(failure.reason.clone()));
        described.failures.push(UndescribedService { arn, reason });
    }
    described
}

/// Hides from the engine what it must look at.
fn plant_bug(service: &mut DescribedService, bug: Option<CloudBug>) {
    match bug {
        Some(CloudBug::ShowsNewerAsCompleted) => {
            service.other_deployments.clear();
            if let Some(primary) = &mut service.primary {
                primary.rollout_state = Some(RolloutState::Completed);
                primary.rollout_state_reason = None;
            }
        }
        Some(CloudBug::HidesApprovals) => {
            service.deployment_configuration = RolloutConfiguration::default();
            if let Some(primary) = &mut service.primary {
                primary.rollout_state_reason = None;
            }
        }
        Some(CloudBug::KeepsSlots | CloudBug::CountsBeforeWriting | CloudBug::ForgetsFailures) | None => {}
    }
}

fn to_described_service(service: &SimulatedService) -> DescribedService {
    let mut task_definitions = BTreeSet::from([service.task_definition.clone()]);
    let mut references = Vec::new();
    for deployment in &service.deployments {
        task_definitions.insert(deployment.task_definition.clone());
        add_references(&mut references, ReferenceKind::ServiceConnectSecret, &deployment.connect_secrets);
    }
    let mut risks = BTreeSet::new();
    if service.circuit_breaker.is_none() && service.controller == DeploymentController::Ecs {
        risks.insert(DeploymentRisk::NoCircuitBreaker);
    }
    DescribedService {
        arn: service.arn.clone(),
        cluster: service.cluster.clone(),
        status: service.status.as_str().to_owned(),
        controller: service.controller.as_str().to_owned(),
        primary: service.primary().map(|primary| to_deployment(service, primary)),
        other_deployments: other_deployments(service),
        desired_count: Some(service.desired),
        running_count: Some(service.desired),
        deployment_configuration: service.configuration.clone(),
        service_deployment: None,
        tags: service.tags.clone(),
        daemon: None,
        managed: service.resource_management_type.as_deref() == Some("ECS"),
        risks,
        task_definitions,
        references,
    }
}

fn other_deployments(service: &SimulatedService) -> Vec<EcsDeployment> {
    let mut others = Vec::new();
    for deployment in &service.deployments {
        if !deployment.primary {
            others.push(to_deployment(service, deployment));
        }
    }
    others
}

fn to_deployment(service: &SimulatedService, deployment: &SimulatedDeployment) -> EcsDeployment {
    EcsDeployment {
        id: deployment.id.clone(),
        created_at: deployment.created_at,
        rollout_state: Some(deployment.rollout_state),
        rollout_state_reason: Some(Untrusted::new(&deployment.reason)),
        desired_count: Some(if deployment.primary { service.desired } else { 0 }),
        running_count: None,
        failed_tasks: None,
    }
}

pub(super) fn to_task_definition(definition: &RegisteredTaskDefinition) -> DescribedTaskDefinition {
    let mut references = Vec::new();
    for container in &definition.containers {
        add_references(&mut references, ReferenceKind::ContainerSecret, &container.secrets);
        add_references(&mut references, ReferenceKind::LogSecret, &container.log_secrets);
        let registry = container.repository_credentials.as_slice();
        add_references(&mut references, ReferenceKind::RepositoryCredentials, registry);
    }
    add_references(&mut references, ReferenceKind::FsxCredentials, &definition.fsx_credentials);
    let role = definition.execution_role.as_deref().map(Untrusted::new);
    DescribedTaskDefinition { references, role, risks: BTreeSet::new() }
}

pub(super) fn to_described_daemon(daemon: SimulatedDaemon) -> DescribedDaemon {
    DescribedDaemon {
        arn: daemon.arn,
        cluster: daemon.cluster,
        status: "ACTIVE".to_owned(),
        revisions: vec![daemon.revision],
        capacity_providers: BTreeSet::new(),
    }
}

pub(super) fn to_daemon_revision(daemon: SimulatedDaemon) -> DescribedDaemonRevision {
    DescribedDaemonRevision {
        arn: daemon.revision,
        task_definition: daemon.task_definition,
        created_at: daemon.created_at,
    }
}

pub(super) fn to_secret_page(page: SecretDescriptionPage) -> SecretPage {
    SecretPage { secrets: page.secrets.iter().map(to_secret_metadata).collect(), next_token: page.next_token }
}

pub(super) fn to_secret_metadata(secret: &SecretDescription) -> SecretMetadata {
    let mut metadata = SecretMetadata {
        arn: secret.arn.clone(),
        created_at: Some(secret.created),
        modified_at: Some(secret.last_changed),
        rotated_at: secret.last_rotated,
        next_rotation: secret.next_rotation,
        rotates: secret.rotates_every.is_some(),
        deleted_at: secret.deleted,
        primary_region: secret.primary_region.clone(),
        replicas: secret.replicas.clone(),
        ..SecretMetadata::default()
    };
    for (id, version) in &secret.versions {
        if !version.labels.is_empty() {
            metadata.versions.insert(id.clone(), version.labels.clone());
        }
    }
    metadata
}

fn add_references(references: &mut Vec<SecretReference>, kind: ReferenceKind, values: &[String]) {
    for value in values {
        references.push(SecretReference { kind, value: Untrusted::new(value) });
    }
}
