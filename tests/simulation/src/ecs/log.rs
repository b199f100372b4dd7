//! What a test wants to know afterwards: which deployments there were, and how many at once.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

/// Deployments from the first to the last.
#[derive(Clone, Debug, Default)]
pub struct Log {
    deployments: Vec<Deployed>,
    in_flight: BTreeMap<String, Vec<(Timestamp, usize)>>,
}

/// A deployment that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The service's ARN.
    pub service: String,
    /// The deployment's id.
    pub deployment: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether somebody forced it.
    pub forced: bool,
}

impl Log {
    /// The deployments, in the order in which they were started.
    pub fn deployments(&self) -> &[Deployed] {
        &self.deployments
    }

    /// How many services of a cluster (an ARN) were being deployed, from each change on.
    pub fn in_flight(&self, cluster: &str) -> &[(Timestamp, usize)] {
        self.in_flight.get(cluster).map(Vec::as_slice).unwrap_or_default()
    }

    /// The most services of a cluster (an ARN) that were being deployed at once.
    pub fn most_in_flight(&self, cluster: &str) -> usize {
        self.in_flight(cluster).iter().map(|(_, count)| *count).max().unwrap_or_default()
    }

    pub(super) fn deployed(&mut self, deployed: Deployed) {
        self.deployments.push(deployed);
    }

    pub(super) fn begins(&mut self, cluster: &str, at: Timestamp) {
        let count = self.current(cluster) + 1;
        self.in_flight.entry(cluster.to_owned()).or_default().push((at, count));
    }

    pub(super) fn ends(&mut self, cluster: &str, at: Timestamp) {
        let count = self.current(cluster).saturating_sub(1);
        self.in_flight.entry(cluster.to_owned()).or_default().push((at, count));
    }

    fn current(&self, cluster: &str) -> usize {
        self.in_flight(cluster).last().map_or(0, |(_, count)| *count)
    }
}
