//! What the world looks like once a plan has been carried out: how the replay and a batch go on to the next event.

use crate::aws::ecs_service::EcsDeployment;
use crate::facts::{Facts, IncidentState};
use crate::incident::IncidentStatus;
use crate::plan::{Plan, PlanStep};
use crate::state::deployment::is_change_news;
use crate::state::deployment::{
    AffectedConsumer, ConcurrencySlot, DeploymentRecord, KnownChange, PendingReadEvidence, SecretChange,
    read_evidence_key,
};
use crate::state::digest_entry;
use crate::state::open_incident::OpenIncident;
use crate::time::Timestamp;

/// Carries a plan out in the facts.
pub fn apply(plan: &Plan, facts: &mut Facts) {
    digest_entry::apply(plan, facts);
    for step in &plan.steps {
        apply_step(plan, step, facts);
    }
}

fn apply_step(plan: &Plan, step: &PlanStep, facts: &mut Facts) {
    match step {
        PlanStep::Page { incident, consumers, resolve_after, groups, .. } => {
            let resolved = incident.resolved_at.filter(|_| incident.state == IncidentStatus::Resolved);
            let (first, last, severity) = (incident.first, incident.last, incident.severity);
            let state = IncidentState { first, last, severity, resolved };
            facts.incidents.insert(incident.key.clone(), state);
            let before = facts.open_incidents.remove(&incident.key);
            let (known, mut pages) = before.map(|known| (known.groups, known.pages)).unwrap_or_default();
            let date = digest_entry::date(last, facts.now.unwrap_or(plan.time), &facts.settings);
            let highest = pages.entry(date).or_insert(severity);
            *highest = severity.max(*highest);
            let groups = groups.iter().cloned().chain(known).collect();
            let (rule, resolve_after) = (incident.rule.clone(), *resolve_after);
            let opened = OpenIncident {
                rule,
                last,
                resolve_after: resolve_after,
                groups: groups,
                pages,
                resolved: resolved,
            };
            facts.open_incidents.insert(incident.key.clone(), opened);
            tell(consumers, facts);
        }
        PlanStep::ExtendIncident { key, first, last, consumers, .. } => {
            tell(consumers, facts);
            if let Some(state) = facts.incidents.get_mut(key) {
                state.first = state.first.min(*first);
                state.last = state.last.max(*last);
            }
        }
        PlanStep::Resolve { key, at, .. } => {
            if let Some(state) = facts.incidents.get_mut(key) {
                state.resolved = state.resolved.max(Some(*at));
            }
            if let Some(opened) = facts.open_incidents.get_mut(key) {
                opened.resolved = Some(*at);
            }
        }
        PlanStep::Redeploy { .. } => redeployed(plan, step, facts),
        PlanStep::RecordChange { change } => note(change, facts),
        PlanStep::ResolveChange { change } => {
            let known = facts.changes.get_mut(&change.secret.key());
            if let Some(known) = known.filter(|known| known.at == change.at) {
                (known.resolved, known.waiting_since) = (true, None);
            }
        }
        PlanStep::ReconcileDeployment { service, requested_at, deployment } => {
            let requested = facts.deployments.get_mut(service);
            if let Some(requested) = requested.filter(|requested| requested.requested_at == *requested_at) {
                requested.deployment = Some(deployment.clone());
            }
            let found = facts.services.iter_mut().flatten().find(|found| found.arn == *service);
            if let Some(primary) =
                found.and_then(|found| found.primary.as_mut()).filter(|primary| primary.id.is_empty())
            {
                primary.id.clone_from(deployment);
            }
        }
        PlanStep::EndDeployment { service, cluster, requested_at, slot, end, .. } => {
            let requested = facts.deployments.get_mut(service);
            // Another one that was asked for since keeps the place.
            let Some(requested) = requested.filter(|requested| requested.requested_at == *requested_at)
            else {
                return;
            };
            if requested.end.is_none_or(|known| known.outcome != end.outcome) {
                requested.end = Some(*end);
            }
            // Its place may be another service's by now.
            if let Some(slots) = facts.concurrency_slots.get_mut(cluster) {
                slots.retain(|number, taken| Some(*number) != *slot || taken.service != *service);
            }
        }
        PlanStep::Prove { key, evidence, .. } => {
            if let Some(waiting) = facts.pending_evidence.get_mut(key) {
                waiting.remove(evidence);
            }
        }
        PlanStep::UpdateLastSeen { key, at } => {
            let seen = facts.last_seen.entry(key.clone()).or_insert(*at);
            *seen = (*seen).max(*at);
        }
        // The notes of the whole plan.
        PlanStep::Digest { .. }
        | PlanStep::Suppress { .. }
        | PlanStep::Skip { .. }
        | PlanStep::Defer { .. }
        | PlanStep::Count { .. }
        | PlanStep::Unknown { .. }
        | PlanStep::Nothing { .. }
        | PlanStep::Ignore { .. } => {}
    }
}

fn tell(about: &[AffectedConsumer], facts: &mut Facts) {
    for consumer in about {
        let notified = facts.notified.entry(consumer.service.clone()).or_default();
        let until = notified.entry(consumer.change.secret.key()).or_default();
        *until = (*until).max(consumer.change.at);
    }
}

fn note(changed: &SecretChange, facts: &mut Facts) {
    let mut change = KnownChange {
        at: changed.at,
        version: changed.version.clone(),
        waiting_since: None,
        resolved: false,
    };
    let known = facts.changes.entry(changed.secret.key()).or_insert_with(|| change.clone());
    if known.satisfies(&is_change_news(change.at)) {
        if !known.resolved {
            change.waiting_since = known.waiting_since.or(Some(known.at)).filter(|since| *since < change.at);
        }
        *known = change;
    }
}

/// The service gets a new PRIMARY deployment. Its id is known only to ECS: what ECS tells of the service next is of this one.
fn redeployed(plan: &Plan, step: &PlanStep, facts: &mut Facts) {
    let PlanStep::Redeploy { cluster, service, secrets, not_before, slot, rollout, execution_roles, .. } =
        step
    else {
        return;
    };
    let at: Timestamp = facts.now.unwrap_or(plan.time).max(*not_before);
    for known in facts.services.iter_mut().flatten().filter(|known| known.arn == *service) {
        known.primary = Some(EcsDeployment { id: String::new(), created_at: at, rollout_state: None });
    }
    let requested = DeploymentRecord {
        requested_at: at,
        cluster: cluster.clone(),
        deployment: None,
        slot: Some(*slot),
        changes: secrets.clone(),
        lease_until: None,
        end: None,
    };
    facts.deployments.insert(service.clone(), requested);
    let taken = ConcurrencySlot { service: service.clone(), until: at.plus(*rollout) };
    facts.concurrency_slots.entry(cluster.clone()).or_default().insert(*slot, taken);
    for (role, changed) in
        execution_roles.iter().flat_map(|role| secrets.iter().map(move |changed| (role, changed)))
    {
        let evidence = PendingReadEvidence { service: service.clone(), change: changed.clone(), since: at };
        facts.pending_evidence.entry(read_evidence_key(role, &changed.secret)).or_default().insert(evidence);
    }
}
