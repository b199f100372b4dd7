//! P4: no service is deployed too soon or for nothing, and never are too many services of a cluster deployed at once.

use std::collections::BTreeMap;

use responder_core::time::{Span, Timestamp};

use super::context::{CLAIMING_TIME, DeploymentLifecycle, OracleContext, WorldPromises};
use super::page_subject::is_about_deployment;
use crate::ecs::StartedDeployment;
use crate::world::SimulatedWorld;

/// Of two calls of ours that started a deployment of one service, the second comes after the cooldown.
pub(super) fn check_cooldowns(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    let cooldown = context.promises.settings.cooldown;
    let mut last_calls: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut calls: Vec<(&str, Timestamp)> = Vec::new();
    for lifecycle in &context.lifecycles {
        calls.push((&lifecycle.requested.service, lifecycle.requested.called_at));
    }
    calls.sort_unstable();
    for (service, called_at) in calls {
        if let Some(last) = last_calls.insert(service, called_at) {
            let cooled_at = last.plus(cooldown).minus(CLAIMING_TIME);
            if called_at < cooled_at {
                violations.push(format!("{service} was deployed at {last} and at {called_at}"));
            }
        }
    }
}

/// A deployment of ours answers a change for which the PRIMARY deployment is too old; and not again one of which people were
/// notified that its deployment failed.
pub(super) fn check_deployments_are_needed(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    let settings = &context.promises.settings;
    let margin = settings.propagation_margin.min(settings.settle_delay);
    for lifecycle in &context.lifecycles {
        let service = &lifecycle.requested.service;
        let called_at = lifecycle.requested.called_at;
        let newest =
            find_primary(context, service, called_at).max(find_given_up(context, service, called_at));
        let is_needed = match (find_last_change(context, service, called_at), newest) {
            (Some(changed_at), Some(newest)) => newest < changed_at.plus(margin).plus(CLAIMING_TIME),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !is_needed {
            violations.push(format!("{service} was deployed at {called_at} for nothing"));
        }
    }
}

/// The last change before a call of a secret that the service uses.
fn find_last_change(context: &OracleContext<'_>, service: &str, called_at: Timestamp) -> Option<Timestamp> {
    let mut last = None;
    for secret in context.world.secrets_of(service) {
        for changed_at in context.world.history().changes_of(&secret) {
            if *changed_at <= called_at {
                last = last.max(Some(*changed_at));
            }
        }
    }
    last
}

/// When the deployment was created that was PRIMARY before a call. A failed deployment gives way to a completed one; a
/// superseded one does not count.
fn find_primary(context: &OracleContext<'_>, service: &str, called_at: Timestamp) -> Option<Timestamp> {
    // Somebody else's deployment may have begun while the invocation was under way.
    let seen_until = called_at.minus(context.world.conditions.timeout);
    let mut earlier: Vec<&StartedDeployment> = Vec::new();
    for started in context.deployments_of(service) {
        let before = if is_ours(context, started) { called_at } else { seen_until };
        if started.created_at < before {
            earlier.push(started);
        }
    }
    let last = earlier.last()?.deployment.as_str();
    let mut primary = None;
    for started in earlier {
        let stands = match has_completed(context, &started.deployment, called_at) {
            Some(has_completed) => has_completed,
            None => started.deployment == last,
        };
        if stands {
            primary = primary.max(Some(started.created_at));
        }
    }
    primary
}

fn is_ours(context: &OracleContext<'_>, started: &StartedDeployment) -> bool {
    context.lifecycles.iter().any(|lifecycle| lifecycle.requested.deployment == started.deployment)
}

/// Whether a deployment completed before a call, or ended in another way; `None` if it went on.
fn has_completed(context: &OracleContext<'_>, deployment: &str, called_at: Timestamp) -> Option<bool> {
    for change in &context.world.history().state_changes {
        let is_end = change.at < called_at && !change.name.ends_with("_IN_PROGRESS");
        if is_end && change.deployment == deployment {
            return Some(change.name.ends_with("_COMPLETED"));
        }
    }
    None
}

/// When we requested the last deployment before a call of which people were notified.
fn find_given_up(context: &OracleContext<'_>, service: &str, called_at: Timestamp) -> Option<Timestamp> {
    let mut given_up = None;
    for earlier in &context.lifecycles {
        let requested = &earlier.requested;
        if requested.service != service || requested.called_at >= called_at {
            continue;
        }
        for sent in &context.pages {
            if sent.at < called_at && is_about_deployment(sent, &requested.deployment) {
                given_up = given_up.max(Some(requested.called_at));
            }
        }
    }
    given_up
}

/// A deployment of somebody else that waits for a person or shifts traffic in steps is left alone, unless it began while our
/// invocation was under way.
pub(super) fn check_approvals_stand(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    for started in context.deployments.values().flatten() {
        let Some(ruined) = started.ruined else { continue };
        let StartedDeployment { service, created_at, .. } = started;
        if ruined < created_at.minus(context.world.conditions.timeout) {
            violations.push(format!(
                "{service} was forced at {created_at}, and the deployment of {ruined} lost its approval"
            ));
        }
    }
}

/// In a cluster there are never more deployments of ours under way than the settings say.
pub(super) fn check_concurrency(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    let settings = &context.promises.settings;
    let limit = usize::try_from(settings.rollout_limit).unwrap_or_default();
    for (cluster, most) in count_most_in_flight(&context.lifecycles, settings.rollout_timeout) {
        if most.count > limit {
            let MostInFlight { count, at } = most;
            violations.push(format!("{count} deployments of ours were under way in {cluster} at {at}"));
        }
    }
}

/// The most deployments of ours that were under way in a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MostInFlight {
    /// How many.
    pub count: usize,
    /// Since when.
    pub at: Timestamp,
}

/// The most deployments of ours that were under way in each cluster of a world.
pub fn find_most_in_flight(
    world: &SimulatedWorld,
    promises: &WorldPromises,
) -> BTreeMap<String, MostInFlight> {
    let context = OracleContext::new(world, promises);
    count_most_in_flight(&context.lifecycles, promises.settings.rollout_timeout)
}

/// A deployment that takes longer than a rollout may counts only for that long: nobody waits for it longer.
fn count_most_in_flight(
    lifecycles: &[DeploymentLifecycle],
    rollout_limit: Span,
) -> BTreeMap<String, MostInFlight> {
    let mut steps: BTreeMap<String, Vec<(Timestamp, bool)>> = BTreeMap::new();
    for lifecycle in lifecycles {
        let mut until = lifecycle.requested.called_at.plus(rollout_limit).minus(CLAIMING_TIME);
        if let Some(end) = lifecycle.end {
            until = until.min(end.at);
        }
        if let Some(superseded_at) = lifecycle.superseded_at {
            until = until.min(superseded_at);
        }
        let of_cluster = steps.entry(lifecycle.requested.cluster.clone()).or_default();
        if until > lifecycle.created_at {
            of_cluster.push((lifecycle.created_at, true));
            of_cluster.push((until, false));
        }
    }
    let mut by_cluster = BTreeMap::new();
    for (cluster, mut of_cluster) in steps {
        // At one instant, ends come first.
        of_cluster.sort_unstable();
        let mut most = MostInFlight::default();
        let mut count = 0_usize;
        for (at, begins) in of_cluster {
            count = if begins { count + 1 } else { count.saturating_sub(1) };
            if count > most.count {
                most = MostInFlight { count, at };
            }
        }
        by_cluster.insert(cluster, most);
    }
    by_cluster
}
