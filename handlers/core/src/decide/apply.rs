//! What the world looks like once a plan has been carried out: how the replay and a batch go on to the next event.

use crate::aws::ecs_service::EcsDeployment;
use crate::facts::{Facts, IncidentState};
use crate::incident::IncidentStatus;
use crate::plan::{Plan, PlanStep};
use crate::state::deployment::{
    AffectedConsumer, ConcurrencySlot, DeploymentRecord, KnownChange, PendingReadEvidence, SecretChange,
    awaited_key,
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
        PlanStep::Page { incident, about, quiet, streams, .. } => {
            let resolved = incident.resolved_at.filter(|_| incident.state == IncidentStatus::Resolved);
            let (first, last, severity) = (incident.first, incident.last, incident.severity);
            let state = IncidentState { first, last, severity, resolved };
            facts.incidents.insert(incident.key.clone(), state);
            let before = facts.open.remove(&incident.key);
            let (known, mut pages) = before.map(|known| (known.streams, known.pages)).unwrap_or_default();
            let date = digest_entry::date(last, facts.now.unwrap_or(plan.time), &facts.settings);
            let highest = pages.entry(date).or_insert(severity);
            *highest = severity.max(*highest);
            let streams = streams.iter().cloned().chain(known).collect();
            let (rule, quiet) = (incident.rule.clone(), *quiet);
            let opened = OpenIncident { rule, last, quiet, streams, pages, ended: resolved };
            facts.open.insert(incident.key.clone(), opened);
            tell(about, facts);
        }
        PlanStep::ExtendIncident { key, first, last, about, .. } => {
            tell(about, facts);
            if let Some(state) = facts.incidents.get_mut(key) {
                state.first = state.first.min(*first);
                state.last = state.last.max(*last);
            }
        }
        PlanStep::Resolve { key, at, .. } => {
            if let Some(state) = facts.incidents.get_mut(key) {
                state.resolved = state.resolved.max(Some(*at));
            }
            if let Some(opened) = facts.open.get_mut(key) {
                opened.ended = Some(*at);
            }
        }
        PlanStep::Redeploy { .. } => redeployed(plan, step, facts),
        PlanStep::RecordChange { changed } => note(changed, facts),
        PlanStep::ResolveChange { changed } => {
            let known = facts.changes.get_mut(&changed.secret.key());
            if let Some(known) = known.filter(|known| known.at == changed.at) {
                (known.settled, known.since) = (true, None);
            }
        }
        PlanStep::ReconcileDeployment { service, asked_at, deployment } => {
            let asked = facts.asked.get_mut(service);
            if let Some(asked) = asked.filter(|asked| asked.at == *asked_at) {
                asked.deployment = Some(deployment.clone());
            }
            let found = facts.services.iter_mut().flatten().find(|found| found.arn == *service);
            if let Some(primary) =
                found.and_then(|found| found.primary.as_mut()).filter(|primary| primary.id.is_empty())
            {
                primary.id.clone_from(deployment);
            }
        }
        PlanStep::EndDeployment { service, cluster, asked_at, slot, ended, .. } => {
            let asked = facts.asked.get_mut(service);
            // Another one that was asked for since keeps the place.
            let Some(asked) = asked.filter(|asked| asked.at == *asked_at) else { return };
            if asked.ended.is_none_or(|known| known.how != ended.how) {
                asked.ended = Some(*ended);
            }
            // Its place may be another service's by now.
            if let Some(slots) = facts.slots.get_mut(cluster) {
                slots.retain(|number, taken| Some(*number) != *slot || taken.service != *service);
            }
        }
        PlanStep::Prove { key, awaited, .. } => {
            if let Some(waiting) = facts.awaited.get_mut(key) {
                waiting.remove(awaited);
            }
        }
        PlanStep::UpdateLastSeen { key, at } => {
            let seen = facts.seen.entry(key.clone()).or_insert(*at);
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
        let told = facts.told.entry(consumer.service.clone()).or_default();
        let until = told.entry(consumer.changed.secret.key()).or_default();
        *until = (*until).max(consumer.changed.at);
    }
}

fn note(changed: &SecretChange, facts: &mut Facts) {
    let mut change =
        KnownChange { at: changed.at, version: changed.version.clone(), since: None, settled: false };
    let known = facts.changes.entry(changed.secret.key()).or_insert_with(|| change.clone());
    if known.at < change.at || known.version.is_none() {
        if !known.settled {
            change.since = known.since.or(Some(known.at)).filter(|since| *since < change.at);
        }
        *known = change;
    }
}

/// The service gets a new PRIMARY deployment. Its id is known only to ECS: what ECS tells of the service next is of this one.
fn redeployed(plan: &Plan, step: &PlanStep, facts: &mut Facts) {
    let PlanStep::Redeploy { cluster, service, secrets, not_before, slot, rollout, roles, .. } = step else {
        return;
    };
    let at: Timestamp = facts.now.unwrap_or(plan.time).max(*not_before);
    for known in facts.services.iter_mut().flatten().filter(|known| known.arn == *service) {
        known.primary = Some(EcsDeployment { id: String::new(), created_at: at, state: None });
    }
    let asked = DeploymentRecord {
        at,
        cluster: cluster.clone(),
        deployment: None,
        slot: Some(*slot),
        secrets: secrets.clone(),
        lease_until: None,
        ended: None,
    };
    facts.asked.insert(service.clone(), asked);
    let taken = ConcurrencySlot { service: service.clone(), until: at.plus(*rollout) };
    facts.slots.entry(cluster.clone()).or_default().insert(*slot, taken);
    for (role, changed) in roles.iter().flat_map(|role| secrets.iter().map(move |changed| (role, changed))) {
        let awaited = PendingReadEvidence { service: service.clone(), changed: changed.clone(), since: at };
        facts.awaited.entry(awaited_key(role, &changed.secret)).or_default().insert(awaited);
    }
}
