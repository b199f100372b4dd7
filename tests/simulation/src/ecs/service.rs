//! Services and their deployments.

use std::collections::BTreeMap;

use responder_core::aws::ecs_service::{DeploymentController, RolloutState, ServiceStatus};
use responder_core::aws::rollout_configuration::{RolloutConfiguration, RolloutStrategy};
use responder_core::time::{Span, Timestamp};

use super::task::SimulatedTask;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedService {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// Its status.
    pub status: ServiceStatus,
    /// Its deployment controller.
    pub controller: DeploymentController,
    /// The deployment circuit breaker, if it is on.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The Fargate platform version, such as `LATEST`.
    pub platform_version: Option<String>,
    /// `resourceManagementType`: `ECS` where an express gateway owns the service, else `CUSTOMER` or nothing.
    pub resource_management_type: Option<String>,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// The references of Service Connect's log configuration, for the next deployment.
    pub connect_secrets: Vec<String>,
    /// How many tasks it should have.
    pub desired: u32,
    /// How it is deployed.
    pub configuration: RolloutConfiguration,
    /// When it was created.
    pub created_at: Timestamp,
    /// The PRIMARY one first. With a controller other than ECS these are task sets.
    pub deployments: Vec<SimulatedDeployment>,
}

impl SimulatedService {
    /// The PRIMARY deployment.
    pub fn primary(&self) -> Option<&SimulatedDeployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }

    /// The deployment of this id.
    pub fn deployment(&self, id: &str) -> Option<&SimulatedDeployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }

    pub(super) fn deployment_mut(&mut self, id: &str) -> Option<&mut SimulatedDeployment> {
        self.deployments.iter_mut().find(|deployment| deployment.id == id)
    }

    /// When the oldest of its tasks started that run. Those of a failed deployment do not.
    pub fn oldest_task(&self) -> Option<Timestamp> {
        let mut oldest: Option<Timestamp> = None;
        for deployment in &self.deployments {
            if deployment.rollout_state == RolloutState::Failed {
                continue;
            }
            for task in &deployment.tasks {
                oldest = Some(oldest.map_or(task.started_at, |oldest| oldest.min(task.started_at)));
            }
        }
        oldest
    }

    /// How long ECS waits by itself in a deployment whose tasks run: for each step but the last, and while it bakes.
    pub fn baking_time(&self) -> Span {
        let RolloutConfiguration { strategy, bake_time, steps, .. } = &self.configuration;
        let mut baking = bake_time.unwrap_or_default();
        let Some(steps) = steps else { return baking };
        let mut shifted = steps.percent.max(1);
        baking = baking.plus(steps.bake_time);
        while *strategy == RolloutStrategy::Linear && shifted < 100 {
            baking = baking.plus(steps.bake_time);
            shifted += steps.percent.max(1);
        }
        baking
    }

    /// The creation time of PRIMARY, where it is a deployment that nobody forced and that a forced one would ruin: it waits at
    /// a hook, or shifts traffic by another strategy than `ROLLING`.
    pub(super) fn find_approval(&self) -> Option<Timestamp> {
        let primary = self.primary()?;
        let is_paused = primary.reason.contains(PAUSE_TEXT);
        let is_rolling = self.configuration.strategy == RolloutStrategy::Rolling;
        let is_ruined = primary.rollout_state == RolloutState::InProgress
            && !primary.forced
            && !primary.is_rollback()
            && (is_paused || !is_rolling);
        is_ruined.then_some(primary.created_at)
    }

    /// Whether its PRIMARY deployment goes on.
    pub fn is_in_flight(&self) -> bool {
        match self.primary() {
            Some(primary) => primary.rollout_state == RolloutState::InProgress,
            None => false,
        }
    }
}

/// The deployment circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Whether a failed deployment is rolled back.
    pub rollback: bool,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedDeployment {
    /// `ecs-svc/` and 19 digits.
    pub id: String,
    /// Whether it is PRIMARY. Otherwise it is ACTIVE: it was superseded, but some of its tasks still run.
    pub primary: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its rollout state last changed.
    pub updated_at: Timestamp,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How far its rollout is.
    pub rollout_state: RolloutState,
    /// The reason for that state.
    pub reason: String,
    /// Whether somebody forced it.
    pub forced: bool,
    /// The tasks that it launched. They run as long as the deployment is listed and has not failed.
    pub tasks: Vec<SimulatedTask>,
    /// The references of Service Connect's log configuration.
    pub connect_secrets: Vec<String>,
    /// When the last of its tasks ends, if it was superseded twice.
    pub(super) drained_at: Option<Timestamp>,
}

/// The words in the reason of a deployment that waits for a person.
pub(super) const PAUSE_TEXT: &str = "paused at a lifecycle hook";
/// The words in the reason of a deployment to which ECS goes back.
pub(super) const ROLLBACK_TEXT: &str = "rolling back to deploymentId";

impl SimulatedDeployment {
    fn is_rollback(&self) -> bool {
        self.reason.contains(ROLLBACK_TEXT)
    }

    /// How many tasks it has launched.
    pub fn count_tasks(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn set_rollout_state(&mut self, state: RolloutState, reason: String, at: Timestamp) {
        self.rollout_state = state;
        self.reason = reason;
        self.updated_at = at;
    }
}

/// A `rolloutState` as the API spells it.
pub fn spell_rollout_state(state: RolloutState) -> &'static str {
    match state {
        RolloutState::InProgress => "IN_PROGRESS",
        RolloutState::Completed => "COMPLETED",
        RolloutState::Failed => "FAILED",
    }
}
