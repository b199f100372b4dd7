//! Maps the deployments of a service, and how it is deployed.

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    Deployment, DeploymentConfiguration, DeploymentLifecycleHookTargetType,
    DeploymentLifecycleHookTimeoutConfiguration as HookTimeout, DeploymentRolloutState, DeploymentStrategy,
    Service,
};
use responder_core::aws::ecs_service::{EcsDeployment, RolloutState};
use responder_core::aws::rollout_configuration::{RolloutConfiguration, RolloutStrategy, TrafficSteps};
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// For how long a pause hook waits that names no timeout, in minutes.
const PAUSE_HOOK_DEFAULT_MINUTES: i32 = 1_440;

/// The PRIMARY deployment. A service that another controller than ECS deploys has task sets instead of deployments.
pub(super) fn primary_deployment(service: &Service, controller: &str) -> Option<EcsDeployment> {
    if controller == "ECS" {
        let mut deployments = service.deployments().iter();
        map_deployment(deployments.find(|deployment| deployment.status() == Some("PRIMARY"))?)
    } else {
        let primary = service.task_sets().iter().find(|set| set.status() == Some("PRIMARY"))?;
        Some(EcsDeployment {
            id: primary.id()?.to_owned(),
            created_at: map_time(primary.created_at()?)?,
            ..EcsDeployment::default()
        })
    }
}

/// The deployments beside PRIMARY.
pub(super) fn other_deployments(service: &Service) -> Vec<EcsDeployment> {
    let mut others = Vec::new();
    for deployment in service.deployments() {
        if deployment.status() != Some("PRIMARY") {
            others.extend(map_deployment(deployment));
        }
    }
    others
}

fn map_deployment(deployment: &Deployment) -> Option<EcsDeployment> {
    Some(EcsDeployment {
        id: deployment.id()?.to_owned(),
        created_at: map_time(deployment.created_at()?)?,
        rollout_state: deployment.rollout_state().and_then(map_rollout_state),
        rollout_state_reason: deployment.rollout_state_reason().map(Untrusted::new),
        desired_count: u32::try_from(deployment.desired_count()).ok(),
        running_count: u32::try_from(deployment.running_count()).ok(),
        failed_tasks: u32::try_from(deployment.failed_tasks()).ok(),
    })
}

fn map_time(time: &DateTime) -> Option<Timestamp> {
    Some(Timestamp::from_millis(time.to_millis().ok()?))
}

/// The deployment configuration. A hook waits for a day where it names no timeout (`DeploymentLifecycleHook`).
pub(super) fn map_configuration(configuration: Option<&DeploymentConfiguration>) -> RolloutConfiguration {
    let Some(configuration) = configuration else { return RolloutConfiguration::default() };
    let strategy = match configuration.strategy() {
        None | Some(DeploymentStrategy::Rolling) => RolloutStrategy::Rolling,
        Some(DeploymentStrategy::BlueGreen) => RolloutStrategy::BlueGreen,
        Some(DeploymentStrategy::Linear) => RolloutStrategy::Linear,
        Some(DeploymentStrategy::Canary) => RolloutStrategy::Canary,
        Some(_) => RolloutStrategy::Other,
    };
    let canary = configuration.canary_configuration();
    let linear = configuration.linear_configuration();
    let steps = match (strategy, canary, linear) {
        (RolloutStrategy::Canary, Some(canary), _) => {
            map_steps(canary.canary_percent(), canary.canary_bake_time_in_minutes())
        }
        (RolloutStrategy::Linear, _, Some(linear)) => {
            map_steps(linear.step_percent(), linear.step_bake_time_in_minutes())
        }
        _ => None,
    };
    let mut pause_hook_timeout = None;
    let mut hook_timeout = None;
    for hook in configuration.lifecycle_hooks() {
        let timeout = hook.timeout_configuration().and_then(HookTimeout::timeout_in_minutes);
        if hook.target_type() == Some(&DeploymentLifecycleHookTargetType::Pause) {
            let span = minutes(timeout.unwrap_or(PAUSE_HOOK_DEFAULT_MINUTES));
            pause_hook_timeout = Some(pause_hook_timeout.unwrap_or(Span::default()).plus(span));
        } else if let Some(timeout) = timeout {
            hook_timeout = Some(hook_timeout.unwrap_or(Span::default()).plus(minutes(timeout)));
        }
    }
    let bake_time = configuration.bake_time_in_minutes().map(minutes);
    RolloutConfiguration { strategy, bake_time, steps, pause_hook_timeout, hook_timeout }
}

fn map_steps(percent: Option<f64>, bake_time: Option<i32>) -> Option<TrafficSteps> {
    let percent = percent?;
    let mut whole = 0;
    // The API takes 0.1 to 100 percent.
    while whole < 100 && f64::from(whole + 1) <= percent {
        whole += 1;
    }
    Some(TrafficSteps { percent: whole, bake_time: minutes(bake_time.unwrap_or_default()) })
}

fn minutes(count: i32) -> Span {
    Span::from_secs(i64::from(count.max(0)) * 60)
}

fn map_rollout_state(state: &DeploymentRolloutState) -> Option<RolloutState> {
    match state {
        DeploymentRolloutState::InProgress => Some(RolloutState::InProgress),
        DeploymentRolloutState::Completed => Some(RolloutState::Completed),
        DeploymentRolloutState::Failed => Some(RolloutState::Failed),
        _ => None,
    }
}
