//! The context of the checks: a world, its promises, and its deployments from their beginning to their end.

use std::collections::BTreeMap;

use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::cloud::{ForcedDeployment, SentNotification};
use crate::ecs::StartedDeployment;
use crate::world::SimulatedWorld;

/// The promises about a world.
#[derive(Clone, Debug)]
pub struct WorldPromises {
    /// The settings as they should be: a world with a planted bug may run with others.
    pub settings: Settings,
    /// The time within which a change is answered, where that is promised: where no call fails.
    pub answered_within: Option<Span>,
}

/// How long it takes at most from a claim, by which the engine reckons, to the call, by which the oracle does.
pub(super) const CLAIMING_TIME: Span = Span::from_secs(1);

/// A world, and what the checks need of it.
pub(super) struct OracleContext<'w> {
    pub(super) world: &'w SimulatedWorld,
    pub(super) promises: &'w WorldPromises,
    /// The pages that the topic took, in their order.
    pub(super) pages: Vec<SentNotification>,
    /// Every deployment that ECS started, by service, in their order.
    pub(super) deployments: BTreeMap<String, Vec<StartedDeployment>>,
    /// Our own deployments, in the order of their calls' effects.
    pub(super) lifecycles: Vec<DeploymentLifecycle>,
}

/// A deployment of ours from its beginning to its end.
pub(super) struct DeploymentLifecycle {
    pub(super) requested: ForcedDeployment,
    pub(super) created_at: Timestamp,
    /// How ECS ended it.
    pub(super) end: Option<RolloutEnd>,
    /// When another deployment of the service was created.
    pub(super) superseded_at: Option<Timestamp>,
}

/// The end of a rollout.
#[derive(Clone, Copy)]
pub(super) struct RolloutEnd {
    pub(super) at: Timestamp,
    pub(super) has_failed: bool,
}

impl<'w> OracleContext<'w> {
    pub(super) fn new(world: &'w SimulatedWorld, promises: &'w WorldPromises) -> Self {
        let deployments = group_deployments(world);
        let lifecycles = list_lifecycles(world, &deployments);
        let pages = world.with_record(|record| record.pages.clone());
        Self { world, promises, pages, deployments, lifecycles }
    }

    /// The deployments of a service (an ARN).
    pub(super) fn deployments_of(&self, service: &str) -> &[StartedDeployment] {
        self.deployments.get(service).map(Vec::as_slice).unwrap_or_default()
    }

    /// How long reads of secrets may show the state before a change.
    pub(super) fn staleness(&self) -> Span {
        self.world.with_secrets(|secrets| secrets.stale_for)
    }
}

impl DeploymentLifecycle {
    /// Whether it failed before another deployment took its place.
    pub(super) fn has_failed(&self) -> bool {
        match (self.end, self.superseded_at) {
            (Some(end), Some(superseded_at)) => end.has_failed && end.at < superseded_at,
            (Some(end), None) => end.has_failed,
            (None, _) => false,
        }
    }
}

fn group_deployments(world: &SimulatedWorld) -> BTreeMap<String, Vec<StartedDeployment>> {
    let mut by_service: BTreeMap<String, Vec<StartedDeployment>> = BTreeMap::new();
    world.with_ecs(|ecs| {
        for started in ecs.log.deployments() {
            by_service.entry(started.service.clone()).or_default().push(started.clone());
        }
    });
    by_service
}

/// Our deployments of a world.
pub(super) fn list_lifecycles(
    world: &SimulatedWorld,
    deployments: &BTreeMap<String, Vec<StartedDeployment>>,
) -> Vec<DeploymentLifecycle> {
    let ends = find_rollout_ends(world);
    let mut lifecycles = Vec::new();
    for requested in world.with_record(|record| record.deployments.clone()) {
        let Some(of_service) = deployments.get(&requested.service) else { continue };
        let mut following =
            of_service.iter().skip_while(|started| started.deployment != requested.deployment);
        let Some(own) = following.next() else { continue };
        lifecycles.push(DeploymentLifecycle {
            created_at: own.created_at,
            end: ends.get(&requested.deployment).copied(),
            superseded_at: following.next().map(|next| next.created_at),
            requested,
        });
    }
    lifecycles
}

/// The first end of each deployment that ECS reported.
fn find_rollout_ends(world: &SimulatedWorld) -> BTreeMap<String, RolloutEnd> {
    let mut ends = BTreeMap::new();
    for change in &world.history().state_changes {
        let has_failed = match change.name.as_str() {
            "SERVICE_DEPLOYMENT_COMPLETED" => false,
            "SERVICE_DEPLOYMENT_FAILED" => true,
            _ => continue,
        };
        let end = RolloutEnd { at: change.at, has_failed };
        ends.entry(change.deployment.clone()).or_insert(end);
    }
    ends
}
