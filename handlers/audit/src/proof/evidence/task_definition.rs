//! Registered task definitions: the evidence for the secrets that a service uses.

use serde_json::Value;

use super::identity::{RoleIdentity, identify_definition};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::event::Event;
use responder_core::text::Untrusted;

/// A record of `RegisterTaskDefinition`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RegisteredDefinition {
    /// `account/region/family:revision`.
    pub(crate) id: String,
    /// The execution role.
    pub(crate) role: Option<RoleIdentity>,
    /// The references to secrets.
    references: Vec<DefinitionReference>,
}

/// A reference to a secret: an ARN, or a bare name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DefinitionReference {
    /// Whether a bare name here is the name of a secret. Elsewhere it is the name of an SSM parameter.
    takes_names: bool,
    value: String,
}

impl RegisteredDefinition {
    /// Reads a record. Returns `None` if it does not name the definition.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        let answered = event.find_value("/detail/responseElements/taskDefinition")?;
        let id = answered.get("taskDefinitionArn").and_then(Value::as_str)?;
        let mut references = Vec::new();
        let mut role = None;
        // The answer repeats the request, unless CloudTrail left one of them out for its size.
        for definition in
            [Some(answered), event.find_value("/detail/requestParameters")].into_iter().flatten()
        {
            collect_references(definition, &mut references);
            if role.is_none() {
                role = definition.get("executionRoleArn").and_then(Value::as_str);
            }
        }
        references.sort();
        references.dedup();
        Some(Self {
            id: identify_definition(id, event),
            role: role.and_then(|role| RoleIdentity::parse(role, &event.account)),
            references,
        })
    }

    /// The references, as those of a service.
    pub(crate) fn secret_references(&self) -> Vec<SecretReference> {
        let mut references = Vec::new();
        for reference in &self.references {
            let kind = if reference.takes_names {
                ReferenceKind::RepositoryCredentials
            } else {
                ReferenceKind::ContainerSecret
            };
            references.push(SecretReference { kind, value: Untrusted::new(&*reference.value) });
        }
        references
    }
}

/// Collects every reference of a task definition to a secret (API reference of ECS: `Secret`, `LogConfiguration`,
/// `RepositoryCredentials`, `FSxWindowsFileServerAuthorizationConfig`).
fn collect_references(definition: &Value, references: &mut Vec<DefinitionReference>) {
    for container in list_members(definition, "containerDefinitions") {
        let mut values = list_values(container, "secrets");
        if let Some(log) = container.get("logConfiguration") {
            values.extend(list_values(log, "secretOptions"));
        }
        for value in values {
            references.push(DefinitionReference { takes_names: false, value });
        }
        collect_credentials(container, "/repositoryCredentials/credentialsParameter", references);
    }
    for volume in list_members(definition, "volumes") {
        let pointer = "/fsxWindowsFileServerVolumeConfiguration/authorizationConfig/credentialsParameter";
        collect_credentials(volume, pointer, references);
    }
}

fn collect_credentials(part: &Value, pointer: &str, references: &mut Vec<DefinitionReference>) {
    if let Some(value) = part.pointer(pointer).and_then(Value::as_str) {
        references.push(DefinitionReference { takes_names: true, value: value.to_owned() });
    }
}

fn list_members<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    match value.get(name) {
        Some(Value::Array(members)) => members,
        _ => &[],
    }
}

/// Returns `valueFrom` of each secret in a list.
pub(super) fn list_values(value: &Value, list: &str) -> Vec<String> {
    let secrets = list_members(value, list).iter();
    secrets.filter_map(|secret| secret.get("valueFrom")?.as_str().map(str::to_owned)).collect()
}
