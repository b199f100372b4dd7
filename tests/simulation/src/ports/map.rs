//! From what the models answer to what the port says: as the adapter to the SDKs does it.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_service::{EcsDeployment, RolloutState};
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;
use responder_engine::port::{ArnPage, DescribedService, DescribedTaskDefinition};

use crate::{ecs, secrets};

pub(super) fn listed(page: ecs::Page) -> ArnPage {
    ArnPage { arns: page.arns, next_token: page.next_token }
}

pub(super) fn described(service: &ecs::Service) -> DescribedService {
    let breaks = service.circuit_breaker.is_some() || service.controller != ecs::Controller::Ecs;
    let definitions = service.deployments.iter().map(|deployment| deployment.task_definition.clone());
    let connects = service.deployments.iter().flat_map(|deployment| &deployment.connect_secrets);
    DescribedService {
        arn: service.arn.clone(),
        cluster: service.cluster.clone(),
        status: service.status.as_str().to_owned(),
        controller: service.controller.as_str().to_owned(),
        primary: service.primary().map(|primary| EcsDeployment {
            id: primary.id.clone(),
            created_at: primary.created_at,
            rollout_state: Some(match primary.state {
                ecs::RolloutState::InProgress => RolloutState::InProgress,
                ecs::RolloutState::Completed => RolloutState::Completed,
                ecs::RolloutState::Failed => RolloutState::Failed,
            }),
        }),
        tags: service.tags.clone(),
        managed: service.resource_management_type.as_deref() == Some("ECS"),
        risks: (!breaks).then_some(DeploymentRisk::NoCircuitBreaker).into_iter().collect(),
        task_definitions: definitions.chain([service.task_definition.clone()]).collect(),
        references: connects.map(|value| reference(ReferenceKind::ServiceConnectSecret, value)).collect(),
    }
}

pub(super) fn definition(definition: &ecs::TaskDefinition) -> DescribedTaskDefinition {
    let mut references = Vec::new();
    for container in &definition.containers {
        let all = [
            (ReferenceKind::ContainerSecret, &container.secrets),
            (ReferenceKind::LogSecret, &container.log_secrets),
        ];
        references.extend(
            all.into_iter().flat_map(|(kind, some)| some.iter().map(move |value| reference(kind, value))),
        );
        let registry = container.repository_credentials.iter();
        references.extend(registry.map(|value| reference(ReferenceKind::RepositoryCredentials, value)));
    }
    let shares = definition.fsx_credentials.iter();
    references.extend(shares.map(|value| reference(ReferenceKind::FsxCredentials, value)));
    let role = definition.execution_role.as_deref().map(Untrusted::new);
    DescribedTaskDefinition { references, role, risks: BTreeSet::new() }
}

pub(super) fn metadata(secret: &secrets::Metadata) -> SecretMetadata {
    let labelled = secret.versions.iter().filter(|(_, version)| !version.labels.is_empty());
    let versions: BTreeMap<_, _> =
        labelled.map(|(id, version)| (id.clone(), version.labels.clone())).collect();
    SecretMetadata {
        arn: secret.arn.clone(),
        versions,
        created_at: Some(secret.created),
        modified_at: Some(secret.last_changed),
        rotated_at: secret.last_rotated,
        next_rotation: secret.next_rotation,
        rotates: secret.rotates_every.is_some(),
        deleted_at: secret.deleted,
        missing: false,
        primary_region: secret.primary_region.clone(),
        replicas: secret.replicas.clone(),
    }
}

fn reference(kind: ReferenceKind, value: &str) -> SecretReference {
    SecretReference { kind, value: Untrusted::new(value) }
}
