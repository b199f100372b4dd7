//! How far the tasks of a service are with its newest deployment.

use super::ecs_deployment::{EcsDeployment, RolloutState};
use super::ecs_service::EcsService;
use crate::time::Timestamp;

/// How far the tasks of a service are with its PRIMARY deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentProgress {
    /// Its tasks run, and those of no other deployment.
    Completed,
    /// Tasks of the deployment before may still run.
    Ongoing,
    /// The circuit breaker or an alarm ended it.
    Failed,
    /// ECS goes, or went, back to it after another one failed. Its tasks may be those from before, whatever its id and its
    /// creation time are.
    RolledBack,
    /// Neither a state nor the counts of tasks are known.
    Unknown,
}

impl EcsService {
    /// How far its PRIMARY deployment is; `None` without one. The checks run in this order:
    ///
    /// 1. its rollout state is FAILED: failed;
    /// 2. its reason says that ECS goes back to it: rolled back;
    /// 3. a deployment beside it is newer and FAILED: rolled back;
    /// 4. it is `IN_PROGRESS`, or tasks of a deployment beside it run: ongoing;
    /// 5. it is COMPLETED: completed;
    /// 6. it has no rollout state: complete as the waiter `services-stable` has it (one deployment, and as many tasks as
    ///    there should be), or unknown where nobody counted.
    pub fn progress(&self) -> Option<DeploymentProgress> {
        let primary = self.primary.as_ref()?;
        // 1. FAILED.
        if primary.has_failed() {
            return Some(DeploymentProgress::Failed);
        }
        // 2 and 3. ECS goes back to it.
        if primary.is_rollback() || self.has_failed_since(primary.created_at) {
            return Some(DeploymentProgress::RolledBack);
        }
        // 4. It goes on.
        let mut others = self.other_deployments.iter().flatten();
        let has_old_tasks = others.any(|other| other.running_count.is_some_and(|count| count > 0));
        if primary.rollout_state == Some(RolloutState::InProgress) || has_old_tasks {
            return Some(DeploymentProgress::Ongoing);
        }
        // 5. COMPLETED.
        if primary.rollout_state == Some(RolloutState::Completed) {
            return Some(DeploymentProgress::Completed);
        }
        // 6. No rollout state.
        let (Some(desired), Some(running), Some(others)) =
            (self.desired_count, self.running_count, &self.other_deployments)
        else {
            return Some(DeploymentProgress::Unknown);
        };
        let is_stable = others.is_empty() && desired == running;
        Some(if is_stable { DeploymentProgress::Completed } else { DeploymentProgress::Ongoing })
    }

    /// Whether all its tasks started at `fresh_from` or later, as far as its deployments show: PRIMARY is as new, and
    ///
    /// 1. it is complete, or nobody says how far it is, or
    /// 2. ECS goes back to it from a deployment that began after it: it has kept its creation time, or
    /// 3. else its tasks may be older.
    pub(crate) fn has_only_tasks_since(&self, fresh_from: Timestamp) -> bool {
        let Some(primary) = &self.primary else { return false };
        if primary.created_at < fresh_from {
            return false;
        }
        match self.progress() {
            // 1. It is complete.
            Some(DeploymentProgress::Completed | DeploymentProgress::Unknown) => true,
            // 2. ECS goes back to it.
            Some(DeploymentProgress::RolledBack) => self.has_failed_since(primary.created_at),
            // 3. Its tasks may be older.
            Some(DeploymentProgress::Ongoing | DeploymentProgress::Failed) | None => false,
        }
    }

    /// Whether a deployment beside PRIMARY failed that was created later than this.
    fn has_failed_since(&self, instant: Timestamp) -> bool {
        let mut others = self.other_deployments.iter().flatten();
        others.any(|other| other.has_failed() && other.created_at > instant)
    }

    /// The deployment of this id beside PRIMARY, if ECS lists it.
    pub(crate) fn find_other_deployment(&self, id: &str) -> Option<&EcsDeployment> {
        self.other_deployments.iter().flatten().find(|other| other.id == id)
    }

    /// Describes for people how its PRIMARY deployment goes on.
    pub(crate) fn describe_progress(&self) -> String {
        let Some(primary) = &self.primary else { return "it has no deployment".to_owned() };
        let configuration = &self.deployment_configuration;
        if self.progress() == Some(DeploymentProgress::RolledBack) {
            return "it is rolling back".to_owned();
        }
        if self.is_paused_at_hook() {
            let reason = primary.rollout_state_reason.clone().unwrap_or_default();
            return format!("it is paused at a hook: {}", reason.show(80));
        }
        if let Some(failed) = primary.failed_tasks
            && failed > 0
            && primary.running_count.unwrap_or_default() == 0
        {
            return format!("its tasks do not start: {failed} failed");
        }
        let tasks = match (primary.running_count, primary.desired_count) {
            (Some(running), Some(desired)) => format!("; {running} of {desired} new tasks run"),
            _ => String::new(),
        };
        let hook = if configuration.has_pause_hook() { "; it may wait at a pause hook" } else { "" };
        format!("{}{tasks}{hook}", configuration.describe_strategy())
    }

    /// Whether ECS says that its deployment waits at a hook.
    pub(crate) fn is_paused_at_hook(&self) -> bool {
        let Some(primary) = &self.primary else { return false };
        let Some(reason) = &primary.rollout_state_reason else { return false };
        let reason = reason.raw().to_ascii_lowercase();
        ["hook", "pause", "awaiting"].iter().any(|word| reason.contains(word))
    }
}
