//! ECS services, and which of their references mean a given secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::arn::Arn;
use crate::aws::secret_ref::SecretRef;
use crate::settings::DeploymentRisk;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// What is known of an ECS service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcsService {
    /// Its ARN, which holds the cluster's name.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// The deployment controller: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// Whether another AWS service manages it (`resourceManagementType` `ECS`: Express gateways and daemons have APIs of
    /// their own).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// The PRIMARY deployment.
    #[serde(default)]
    pub primary: Option<EcsDeployment>,
    /// What makes a forced deployment of it less harmless.
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

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcsDeployment {
    /// Its id (`ecs-svc/…`); empty while nobody knows it: only ECS gives one to what a replay plans.
    pub id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// How far it is, where ECS says so.
    #[serde(alias = "state", default, skip_serializing_if = "Option::is_none")]
    pub rollout_state: Option<RolloutState>,
}

/// How far a deployment is (`rolloutState` in the API reference of ECS, `Deployment`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// It goes on.
    InProgress,
    /// It is done.
    Completed,
    /// The circuit breaker or an alarm ended it.
    Failed,
}

/// A place in a service or task definition that may refer to a secret, as it is written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretReference {
    /// Where it stands.
    pub kind: ReferenceKind,
    /// The value: an ARN with optional `:json-key:version-stage:version-id`, or a name.
    pub value: Untrusted,
}

/// Where a reference to a secret may stand (API reference of ECS: `Secret`, `LogConfiguration`, `RepositoryCredentials`,
/// `FSxWindowsFileServerAuthorizationConfig`, `ServiceConnectConfiguration`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    /// `containerDefinitions[].secrets[].valueFrom`; a bare name there is an SSM parameter.
    ContainerSecret,
    /// `containerDefinitions[].logConfiguration.secretOptions[].valueFrom`.
    LogSecret,
    /// `serviceConnectConfiguration.logConfiguration.secretOptions[].valueFrom` of the service.
    ServiceConnectSecret,
    /// `containerDefinitions[].repositoryCredentials.credentialsParameter`: an ARN or a bare name.
    RepositoryCredentials,
    /// `volumes[].fsxWindowsFileServerVolumeConfiguration.authorizationConfig.credentialsParameter`.
    FsxCredentials,
    /// Not in the service: an operator says, by tag or configuration, that it reads the secret; an ARN or a bare name.
    Declared,
}

/// Which version of the secret a reference asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedVersion {
    /// AWSCURRENT, named or not.
    Current,
    /// Another staging label, such as AWSPREVIOUS.
    Stage(Untrusted),
    /// One version, for ever.
    Pinned,
}

/// The part of the path of an SSM parameter that means a secret.
const SSM_REFERENCE: &str = "/aws/reference/secretsmanager/";

impl EcsService {
    /// The Region and account of the service, from its ARN.
    pub fn place(&self) -> (&str, &str) {
        Arn::of("ecs", &self.arn).map_or(("", ""), |arn| (arn.region, arn.account))
    }

    /// `cluster/service`, for people.
    pub fn label(&self) -> Untrusted {
        let path = Arn::of("ecs", &self.arn).and_then(|arn| arn.resource.strip_prefix("service/"));
        Untrusted::new(path.unwrap_or(&self.arn))
    }

    /// The versions of `secret` that this service asks for; empty if it does not use the secret.
    pub fn uses(&self, secret: &SecretRef) -> Vec<RequestedVersion> {
        self.uses_with(secret, &[])
    }

    /// The same, with references that are declared elsewhere.
    pub fn uses_with(&self, secret: &SecretRef, declared: &[SecretReference]) -> Vec<RequestedVersion> {
        let all = self.secrets_with(declared);
        all.filter(|(used, _)| used.may_be(secret)).map(|(_, version)| version).collect()
    }

    /// The secrets and versions that it asks for, with what is declared elsewhere.
    pub fn secrets_with<'s>(
        &'s self,
        declared: &'s [SecretReference],
    ) -> impl Iterator<Item = (SecretRef, RequestedVersion)> + 's {
        let (region, account) = self.place();
        let references = self.references.iter().chain(declared);
        references.filter_map(move |reference| reference.parse(account, region))
    }
}

impl SecretReference {
    /// The secret and version that this means to a service in (`account`, `region`); `None` if it means no secret.
    pub fn parse(&self, account: &str, region: &str) -> Option<(SecretRef, RequestedVersion)> {
        let value = self.value.raw();
        let parameter = Arn::of("ssm", value).and_then(|arn| arn.resource.strip_prefix("parameter"));
        if let Some(rest) = parameter.unwrap_or(value).strip_prefix(SSM_REFERENCE) {
            return through_parameter_store(value, rest, account, region);
        }
        if value.starts_with("arn:") {
            return by_arn(value);
        }
        self.kind
            .takes_names()
            .then(|| SecretRef::typed(value, account, region))
            .flatten()
            .map(|secret| (secret, RequestedVersion::Current))
    }
}

