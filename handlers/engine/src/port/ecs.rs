//! The answers of ECS, as far as the engine needs them.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_service::{EcsDeployment, EcsService};
use responder_core::aws::managed_daemon::ManagedDaemon;
use responder_core::aws::rollout_configuration::RolloutConfiguration;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::DeploymentRisk;
use responder_core::text::Untrusted;
use serde::{Deserialize, Serialize};

/// A page of ARNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArnPage {
    /// The ARNs.
    pub arns: Vec<String>,
    /// The token of the next page, if there is one.
    pub next_token: Option<String>,
}

/// An answer of `DescribeServices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedServices {
    /// The services that ECS described.
    pub services: Vec<DescribedService>,
    /// The services that ECS could not describe.
    pub failures: Vec<UndescribedService>,
}

/// A service as ECS describes it. The references of its task definitions are not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedService {
    /// Its ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// The deployment controller: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// The PRIMARY deployment or task set.
    pub primary: Option<EcsDeployment>,
    /// The other deployments: those that PRIMARY replaces, and those that failed.
    pub other_deployments: Vec<EcsDeployment>,
    /// How many tasks it should have, if it is known.
    pub desired_count: Option<u32>,
    /// How many tasks it has, if it is known.
    pub running_count: Option<u32>,
    /// How it is deployed.
    pub deployment_configuration: RolloutConfiguration,
    /// The ARN of the service deployment that goes on.
    pub service_deployment: Option<String>,
    /// The service's tags.
    pub tags: BTreeMap<String, String>,
    /// Whether another AWS service manages it (`resourceManagementType`).
    pub managed: bool,
    /// Present if it is a managed daemon.
    pub daemon: Option<ManagedDaemon>,
    /// The risks of a forced deployment that the service itself shows.
    pub risks: BTreeSet<DeploymentRisk>,
    /// The ARNs of the task definitions that its tasks may run now.
    pub task_definitions: BTreeSet<String>,
    /// The references of the service itself, such as those of Service Connect.
    pub references: Vec<SecretReference>,
}

impl DescribedService {
    /// The service together with its task definitions: `find_definition` finds one by its ARN, or does not know it. Equal
    /// references of several definitions stand once.
    pub fn with_definitions<'d>(
        self,
        find_definition: impl Fn(&str) -> Option<&'d DescribedTaskDefinition>,
    ) -> EcsService {
        let mut risks = self.risks;
        let mut execution_roles = BTreeSet::new();
        let mut distinct: BTreeSet<(ReferenceKind, Untrusted)> = BTreeSet::new();
        for reference in self.references {
            distinct.insert((reference.kind, reference.value));
        }
        for arn in &self.task_definitions {
            let Some(definition) = find_definition(arn) else { continue };
            risks.extend(&definition.risks);
            execution_roles.extend(definition.role.clone());
            for reference in &definition.references {
                distinct.insert((reference.kind, reference.value.clone()));
            }
        }
        let references = distinct.into_iter().map(|(kind, value)| SecretReference { kind, value });
        EcsService {
            risks,
            execution_roles,
            references: references.collect(),
            arn: self.arn.into(),
            cluster: self.cluster.into(),
            status: self.status.into(),
            controller: self.controller.into(),
            managed: self.managed,
            daemon: self.daemon,
            primary: self.primary,
            other_deployments: Some(self.other_deployments),
            desired_count: self.desired_count,
            running_count: self.running_count,
            deployment_configuration: self.deployment_configuration,
            service_deployment: self.service_deployment,
            tags: self.tags,
        }
    }
}

/// A revision of a task definition, as far as it concerns secrets. A revision never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedTaskDefinition {
    /// Every value in it that may refer to a secret.
    pub references: Vec<SecretReference>,
    /// The execution role's ARN. ECS reads the secrets under this role when a task starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Untrusted>,
    /// The risks of a forced deployment that the definition shows.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<DeploymentRisk>,
}

/// A service that ECS could not describe (API reference of ECS: `Failure`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndescribedService {
    /// Its ARN.
    pub arn: Option<String>,
    /// The reason, such as `MISSING`.
    pub reason: Option<String>,
}
