//! What became of services: their deployments, and which task definition they had when.

use std::collections::BTreeMap;

use super::observe::{
    EventMeaning, RolloutEvent, RolloutProgress, RotationEvents, ServiceCall, ServiceIdentity,
};
use responder_core::aws::ecs_service::EcsService;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// What is known of a service's past.
#[derive(Debug, Default)]
pub(super) struct DeploymentHistory<'o> {
    pub(super) arn: Option<&'o str>,
    /// By time.
    pub(super) deployments: Vec<ObservedDeployment>,
    /// What was asked of it and done, by time.
    pub(super) calls: Vec<&'o ServiceCall>,
    /// What was asked of it and refused, by time.
    pub(super) refused: Vec<&'o ServiceCall>,
    /// Whether the input has ECS's events of its deployments.
    pub(super) ends_known: bool,
}

/// A deployment, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObservedDeployment {
    pub(super) id: Option<String>,
    pub(super) at: Timestamp,
    /// When somebody asked for it by force.
    pub(super) forced_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    /// What ECS says of that.
    pub(super) reason: Option<Untrusted>,
}

impl DeploymentHistory<'_> {
    /// The deployment that answers for a change: of those created at `from` or later the first that completed, else the
    /// last. Where the ends are unknown, the first: every task after it is new.
    pub(super) fn answer(&self, from: Timestamp) -> Option<&ObservedDeployment> {
        let mut newer = self.deployments.iter().filter(|deployment| deployment.at >= from);
        let completed = newer.clone().find(|deployment| deployment.is_completed());
        completed.or_else(|| if self.ends_known { newer.next_back() } else { newer.next() })
    }
}

impl ObservedDeployment {
    fn is_completed(&self) -> bool {
        self.completed_at.is_some_and(|done| self.failed_at.is_none_or(|failed| failed < done))
    }
}

/// The past of every service that the events or the facts tell of.
pub(super) fn histories<'o>(
    observations: &'o RotationEvents,
    services: &'o [EcsService],
) -> BTreeMap<ServiceIdentity, DeploymentHistory<'o>> {
    let mut found: BTreeMap<ServiceIdentity, DeploymentHistory<'o>> = BTreeMap::new();
    let mut rollouts: BTreeMap<&ServiceIdentity, Vec<&RolloutEvent>> = BTreeMap::new();
    for observed in observations.iter() {
        match observed {
            EventMeaning::Call(call) => {
                let history = found.entry(call.place.clone()).or_default();
                history.arn = history.arn.max(call.arn.as_deref());
                let list = if call.refused.is_some() { &mut history.refused } else { &mut history.calls };
                list.push(call);
            }
            EventMeaning::Rollout(rollout) => {
                let history = found.entry(rollout.place.clone()).or_default();
                history.arn = history.arn.max(Some(&rollout.arn));
                history.ends_known = true;
                rollouts.entry(&rollout.place).or_default().push(rollout);
            }
            EventMeaning::Moved(_) | EventMeaning::Fetch(_) | EventMeaning::Definition(_) => {}
        }
    }
    for service in services {
        if let Some(place) = ServiceIdentity::of(&service.arn, Some(&service.cluster)) {
            found.entry(place).or_default().arn = Some(&service.arn);
        }
    }
    for (place, history) in &mut found {
        history.calls.sort();
        history.refused.sort();
        let facts = services.iter().filter(|service| history.arn == Some(&*service.arn));
        let notified = rollouts.remove(place).unwrap_or_default();
        history.deployments = deployments(&history.calls, notified, facts);
    }
    found
}

/// How much later than its call a deployment is created at the most.
const CREATION: Span = Span::from_secs(60);

fn deployments<'o>(
    calls: &[&'o ServiceCall],
    mut rollouts: Vec<&'o RolloutEvent>,
    facts: impl Iterator<Item = &'o EcsService>,
) -> Vec<ObservedDeployment> {
    let mut known: BTreeMap<&str, ObservedDeployment> = BTreeMap::new();
    let mut nameless = Vec::new();
    let new = |id: Option<&str>, at| ObservedDeployment {
        id: id.map(str::to_owned),
        at,
        forced_at: None,
        completed_at: None,
        failed_at: None,
        reason: None,
    };
    for primary in facts.filter_map(|service| service.primary.as_ref()) {
        known.insert(&primary.id, new(Some(&primary.id), primary.created_at));
    }
    for call in calls {
        let forced = call.forces.then_some(call.at);
        for shown in &call.deployments {
            let own = call.deploys
                && shown.is_primary
                && shown
                    .created_at
                    .is_none_or(|at| at.plus(CREATION) >= call.at && at <= call.at.plus(CREATION));
            // Without a time it can be any deployment, unless the call began it.
            let Some(at) = shown.created_at.or(own.then_some(call.at)) else { continue };
            let deployment = known.entry(&shown.id).or_insert_with(|| new(Some(&shown.id), at));
            deployment.at = deployment.at.min(at);
            if own {
                deployment.forced_at = deployment.forced_at.or(forced);
            }
        }
        if call.deploys && call.deployments.is_empty() {
            nameless.push(ObservedDeployment { forced_at: forced, ..new(None, call.at) });
        }
    }
    rollouts.sort();
    for rollout in &rollouts {
        let begins = rollout.how == RolloutProgress::Begins;
        if begins && !known.contains_key(&*rollout.deployment) {
            known.insert(&rollout.deployment, new(Some(&rollout.deployment), rollout.at));
        }
    }
    for rollout in rollouts {
        end(&mut known, rollout);
    }
    let mut all: Vec<ObservedDeployment> = known.into_values().chain(nameless).collect();
    all.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    all
}

/// Notes how a deployment ended.
fn end(known: &mut BTreeMap<&str, ObservedDeployment>, rollout: &RolloutEvent) {
    let target = match rollout.how {
        RolloutProgress::Begins => return,
        RolloutProgress::Completed | RolloutProgress::Failed => known.get_mut(&*rollout.deployment),
        // The event may bear the id of the one that failed, or of the one it goes back to, which the reason names.
        RolloutProgress::RollsBack => {
            let is_goal = |id: &str| {
                let words = rollout.reason.raw().split(|c: char| c.is_whitespace() || c == ',');
                words.map(|word| word.trim_end_matches('.')).any(|word| word == id)
            };
            if is_goal(&rollout.deployment) {
                let others = known
                    .values_mut()
                    .filter(|other| other.at <= rollout.at && !other.id.as_deref().is_some_and(is_goal));
                others.max_by_key(|other| other.at)
            } else {
                known.get_mut(&*rollout.deployment)
            }
        }
    };
    let Some(deployment) = target else { return };
    if rollout.how == RolloutProgress::Completed {
        deployment.completed_at = deployment.completed_at.or(Some(rollout.at));
    } else if deployment.failed_at.is_none() {
        deployment.failed_at = Some(rollout.at);
        deployment.reason = Some(rollout.reason.clone());
    }
}
