//! The view of one consumer that the gates of its eligibility share.

use std::collections::BTreeSet;

use super::consumer::SecretConsumer;
use super::deployment_timing::ECS_CLOCK_SKEW;
use crate::aws::ecs_service::RolloutState;
use crate::facts::Facts;
use crate::settings::DeploymentRisk;
use crate::state::deployment::DeploymentRecord;
use crate::time::{Span, Timestamp};

/// For how long after the rollout timeout the end of a deployment of ours is still waited for: a sweep ends it and notifies a
/// human, unless no sweep runs.
const SWEEP_GRACE_PERIOD: Span = Span::from_secs(900);

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

    /// Whether ECS says that the PRIMARY deployment goes on, and it has not for too long.
    pub(super) fn is_deployment_in_progress(&self) -> bool {
        let Some(primary) = &self.consumer.service.primary else { return false };
        primary.rollout_state == Some(RolloutState::InProgress)
            && self.now < primary.created_at.plus(self.facts.settings.rollout_timeout)
    }

    /// Whether our last deployment failed, was rolled back or does not end, and no human is notified of that yet.
    pub(super) fn is_end_unknown(&self, record: &DeploymentRecord) -> bool {
        let timeout = self.facts.settings.rollout_timeout;
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
