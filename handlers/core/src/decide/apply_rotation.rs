//! The facts after steps about changes and deployments were carried out.

use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::EcsDeployment;
use crate::facts::Facts;
use crate::plan::{Plan, PlanStep};
use crate::state::deployment::{
    ConcurrencySlot, DeploymentRecord, KnownChange, PendingReadEvidence, SecretChange, is_change_news,
    read_evidence_keys,
};
use crate::time::Timestamp;

/// Records a change, if it is news. Consumers that waited for the change before it have waited since then.
pub(super) fn apply_change(change: &SecretChange, facts: &mut Facts) {
    let mut news = KnownChange {
        at: change.at,
        version: change.version.clone(),
        waiting_since: None,
        resolved: false,
        arn: change.secret.from_arn.then(|| change.secret.to_arn()),
    };
    let Some(known) = facts.changes.get_mut(&change.secret.key()) else {
        facts.changes.insert(change.secret.key(), news);
        return;
    };
    if !known.satisfies(&is_change_news(change.at)) {
        return;
    }
    if !known.resolved {
        let since = known.waiting_since.unwrap_or(known.at);
        if since < change.at {
            news.waiting_since = Some(since);
        }
    }
    *known = news;
}

/// Records that a change is resolved, unless a later one was recorded since.
pub(super) fn apply_resolved_change(change: &SecretChange, facts: &mut Facts) {
    if let Some(known) = facts.changes.get_mut(&change.secret.key())
        && known.at == change.at
    {
        known.resolved = true;
        known.waiting_since = None;
    }
}

/// Records a new deployment, which is PRIMARY from now on. Its id is known to ECS only: the next report about the service is
/// about it.
pub(super) fn apply_redeployment(plan: &Plan, step: &PlanStep, facts: &mut Facts) {
    let PlanStep::Redeploy {
        cluster,
        service,
        secrets,
        not_before,
        slot,
        rollout,
        execution_roles,
        partial_arns,
        ..
    } = step
    else {
        return;
    };
    let at: Timestamp = facts.now.unwrap_or(plan.time).max(*not_before);
    for known in facts.services.iter_mut().flatten() {
        if known.arn == *service {
            known.primary = Some(EcsDeployment { created_at: at, ..EcsDeployment::default() });
            // ECS has not described them since.
            known.other_deployments = None;
            known.running_count = None;
        }
    }
    let record = DeploymentRecord {
        requested_at: at,
        cluster: cluster.clone(),
        deployment: None,
        slot: Some(*slot),
        changes: secrets.clone(),
        lease_until: None,
        end: None,
    };
    facts.deployments.insert(service.clone(), record);
    let taken = ConcurrencySlot { service: service.clone(), until: at.plus(*rollout) };
    facts.concurrency_slots.entry(cluster.clone()).or_default().insert(*slot, taken);
    for role in execution_roles {
        for change in secrets {
            let evidence =
                PendingReadEvidence { service: service.clone(), change: change.clone(), since: at };
            for key in read_evidence_keys(role, &change.secret, partial_arns) {
                facts.pending_evidence.entry(key).or_default().insert(evidence.clone());
            }
        }
    }
}

/// Records the id of a deployment, in our record and where a replay invented the deployment without one.
pub(super) fn reconcile_deployment(
    service: &ServiceArn,
    requested_at: Timestamp,
    deployment: &str,
    facts: &mut Facts,
) {
    if let Some(record) = facts.deployments.get_mut(service)
        && record.requested_at == requested_at
    {
        record.deployment = Some(deployment.to_owned());
    }
    for known in facts.services.iter_mut().flatten() {
        if known.arn == *service
            && let Some(primary) = &mut known.primary
            && primary.id.is_empty()
        {
            deployment.clone_into(&mut primary.id);
        }
    }
}

/// Records the end of a deployment, and releases its slot.
pub(super) fn apply_deployment_end(step: &PlanStep, facts: &mut Facts) {
    let PlanStep::EndDeployment { service, cluster, requested_at, slot, end, .. } = step else { return };
    let Some(record) = facts.deployments.get_mut(service) else { return };
    // A deployment that was requested since keeps its record and its slot.
    if record.requested_at != *requested_at {
        return;
    }
    if record.end.is_none_or(|known| known.outcome != end.outcome) {
        record.end = Some(*end);
    }
    let (Some(slot), Some(slots)) = (slot, facts.concurrency_slots.get_mut(cluster)) else { return };
    // Another service may have the slot by now.
    if slots.get(slot).is_some_and(|taken| taken.service == *service) {
        slots.remove(slot);
    }
}
