//! What ECS answers, as far as it matters here.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_service::{EcsDeployment, EcsService};
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
    pub next: Option<String>,
}

/// An answer of `DescribeServices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedServices {
    /// What could be described.
    pub services: Vec<DescribedService>,
    /// What could not.
    pub failures: Vec<UndescribedService>,
}

/// A service as ECS describes it: what its task definitions refer to is not known yet.
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
    /// The service's tags.
    pub tags: BTreeMap<String, String>,
    /// Whether another AWS service manages it (`resourceManagementType`).
    pub managed: bool,
    /// What makes a forced deployment of it less harmless, as far as the service itself says.
    pub risks: BTreeSet<DeploymentRisk>,
    /// The ARNs of the task definitions that its tasks may run now.
    pub task_definitions: BTreeSet<String>,
    /// What the service itself refers to.
    pub references: Vec<SecretReference>,
}

impl DescribedService {
    /// The service with what its task definitions say, as far as `definition` knows them by ARN; each reference once.
    pub fn complete<'d>(self, definition: impl Fn(&str) -> Option<&'d TaskDefinition>) -> EcsService {
        let defined: Vec<&TaskDefinition> =
            self.task_definitions.iter().filter_map(|arn| definition(arn)).collect();
        let all = defined.iter().flat_map(|known| &known.references).chain(&self.references);
        let all: BTreeSet<(ReferenceKind, &Untrusted)> =
            all.map(|reference| (reference.kind, &reference.value)).collect();
        let references =
            all.into_iter().map(|(kind, value)| SecretReference { kind, value: value.clone() }).collect();
        let findings: BTreeSet<DeploymentRisk> =
            defined.iter().flat_map(|known| &known.risks).chain(&self.risks).copied().collect();
        EcsService {
            risks: findings,
            execution_roles: defined.iter().filter_map(|known| known.role.clone()).collect(),
            references,
            arn: self.arn,
            cluster: self.cluster,
            status: self.status.into(),
            controller: self.controller.into(),
            managed: self.managed,
            primary: self.primary,
            tags: self.tags,
        }
    }
}

/// What a revision of a task definition says. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// Everything in it that may refer to a secret.
    pub references: Vec<SecretReference>,
    /// The execution role's ARN, which reads the secrets when a task starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Untrusted>,
    /// What makes a forced deployment less harmless.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<DeploymentRisk>,
}

/// A service that could not be described (API reference of ECS: `Failure`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndescribedService {
    /// Its ARN.
    pub arn: Option<String>,
    /// Why, such as `MISSING`.
    pub reason: Option<String>,
}
