//! The answers of ECS about managed daemons, as far as the engine needs them.

use std::collections::BTreeSet;

use responder_core::aws::ecs_service::{EcsDeployment, RolloutState};
use responder_core::aws::managed_daemon::ManagedDaemon;
use responder_core::time::Timestamp;

use super::ecs::DescribedService;

/// An answer of `DescribeDaemon`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedDaemon {
    /// Its ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// `ACTIVE` or `DELETE_IN_PROGRESS`.
    pub status: String,
    /// The ARNs of the revisions that run: more than one while an update goes on.
    pub revisions: Vec<String>,
    /// The ARNs of the capacity providers of these revisions.
    pub capacity_providers: BTreeSet<String>,
}

/// A revision of a daemon (`DescribeDaemonRevisions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedDaemonRevision {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl DescribedDaemon {
    /// The daemon in the form of a service: its newest revision is its PRIMARY deployment, which is complete when no other runs.
    pub(crate) fn into_service(self, mut revisions: Vec<DescribedDaemonRevision>) -> DescribedService {
        revisions.sort_by_key(|revision| revision.created_at);
        let is_replaced = self.revisions.len() > 1;
        let rollout_state = if is_replaced { RolloutState::InProgress } else { RolloutState::Completed };
        let task_definitions = revisions.iter().map(|revision| revision.task_definition.clone()).collect();
        let newest = revisions.pop().unwrap_or_default();
        let primary = EcsDeployment {
            id: newest.arn,
            created_at: newest.created_at,
            rollout_state: Some(rollout_state),
            ..EcsDeployment::default()
        };
        let status = if self.status == "DELETE_IN_PROGRESS" { "DRAINING".to_owned() } else { self.status };
        DescribedService {
            arn: self.arn,
            cluster: self.cluster,
            status,
            controller: "ECS".to_owned(),
            primary: Some(primary),
            daemon: Some(ManagedDaemon {
                task_definition: newest.task_definition,
                capacity_providers: self.capacity_providers.into_iter().collect(),
            }),
            task_definitions,
            ..DescribedService::default()
        }
    }
}
