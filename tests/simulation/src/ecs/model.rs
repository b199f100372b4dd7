//! The state of ECS, and what a test may set.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use responder_core::time::{Span, Timestamp};

use super::agenda::{RollbackShape, RolloutAppointment, RolloutOutcome, RolloutStep};
use super::daemon::SimulatedDaemon;
use super::deployment_log::DeploymentLog;
use super::events::EcsEvent;
use super::operation::{EcsOperation, ThrottleFamily};
use super::service::SimulatedService;
use super::task_definition::RegisteredTaskDefinition;
use crate::location::AwsLocation;
use crate::random::SeededRandom;
use crate::service_calls::ServiceCalls;
use crate::throttle::ThrottleBucket;

/// ECS of one account and Region.
#[derive(Clone, Debug)]
pub struct SimulatedEcs {
    /// Its account and Region.
    pub location: AwsLocation,
    /// The calls so far, and the faults of the next ones.
    pub calls: ServiceCalls<EcsOperation>,
    /// Every deployment that was started.
    pub log: DeploymentLog,
    /// The outcome of a deployment for which no other is set.
    pub default_outcome: RolloutOutcome,
    /// How long the tasks of a deployment that was superseded twice live on. Until then the circuit breaker can roll back to it; AWS does not say
    /// how long, only that a deployment stalls where no COMPLETED one is left (developer guide, deployment circuit breaker).
    pub drain_time: Span,
    /// The shapes of rollbacks, of which each has one by chance; empty: [`RollbackShape::SameDeployment`].
    pub rollback_shapes: Vec<RollbackShape>,
    pub(super) random: SeededRandom,
    pub(super) clusters: BTreeSet<String>,
    pub(super) services: BTreeMap<String, SimulatedService>,
    pub(super) daemons: BTreeMap<String, SimulatedDaemon>,
    pub(super) definitions: BTreeMap<String, RegisteredTaskDefinition>,
    /// The last revision of each family, which the family's name means.
    pub(super) last_revisions: BTreeMap<String, u32>,
    pub(super) earlier_tasks: u64,
    pub(super) outbox: Vec<EcsEvent>,
    pub(super) agenda: BTreeMap<(Timestamp, u64), RolloutAppointment>,
    appointments: u64,
    throttling: ThrottlePolicy,
    buckets: BTreeMap<ThrottleFamily, ThrottleBucket>,
    throttled: u64,
    /// The services that nobody may update.
    pub(super) update_denied: BTreeSet<String>,
    /// The services that `UpdateService` does not find.
    pub(super) update_lost: BTreeSet<String>,
    /// The services whose old tasks are protected from scale-in, each until an instant: five deployments stay ACTIVE until then.
    pub(super) protected_until: BTreeMap<String, Timestamp>,
    /// The services that cannot be described, with the reason in `failures[]`.
    pub(super) undescribed: BTreeMap<String, String>,
    /// The clusters and task definitions that nobody may look at.
    pub(super) hidden: BTreeSet<String>,
    /// The services as `DescribeServices` shows them, where that is not how they are.
    pub(super) outdated_services: Option<BTreeMap<String, SimulatedService>>,
    usual_outcomes: BTreeMap<String, RolloutOutcome>,
    next_outcomes: BTreeMap<String, VecDeque<RolloutOutcome>>,
}

/// The treatment of a call for which its token bucket has no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ThrottlePolicy {
    /// There are no buckets.
    Off,
    /// The call is counted, and served.
    Counts,
    /// The call is refused.
    Refuses,
}

impl SimulatedEcs {
    /// An account without clusters.
    pub fn new(location: AwsLocation, seed: u64) -> Self {
        Self {
            location,
            calls: ServiceCalls::default(),
            log: DeploymentLog::default(),
            default_outcome: RolloutOutcome::Completes(Span::from_secs(120)),
            drain_time: Span::from_secs(60),
            rollback_shapes: Vec::new(),
            random: SeededRandom::new(seed),
            clusters: BTreeSet::new(),
            services: BTreeMap::new(),
            daemons: BTreeMap::new(),
            definitions: BTreeMap::new(),
            last_revisions: BTreeMap::new(),
            earlier_tasks: 0,
            outbox: Vec::new(),
            agenda: BTreeMap::new(),
            appointments: 0,
            throttling: ThrottlePolicy::Off,
            buckets: BTreeMap::new(),
            throttled: 0,
            update_denied: BTreeSet::new(),
            update_lost: BTreeSet::new(),
            protected_until: BTreeMap::new(),
            undescribed: BTreeMap::new(),
            hidden: BTreeSet::new(),
            outdated_services: None,
            usual_outcomes: BTreeMap::new(),
            next_outcomes: BTreeMap::new(),
        }
    }

