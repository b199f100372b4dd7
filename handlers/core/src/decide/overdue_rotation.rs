//! Rotations that should have happened and did not: told once a rotation, taken back by the next that succeeds.

use super::plan_builder::PlanBuilder;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::facts::{Facts, IncidentState};
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::Timestamp;

pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    // `Question::Secrets` is asked by the sweep.
    let now = facts.now.unwrap_or(case.event.time);
    let overdue = facts.secrets.values().filter_map(|metadata| {
        overdue(metadata, facts, now)?;
        let secret = SecretRef::from_arn(&metadata.arn)?;
        Some(Question::Incident { key: incident_key(response, &secret.key()) })
    });
    overdue.collect()
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    let (facts, now) = (draft.facts, draft.now());
    for metadata in facts.secrets.values() {
        let Some(secret) = SecretRef::from_arn(&metadata.arn) else { continue };
        let Some((since, why)) = overdue(metadata, facts, now) else { continue };
        if !facts.is_remembered(&secret.account, &secret.region) {
            continue;
        }
        let key = incident_key(response, &secret.key());
        // Once, whatever else comes to show it, until a rotation succeeds.
        let said = facts.incidents.get(&key).filter(|state| {
            let over = state.resolved.max(metadata.rotated_at);
            over.is_none_or(|over| over < state.first)
        });
        if let Some(IncidentState { first, last, .. }) = said.copied() {
            draft.steps.push(PlanStep::ExtendIncident {
                rule: response.id.clone(),
                key,
                first,
                last,
                consumers: Vec::new(),
            });
            continue;
        }
        let mut observation = Observation::from_event(draft.event());
        (observation.at, observation.secrets) = (since, vec![secret.clone()]);
        observation.region.clone_from(&secret.region);
        let detail = |label, value: &str| IncidentDetail { label, value: Untrusted::new(value) };
        let mut details =
            vec![detail("what", &why), IncidentDetail { label: "secret", value: secret.name() }];
        details.extend(metadata.rotated_at.map(|at| detail("last rotation", &at.to_string())));
        draft.add_incident_of(response, key, vec![&observation], details, Vec::new());
    }
}

/// Since when a rotation is overdue, and why.
fn overdue(metadata: &SecretMetadata, facts: &Facts, now: Timestamp) -> Option<(Timestamp, String)> {
    // A replica is rotated where it comes from.
    if !metadata.is_readable() || metadata.is_replica() {
        return None;
    }
    let grace = facts.settings.overdue;
    let due = metadata.next_rotation.filter(|due| metadata.rotates && due.plus(grace) < now);
    if let Some(due) = due {
        return Some((due, format!("it was due on {due} and has not happened")));
    }
    // AWSPENDING was put on a version at `LastChangedDate` or before.
    let begun = metadata.modified_at.filter(|at| metadata.is_rotating() && at.plus(grace) < now);
    begun.map(|at| (at, format!("it began before {at} and has not ended: AWSPENDING is on another version")))
}
