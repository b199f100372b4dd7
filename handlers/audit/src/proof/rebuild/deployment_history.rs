//! The history of services: their deployments, and the calls that name their task definitions.

use std::collections::BTreeMap;

use crate::proof::evidence::{RolloutEvent, RolloutProgress, ServiceCall, ServiceIdentity, SortedEvidence};
use responder_core::aws::ecs_service::EcsService;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// The history of one service.
#[derive(Debug, Default)]
pub(super) struct DeploymentHistory<'e> {
    /// The ARN of the service, if the facts or an event have it.
    pub(super) arn: Option<&'e str>,
    /// The deployments, by time.
    pub(super) deployments: Vec<ObservedDeployment>,
    /// The calls that ECS carried out, by time.
    pub(super) calls: Vec<&'e ServiceCall>,
    /// The calls that ECS refused, by time.
    pub(super) refused: Vec<&'e ServiceCall>,
    /// ECS's events of its deployments, by time.
    rollouts: Vec<&'e RolloutEvent>,
}

/// A deployment, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObservedDeployment {
    pub(super) id: Option<String>,
    /// The time at which it was created.
    pub(super) at: Timestamp,
    /// The time at which somebody asked for it by force.
    pub(super) forced_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    /// The reason that ECS gives for the failure.
    pub(super) reason: Option<Untrusted>,
}

/// How much later than its call a deployment may be created.
const DEPLOYMENT_CREATION_DELAY_MAX: Span = Span::from_secs(60);

impl DeploymentHistory<'_> {
    /// Whether the end of a rollout would be known: the input has ECS's events of the service.
    pub(super) fn ends_known(&self) -> bool {
        !self.rollouts.is_empty()
    }

    /// Returns the deployment that answers a change: of those created at `from` or later the first that completed, else
    /// the last. Where the ends are unknown it is the first of them: every task after it is new.
    pub(super) fn find_answer(&self, from: Timestamp) -> Option<&ObservedDeployment> {
        let mut first = None;
        let mut last = None;
        for deployment in &self.deployments {
            if deployment.at < from {
                continue;
            }
            if deployment.is_completed() {
                return Some(deployment);
            }
            first = first.or(Some(deployment));
            last = Some(deployment);
        }
        if self.ends_known() { last } else { first }
    }
}

impl ObservedDeployment {
    fn new(id: Option<&str>, at: Timestamp) -> Self {
        Self {
            id: id.map(str::to_owned),
            at,
            forced_at: None,
            completed_at: None,
            failed_at: None,
            reason: None,
        }
    }

    /// Whether it completed, and did not fail after that.
    fn is_completed(&self) -> bool {
        self.completed_at.is_some_and(|completed| self.failed_at.is_none_or(|failed| failed < completed))
    }
}

/// The service that an event means whose ARN has no cluster: the only known one of its name in the account and Region.
fn complete_identity(
    service: &ServiceIdentity,
    histories: &BTreeMap<ServiceIdentity, DeploymentHistory<'_>>,
) -> ServiceIdentity {
    if !service.cluster.is_empty() {
        return service.clone();
    }
    let mut namesakes = Vec::new();
    for known in histories.keys() {
        let is_namesake = ServiceIdentity { cluster: String::new(), ..known.clone() } == *service;
        if is_namesake && !known.cluster.is_empty() {
            namesakes.push(known);
        }
    }
    match namesakes.as_slice() {
        [only] => (*only).clone(),
        _ => service.clone(),
    }
}

/// Builds the history of every service that the evidence or the facts name.
pub(super) fn build_histories<'e>(
    evidence: &SortedEvidence<'e>,
    services: &'e [EcsService],
) -> BTreeMap<ServiceIdentity, DeploymentHistory<'e>> {
    let mut histories: BTreeMap<ServiceIdentity, DeploymentHistory<'e>> = BTreeMap::new();
    for call in &evidence.calls {
        let history = histories.entry(call.service.clone()).or_default();
        history.arn = history.arn.max(call.arn.as_deref());
        let calls = if call.refused.is_some() { &mut history.refused } else { &mut history.calls };
        calls.push(call);
    }
    for service in services {
        if let Some(identity) = ServiceIdentity::from_arn(&service.arn, Some(&service.cluster)) {
            histories.entry(identity).or_default();
        }
    }
    for rollout in &evidence.rollouts {
        let service = complete_identity(&rollout.service, &histories);
        let history = histories.entry(service).or_default();
        history.arn = history.arn.max(Some(&rollout.arn));
        history.rollouts.push(rollout);
    }
    for service in services {
        if let Some(identity) = ServiceIdentity::from_arn(&service.arn, Some(&service.cluster)) {
            histories.entry(identity).or_default().arn = Some(&service.arn);
        }
    }
    for history in histories.values_mut() {
        let mut deployments = DeploymentTable::default();
        for service in services {
            if let Some(primary) = &service.primary
                && history.arn == Some(&*service.arn)
            {
                let deployment = ObservedDeployment::new(Some(&primary.id), primary.created_at);
                deployments.by_id.insert(&primary.id, deployment);
            }
        }
        for call in &history.calls {
            deployments.add_call(call);
        }
        for rollout in &history.rollouts {
            deployments.add_beginning(rollout);
        }
        for rollout in &history.rollouts {
            deployments.add_end(rollout);
        }
        history.deployments = deployments.into_sorted();
    }
    histories
}