impl ReferenceKind {
    /// Whether a bare name there is a secret's.
    fn takes_names(self) -> bool {
        match self {
            Self::ContainerSecret | Self::LogSecret | Self::ServiceConnectSecret => false,
            Self::RepositoryCredentials | Self::FsxCredentials | Self::Declared => true,
        }
    }
}

/// `arn:…:secret:NAME[-SUFFIX][:json-key:version-stage:version-id]`; trailing colons are kept by ECS.
fn by_arn(value: &str) -> Option<(SecretRef, RequestedVersion)> {
    let mut parts = value.splitn(11, ':');
    let arn: Vec<&str> = parts.by_ref().take(7).collect();
    let secret = SecretRef::from_arn(&arn.join(":"))?;
    let (_json_key, stage, id) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let version = match (stage, id) {
        ("" | "AWSCURRENT", "") => RequestedVersion::Current,
        (_, "") => RequestedVersion::Stage(Untrusted::new(stage)),
        _ => RequestedVersion::Pinned,
    };
    Some((secret, version))
}

/// `/aws/reference/secretsmanager/NAME[:stage-or-version-id]` (Systems Manager's integration with Secrets Manager).
fn through_parameter_store(
    value: &str,
    rest: &str,
    account: &str,
    region: &str,
) -> Option<(SecretRef, RequestedVersion)> {
    let (account, region) = Arn::of("ssm", value).map_or((account, region), |arn| (arn.account, arn.region));
    let (name, selector) = rest.split_once(':').unwrap_or((rest, ""));
    let version = match selector {
        "" | "AWSCURRENT" => RequestedVersion::Current,
        id if is_version_id(id) => RequestedVersion::Pinned,
        stage => RequestedVersion::Stage(Untrusted::new(stage)),
    };
    SecretRef::typed(name, account, region).map(|secret| (secret, version))
}

