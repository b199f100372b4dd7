//! Rollouts without a report: what became of a deployment of ours, as far as the description of its service shows.

use super::command_text::describe_ongoing_deployment;
use super::deployment_timing::ECS_CLOCK_SKEW;
use super::own_deployment::{OwnDeployment, RolloutFailure};
use super::plan_builder::PlanBuilder;
use super::rollout_report::may_have_begun_at;
use super::rollout_time::rollout_timeout;
use crate::aws::deployment_progress::DeploymentProgress;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::{EcsDeployment, EcsService, RolloutState, ServiceStatus};
use crate::aws::location::Location;
use crate::aws::service_tags::ServiceTags;
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
/// 6. PRIMARY is newer and not ours: superseded, or failed ([`find_reason_of_failure`]);
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
    let Some(service) = facts.services.iter().flatten().find(|service| service.arn == *own.service) else {
        let is_late = now > record.requested_at.plus(facts.settings.rollout_timeout);
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
    let timeout = rollout_timeout(service, &ServiceTags::parse(&service.tags), &facts.settings);
    let is_late = now > record.requested_at.plus(timeout);
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
            // 6. It is superseded, failed before that, or was rolled back.
            match find_reason_of_failure(service, record, was_seen_failing) {
                Some((what, reason)) => {
                    let deployment = record.deployment.as_deref();
                    let failure = RolloutFailure { what, deployment, reason };
                    own.notify_failure(builder, response, &failure);
                    own.end(builder, created_at, DeploymentOutcome::Failed);
                }
                None => own.end(builder, created_at, DeploymentOutcome::Superseded),
            }
        }
        // 7. PRIMARY is ours.
        PrimaryRelation::Own => follow_primary(builder, response, own, service, timeout),
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
    timeout: Span,
) {
    let now = builder.now();
    let is_late = now > own.record.requested_at.plus(timeout);
    let id = service.primary.as_ref().and_then(known_id);
    if let (None, Some(id)) = (&own.record.deployment, id) {
        // 1. The record has no id.
        own.reconcile_id(builder, id);
    }
    let (what, reason) = match service.progress() {
        // 2. It completed. ECS goes back only to a deployment that did.
        Some(DeploymentProgress::Completed | DeploymentProgress::RolledBack) => {
            own.end(builder, now, DeploymentOutcome::Completed);
            own.resolve_incident(builder, response, now);
            return;
        }
        // 3. It failed.
        Some(DeploymentProgress::Failed) => ("it failed", "its rollout state is FAILED".to_owned()),
        // 4. It goes on for too long.
        Some(DeploymentProgress::Ongoing | DeploymentProgress::Unknown) | None if is_late => {
            let doing = describe_ongoing_deployment(service);
            ("it does not end", format!("it did not complete within {timeout}: {doing}"))
        }
        // 5. It goes on.
        Some(DeploymentProgress::Ongoing | DeploymentProgress::Unknown) | None => return,
    };
    let failure = RolloutFailure { what, deployment: id, reason: Untrusted::new(reason) };
    own.notify_failure(builder, response, &failure);
    own.end(builder, now, DeploymentOutcome::Failed);
}

/// Why a deployment of ours counts as failed that a newer one has replaced, if it does, in the words of a failure and its
/// reason. The checks run in this order:
///
/// 1. somebody saw it fail: the function that did may not have notified anybody;
/// 2. ECS says that it goes back to the newer one, or that ours failed: rolled back;
/// 3. ECS still lists ours, or the newer one goes on: superseded;
/// 4. ours is gone, and nobody saw it complete or be replaced. ECS may have gone back to the deployment before, whatever id
///    and creation time that has now. Where nobody described the other deployments, nothing is known either.
fn find_reason_of_failure(
    service: &EcsService,
    record: &DeploymentRecord,
    was_seen_failing: bool,
) -> Option<(&'static str, Untrusted)> {
    let listed = record.deployment.as_deref().and_then(|id| service.find_other_deployment(id));
    // 1. Somebody saw it fail.
    if was_seen_failing {
        return Some(("it failed", Untrusted::new("somebody else deployed since")));
    }
    // 2. It was rolled back.
    let primary = service.primary.as_ref()?;
    if primary.is_rollback() {
        let reason = primary.rollout_state_reason.clone().unwrap_or_default();
        return Some(("it was rolled back", reason));
    }
    if listed.is_some_and(EcsDeployment::has_failed) {
        return Some((
            "it was rolled back",
            Untrusted::new("another deployment is PRIMARY, and ours is FAILED"),
        ));
    }
    // 3. It was superseded: ECS still lists it, never said its id, or does not say that it goes back to the newer one.
    let is_ongoing = primary.rollout_state == Some(RolloutState::InProgress);
    if listed.is_some() || record.deployment.is_none() || is_ongoing {
        return None;
    }
    // 4. Nobody saw what became of it.
    let reason =
        "another deployment is PRIMARY, and nothing says that ours completed: somebody may have replaced it";
    Some(("it was rolled back", Untrusted::new(reason)))
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
        // One to which ECS goes back is not ours, whatever its creation time is.
        None => is_newer && !primary.is_rollback() && may_have_begun_at(record, created_at),
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
