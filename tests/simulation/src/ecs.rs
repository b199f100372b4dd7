//! ECS of one account and Region: services, task definitions, and rollouts that take their time.
//!
//! Sources are the API reference and the developer guide of ECS; what they leave open is decided here and said where it is decided.

mod build;
mod calls;
mod log;
mod rollout;
mod state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use responder_core::time::{Span, Timestamp};
use serde_json::Value;

pub use build::{Estate, NewService};
pub use calls::{Described, Failure, Page};
pub use log::{Deployed, Log};
pub use state::{
    CircuitBreaker, Container, Controller, Deployment, RolloutState, Service, Status, TaskDefinition,
};

use crate::throttle::Bucket;
use crate::{Calls, Place, Random};
use rollout::Appointment;

/// The model.
#[derive(Clone, Debug)]
pub struct Ecs {
    /// Where it is.
    pub place: Place,
    /// The calls so far, and the faults of the next ones.
    pub calls: Calls<Operation>,
    /// Every deployment that was ever started.
    pub log: Log,
    /// How long a rollout takes that nothing else was said about.
    pub usual: Outcome,
    /// How long the tasks of a deployment that was superseded twice live on. Until then the circuit breaker can roll back to it; AWS does not say
    /// how long, only that a deployment stalls where no COMPLETED one is left (developer guide, deployment circuit breaker).
    pub drain: Span,
    random: Random,
    clusters: BTreeSet<String>,
    services: BTreeMap<String, Service>,
    definitions: BTreeMap<String, TaskDefinition>,
    /// The revisions of a family: the last one is what its name means.
    revisions: BTreeMap<String, u32>,
    buckets: Option<BTreeMap<Bucketed, Bucket>>,
    denied: BTreeSet<String>,
    lost: BTreeSet<String>,
    undescribed: BTreeMap<String, String>,
    usually: BTreeMap<String, Outcome>,
    next: BTreeMap<String, VecDeque<Outcome>>,
    agenda: BTreeMap<(Timestamp, u64), Appointment>,
    appointments: u64,
    outbox: Vec<EcsEvent>,
}

/// The operations of the API that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `ListClusters`.
    ListClusters,
    /// `ListServices`.
    ListServices,
    /// `DescribeServices`.
    DescribeServices,
    /// `DescribeTaskDefinition`.
    DescribeTaskDefinition,
    /// `UpdateService`.
    UpdateService,
}

/// What becomes of a deployment, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All its tasks run after this time.
    Completes(Span),
    /// Its tasks fail. With a circuit breaker it is FAILED after this time, without one it is in progress for ever.
    Fails(Span),
    /// It waits for capacity for ever: no task starts, and the circuit breaker has nothing to count.
    Stalls,
}

/// What ECS did.
#[derive(Clone, Debug, PartialEq)]
pub enum EcsEvent {
    /// It told `EventBridge`: an `ECS Deployment State Change`.
    StateChange {
        /// When.
        at: Timestamp,
        /// The event.
        event: Value,
    },
    /// It launched a task, which reads its secrets.
    Launched(TaskLaunch),
}

/// A new task. The execution role reads the secrets, under the task's id as its session name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskLaunch {
    /// The service's ARN.
    pub service: String,
    /// The ARN of the execution role, if the task definition names one.
    pub execution_role: Option<String>,
    /// 32 hexadecimal digits.
    pub task: String,
    /// When.
    pub started_at: Timestamp,
    /// The references to secrets, as the task definition and the service spell them.
    pub reads: Vec<String>,
}

/// What shares a token bucket (developer guide of ECS, "Request throttling for the Amazon ECS API").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bucketed {
    ClusterRead,
    ServiceRead,
    ServiceModify,
    TaskDefinitionRead,
}

impl Ecs {
    /// An account without clusters.
    pub fn new(place: Place, seed: u64) -> Self {
        Self {
            place,
            calls: Calls::default(),
            log: Log::default(),
            usual: Outcome::Completes(Span::from_secs(120)),
            drain: Span::from_secs(60),
            random: Random::new(seed),
            clusters: BTreeSet::new(),
            services: BTreeMap::new(),
            definitions: BTreeMap::new(),
            revisions: BTreeMap::new(),
            buckets: None,
            denied: BTreeSet::new(),
            lost: BTreeSet::new(),
            undescribed: BTreeMap::new(),
            usually: BTreeMap::new(),
            next: BTreeMap::new(),
            agenda: BTreeMap::new(),
            appointments: 0,
            outbox: Vec::new(),
        }
    }

    /// Throttles as AWS documents it, from full buckets; off at first.
    pub fn throttle(&mut self) {
        use Bucketed::{ClusterRead, ServiceModify, ServiceRead, TaskDefinitionRead};
        let buckets = [
            (ClusterRead, Bucket::new(50, 20)),
            (ServiceRead, Bucket::new(100, 20)),
            (ServiceModify, Bucket::new(50, 5)),
            (TaskDefinitionRead, Bucket::new(50, 20)),
        ];
        self.buckets = Some(buckets.into());
    }

    /// Nobody may update this service (an ARN) any more.
    pub fn deny(&mut self, service: &str) {
        self.denied.insert(service.to_owned());
    }

    /// `UpdateService` does not find this service (an ARN), though `DescribeServices` does: ECS is eventually consistent.
    pub fn lose(&mut self, service: &str) {
        self.lost.insert(service.to_owned());
    }

    /// `DescribeServices` puts this service (an ARN) into `failures[]`, with this reason.
    pub fn fail_to_describe(&mut self, service: &str, reason: &str) {
        self.undescribed.insert(service.to_owned(), reason.to_owned());
    }

    /// What becomes of the next deployments of a service (an ARN).
    pub fn next(&mut self, service: &str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.next.entry(service.to_owned()).or_default().extend(outcomes);
    }

    /// What becomes of deployments of a service (an ARN) that nothing else was said about.
    pub fn usually(&mut self, service: &str, outcome: Outcome) {
        self.usually.insert(service.to_owned(), outcome);
    }

    /// A service by its ARN, as it is at the last call or `advance`.
    pub fn service(&self, arn: &str) -> Option<&Service> {
        self.services.get(arn)
    }

    /// What tasks of a task definition (an ARN) read.
    pub fn references(&self, task_definition: &str) -> Vec<String> {
        self.definitions
            .get(task_definition)
            .map(|known| known.references().cloned().collect())
            .unwrap_or_default()
    }

    /// The ARNs of all services, of whatever status.
    pub fn service_arns(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ListClusters,
        Self::ListServices,
        Self::DescribeServices,
        Self::DescribeTaskDefinition,
        Self::UpdateService,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListClusters => "ListClusters",
            Self::ListServices => "ListServices",
            Self::DescribeServices => "DescribeServices",
            Self::DescribeTaskDefinition => "DescribeTaskDefinition",
            Self::UpdateService => "UpdateService",
        }
    }

    fn bucketed(self) -> Bucketed {
        match self {
            Self::ListClusters => Bucketed::ClusterRead,
            Self::ListServices | Self::DescribeServices => Bucketed::ServiceRead,
            Self::DescribeTaskDefinition => Bucketed::TaskDefinitionRead,
            Self::UpdateService => Bucketed::ServiceModify,
        }
    }
}

impl EcsEvent {
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::StateChange { at, .. } => *at,
            Self::Launched(launch) => launch.started_at,
        }
    }
}
