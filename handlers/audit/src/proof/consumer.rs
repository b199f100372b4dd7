//! Which services used a secret when it changed, as far as facts or task definitions in the input say.

use std::collections::{BTreeMap, BTreeSet};

use super::change::ObservedChange;
use super::deployment_history::DeploymentHistory;
use super::observe::{RegisteredDefinition, RoleIdentity, ServiceCall, ServiceIdentity};
use responder_core::aws::ecs_service::{EcsService, ReferenceKind, RequestedVersion, SecretReference};
use responder_core::aws::service_tags::{RedeployTag, ServiceTags};
use responder_core::facts::{Facts, place};
use responder_core::text::Untrusted;

/// A service that used a secret.
#[derive(Debug)]
pub(super) struct ObservedConsumer {
    pub(super) place: ServiceIdentity,
    pub(super) arn: String,
    pub(super) roles: BTreeSet<RoleIdentity>,
    /// Why no deployment brings it the new value.
    pub(super) excluded: Option<&'static str>,
    /// Why it may have none.
    pub(super) note: Option<&'static str>,
}

/// What is known of services and task definitions.
pub(super) struct ServiceKnowledge<'o> {
    pub(super) facts: &'o Facts,
    pub(super) histories: BTreeMap<ServiceIdentity, DeploymentHistory<'o>>,
    pub(super) definitions: BTreeMap<&'o str, &'o RegisteredDefinition>,
}

const EXCLUDED: &str = "it asks for a version of the secret of its own choice, not for AWSCURRENT";

impl ServiceKnowledge<'_> {
    /// The services that used the secret.
    pub(super) fn consumers(&self, change: &ObservedChange) -> Vec<ObservedConsumer> {
        match &self.facts.services {
            Some(services) => services.iter().filter_map(|service| self.by_facts(service, change)).collect(),
            None => self
                .histories
                .iter()
                .filter_map(|(place, history)| self.by_definition(place, history, change))
                .collect(),
        }
    }

    /// Why a secret has no consumer here, and whether that is certain.
    pub(super) fn none(&self, change: &ObservedChange) -> (bool, &'static str) {
        let (account, region) = (&*change.secret.account, &*change.secret.region);
        match &self.facts.services {
            None => (false, "no task definition in the input refers to it"),
            Some(_) if self.facts.discovery_failures.contains_key(&place(account, region)) => {
                (false, "the facts have gaps in its account and Region")
            }
            Some(services) if services.iter().any(|service| service.place() == (region, account)) => {
                (true, "no service in the facts refers to it")
            }
            Some(_) => (false, "the facts name no service in its account and Region"),
        }
    }

    fn by_facts(&self, service: &EcsService, change: &ObservedChange) -> Option<ObservedConsumer> {
        let control = ServiceTags::of(&service.tags);
        let label = service.label();
        let configured = [service.arn.as_str(), label.raw()].into_iter();
        let configured = configured.filter_map(|name| self.facts.settings.readers.get(name)).flatten();
        let declared: Vec<SecretReference> = control
            .secrets
            .iter()
            .chain(configured)
            .map(|value| SecretReference { kind: ReferenceKind::Declared, value: value.clone() })
            .collect();
        let versions = service.uses_with(&change.secret, &declared);
        if versions.is_empty() || service.status == "INACTIVE" {
            return None;
        }
        let (_, account) = service.place();
        let roles = service.execution_roles.iter().filter_map(|role| RoleIdentity::of(role.raw(), account));
        Some(ObservedConsumer {
            place: ServiceIdentity::of(&service.arn, Some(&service.cluster))?,
            arn: service.arn.clone(),
            roles: roles.collect(),
            excluded: (!versions.contains(&RequestedVersion::Current)).then_some(EXCLUDED),
            note: match control.redeploy {
                RedeployTag::Auto => None,
                RedeployTag::Notify => Some("its tag `secrets-responder:redeploy` asks for a human"),
                RedeployTag::Off => Some("its tag `secrets-responder:redeploy` opts it out"),
            },
        })
    }

    fn by_definition(
        &self,
        place: &ServiceIdentity,
        history: &DeploymentHistory<'_>,
        change: &ObservedChange,
    ) -> Option<ObservedConsumer> {
        let call = in_force(history, change)?;
        let definition = call.definition.as_deref().and_then(|id| self.definitions.get(id));
        let own = call.references.iter().map(|value| SecretReference {
            kind: ReferenceKind::ServiceConnectSecret,
            value: Untrusted::new(value),
        });
        let arn = history.arn.map_or_else(|| format!("{}/{}", place.cluster, place.name), str::to_owned);
        let (account, region) = (place.account.as_str(), place.region.as_str());
        let references = own.chain(definition.into_iter().flat_map(|definition| definition.references()));
        let versions: Vec<RequestedVersion> = references
            .filter_map(|reference| reference.parse(account, region))
            .filter(|(used, _)| used.may_be(&change.secret))
            .map(|(_, version)| version)
            .collect();
        (!versions.is_empty()).then(|| ObservedConsumer {
            place: place.clone(),
            arn,
            roles: definition.and_then(|definition| definition.role.clone()).into_iter().collect(),
            excluded: (!versions.contains(&RequestedVersion::Current)).then_some(EXCLUDED),
            note: None,
        })
    }
}

/// The call that says which task definition the service had when the secret changed: the last one before it, else the
/// next one, unless that creates the service.
fn in_force<'h>(history: &DeploymentHistory<'h>, change: &ObservedChange) -> Option<&'h ServiceCall> {
    let named = || history.calls.iter().copied().filter(|call| call.definition.is_some());
    let before = named().rfind(|call| call.at <= change.at);
    before.or_else(|| named().next().filter(|call| !call.creates))
}
