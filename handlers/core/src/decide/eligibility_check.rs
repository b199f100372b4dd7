//! The view of one consumer that the gates of its eligibility share.

use std::collections::BTreeSet;

use super::consumer::SecretConsumer;
use super::deployment_timing::ECS_CLOCK_SKEW;
use super::rollout_time::rollout_timeout;
use crate::aws::deployment_progress::DeploymentProgress;
use crate::aws::ecs_service::{EcsDeployment, RolloutState};
use crate::aws::rollout_configuration::RolloutStrategy;
use crate::facts::Facts;
use crate::settings::DeploymentRisk;
use crate::state::deployment::DeploymentRecord;
use crate::time::{Span, Timestamp};

/// For how long after the rollout timeout the end of a deployment of ours is still waited for: a sweep ends it and notifies a
/// human, unless no sweep runs.
pub(super) const SWEEP_GRACE_PERIOD: Span = Span::from_secs(900);

/// A consumer, with what the gates of its eligibility look at.
pub(super) struct EligibilityCheck<'c, 'f> {
    pub(super) consumer: &'c SecretConsumer<'f>,
    pub(super) facts: &'c Facts,
    pub(super) now: Timestamp,
    /// When the last of the secrets changed.
    pub(super) changed_at: Timestamp,
    /// A deployment that was created from this instant on runs the new values.
    pub(super) fresh_from: Timestamp,
    pub(super) risks: BTreeSet<DeploymentRisk>,
}

impl<'c, 'f> EligibilityCheck<'c, 'f> {
    pub(super) fn new(
        consumer: &'c SecretConsumer<'f>,
        facts: &'c Facts,
        now: Timestamp,
        is_unconfirmed: bool,
    ) -> Self {
        let changed_at = consumer.last_changed_at();
        let fresh_from = changed_at.plus(facts.settings.freshness_margin());
        let mut risks = consumer.service.risks.clone();
        if is_unconfirmed {
            risks.insert(DeploymentRisk::Unconfirmed);
        }
        if !consumer.partial_arns().is_empty() {
            risks.insert(DeploymentRisk::PartialArn);
        }
        let mut check = Self { consumer, facts, now, changed_at, fresh_from, risks };
        if check.is_deployment_in_progress() {
            check.risks.insert(DeploymentRisk::InProgress);
        }
        check
    }

    /// The last deployment of the service that we requested.
    pub(super) fn own_deployment(&self) -> Option<&'c DeploymentRecord> {
        self.facts.deployments.get(&self.consumer.service.arn)
    }

    /// That deployment, if it was requested late enough to run the new values.
    pub(super) fn fresh_own_deployment(&self) -> Option<&'c DeploymentRecord> {
        self.own_deployment().filter(|record| record.requested_at >= self.fresh_from)
    }

    /// Whether a deployment is the last one that we requested.
    pub(super) fn is_own(&self, deployment: &EcsDeployment) -> bool {
        let own_id = self.own_deployment().and_then(|record| record.deployment.as_deref());
        own_id.is_some_and(|own_id| own_id == deployment.id)
    }

    /// Whether ECS says that the PRIMARY deployment goes on, and it has not for too long.
    pub(super) fn is_deployment_in_progress(&self) -> bool {
        let Some(primary) = &self.consumer.service.primary else { return false };
        self.is_primary_ongoing() && self.now < primary.created_at.plus(self.rollout_timeout())
            || self.is_ongoing_approval()
    }

    /// Whether a deployment of somebody else goes on that a forced one would cost its approval or its new tasks: its strategy
    /// is not ROLLING, or it waits at a hook.
    pub(super) fn is_ongoing_approval(&self) -> bool {
        let service = self.consumer.service;
        let Some(primary) = &service.primary else { return false };
        let is_rolling = service.deployment_configuration.strategy == RolloutStrategy::Rolling;
        self.is_primary_ongoing() && !self.is_own(primary) && (!is_rolling || service.is_paused_at_hook())
    }

    fn is_primary_ongoing(&self) -> bool {
        let service = self.consumer.service;
        let state = service.primary.as_ref().and_then(|primary| primary.rollout_state);
        state == Some(RolloutState::InProgress)
            || state.is_none() && service.progress() == Some(DeploymentProgress::Ongoing)
    }

    /// How long a deployment of the service may take before it counts as one that does not end.
    pub(super) fn rollout_timeout(&self) -> Span {
        rollout_timeout(self.consumer.service, &self.consumer.tags, &self.facts.settings)
    }

    /// Whether our last deployment failed, was rolled back or does not end, and no human is notified of that yet.
    pub(super) fn is_end_unknown(&self, record: &DeploymentRecord) -> bool {
        let timeout = self.rollout_timeout();
        let is_over = match &self.consumer.service.primary {
            None => true,
            Some(primary) if primary.created_at < record.requested_at.minus(ECS_CLOCK_SKEW) => true,
            Some(primary) => match primary.rollout_state {
                Some(RolloutState::Failed) => true,
                Some(RolloutState::InProgress) => self.now >= record.requested_at.plus(timeout),
                Some(RolloutState::Completed) | None => false,
            },
        };
        let is_followed = self.now < record.requested_at.plus(SWEEP_GRACE_PERIOD).plus(timeout);
        record.is_open() && is_over && is_followed
    }

    /// When the settle delay of the change is over.
    pub(super) fn settled_at(&self) -> Timestamp {
        self.changed_at.plus(self.facts.settings.settle_delay)
    }

    /// The earliest instant at which a new deployment would begin.
    pub(super) fn earliest_deployment(&self) -> Timestamp {
        self.now.max(self.settled_at())
    }

    /// For how long after one of our deployments of the service the next one waits.
    pub(super) fn cooldown(&self) -> Span {
        self.consumer.tags.cooldown.unwrap_or(self.facts.settings.cooldown)
    }
}
