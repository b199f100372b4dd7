//! Rollouts without a report: what became of a deployment of ours, as far as the description of its service shows.

use super::deployment_timing::ECS_CLOCK_SKEW;
use super::own_deployment::{OwnDeployment, RolloutFailure};
use super::plan_builder::PlanBuilder;
use super::rollout_report::may_have_begun_at;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::{EcsDeployment, EcsService, RolloutState, ServiceStatus};
use crate::aws::location::Location;
use crate::facts::{Facts, IncidentState};
use crate::rules::Response;
use crate::state::deployment::{DeploymentOutcome, DeploymentRecord};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How long after a call ECS may still describe the deployments from before it.
const DESCRIPTION_DELAY_MAX: Span = Span::from_secs(60);

/// Adds the steps for a deployment whose end no event reported. The checks run in this order:
///
/// 1. the call may still run, or is too recent for ECS to show its effect: wait;
/// 2. the service is gone: the deployment is gone;
/// 3. the service cannot be described, and the rollout takes too long: notify;
/// 4. PRIMARY is older, and the answer to our call was lost: the deployment never began, unless somebody saw it fail;
/// 5. PRIMARY is older: the deployment was rolled back;
/// 6. PRIMARY is newer and not ours: superseded, or failed if somebody saw that;
/// 7. PRIMARY is ours: by its rollout state.
pub(super) fn sweep_deployment(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    own: OwnDeployment<'_>,
) {
    let facts = builder.facts;
    let now = builder.now();
    let record = own.record;
    // 1. The call may still run, or is too recent.
    if record.is_leased_at(now) || now < record.requested_at.plus(DESCRIPTION_DELAY_MAX) {
        return;
    }
    let is_late = now > record.requested_at.plus(facts.settings.rollout_timeout);
    let Some(service) = facts.services.iter().flatten().find(|service| service.arn == *own.service) else {
        // 3. The service cannot be described. A discovery failure has an incident of its own, and may be over at the next
        // sweep.
        if is_late && !has_discovery_failures(builder, own.service) {
            let reason = Untrusted::new("ECS does not say what became of it");
            let failure = RolloutFailure { what: "its end is unknown", deployment: None, reason };
            own.notify_failure(builder, response, &failure);
        }
        return;
    };
    if service.status == ServiceStatus::Inactive {
        // 2. The service is gone.
        own.end(builder, now, DeploymentOutcome::Gone);
        return;
    }
    let was_seen_failing = is_failure_notified(facts, &own.incident_key(response));
    match relate_primary(service.primary.as_ref(), record) {
        PrimaryRelation::Older if record.deployment.is_none() && !was_seen_failing => {
            // 4. It never began. A rollback looks the same until the deployment before is complete again.
            if rollout_state(service) != Some(RolloutState::InProgress) || is_late {
                own.end(builder, now, DeploymentOutcome::Unseen);
            }
        }
        PrimaryRelation::Older => {
            // 5. It was rolled back.
            let deployment = record.deployment.as_deref();
            let reason = Untrusted::new("an older deployment is PRIMARY again");
            let failure = RolloutFailure { what: "it was rolled back", deployment, reason };
            own.notify_failure(builder, response, &failure);
            own.end(builder, now, DeploymentOutcome::Failed);
        }
        PrimaryRelation::Newer { created_at } => {
            // 6. It is superseded, or failed before that. The function that saw it fail may not have notified anybody.
            if was_seen_failing {
                let deployment = record.deployment.as_deref();
                let reason = Untrusted::new("somebody else deployed since");
                let failure = RolloutFailure { what: "it failed", deployment, reason };
                own.notify_failure(builder, response, &failure);
                own.end(builder, created_at, DeploymentOutcome::Failed);
            } else {
                own.end(builder, created_at, DeploymentOutcome::Superseded);
            }
        }
        // 7. PRIMARY is ours.
        PrimaryRelation::Own => follow_primary(builder, response, own, service, is_late),
    }
}

/// Adds the steps for a deployment of ours that is PRIMARY:
///
/// 1. the record has no id: record it;
/// 2. it completed: record the end, and resolve the incident about its failure if there is one;
/// 3. it failed: notify, and record the end;
/// 4. it goes on for too long: the same, so that nothing waits for it any longer. Should it complete after all, that resolves
///    the incident;
/// 5. it goes on: nothing.
fn follow_primary(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    own: OwnDeployment<'_>,
    service: &EcsService,
    is_late: bool,
) {
    let now = builder.now();
    let id = service.primary.as_ref().and_then(known_id);
    if let (None, Some(id)) = (&own.record.deployment, id) {
        // 1. The record has no id.
        own.reconcile_id(builder, id);
    }
    let (what, reason) = match rollout_state(service) {
        Some(RolloutState::Completed) => {
            // 2. It completed.
            own.end(builder, now, DeploymentOutcome::Completed);
            own.resolve_incident(builder, response, now);
            return;
        }
        // 3. It failed.
        Some(RolloutState::Failed) => ("it failed", "its rollout state is FAILED".to_owned()),
        // 4. It goes on for too long.
        Some(RolloutState::InProgress) | None if is_late => {
            let timeout = builder.facts.settings.rollout_timeout;
            ("it does not end", format!("it did not complete within {timeout}"))
        }
        // 5. It goes on.
        Some(RolloutState::InProgress) | None => return,
    };
    let failure = RolloutFailure { what, deployment: id, reason: Untrusted::new(reason) };
    own.notify_failure(builder, response, &failure);
    own.end(builder, now, DeploymentOutcome::Failed);
}

/// How the PRIMARY deployment of a service relates to the one that we requested.
enum PrimaryRelation {
    Own,
    /// Somebody else's, which began after our request.
    Newer {
        created_at: Timestamp,
    },
    /// From before our request, or none.
    Older,
}

fn relate_primary(primary: Option<&EcsDeployment>, record: &DeploymentRecord) -> PrimaryRelation {
    let Some(primary) = primary else { return PrimaryRelation::Older };
    let created_at = primary.created_at;
    let is_newer = created_at >= record.requested_at.minus(ECS_CLOCK_SKEW);
    let is_own = match &record.deployment {
        Some(own) => known_id(primary) == Some(own.as_str()),
        None => is_newer && may_have_begun_at(record, created_at),
    };
    if is_own {
        PrimaryRelation::Own
    } else if is_newer {
        PrimaryRelation::Newer { created_at }
    } else {
        PrimaryRelation::Older
    }
}

/// The id of a deployment, if ECS gave it: no replay can.
fn known_id(deployment: &EcsDeployment) -> Option<&str> {
    if deployment.id.is_empty() { None } else { Some(&deployment.id) }
}

fn rollout_state(service: &EcsService) -> Option<RolloutState> {
    service.primary.as_ref()?.rollout_state
}

fn has_discovery_failures(builder: &PlanBuilder<'_, '_>, service: &ServiceArn) -> bool {
    let (region, _) = service.region_and_account();
    builder.facts.discovery_failures.contains_key(&Location::new(&builder.event().account, region))
}

/// Whether somebody notified of the failure of this deployment, or was about to, and could not record its end.
fn is_failure_notified(facts: &Facts, key: &str) -> bool {
    if let Some(IncidentState { resolved, .. }) = facts.incidents.get(key) {
        return resolved.is_none();
    }
    facts.open_incidents.get(key).is_some_and(|incident| incident.resolved.is_none())
}