/// The deployments of one service.
#[derive(Default)]
struct DeploymentTable<'e> {
    by_id: BTreeMap<&'e str, ObservedDeployment>,
    /// Deployments that certainly began, and whose id no record has.
    nameless: Vec<ObservedDeployment>,
}

impl<'e> DeploymentTable<'e> {
    /// Adds the deployments in the answer of a call. The PRIMARY one is the call's own if it was created at about the
    /// same time.
    fn add_call(&mut self, call: &'e ServiceCall) {
        let forced_at = if call.forces { Some(call.at) } else { None };
        for answered in &call.deployments {
            let is_recent = answered.created_at.is_none_or(|at| {
                at.plus(DEPLOYMENT_CREATION_DELAY_MAX) >= call.at
                    && at <= call.at.plus(DEPLOYMENT_CREATION_DELAY_MAX)
            });
            let is_own = call.deploys && answered.is_primary && is_recent;
            let created_at = match answered.created_at {
                Some(at) => at,
                None if is_own => call.at,
                // It can be any deployment, of any time.
                None => continue,
            };
            let deployment = self
                .by_id
                .entry(&answered.id)
                .or_insert_with(|| ObservedDeployment::new(Some(&answered.id), created_at));
            deployment.at = deployment.at.min(created_at);
            if is_own {
                deployment.forced_at = deployment.forced_at.or(forced_at);
            }
        }
        if call.deploys && call.deployments.is_empty() {
            self.nameless.push(ObservedDeployment { forced_at, ..ObservedDeployment::new(None, call.at) });
        }
    }

    /// Adds the deployment that an event says has begun.
    fn add_beginning(&mut self, rollout: &'e RolloutEvent) {
        if rollout.progress == RolloutProgress::Begins {
            let id = rollout.deployment.as_str();
            self.by_id.entry(id).or_insert_with(|| ObservedDeployment::new(Some(id), rollout.at));
        }
    }

    /// Records how a deployment ended. The first end of each kind counts.
    fn add_end(&mut self, rollout: &RolloutEvent) {
        let deployment = match rollout.progress {
            RolloutProgress::Begins => return,
            RolloutProgress::Completed | RolloutProgress::Failed => {
                self.by_id.get_mut(rollout.deployment.as_str())
            }
            RolloutProgress::RollsBack => self.find_rolled_back(rollout),
        };
        let Some(deployment) = deployment else { return };
        if rollout.progress == RolloutProgress::Completed {
            deployment.completed_at = deployment.completed_at.or(Some(rollout.at));
        } else if deployment.failed_at.is_none() {
            deployment.failed_at = Some(rollout.at);
            deployment.reason = Some(rollout.reason.clone());
        }
    }

    /// Returns the deployment that is rolled back.
    ///
    /// The event may bear the id of the deployment that failed, or of the one that ECS goes back to, which the reason
    /// names: "rolling back to deploymentId ecs-svc/123.". In the second case it is the newest one before the event
    /// that the reason does not name.
    fn find_rolled_back(&mut self, rollout: &RolloutEvent) -> Option<&mut ObservedDeployment> {
        if !rollout.reason_names(&rollout.deployment) {
            return self.by_id.get_mut(rollout.deployment.as_str());
        }
        let mut newest: Option<&mut ObservedDeployment> = None;
        for (id, deployment) in &mut self.by_id {
            let is_later = newest.as_ref().is_none_or(|known| known.at <= deployment.at);
            if deployment.at <= rollout.at && !rollout.reason_names(id) && is_later {
                newest = Some(deployment);
            }
        }
        newest
    }

    fn into_sorted(self) -> Vec<ObservedDeployment> {
        let mut deployments: Vec<ObservedDeployment> = self.by_id.into_values().collect();
        deployments.extend(self.nameless);
        deployments.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        deployments
    }
}