    /// From now on, calls beyond the limits of AWS are refused. The buckets are full at first.
    pub fn refuse_calls_beyond_limits(&mut self) {
        self.fill_buckets(ThrottlePolicy::Refuses);
    }

    /// From now on, calls beyond the limits of AWS are served and counted. The buckets are full at first.
    pub fn count_calls_beyond_limits(&mut self) {
        self.fill_buckets(ThrottlePolicy::Counts);
    }

    fn fill_buckets(&mut self, throttling: ThrottlePolicy) {
        self.throttling = throttling;
        for (family, burst, per_second) in ThrottleFamily::LIMITS {
            self.buckets.insert(family, ThrottleBucket::new(burst, per_second));
        }
    }

    /// How many calls there were beyond the limits of AWS.
    pub fn count_throttled(&self) -> u64 {
        self.throttled
    }

    /// Takes a token for a call; false if the call must be refused.
    pub(super) fn take_token(&mut self, operation: EcsOperation, now: Timestamp) -> bool {
        let Some(bucket) = self.buckets.get_mut(&operation.throttle_family()) else { return true };
        if bucket.take_token(now) {
            return true;
        }
        self.throttled += 1;
        self.throttling != ThrottlePolicy::Refuses
    }

    /// From now on, nobody may update this service (an ARN).
    pub fn deny_updates(&mut self, service: &str) {
        self.update_denied.insert(service.to_owned());
    }

    /// `UpdateService` does not find this service (an ARN), though `DescribeServices` does: ECS is eventually consistent.
    pub fn lose_for_updates(&mut self, service: &str) {
        self.update_lost.insert(service.to_owned());
    }

    /// Protects the old tasks of a service (an ARN) from scale-in until an instant: until then five deployments are ACTIVE, and
    /// ECS starts no further one.
    pub fn protect_tasks(&mut self, service: &str, until: Timestamp) {
        self.protected_until.insert(service.to_owned(), until);
    }

    /// `DescribeServices` puts this service (an ARN) into `failures[]`, with this reason.
    pub fn fail_to_describe(&mut self, service: &str, reason: &str) {
        self.undescribed.insert(service.to_owned(), reason.to_owned());
    }

    /// Denies everybody to list the services of this cluster, or to describe this task definition (an ARN).
    pub fn hide(&mut self, arn: &str) {
        self.hidden.insert(arn.to_owned());
    }

    /// Everything can be described and listed again.
    pub fn reveal_everything(&mut self) {
        self.hidden.clear();
        self.undescribed.clear();
    }

    /// From now on, `DescribeServices` shows all services as they are now: ECS is eventually consistent.
    pub fn outdate_descriptions(&mut self) {
        self.outdated_services = Some(self.services.clone());
    }

    /// Sets the outcomes of the next deployments of a service (an ARN).
    pub fn plan_outcomes(&mut self, service: &str, outcomes: impl IntoIterator<Item = RolloutOutcome>) {
        self.next_outcomes.entry(service.to_owned()).or_default().extend(outcomes);
    }

    /// Sets the outcome of those deployments of a service (an ARN) for which no other is planned.
    pub fn set_usual_outcome(&mut self, service: &str, outcome: RolloutOutcome) {
        self.usual_outcomes.insert(service.to_owned(), outcome);
    }

    /// The outcome of the deployment of a service that begins now.
    pub(super) fn take_outcome(&mut self, service: &str) -> RolloutOutcome {
        if let Some(next) = self.next_outcomes.get_mut(service).and_then(VecDeque::pop_front) {
            return next;
        }
        self.usual_outcomes.get(service).copied().unwrap_or(self.default_outcome)
    }

    pub(super) fn add_appointment(
        &mut self,
        at: Timestamp,
        service: &str,
        deployment: &str,
        step: RolloutStep,
    ) {
        self.appointments += 1;
        let appointment =
            RolloutAppointment { service: service.to_owned(), deployment: deployment.to_owned(), step };
        self.agenda.insert((at, self.appointments), appointment);
    }

    /// A service by its ARN, as it is at the last call or `advance`.
    pub fn service(&self, arn: &str) -> Option<&SimulatedService> {
        self.services.get(arn)
    }

    /// The same, for a test that changes it without a call.
    pub fn service_mut(&mut self, arn: &str) -> Option<&mut SimulatedService> {
        self.services.get_mut(arn)
    }

    /// The references to secrets that the tasks of a task definition (an ARN) read.
    pub fn references(&self, task_definition: &str) -> Vec<String> {
        match self.definitions.get(task_definition) {
            Some(definition) => definition.references(),
            None => Vec::new(),
        }
    }

    /// The ARNs of all services, of whatever status.
    pub fn service_arns(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}
