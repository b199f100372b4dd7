//! References of services to secrets, and the forms in which `valueFrom` and its like may name one.

use serde::{Deserialize, Serialize};

use crate::aws::arn::Arn;
use crate::aws::secret_ref::SecretRef;
use crate::text::Untrusted;

/// A reference to a secret in a service or task definition, as it is written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReference {
    /// The field that holds it.
    pub kind: ReferenceKind,
    /// The value: an ARN with optional `:json-key:version-stage:version-id`, or a name.
    pub value: Untrusted,
}

/// The fields that may hold a reference to a secret (API reference of ECS: `Secret`, `LogConfiguration`, `RepositoryCredentials`,
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
    /// No field of the service: an operator declares, by tag or setting, that it reads the secret; an ARN or a bare name.
    Declared,
}

/// The version of the secret that a reference asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedVersion {
    /// AWSCURRENT, named or not.
    Current,
    /// Another staging label, such as AWSPREVIOUS.
    Stage(Untrusted),
    /// One version, for ever.
    Pinned,
}

/// The path of the SSM parameters that stand for secrets (Systems Manager's integration with Secrets Manager).
const PARAMETER_PATH_OF_SECRETS: &str = "/aws/reference/secretsmanager/";

impl SecretReference {
    /// The secret and the version that the reference means to a service in (`account`, `region`); `None` if it means no
    /// secret. The forms are tried in this order:
    ///
    /// 1. an SSM parameter that stands for a secret, by ARN or by path;
    /// 2. an ARN, which must be a secret's;
    /// 3. a bare name, in the fields that take the name of a secret.
    pub fn resolve_secret(&self, account: &str, region: &str) -> Option<(SecretRef, RequestedVersion)> {
        let value = self.value.raw();
        // 1. An SSM parameter.
        if let Some(arn) = Arn::parse_for_service("ssm", value)
            && let Some(path) = arn.resource.strip_prefix("parameter")
            && let Some(selector) = path.strip_prefix(PARAMETER_PATH_OF_SECRETS)
        {
            return resolve_parameter(selector, arn.account, arn.region);
        }
        if let Some(selector) = value.strip_prefix(PARAMETER_PATH_OF_SECRETS) {
            return resolve_parameter(selector, account, region);
        }
        // 2. An ARN.
        if value.starts_with("arn:") {
            return resolve_arn(value);
        }
        // 3. A bare name.
        if !self.kind.takes_secret_names() {
            return None;
        }
        let secret = SecretRef::from_name_or_arn(value, account, region)?;
        Some((secret, RequestedVersion::Current))
    }
}

impl ReferenceKind {
    /// Whether a bare name in the field is the name of a secret.
    fn takes_secret_names(self) -> bool {
        match self {
            Self::ContainerSecret | Self::LogSecret | Self::ServiceConnectSecret => false,
            Self::RepositoryCredentials | Self::FsxCredentials | Self::Declared => true,
        }
    }
}

/// Resolves `arn:…:secret:NAME[-SUFFIX][:json-key:version-stage:version-id]`; ECS keeps trailing colons.
fn resolve_arn(value: &str) -> Option<(SecretRef, RequestedVersion)> {
    let parts: Vec<&str> = value.splitn(11, ':').collect();
    let (arn, selectors) = parts.split_at(parts.len().min(7));
    let secret = SecretRef::from_arn(&arn.join(":"))?;
    // The first selector is the JSON key.
    let stage = selectors.get(1).copied().unwrap_or_default();
    let version_id = selectors.get(2).copied().unwrap_or_default();
    let version = match (stage, version_id) {
        ("" | "AWSCURRENT", "") => RequestedVersion::Current,
        (_, "") => RequestedVersion::Stage(Untrusted::new(stage)),
        _ => RequestedVersion::Pinned,
    };
    Some((secret, version))
}

/// Resolves `NAME[:stage-or-version-id]`, the end of the path of an SSM parameter.
fn resolve_parameter(selector: &str, account: &str, region: &str) -> Option<(SecretRef, RequestedVersion)> {
    let (name, stage_or_id) = selector.split_once(':').unwrap_or((selector, ""));
    let secret = SecretRef::from_name_or_arn(name, account, region)?;
    let version = match stage_or_id {
        "" | "AWSCURRENT" => RequestedVersion::Current,
        id if is_version_id(id) => RequestedVersion::Pinned,
        stage => RequestedVersion::Stage(Untrusted::new(stage)),
    };
    Some((secret, version))
}

/// Version ids are UUIDs.
fn is_version_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db";

    /// The versions of the secret that a service with this one reference asks for.
    fn versions(kind: ReferenceKind, value: &str) -> Vec<RequestedVersion> {
        let secret = SecretRef::from_arn(&format!("{SECRET}-a1B2c3")).unwrap();
        let reference = SecretReference { kind, value: Untrusted::new(value) };
        match reference.resolve_secret("111122223333", "us-west-2") {
            Some((used, version)) if used.may_be_same_secret(&secret) => vec![version],
            _ => Vec::new(),
        }
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
    fn a_pinned_version_is_not_the_current_one() {
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
    fn another_staging_label_is_not_the_current_one() {
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
