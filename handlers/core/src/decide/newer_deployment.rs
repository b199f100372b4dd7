//! The gate of the PRIMARY deployment: a change is answered by a deployment that is newer *and* completed, whoever began it.

use super::command_text::describe_ongoing_deployment;
use super::deferral::Deferral;
use super::deployment_timing::ECS_CLOCK_SKEW;
use super::eligibility_check::{EligibilityCheck, SWEEP_GRACE_PERIOD};
use super::rollout_time::{expected_duration, timeout_without_approval};
use super::skip_gates::ReasonToSkip;
use crate::aws::deployment_progress::DeploymentProgress;
use crate::aws::ecs_service::{EcsDeployment, EcsService};
use crate::plan::{DeferReason, SkipReason};
use crate::state::deployment::DeploymentRecord;

/// The meaning of a PRIMARY deployment that is newer than the change for a service.
pub(super) enum NewerDeployment {
    /// It answers the change, or a human has to see why it does not.
    Settled(ReasonToSkip),
    /// It may still answer the change.
    Awaited(Deferral),
}

/// Judges a PRIMARY deployment that is newer than the change; `None` without one, and where our own deployment failed, which
/// later gates judge. The checks run in this order:
///
/// 1. it is not newer than the change: no answer;
/// 2. ECS goes, or went, back to it, and its tasks are known to be new: answered;
/// 3. it failed, or ECS went back to it, while our own deployment for the change goes on or failed: the later gates;
/// 4. it failed, or ECS went back to it: its tasks may be old ones, so notify;
/// 5. it goes on, and is our own, which took too long: the later gates;
/// 6. it goes on: wait for it;
/// 7. nobody says how far it is, and our own failed: the later gates, as in a replay without a description of that time;
/// 8. it is complete, and so is the waiting: answered.
pub(super) fn judge_newer_deployment(check: &EligibilityCheck<'_, '_>) -> Option<NewerDeployment> {
    let service = check.consumer.service;
    let primary = service.primary.as_ref()?;
    // 1. It is not newer.
    if primary.created_at < check.fresh_from {
        return None;
    }
    match service.progress()? {
        // 2. ECS goes back to it, and its tasks are new.
        DeploymentProgress::RolledBack if has_only_new_tasks(check, primary) => Some(answer(primary)),
        DeploymentProgress::Failed | DeploymentProgress::RolledBack => {
            judge_failed_deployment(check, primary)
        }
        DeploymentProgress::Completed if may_be_rollback(check, primary) => {
            judge_failed_deployment(check, primary)
        }
        DeploymentProgress::Ongoing => {
            let own = check.fresh_own_deployment();
            // 5. Our own took too long.
            if check.is_own(primary) && own.is_some_and(DeploymentRecord::has_failed) {
                return None;
            }
            // 6. Wait for it.
            Some(NewerDeployment::Awaited(await_deployment(check, primary)))
        }
        // 7. Nobody says how far it is, but our own failed: the later gates.
        DeploymentProgress::Unknown
            if check.fresh_own_deployment().is_some_and(DeploymentRecord::has_failed) =>
        {
            None
        }
        // 8. It is complete.
        DeploymentProgress::Completed | DeploymentProgress::Unknown => Some(answer(primary)),
    }
}

fn answer(primary: &EcsDeployment) -> NewerDeployment {
    let why = format!("its deployment of {} is newer than the change", primary.created_at);
    NewerDeployment::Settled(ReasonToSkip { reason: SkipReason::AlreadyNewer, why })
}

/// Checks 3 and 4.
fn judge_failed_deployment(
    check: &EligibilityCheck<'_, '_>,
    primary: &EcsDeployment,
) -> Option<NewerDeployment> {
    if let Some(record) = check.fresh_own_deployment() {
        // 3. Our own goes on or failed. Where the record has no id, the deployment that failed may be ours.
        if record.is_open() {
            let requested_at = record.requested_at;
            let why = format!("a deployment was requested at {requested_at} and did not complete");
            let reason = SkipReason::AlreadyRequested;
            return Some(NewerDeployment::Settled(ReasonToSkip { reason, why }));
        }
        if record.has_failed() {
            return None;
        }
    }
    // 4. Its tasks may be old ones.
    let what = if primary.has_failed() {
        "its newest deployment failed"
    } else {
        "its newest deployment failed, and ECS went back to the one before"
    };
    let why = format!("{what}: its tasks may still run the old value");
    Some(NewerDeployment::Settled(ReasonToSkip { reason: SkipReason::RolloutFailed, why }))
}

/// Whether all tasks of a deployment to which ECS goes back are newer than the change:
///
/// 1. it is our own, which completed, or
/// 2. it has kept its creation time: the deployment that failed is newer.
fn has_only_new_tasks(check: &EligibilityCheck<'_, '_>, primary: &EcsDeployment) -> bool {
    let is_own = check.is_own(primary) && check.fresh_own_deployment().is_some();
    is_own || check.consumer.service.has_only_tasks_since(check.fresh_from)
}

/// Whether a completed deployment may be one to which ECS went back: another one failed since the change, our own is gone
/// before anybody saw its end, or our last one failed when it was created. Only the reason, which a completed rollback has lost, tells it from one that somebody began
/// after the failure.
fn may_be_rollback(check: &EligibilityCheck<'_, '_>, primary: &EcsDeployment) -> bool {
    if check.is_own(primary) {
        return false;
    }
    let service = check.consumer.service;
    let own = check.fresh_own_deployment().filter(|record| record.is_open());
    let own_id = own.and_then(|record| record.deployment.as_deref());
    let is_own_gone = own_id.is_some_and(|id| service.find_other_deployment(id).is_none());
    is_own_gone
        || began_as_own_failed(check, primary)
        || find_failed_deployments(service).any(|failed| failed.created_at >= check.fresh_from)
}

/// Whether a deployment was created before our last one had failed, be that for this change or an older one: ECS gives a
/// deployment to which it goes back the time of the failure.
fn began_as_own_failed(check: &EligibilityCheck<'_, '_>, primary: &EcsDeployment) -> bool {
    let Some(record) = check.own_deployment() else { return false };
    let Some(end) = record.end else { return false };
    let failed_until = end.at.plus(ECS_CLOCK_SKEW);
    record.has_failed() && record.requested_at <= primary.created_at && primary.created_at <= failed_until
}

fn find_failed_deployments(service: &EcsService) -> impl Iterator<Item = &EcsDeployment> {
    service.other_deployments.iter().flatten().filter(|other| other.has_failed())
}

/// Check 6: the deployment may still answer the change.
fn await_deployment(check: &EligibilityCheck<'_, '_>, primary: &EcsDeployment) -> Deferral {
    let service = check.consumer.service;
    let duration = if check.is_own(primary) && !service.is_paused_at_hook() {
        // The incident of our own deployment notifies of it if it does not end; where it may wait for a person, that takes a day.
        let timeout = timeout_without_approval(service, &check.consumer.tags, &check.facts.settings);
        Some(timeout.plus(SWEEP_GRACE_PERIOD))
    } else {
        expected_duration(service, &check.consumer.tags, &check.facts.settings)
    };
    let why = format!(
        "its deployment of {} is newer than the change and not complete ({}): tasks may still run the old value",
        primary.created_at,
        describe_ongoing_deployment(service)
    );
    Deferral {
        reason: DeferReason::InProgress,
        until: None,
        expected_end: duration.map(|duration| primary.created_at.plus(duration)),
        why,
    }
}
