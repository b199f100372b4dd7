//! A process of the rotation function that looks for the users of a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use responder_core::facts::Facts;
use responder_core::rules::Handler;
use responder_core::settings::{ResponseMode, Settings};
use responder_core::time::Span;
use simulation::cloud::SimulatedCloud;

use crate::fleet::secret_arn;
use crate::functions::{ACCOUNT, FunctionSet};
use crate::rotation::rotation_event_of;

/// The ARN of a service.
pub(crate) fn service_arn(cluster: usize, number: usize) -> String {
    format!("arn:aws:ecs:us-west-2:{ACCOUNT}:service/c{cluster:02}/s{number:04}")
}

/// The ARN of a cluster.
pub(crate) fn cluster_arn(cluster: usize) -> String {
    format!("arn:aws:ecs:us-west-2:{ACCOUNT}:cluster/c{cluster:02}")
}

/// A process with its cache, in front of a fleet. It only notifies, so that every look finds the same fleet.
pub(crate) struct RotationProcess {
    pub(crate) functions: FunctionSet,
    described: BTreeSet<String>,
}

/// What a process learned.
pub(crate) struct DiscoveryReport {
    pub(crate) facts: Facts,
    pub(crate) calls: DiscoveryCalls,
}

/// The calls that a look took.
#[derive(Debug)]
pub(crate) struct DiscoveryCalls {
    /// `ListClusters`, `ListServices`, `DescribeServices`, `DescribeTaskDefinition`.
    pub(crate) ecs: [u64; 4],
    /// The calls of `DescribeServices` that only describe services once more.
    pub(crate) repeated: u64,
    /// The task definitions that were written into the ledger.
    pub(crate) recorded: usize,
}

impl RotationProcess {
    pub(crate) fn new(cloud: &Rc<SimulatedCloud>) -> Self {
        let settings = Settings {
            mode: ResponseMode::Notify,
            settle_delay: Span::default(),
            propagation_margin: Span::default(),
            ..Settings::default()
        };
        let mut functions = FunctionSet::new(cloud, Handler::Rotation, settings);
        functions.engine.lease = Span::from_secs(900);
        functions.timeout = Span::from_secs(900);
        functions.keeps_facts = true;
        Self { functions, described: BTreeSet::new() }
    }

    /// Learns that a secret changed so many seconds ago.
    pub(crate) fn look(&mut self, secret: usize, ago: i64) -> DiscoveryReport {
        let changed_at = self.functions.cloud.now().minus(Span::from_secs(ago));
        self.process(&rotation_event_of(&secret_arn(secret), changed_at))
    }

    pub(crate) fn process(&mut self, event: &str) -> DiscoveryReport {
        let before = self.count_calls();
        self.functions.cloud.take_journal();
        let (mut results, _) = self.functions.invoke(&[event.to_owned()]).unwrap();
        let facts = results.remove(0).facts;
        let journal = self.functions.cloud.take_journal();
        let mut repeated = 0;
        for services in journal.described {
            let new = services.into_iter().filter(|arn| self.described.insert(arn.clone())).count();
            repeated += u64::from(new == 0);
        }
        let writes = journal.writes.iter().filter(|(key, _)| key.pk.starts_with("task-definition#"));
        let recorded = writes.count();
        let mut ecs = self.count_calls();
        for (count, before) in ecs.iter_mut().zip(before) {
            *count -= before;
        }
        DiscoveryReport { facts, calls: DiscoveryCalls { ecs, repeated, recorded } }
    }

    fn count_calls(&self) -> [u64; 4] {
        ["ListClusters", "ListServices", "DescribeServices", "DescribeTaskDefinition"]
            .map(|operation| self.functions.cloud.count_calls(operation))
    }
}

impl DiscoveryReport {
    /// The names of the services that were found; `None` if nobody knows them.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        let services = self.facts.services.as_ref()?;
        Some(services.iter().map(|service| service.arn.rsplit('/').next().unwrap_or_default()).collect())
    }

    /// The statuses of the services, by name.
    pub(crate) fn statuses(&self) -> BTreeMap<&str, &str> {
        let mut statuses = BTreeMap::new();
        for service in self.facts.services.iter().flatten() {
            statuses.insert(service.arn.rsplit('/').next().unwrap_or_default(), service.status.as_str());
        }
        statuses
    }

    /// What could not be learned.
    pub(crate) fn failures(&self) -> Vec<&str> {
        self.facts.discovery_failures.values().flatten().map(String::as_str).collect()
    }
}
