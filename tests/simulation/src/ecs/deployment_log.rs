//! A log for tests: which deployments were started, and how many services were deployed at once.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

/// Every deployment that was started, and the services in flight by cluster.
#[derive(Clone, Debug, Default)]
pub struct DeploymentLog {
    deployments: Vec<StartedDeployment>,
    in_flight: BTreeMap<String, Vec<(Timestamp, usize)>>,
}

/// A deployment that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedDeployment {
    /// The service's ARN.
    pub service: String,
    /// The deployment's id.
    pub deployment: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether somebody forced it.
    pub forced: bool,
    /// When the deployment was created that it ruined: somebody else's, which waited for a person or shifted traffic in steps.
    pub ruined: Option<Timestamp>,
}

impl DeploymentLog {
    /// The deployments, in the order in which they were started.
    pub fn deployments(&self) -> &[StartedDeployment] {
        &self.deployments
    }

    /// How many services of a cluster (an ARN) were being deployed, from each change on.
    pub fn in_flight(&self, cluster: &str) -> &[(Timestamp, usize)] {
        self.in_flight.get(cluster).map(Vec::as_slice).unwrap_or_default()
    }

    /// The most services of a cluster (an ARN) that were being deployed at once.
    pub fn most_in_flight(&self, cluster: &str) -> usize {
        let counts = self.in_flight(cluster).iter().map(|(_, count)| *count);
        counts.max().unwrap_or_default()
    }

    pub(super) fn add(&mut self, deployment: StartedDeployment) {
        self.deployments.push(deployment);
    }

    pub(super) fn count_begin(&mut self, cluster: &str, at: Timestamp) {
        let count = self.current(cluster) + 1;
        self.in_flight.entry(cluster.to_owned()).or_default().push((at, count));
    }

    pub(super) fn count_end(&mut self, cluster: &str, at: Timestamp) {
        let count = self.current(cluster).saturating_sub(1);
        self.in_flight.entry(cluster.to_owned()).or_default().push((at, count));
    }

    fn current(&self, cluster: &str) -> usize {
        match self.in_flight(cluster).last() {
            Some((_, count)) => *count,
            None => 0,
        }
    }
}
