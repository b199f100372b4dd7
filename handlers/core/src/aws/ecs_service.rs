//! ECS services and their deployments.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use crate::aws::ecs_deployment::{EcsDeployment, RolloutState};

use crate::aws::arn::Arn;
use crate::aws::ecs_arn::{ClusterArn, ServiceArn};
use crate::aws::managed_daemon::ManagedDaemon;
use crate::aws::reference_match::match_reference;
use crate::aws::rollout_configuration::RolloutConfiguration;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::aws::secret_reference::{RequestedVersion, SecretReference};
use crate::settings::DeploymentRisk;
use crate::text::Untrusted;

/// An ECS service, as far as decisions need to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcsService {
    /// Its ARN, which holds the cluster's name unless it has the form from before 2018.
    pub arn: ServiceArn,
    /// The cluster's ARN.
    pub cluster: ClusterArn,
    /// Its status.
    pub status: ServiceStatus,
    /// Its deployment controller.
    pub controller: DeploymentController,
    /// Whether another AWS service manages it (`resourceManagementType` `ECS`: Express gateways have an API of their own).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// Present if it is no service but a managed daemon, which has an API of its own, and no deployment controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<ManagedDaemon>,
    /// The PRIMARY deployment.
    #[serde(default)]
    pub primary: Option<EcsDeployment>,
    /// Its other deployments: those that PRIMARY replaces, and those that failed. Absent where nobody described them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_deployments: Option<Vec<EcsDeployment>>,
    /// How many tasks it should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<u32>,
    /// How many tasks it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_count: Option<u32>,
    /// How it is deployed, as far as that says how long a healthy deployment takes.
    #[serde(default, skip_serializing_if = "RolloutConfiguration::is_default")]
    pub deployment_configuration: RolloutConfiguration,
    /// The ARN of the service deployment that goes on (`currentServiceDeployment`), for commands about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_deployment: Option<String>,
    /// The risks of a forced deployment of it.
    #[serde(alias = "findings", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<DeploymentRisk>,
    /// The execution roles of its task definitions, which read its secrets when a task starts.
    #[serde(alias = "roles", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub execution_roles: BTreeSet<Untrusted>,
    /// The service's tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Everything in the service and its task definition that may refer to a secret.
    #[serde(default)]
    pub references: Vec<SecretReference>,
}

impl EcsService {
    /// The Region and the account of the service, from its ARN.
    pub fn region_and_account(&self) -> (&str, &str) {
        self.arn.region_and_account()
    }

    /// `cluster/service`, for people.
    pub fn display_name(&self) -> Untrusted {
        let long_arn = self.arn.with_cluster(&self.cluster);
        let resource = Arn::parse_for_service("ecs", &long_arn).map(|arn| arn.resource);
        let path = resource.and_then(|resource| {
            resource.strip_prefix("service/").or_else(|| resource.strip_prefix("daemon/"))
        });
        Untrusted::new(path.unwrap_or(&self.arn))
    }

    /// The versions of `secret` that the service asks for; empty if it does not use the secret.
    pub fn find_requested_versions(&self, secret: &SecretRef) -> Vec<RequestedVersion> {
        self.find_requested_versions_with(secret, &[], &BTreeMap::new())
    }

    /// The versions of `secret` that the service asks for, also by references that are declared elsewhere. `known` is what
    /// Secrets Manager says, by the key of a secret.
    pub fn find_requested_versions_with(
        &self,
        secret: &SecretRef,
        declared: &[SecretReference],
        known: &BTreeMap<String, SecretMetadata>,
    ) -> Vec<RequestedVersion> {
        let mut versions = Vec::new();
        for (used, version) in self.find_requested_secrets_with(declared) {
            if match_reference(&used, secret, known).is_some() {
                versions.push(version);
            }
        }
        versions
    }

    /// The secrets of other Regions and accounts than its own to which it refers.
    pub fn find_distant_secrets(&self) -> BTreeSet<SecretRef> {
        let own_location = self.region_and_account();
        let mut distant = BTreeSet::new();
        for (secret, _) in self.find_requested_secrets_with(&[]) {
            if (secret.region.as_str(), secret.account.as_str()) != own_location {
                distant.insert(secret);
            }
        }
        distant
    }

    /// The secrets and versions that the service asks for, also by references that are declared elsewhere.
    pub fn find_requested_secrets_with(
        &self,
        declared: &[SecretReference],
    ) -> Vec<(SecretRef, RequestedVersion)> {
        let (region, account) = self.region_and_account();
        let mut requested = Vec::new();
        for reference in self.references.iter().chain(declared) {
            requested.extend(reference.resolve_secret(account, region));
        }
        requested
    }
}

