//! The facts after a plan was carried out: the replay and a batch decide about the next event with them.

use super::apply_rotation::{
    apply_change, apply_deployment_end, apply_redeployment, apply_resolved_change, reconcile_deployment,
};
use super::digest_entries::apply_digest_entries;
use crate::facts::{Facts, IncidentState};
use crate::incident::{Incident, IncidentStatus};
use crate::plan::{Plan, PlanStep};
use crate::state::deployment::AffectedConsumer;
use crate::state::digest_entry::digest_date;
use crate::state::open_incident::OpenIncident;

/// Changes the facts as the plan changes the ledger and the services.
pub fn apply(plan: &Plan, facts: &mut Facts) {
    apply_digest_entries(plan, facts);
    for step in &plan.steps {
        apply_step(plan, step, facts);
    }
}

fn apply_step(plan: &Plan, step: &PlanStep, facts: &mut Facts) {
    match step {
        PlanStep::Page { incident, consumers, .. } => {
            open_incident(plan, step, incident, facts);
            apply_notification(consumers, facts);
        }
        PlanStep::ExtendIncident { key, first, last, consumers, .. } => {
            apply_notification(consumers, facts);
            if let Some(state) = facts.incidents.get_mut(key) {
                state.first = state.first.min(*first);
                state.last = state.last.max(*last);
            }
        }
        PlanStep::Resolve { key, at, .. } => {
            if let Some(state) = facts.incidents.get_mut(key) {
                state.resolved = state.resolved.max(Some(*at));
            }
            if let Some(open) = facts.open_incidents.get_mut(key) {
                open.resolved = Some(*at);
            }
        }
        PlanStep::Redeploy { .. } => apply_redeployment(plan, step, facts),
        PlanStep::RecordChange { change } => apply_change(change, facts),
        PlanStep::ResolveChange { change } => apply_resolved_change(change, facts),
        PlanStep::ReconcileDeployment { service, requested_at, deployment } => {
            reconcile_deployment(service, *requested_at, deployment, facts);
        }
        PlanStep::EndDeployment { .. } => apply_deployment_end(step, facts),
        PlanStep::Prove { key, evidence, .. } => {
            if let Some(pending) = facts.pending_evidence.get_mut(key) {
                pending.remove(evidence);
            }
        }
        PlanStep::UpdateLastSeen { key, at } => {
            let seen = facts.last_seen.entry(key.clone()).or_insert(*at);
            *seen = (*seen).max(*at);
        }
        // The digest entries of the whole plan are applied together.
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

/// Opens an incident, or raises the severity of an open one.
fn open_incident(plan: &Plan, step: &PlanStep, incident: &Incident, facts: &mut Facts) {
    let PlanStep::Page { extent, resolve_after, groups, .. } = step else { return };
    let Incident { key, first, last, severity, .. } = incident.clone();
    let resolved = match incident.state {
        IncidentStatus::Resolved => incident.resolved_at,
        IncidentStatus::Open | IncidentStatus::Quiet => None,
    };
    let state = IncidentState { first, last, severity, extent: *extent, resolved };
    facts.incidents.insert(key.clone(), state);
    let mut open = OpenIncident {
        rule: incident.rule.clone(),
        last,
        resolve_after: *resolve_after,
        groups: groups.clone(),
        pages: [(digest_date(last, facts.now.unwrap_or(plan.time), &facts.settings), severity)].into(),
        resolved,
    };
    if let Some(before) = facts.open_incidents.remove(&key) {
        open.groups.extend(before.groups);
        for (date, severity) in before.pages {
            let highest = open.pages.entry(date).or_insert(severity);
            *highest = severity.max(*highest);
        }
    }
    facts.open_incidents.insert(key, open);
}

/// Remembers that a human was notified of these consumers.
fn apply_notification(consumers: &[AffectedConsumer], facts: &mut Facts) {
    for AffectedConsumer { service, change } in consumers {
        let notified = facts.notified.entry(service.clone()).or_default();
        let until = notified.entry(change.secret.key()).or_default();
        *until = (*until).max(change.at);
    }
}
