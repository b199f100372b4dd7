//! The calls about managed daemons, and how a test creates one.

use responder_core::time::Timestamp;

use super::calls::EcsArnPage;
use super::daemon::SimulatedDaemon;
use super::model::SimulatedEcs;
use super::operation::EcsOperation;
use super::task_definition::RegisteredTaskDefinition;
use crate::service_calls::ApiRefusal;

impl SimulatedEcs {
    /// Creates a managed daemon in a cluster (a name) with a task definition (an ARN); returns its ARN.
    pub fn create_daemon(
        &mut self,
        cluster: &str,
        name: &str,
        task_definition: &str,
        now: Timestamp,
    ) -> String {
        let cluster_arn = self.create_cluster(cluster);
        let arn = self.location.arn("ecs", &format!("daemon/{cluster}/{name}"));
        let revision = self.location.arn("ecs", &format!("daemon-revision/{cluster}/{name}/1"));
        let task_definition = task_definition.to_owned();
        let daemon = SimulatedDaemon {
            arn: arn.clone(),
            cluster: cluster_arn,
            revision,
            created_at: now,
            task_definition,
        };
        self.daemons.insert(arn.clone(), daemon);
        arn
    }

    /// `ListDaemons` of a cluster (an ARN): all of them on one page.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn list_daemons(&mut self, cluster: &str, now: Timestamp) -> Result<EcsArnPage, ApiRefusal> {
        self.enter(EcsOperation::ListDaemons, now)?;
        self.find_cluster(Some(cluster))?;
        let mut arns = Vec::new();
        for daemon in self.daemons.values() {
            if daemon.cluster == cluster {
                arns.push(daemon.arn.clone());
            }
        }
        Ok(EcsArnPage { arns, next_token: None })
    }

    /// `DescribeDaemon`, by ARN.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_daemon(&mut self, arn: &str, now: Timestamp) -> Result<SimulatedDaemon, ApiRefusal> {
        self.enter(EcsOperation::DescribeDaemon, now)?;
        let not_found = || ApiRefusal::new("DaemonNotFoundException", "Daemon not found.");
        self.daemons.get(arn).cloned().ok_or_else(not_found)
    }

    /// `DescribeDaemonRevisions`, by ARN: the daemons that have these revisions.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_daemon_revisions(
        &mut self,
        arns: &[String],
        now: Timestamp,
    ) -> Result<Vec<SimulatedDaemon>, ApiRefusal> {
        self.enter(EcsOperation::DescribeDaemonRevisions, now)?;
        let mut found = Vec::new();
        for daemon in self.daemons.values() {
            if arns.contains(&daemon.revision) {
                found.push(daemon.clone());
            }
        }
        Ok(found)
    }

    /// `DescribeDaemonTaskDefinition`, by ARN.
    ///
    /// # Errors
    ///
    /// As AWS answers them.
    pub fn describe_daemon_task_definition(
        &mut self,
        arn: &str,
        now: Timestamp,
    ) -> Result<RegisteredTaskDefinition, ApiRefusal> {
        self.enter(EcsOperation::DescribeDaemonTaskDefinition, now)?;
        let unknown = || ApiRefusal::new("ClientException", "Unable to describe daemon task definition.");
        self.definitions.get(arn).cloned().ok_or_else(unknown)
    }
}
