//! The question to a Region, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::ecs_arn::{ClusterArn, ServiceArn};
use responder_core::aws::ecs_service::EcsService;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::ChangeIndex;
use responder_core::state::deployment::SecretChange;
use responder_core::time::Timestamp;

/// The services of a Region that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscoveryRequest {
    /// The secrets whose users are wanted, each with the time of its change. A description of the services from before that
    /// time still finds the users: see [`super::service_inventory::ServiceInventory::renew`].
    pub(crate) secrets: Vec<(SecretRef, Timestamp)>,
    /// Named services that are wanted, by cluster and ARN.
    pub(crate) services: Vec<(ClusterArn, ServiceArn)>,
}

impl DiscoveryRequest {
    /// The secrets in the form in which the core finds their users.
    pub(super) fn change_index(&self) -> ChangeIndex {
        let mut changes = Vec::new();
        for (secret, changed_at) in &self.secrets {
            changes.push(SecretChange { secret: secret.clone(), at: *changed_at, version: None });
        }
        ChangeIndex::new(changes)
    }

    /// The time of the latest change; `None` if no users of secrets are wanted.
    pub(super) fn latest_change(&self) -> Option<Timestamp> {
        self.secrets.iter().map(|(_, changed_at)| *changed_at).max()
    }
}

/// The services that were found in one account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscoveryResult {
    /// The services that use one of the secrets or were named. A named service that does not exist is `INACTIVE`. `None` if
    /// not even the clusters could be listed.
    pub(crate) services: Option<Vec<EcsService>>,
    /// The secrets of other Regions and accounts to which the services of the Region refer, by the service's ARN.
    pub(crate) distant_references: BTreeMap<ServiceArn, BTreeSet<SecretRef>>,
    /// The discovery failures, as sentences: the next invocation asks again.
    pub(crate) failures: BTreeSet<String>,
}