/// Version ids are UUIDs.
fn is_version_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db";

    fn versions(kind: ReferenceKind, value: &str) -> Vec<RequestedVersion> {
        let service = EcsService {
            arn: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".to_owned(),
            cluster: "arn:aws:ecs:us-west-2:111122223333:cluster/shop".to_owned(),
            status: "ACTIVE".to_owned(),
            controller: "ECS".to_owned(),
            references: vec![SecretReference { kind, value: Untrusted::new(value) }],
            ..EcsService::default()
        };
        service.uses(&SecretRef::from_arn(&format!("{SECRET}-a1B2c3")).unwrap())
    }

    const PARAMETER: &str =
        "arn:aws:ssm:us-west-2:111122223333:parameter/aws/reference/secretsmanager/prod/db";
    const ID: &str = "a1b2c3d4-0000-4000-8000-000000000000";
    const KINDS: [ReferenceKind; 6] = [
        ReferenceKind::ContainerSecret,
        ReferenceKind::LogSecret,
        ReferenceKind::ServiceConnectSecret,
        ReferenceKind::RepositoryCredentials,
        ReferenceKind::FsxCredentials,
        ReferenceKind::Declared,
    ];

    fn assert_means(kind: ReferenceKind, current: &[&str], nothing: &[&str]) {
        for value in current {
            assert_eq!(versions(kind, value), [RequestedVersion::Current], "{kind:?} {value}");
        }
        for value in nothing {
            assert_eq!(versions(kind, value), [], "{kind:?} {value}");
        }
    }

    #[test]
    fn a_container_secret_is_an_arn_and_its_bare_name_is_a_parameter() {
        let key = format!("{SECRET}-a1B2c3:password::");
        assert_means(ReferenceKind::ContainerSecret, &[SECRET, &key], &["prod/db", "/prod/db"]);
    }

    #[test]
    fn a_log_secret_is_an_arn_and_its_bare_name_is_a_parameter() {
        let key = format!("{SECRET}-a1B2c3:token::");
        assert_means(ReferenceKind::LogSecret, &[SECRET, &key], &["prod/db", "/prod/db"]);
    }

    #[test]
    fn a_log_secret_of_service_connect_is_an_arn_and_its_bare_name_is_a_parameter() {
        let key = format!("{SECRET}-a1B2c3:token::");
        assert_means(ReferenceKind::ServiceConnectSecret, &[SECRET, &key], &["prod/db", "/prod/db"]);
    }

    #[test]
    fn registry_credentials_are_an_arn() {
        let (full, other) = (format!("{SECRET}-a1B2c3"), format!("{SECRET}2-a1B2c3"));
        assert_means(ReferenceKind::RepositoryCredentials, &[SECRET, &full], &[&other]);
    }

    #[test]
    fn registry_credentials_are_a_bare_name() {
        assert_means(ReferenceKind::RepositoryCredentials, &["prod/db"], &["prod/db2", "prod", "db"]);
        // A name is as it is: only an ARN ends with random characters.
        assert_means(ReferenceKind::RepositoryCredentials, &[], &["prod/db-zzzzzz", ""]);
    }

    #[test]
    fn file_system_credentials_are_an_arn_or_a_bare_name() {
        let (full, other) = (format!("{SECRET}-a1B2c3"), format!("{SECRET}2-a1B2c3"));
        assert_means(ReferenceKind::FsxCredentials, &[SECRET, &full, "prod/db"], &[&other, "prod/db2"]);
    }

    #[test]
    fn a_declared_secret_is_an_arn_or_a_bare_name() {
        let (full, other) = (format!("{SECRET}-a1B2c3"), format!("{SECRET}2-a1B2c3"));
        let near = [&other, "prod/db2", "arn:aws:ssm:us-west-2:111122223333:parameter/prod/db"];
        assert_means(ReferenceKind::Declared, &[SECRET, &full, "prod/db"], &near);
    }

    #[test]
    fn a_parameter_means_a_secret_by_the_name_of_its_reference() {
        let name = "/aws/reference/secretsmanager/prod/db";
        let near = ["/aws/reference/secretsmanager/prod/db2", "/my/aws/reference/secretsmanager/prod/db"];
        assert_means(ReferenceKind::ContainerSecret, &[name, &format!("{name}:AWSCURRENT")], &near);
        assert_means(ReferenceKind::LogSecret, &[name], &["aws/reference/secretsmanager/prod/db"]);
    }

    #[test]
    fn a_parameter_means_a_secret_by_the_arn_of_its_reference() {
        let near = [
            &format!("{PARAMETER}2"),
            &PARAMETER.replace("us-west-2", "eu-west-1"),
            &PARAMETER.replace("111122223333", "444455556666"),
            "arn:aws:ssm:us-west-2:111122223333:parameter/prod/db",
        ];
        assert_means(ReferenceKind::ContainerSecret, &[PARAMETER], &near.map(|near| near));
    }

    #[test]
    fn a_full_arn_means_one_secret_everywhere_and_not_its_successor_of_the_same_name() {
        let full = format!("{SECRET}-a1B2c3");
        // Deleted and created again, a secret gets other random characters.
        let near = [&format!("{SECRET}-zzzzzz"), &format!("{SECRET}x-a1B2c3"), &format!("{full}x")];
        for kind in KINDS {
            assert_means(
                kind,
                &[&full, &format!("{full}:::"), &format!("{full}:k::")],
                &near.map(|near| &**near),
            );
        }
    }

    #[test]
    fn a_partial_arn_means_a_secret_by_its_whole_name_everywhere() {
        let near = [&format!("{SECRET}x"), &format!("{SECRET}-a1B2c"), SECRET.trim_end_matches("/db")];
        for kind in KINDS {
            assert_means(kind, &[SECRET, &format!("{SECRET}:k")], &near);
        }
    }

    #[test]
    fn a_replica_or_a_namesake_in_another_region_or_account_is_another_secret() {
        let full = format!("{SECRET}-a1B2c3");
        for kind in KINDS {
            for value in [SECRET, &full] {
                let (replica, namesake) =
                    (value.replace("us-west-2", "eu-west-1"), value.replace("111122223333", "444455556666"));
                assert_means(kind, &[value], &[&replica, &namesake]);
            }
        }
    }

    #[test]
    fn a_pinned_version_is_told_from_the_current_one() {
        let (full, kind) = (format!("{SECRET}-a1B2c3"), ReferenceKind::ContainerSecret);
        assert_eq!(versions(kind, &format!("{full}:::{ID}")), [RequestedVersion::Pinned]);
        assert_eq!(versions(kind, &format!("{full}:k::{ID}")), [RequestedVersion::Pinned]);
        assert_means(kind, &[&format!("{full}:{ID}::")], &[]);
        for parameter in ["/aws/reference/secretsmanager/prod/db", PARAMETER] {
            assert_eq!(
                versions(kind, &format!("{parameter}:{ID}")),
                [RequestedVersion::Pinned],
                "{parameter}"
            );
        }
    }

    #[test]
    fn another_staging_label_is_told_from_the_current_one() {
        let (full, kind) = (format!("{SECRET}-a1B2c3"), ReferenceKind::ContainerSecret);
        let previous = [RequestedVersion::Stage(Untrusted::new("AWSPREVIOUS"))];
        assert_eq!(versions(kind, &format!("{full}::AWSPREVIOUS:")), previous);
        assert_means(kind, &[&format!("{full}:k:AWSCURRENT:"), &format!("{full}:AWSPREVIOUS::")], &[]);
        for parameter in ["/aws/reference/secretsmanager/prod/db", PARAMETER] {
            assert_eq!(versions(kind, &format!("{parameter}:AWSPREVIOUS")), previous, "{parameter}");
            assert_means(kind, &[&format!("{parameter}:AWSCURRENT")], &[]);
        }
    }
}