/// The status of a service (`status` in the API reference of ECS, `Service`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ServiceStatus {
    /// `ACTIVE`: it runs tasks.
    Active,
    /// `DRAINING`: it is being deleted, and still has tasks.
    Draining,
    /// `INACTIVE`: it is deleted.
    Inactive,
    /// A status of later versions of the API; empty where the status is not known.
    Other(String),
}

impl ServiceStatus {
    /// The status as ECS writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
            Self::Other(status) => status,
        }
    }
}

impl From<String> for ServiceStatus {
    fn from(status: String) -> Self {
        match status.as_str() {
            "ACTIVE" => Self::Active,
            "DRAINING" => Self::Draining,
            "INACTIVE" => Self::Inactive,
            _ => Self::Other(status),
        }
    }
}

impl From<ServiceStatus> for String {
    fn from(status: ServiceStatus) -> Self {
        status.as_str().to_owned()
    }
}

impl Default for ServiceStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// The deployment controller of a service (`DeploymentController` in the API reference of ECS).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DeploymentController {
    /// `ECS`: a forced deployment is possible.
    Ecs,
    /// `CODE_DEPLOY`: `CodeDeploy` deploys it, and ECS refuses a forced deployment.
    CodeDeploy,
    /// `EXTERNAL`: a third party creates its task sets.
    External,
    /// A controller of later versions of the API; empty where the controller is not known.
    Other(String),
}

impl DeploymentController {
    /// The controller as ECS writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ecs => "ECS",
            Self::CodeDeploy => "CODE_DEPLOY",
            Self::External => "EXTERNAL",
            Self::Other(controller) => controller,
        }
    }
}

impl From<String> for DeploymentController {
    fn from(controller: String) -> Self {
        match controller.as_str() {
            "ECS" => Self::Ecs,
            "CODE_DEPLOY" => Self::CodeDeploy,
            "EXTERNAL" => Self::External,
            _ => Self::Other(controller),
        }
    }
}

impl From<DeploymentController> for String {
    fn from(controller: DeploymentController) -> Self {
        controller.as_str().to_owned()
    }
}

impl Default for DeploymentController {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::secret_reference::ReferenceKind;

    #[test]
    fn status_and_controller_are_read_and_written_as_ecs_writes_them() {
        for (text, status) in [
            ("ACTIVE", ServiceStatus::Active),
            ("DRAINING", ServiceStatus::Draining),
            ("INACTIVE", ServiceStatus::Inactive),
            ("", ServiceStatus::default()),
            ("active", ServiceStatus::Other("active".to_owned())),
        ] {
            let json = serde_json::Value::from(text);
            assert_eq!(serde_json::to_value(&status).unwrap(), json);
            assert_eq!(serde_json::from_value::<ServiceStatus>(json).unwrap(), status);
        }
        for (text, controller) in [
            ("ECS", DeploymentController::Ecs),
            ("CODE_DEPLOY", DeploymentController::CodeDeploy),
            ("EXTERNAL", DeploymentController::External),
            ("", DeploymentController::default()),
            ("NEW", DeploymentController::Other("NEW".to_owned())),
        ] {
            let json = serde_json::Value::from(text);
            assert_eq!(serde_json::to_value(&controller).unwrap(), json);
            assert_eq!(serde_json::from_value::<DeploymentController>(json).unwrap(), controller);
        }
    }

    #[test]
    fn a_service_uses_the_secrets_that_it_refers_to_and_those_that_are_declared() {
        let declared =
            |name: &str| SecretReference { kind: ReferenceKind::Declared, value: Untrusted::new(name) };
        let service = EcsService {
            arn: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".into(),
            references: vec![declared("prod/db"), declared("prod/db"), declared("prod/db2")],
            ..EcsService::default()
        };
        assert_eq!(service.display_name(), Untrusted::new("shop/web"));
        let secret =
            |name: &str, region: &str| SecretRef::from_name_or_arn(name, "111122223333", region).unwrap();
        let current = RequestedVersion::Current;
        let db = secret("prod/db", "us-west-2");
        assert_eq!(service.find_requested_versions(&db), [current.clone(), current.clone()]);
        assert_eq!(service.find_requested_versions(&secret("prod/db", "eu-west-1")), []);
        let api = secret("prod/api", "us-west-2");
        assert_eq!(service.find_requested_versions(&api), []);
        assert_eq!(
            service.find_requested_versions_with(&api, &[declared("prod/api")], &BTreeMap::new()),
            [current]
        );
    }
}
