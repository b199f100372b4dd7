//! The services that used a secret when it changed, as far as the facts or the task definitions in the input show.

use std::collections::{BTreeMap, BTreeSet};

use super::deployment_history::DeploymentHistory;
use super::secret_changes::ObservedChange;
use crate::proof::evidence::{RegisteredDefinition, RoleIdentity, ServiceCall, ServiceIdentity};
use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::ecs_service::{EcsService, ServiceStatus};
use responder_core::aws::location::Location;
use responder_core::aws::reference_match::match_reference;
use responder_core::aws::secret_reference::{ReferenceKind, RequestedVersion, SecretReference};
use responder_core::aws::service_tags::{RedeployTag, ServiceTags};
use responder_core::facts::Facts;
use responder_core::text::Untrusted;

/// A service that used a secret.
#[derive(Debug)]
pub(super) struct ObservedConsumer {
    pub(super) arn: ServiceArn,
    pub(super) service: ServiceIdentity,
    /// The execution roles.
    pub(super) roles: BTreeSet<RoleIdentity>,
    /// Why no deployment brings it the new value, if none does.
    pub(super) excluded: Option<&'static str>,
    /// Why it may have no deployment.
    pub(super) note: Option<&'static str>,
}

const OTHER_VERSION: &str = "it asks for a version of the secret of its own choice, not for AWSCURRENT";

/// Everything that is known about services and task definitions.
pub(super) struct ServiceKnowledge<'e> {
    pub(super) facts: &'e Facts,
    pub(super) histories: BTreeMap<ServiceIdentity, DeploymentHistory<'e>>,
    /// The task definitions, by `account/region/family:revision`.
    pub(super) definitions: BTreeMap<&'e str, &'e RegisteredDefinition>,
}

impl ServiceKnowledge<'_> {
    /// Finds the services that used the secret when it changed, by ARN: by the facts if they name services, else by the
    /// task definitions in the input.
    pub(super) fn find_consumers(&self, change: &ObservedChange) -> Vec<ObservedConsumer> {
        let mut consumers = Vec::new();
        match &self.facts.services {
            Some(services) => {
                for service in services {
                    consumers.extend(self.read_facts(service, change));
                }
            }
            None => {
                for (service, history) in &self.histories {
                    consumers.extend(self.read_definition(service, history, change));
                }
            }
        }
        consumers.sort_by(|a, b| a.arn.cmp(&b.arn));
        consumers
    }

    /// Explains why a secret has no consumer here, and whether that is certain.
    pub(super) fn explain_absence(&self, change: &ObservedChange) -> (bool, &'static str) {
        let account = change.secret.account.as_str();
        let region = change.secret.region.as_str();
        let Some(services) = &self.facts.services else {
            return (false, "no task definition in the input refers to it");
        };
        if self.facts.discovery_failures.contains_key(&Location::new(account, region)) {
            return (false, "the facts have gaps in its account and Region");
        }
        if services.iter().any(|service| service.region_and_account() == (region, account)) {
            return (true, "no service in the facts refers to it");
        }
        (false, "the facts name no service in its account and Region")
    }

    /// The service as a consumer, as the facts show it.
    fn read_facts(&self, service: &EcsService, change: &ObservedChange) -> Option<ObservedConsumer> {
        let tags = ServiceTags::parse(&service.tags);
        let versions = service.find_requested_versions_with(
            &change.secret,
            &self.list_declared_references(service, &tags),
            &self.facts.secrets,
        );
        if versions.is_empty() || service.status == ServiceStatus::Inactive {
            return None;
        }
        let (_, account) = service.region_and_account();
        let mut roles = BTreeSet::new();
        for role in &service.execution_roles {
            roles.extend(RoleIdentity::parse(role.raw(), account));
        }
        Some(ObservedConsumer {
            arn: service.arn.clone(),
            service: ServiceIdentity::from_arn(&service.arn, Some(&service.cluster))?,
            roles,
            excluded: explain_exclusion(&versions),
            note: match tags.redeploy {
                RedeployTag::Auto | RedeployTag::Always => None,
                RedeployTag::Notify => Some("its tag `secrets-responder:redeploy` is `notify`"),
                RedeployTag::Off => Some("its tag `secrets-responder:redeploy` is `off`"),
            },
        })
    }

    /// The secrets that the tags of the service or the settings declare.
    fn list_declared_references(&self, service: &EcsService, tags: &ServiceTags) -> Vec<SecretReference> {
        let mut values: Vec<&Untrusted> = tags.secrets.iter().collect();
        for name in [service.arn.as_str(), service.display_name().raw()] {
            if let Some(declared) = self.facts.settings.declared_secrets.get(name) {
                values.extend(declared);
            }
        }
        let mut references = Vec::new();
        for value in values {
            references.push(SecretReference { kind: ReferenceKind::Declared, value: value.clone() });
        }
        references
    }

    /// The service as a consumer, as the task definition that it had shows it.
    fn read_definition(
        &self,
        service: &ServiceIdentity,
        history: &DeploymentHistory<'_>,
        change: &ObservedChange,
    ) -> Option<ObservedConsumer> {
        let call = find_call_in_force(history, change)?;
        let mut references = Vec::new();
        for value in &call.references {
            let value = Untrusted::new(value);
            references.push(SecretReference { kind: ReferenceKind::ServiceConnectSecret, value });
        }
        let mut roles = BTreeSet::new();
        if let Some(id) = &call.definition
            && let Some(definition) = self.definitions.get(id.as_str())
        {
            references.extend(definition.secret_references());
            roles.extend(definition.role.clone());
        }
        let mut versions = Vec::new();
        for reference in references {
            if let Some((used, version)) = reference.resolve_secret(&service.account, &service.region)
                && match_reference(&used, &change.secret, &self.facts.secrets).is_some()
            {
                versions.push(version);
            }
        }
        if versions.is_empty() {
            return None;
        }
        let arn = match history.arn {
            Some(arn) => ServiceArn::from(arn),
            None => ServiceArn::from(format!("{}/{}", service.cluster, service.name)),
        };
        let excluded = explain_exclusion(&versions);
        Some(ObservedConsumer { arn, service: service.clone(), roles, excluded, note: None })
    }
}

/// Explains why no deployment brings the new value to a service that asks for these versions.
fn explain_exclusion(versions: &[RequestedVersion]) -> Option<&'static str> {
    for version in versions {
        match version {
            RequestedVersion::Current => return None,
            // It moves together with AWSCURRENT.
            RequestedVersion::Stage(label) if label.raw() == "AWSPREVIOUS" => return None,
            RequestedVersion::Stage(_) | RequestedVersion::Pinned => {}
        }
    }
    Some(OTHER_VERSION)
}

/// Returns the call that names the task definition which the service had when the secret changed: the last one before
/// the change. If there is none it is the next one, unless that creates the service.
fn find_call_in_force<'h>(
    history: &DeploymentHistory<'h>,
    change: &ObservedChange,
) -> Option<&'h ServiceCall> {
    let mut last_before = None;
    for call in &history.calls {
        if call.definition.is_none() {
            continue;
        }
        if call.at <= change.at {
            last_before = Some(*call);
        } else if last_before.is_none() && !call.creates {
            return Some(call);
        } else {
            break;
        }
    }
    last_before
}
