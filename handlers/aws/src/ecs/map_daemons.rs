//! Maps the answers of ECS about managed daemons to the engine's data.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{DaemonDetail, DaemonRevision, DaemonTaskDefinition};
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use responder_engine::port::{DescribedDaemon, DescribedDaemonRevision, DescribedTaskDefinition};

use super::map_answers::container_references;

/// Maps a daemon; `None` if the answer does not even name its ARN.
pub(super) fn map_daemon(daemon: &DaemonDetail) -> Option<DescribedDaemon> {
    let mut described = DescribedDaemon {
        arn: daemon.daemon_arn()?.to_owned(),
        cluster: daemon.cluster_arn()?.to_owned(),
        status: daemon.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        ..DescribedDaemon::default()
    };
    for revision in daemon.current_revisions() {
        described.revisions.extend(revision.arn().map(str::to_owned));
        for provider in revision.capacity_providers() {
            described.capacity_providers.extend(provider.arn().map(str::to_owned));
        }
    }
    Some(described)
}

/// Maps a revision; `None` if the answer does not say what it runs.
pub(super) fn map_daemon_revision(revision: &DaemonRevision) -> Option<DescribedDaemonRevision> {
    let created_at = revision.created_at().and_then(|at| at.to_millis().ok())?;
    Some(DescribedDaemonRevision {
        arn: revision.daemon_revision_arn()?.to_owned(),
        task_definition: revision.daemon_task_definition_arn()?.to_owned(),
        created_at: Timestamp::from_millis(created_at),
    })
}

/// Maps a task definition of a daemon, as far as it concerns secrets.
pub(super) fn map_daemon_task_definition(definition: &DaemonTaskDefinition) -> DescribedTaskDefinition {
    let mut references = Vec::new();
    for container in definition.container_definitions() {
        references.extend(container_references(
            container.secrets(),
            container.log_configuration(),
            container.repository_credentials(),
        ));
    }
    // We never deploy a daemon, so the risks of a deployment do not matter.
    let risks = BTreeSet::new();
    DescribedTaskDefinition { references, role: definition.execution_role_arn().map(Untrusted::new), risks }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::primitives::DateTime;
    use aws_sdk_ecs::types::{
        DaemonCapacityProvider, DaemonContainerDefinition, DaemonRevisionDetail, DaemonStatus,
        LogConfiguration, LogDriver, RepositoryCredentials, Secret,
    };

    use super::*;

    fn secret(value: &str) -> Secret {
        Secret::builder().name("X").value_from(value).build().unwrap()
    }

    #[test]
    fn every_place_of_a_daemon_that_holds_a_reference_is_read() {
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Splunk)
            .secret_options(secret("log"))
            .build()
            .unwrap();
        let container = DaemonContainerDefinition::builder()
            .image("agent")
            .secrets(secret("key"))
            .log_configuration(log)
            .repository_credentials(
                RepositoryCredentials::builder().credentials_parameter("registry").build().unwrap(),
            )
            .build()
            .unwrap();
        let definition = DaemonTaskDefinition::builder()
            .container_definitions(container)
            .execution_role_arn("role")
            .build();
        let mapped = map_daemon_task_definition(&definition);
        let values: Vec<&str> = mapped.references.iter().map(|reference| reference.value.raw()).collect();
        assert_eq!(values, ["key", "log", "registry"]);
        assert_eq!(mapped.role, Some(Untrusted::new("role")));
    }

    #[test]
    fn a_daemon_has_the_capacity_providers_and_the_revisions_that_run() {
        let provider = DaemonCapacityProvider::builder().arn("provider").build();
        let revision = DaemonRevisionDetail::builder().arn("revision").capacity_providers(provider).build();
        let daemon = DaemonDetail::builder()
            .daemon_arn("daemon")
            .cluster_arn("cluster")
            .status(DaemonStatus::Active)
            .current_revisions(revision)
            .build();
        let mapped = map_daemon(&daemon).unwrap();
        assert_eq!((mapped.arn.as_str(), mapped.status.as_str()), ("daemon", "ACTIVE"));
        assert_eq!(mapped.revisions, ["revision"]);
        assert_eq!(mapped.capacity_providers, BTreeSet::from(["provider".to_owned()]));
        assert_eq!(map_daemon(&DaemonDetail::builder().build()), None);
        let described = DaemonRevision::builder()
            .daemon_revision_arn("revision")
            .daemon_task_definition_arn("definition")
            .created_at(DateTime::from_millis(1_700_000_000_250))
            .build();
        let created_at = map_daemon_revision(&described).unwrap().created_at;
        assert_eq!(created_at, Timestamp::from_millis(1_700_000_000_250));
    }
}
