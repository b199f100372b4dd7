//! People are notified of each deployment of ours that failed, was rolled back or does not end, as of one incident; of others they are not.

use std::collections::BTreeSet;

use responder_core::time::{Span, Timestamp};

use super::context::{CLAIMING_TIME, DeploymentLifecycle, OracleContext};
use super::page_subject::{
    ROLLOUT_RULE, find_request_time, is_about_deployment, is_about_unknown_deployment,
};
use crate::cloud::SentNotification;

/// How long it takes at most until a sweep sees what is the case, where no sweep fails.
const SWEEP_ROUND: Span = Span::from_secs(180);

/// Checks each deployment of ours:
///
/// 1. At most one incident is about it.
/// 2. If it failed or does not end, and somebody could see that, one incident is.
/// 3. If one is, it failed, took longer than a rollout may, or people were notified that it is well after all.
pub(super) fn check_rollouts_are_reported(context: &OracleContext<'_>, violations: &mut Vec<String>) {
    for lifecycle in &context.lifecycles {
        let rollout_limit = find_rollout_limit(context, &lifecycle.requested.service);
        let created_at = lifecycle.created_at;
        let deployment = &lifecycle.requested.deployment;
        let has_failed = lifecycle.has_failed();
        // The sweep sees it when it comes round.
        let is_seen_late = took_longer(context, lifecycle, created_at.plus(SWEEP_ROUND), rollout_limit);
        let is_late = took_longer(context, lifecycle, created_at, rollout_limit);
        let must_be_reported = (has_failed || is_seen_late) && !is_gone_unseen(context, lifecycle);
        let may_be_reported = has_failed || is_late || is_unknown_end_withdrawn(context, deployment);
        let incidents = list_incidents(context, lifecycle).len();
        let is_well = match incidents {
            0 => !must_be_reported,
            1 => may_be_reported,
            _ => false,
        };
        if !is_well {
            let state = if has_failed {
                "failed"
            } else if is_seen_late {
                "does not end"
            } else {
                "is fine"
            };
            let service = &lifecycle.requested.service;
            violations.push(format!(
                "the deployment {deployment} of {service} at {created_at} {state}: {incidents} incidents"
            ));
        }
    }
}

/// How long a deployment of a service (an ARN) may take: what ECS and people wait for comes on top.
fn find_rollout_limit(context: &OracleContext<'_>, service: &str) -> Span {
    let limit = context.promises.settings.rollout_timeout;
    context.world.with_ecs(|ecs| match ecs.service(service) {
        Some(service) => {
            let approval = service.configuration.pause_hook_timeout.unwrap_or_default();
            limit.plus(service.baking_time()).plus(approval)
        }
        None => limit,
    })
}

/// Whether a deployment still went on a rollout's time after an instant.
fn took_longer(
    context: &OracleContext<'_>,
    lifecycle: &DeploymentLifecycle,
    than: Timestamp,
    rollout_limit: Span,
) -> bool {
    let mut until = context.world.now();
    if let Some(end) = lifecycle.end {
        until = until.min(end.at);
    }
    if let Some(superseded_at) = lifecycle.superseded_at {
        until = until.min(superseded_at);
    }
    until > than.plus(rollout_limit).minus(CLAIMING_TIME)
}

/// The keys of the incidents about a deployment.
fn list_incidents(context: &OracleContext<'_>, lifecycle: &DeploymentLifecycle) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for sent in &context.pages {
        let is_of_rollout = sent.attribute("rule") == ROLLOUT_RULE && sent.is_open();
        if is_of_rollout && is_about_lifecycle(context, sent, lifecycle) {
            keys.insert(sent.key.clone());
        }
    }
    keys
}

/// Whether a page is about this deployment: by its id, or, where nobody learned that, by when it was requested.
fn is_about_lifecycle(
    context: &OracleContext<'_>,
    sent: &SentNotification,
    lifecycle: &DeploymentLifecycle,
) -> bool {
    let requested = &lifecycle.requested;
    if is_about_deployment(sent, &requested.deployment) {
        return true;
    }
    if !is_about_unknown_deployment(sent, &requested.service) {
        return false;
    }
    // The claim comes before the call, in the same invocation.
    let earliest = requested.called_at.minus(context.world.conditions.timeout);
    match find_request_time(sent) {
        Some(requested_at) => earliest < requested_at && requested_at <= requested.called_at,
        None => false,
    }
}

/// Whether nobody could see what became of this deployment: no event of its failure or rollback arrived, and
///
/// 1. somebody else deployed the service anew before we did, or
/// 2. it ended, and its answer was lost or could not be recorded, so that it looks as if it had never been.
fn is_gone_unseen(context: &OracleContext<'_>, lifecycle: &DeploymentLifecycle) -> bool {
    if has_end_arrived(context, lifecycle) {
        return false;
    }
    let requested = &lifecycle.requested;
    // 1.
    let is_superseded_by_others = match (lifecycle.superseded_at, find_next_call(context, lifecycle)) {
        (Some(superseded_at), Some(next_call)) => superseded_at < next_call,
        (Some(_), None) => true,
        (None, _) => false,
    };
    // 2.
    let is_unknown =
        !requested.answered || context.world.with_record(|record| record.disturbed.contains(&requested.by));
    is_superseded_by_others || is_unknown && lifecycle.end.is_some()
}

/// When we next called for a deployment of the same service.
fn find_next_call(context: &OracleContext<'_>, lifecycle: &DeploymentLifecycle) -> Option<Timestamp> {
    let own = &lifecycle.requested;
    for other in &context.lifecycles {
        if other.requested.service == own.service && other.requested.called_at > own.called_at {
            return Some(other.requested.called_at);
        }
    }
    None
}

/// Whether an event arrived of what ended the deployment. ECS reports a rollback at the same instant, of the deployment before.
fn has_end_arrived(context: &OracleContext<'_>, lifecycle: &DeploymentLifecycle) -> bool {
    let Some(end) = lifecycle.end else { return false };
    for change in &context.world.history().state_changes {
        let is_of_end = change.at == end.at && change.service == lifecycle.requested.service;
        if is_of_end && !change.is_lost {
            return true;
        }
    }
    false
}

/// Whether each page that the end of a deployment is unknown was followed by one that it is well.
fn is_unknown_end_withdrawn(context: &OracleContext<'_>, deployment: &str) -> bool {
    for sent in &context.pages {
        let is_unknown_end =
            is_about_deployment(sent, deployment) && sent.page.body.contains("its end is unknown");
        if is_unknown_end && !is_resolved_later(context, sent) {
            return false;
        }
    }
    true
}

fn is_resolved_later(context: &OracleContext<'_>, sent: &SentNotification) -> bool {
    for later in &context.pages {
        if later.at >= sent.at && later.key == sent.key && later.is_resolved() {
            return true;
        }
    }
    false
}
