//! ECS services, and which of their references mean a given secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;
use crate::secret::SecretRef;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// What is known of an ECS service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its ARN, which holds the cluster's name.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// The deployment controller: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// The PRIMARY deployment.
    #[serde(default)]
    pub primary: Option<Deployment>,
    /// The service's tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Everything in the service and its task definition that may refer to a secret.
    #[serde(default)]
    pub references: Vec<Reference>,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Its id (`ecs-svc/…`).
    pub id: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A place in a service or task definition that may refer to a secret, as it is written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
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
}

/// Which version of the secret a reference asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// AWSCURRENT, named or not.
    Current,
    /// Another staging label, such as AWSPREVIOUS.
    Stage(Untrusted),
    /// One version, for ever.
    Pinned,
}

/// The part of the path of an SSM parameter that means a secret.
const SSM_REFERENCE: &str = "/aws/reference/secretsmanager/";

impl Service {
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
    pub fn uses(&self, secret: &SecretRef) -> Vec<Version> {
        let (region, account) = self.place();
        let parsed = self.references.iter().filter_map(|reference| reference.parse(account, region));
        parsed.filter(|(used, _)| used.may_be(secret)).map(|(_, version)| version).collect()
    }
}

impl Reference {
    /// The secret and version that this means to a service in (`account`, `region`); `None` if it means no secret.
    pub fn parse(&self, account: &str, region: &str) -> Option<(SecretRef, Version)> {
        let value = self.value.raw();
        let parameter = Arn::of("ssm", value).and_then(|arn| arn.resource.strip_prefix("parameter"));
        if let Some(rest) = parameter.unwrap_or(value).strip_prefix(SSM_REFERENCE) {
            return through_parameter_store(value, rest, account, region);
        }
        if value.starts_with("arn:") {
            return by_arn(value);
        }
        // Only registry and file-system credentials may name a secret without its ARN.
        let by_name =
            matches!(self.kind, ReferenceKind::RepositoryCredentials | ReferenceKind::FsxCredentials);
        by_name
            .then(|| SecretRef::typed(value, account, region))
            .flatten()
            .map(|secret| (secret, Version::Current))
    }
}

/// `arn:…:secret:NAME[-SUFFIX][:json-key:version-stage:version-id]`; trailing colons are kept by ECS.
fn by_arn(value: &str) -> Option<(SecretRef, Version)> {
    let mut parts = value.splitn(11, ':');
    let arn: Vec<&str> = parts.by_ref().take(7).collect();
    let secret = SecretRef::from_arn(&arn.join(":"))?;
    let (_json_key, stage, id) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let version = match (stage, id) {
        ("" | "AWSCURRENT", "") => Version::Current,
        (_, "") => Version::Stage(Untrusted::new(stage)),
        _ => Version::Pinned,
    };
    Some((secret, version))
}

/// `/aws/reference/secretsmanager/NAME[:stage-or-version-id]` (Systems Manager's integration with Secrets Manager).
fn through_parameter_store(
    value: &str,
    rest: &str,
    account: &str,
    region: &str,
) -> Option<(SecretRef, Version)> {
    let (account, region) = Arn::of("ssm", value).map_or((account, region), |arn| (arn.account, arn.region));
    let (name, selector) = rest.split_once(':').unwrap_or((rest, ""));
    let version = match selector {
        "" | "AWSCURRENT" => Version::Current,
        id if is_version_id(id) => Version::Pinned,
        stage => Version::Stage(Untrusted::new(stage)),
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

    fn versions(kind: ReferenceKind, value: &str) -> Vec<Version> {
        let service = Service {
            arn: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".to_owned(),
            cluster: "arn:aws:ecs:us-west-2:111122223333:cluster/shop".to_owned(),
            status: "ACTIVE".to_owned(),
            controller: "ECS".to_owned(),
            primary: None,
            tags: BTreeMap::new(),
            references: vec![Reference { kind, value: Untrusted::new(value) }],
        };
        service.uses(&SecretRef::from_arn(&format!("{SECRET}-a1B2c3")).unwrap())
    }

    #[test]
    fn every_form_of_reference_is_recognised_and_its_near_miss_is_not() {
        use ReferenceKind::{
            ContainerSecret, FsxCredentials, LogSecret, RepositoryCredentials, ServiceConnectSecret,
        };
        let full = format!("{SECRET}-a1B2c3");
        let other = format!("{SECRET}x-a1B2c3");
        for kind in [ContainerSecret, LogSecret, ServiceConnectSecret, RepositoryCredentials, FsxCredentials]
        {
            for value in [&full, &format!("{full}:password::"), SECRET, &format!("{full}:::")] {
                assert_eq!(versions(kind, value), [Version::Current], "{kind:?} {value}");
            }
            assert_eq!(versions(kind, &other), []);
        }
        for value in [
            "/aws/reference/secretsmanager/prod/db",
            "arn:aws:ssm:us-west-2:111122223333:parameter/aws/reference/secretsmanager/prod/db",
        ] {
            assert_eq!(versions(ContainerSecret, value), [Version::Current], "{value}");
            assert_eq!(versions(ContainerSecret, &format!("{value}2")), []);
        }
        assert_eq!(versions(ContainerSecret, "/my/aws/reference/secretsmanager/prod/db"), []);
        assert_eq!(versions(RepositoryCredentials, "prod/db"), [Version::Current]);
        // A bare name is an SSM parameter there.
        assert_eq!(versions(ContainerSecret, "prod/db"), []);
    }

    #[test]
    fn pinned_versions_and_other_labels_are_told_apart() {
        let full = format!("{SECRET}-a1B2c3");
        let kind = ReferenceKind::ContainerSecret;
        assert_eq!(versions(kind, &format!("{full}:k:AWSCURRENT:")), [Version::Current]);
        assert_eq!(
            versions(kind, &format!("{full}::AWSPREVIOUS:")),
            [Version::Stage(Untrusted::new("AWSPREVIOUS"))]
        );
        assert_eq!(
            versions(kind, &format!("{full}:::a1b2c3d4-0000-4000-8000-000000000000")),
            [Version::Pinned]
        );
        let ssm = "/aws/reference/secretsmanager/prod/db:a1b2c3d4-0000-4000-8000-000000000000";
        assert_eq!(versions(kind, ssm), [Version::Pinned]);
    }

    #[test]
    fn a_secret_of_the_same_name_elsewhere_is_another() {
        let elsewhere = SECRET.replace("us-west-2", "eu-west-1");
        assert_eq!(versions(ReferenceKind::ContainerSecret, &elsewhere), []);
    }
}
