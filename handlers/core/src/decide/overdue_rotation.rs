//! Overdue rotations: a human is notified once of each rotation that should have happened or ended. The next rotation that
//! succeeds resolves the incident.

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

/// Whether a human was notified of each rotation that is overdue. The questions of the sweep list the secrets.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(case.event.time);
    let mut questions = Vec::new();
    for overdue in find_overdue_rotations(facts, now) {
        questions.push(Question::Incident { key: incident_key(response, &overdue.secret.key()) });
    }
    questions
}

/// Notifies of each overdue rotation, or extends the incident that did.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    for overdue in find_overdue_rotations(builder.facts, builder.now()) {
        let SecretRef { account, region, .. } = &overdue.secret;
        if builder.facts.is_remembered(account, region) {
            notify_overdue_rotation(builder, response, &overdue);
        }
    }
}

/// A rotation that should have happened, or ended.
struct OverdueRotation<'f> {
    metadata: &'f SecretMetadata,
    secret: SecretRef,
    since: Timestamp,
    why: String,
}

fn find_overdue_rotations(facts: &Facts, now: Timestamp) -> Vec<OverdueRotation<'_>> {
    let mut overdue = Vec::new();
    for metadata in facts.secrets.values() {
        let Some(secret) = SecretRef::from_arn(&metadata.arn) else { continue };
        if let Some((since, why)) = find_reason(metadata, facts, now) {
            overdue.push(OverdueRotation { metadata, secret, since, why });
        }
    }
    overdue
}

/// Since when a rotation is overdue, and why:
///
/// 1. a deleted secret, or a replica, which is rotated where it comes from: never;
/// 2. the rotation was due longer ago than the grace period;
/// 3. the rotation began longer ago than the grace period, and has not ended.
fn find_reason(metadata: &SecretMetadata, facts: &Facts, now: Timestamp) -> Option<(Timestamp, String)> {
    // 1. A deleted secret, or a replica.
    if !metadata.is_readable() || metadata.is_replica() {
        return None;
    }
    let grace_period = facts.settings.overdue_grace_period;
    if metadata.rotates
        && let Some(due) = metadata.next_rotation
        && due.plus(grace_period) < now
    {
        // 2. It was due.
        return Some((due, format!("it was due on {due} and has not happened")));
    }
    // 3. It began: Secrets Manager put AWSPENDING on a version at `LastChangedDate` or before.
    let begun = metadata.modified_at?;
    if !metadata.is_rotating() || begun.plus(grace_period) >= now {
        return None;
    }
    let why = format!("it began before {begun} and has not ended: AWSPENDING is on another version");
    Some((begun, why))
}

fn notify_overdue_rotation(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    overdue: &OverdueRotation<'_>,
) {
    let OverdueRotation { metadata, secret, since, why } = overdue;
    let key = incident_key(response, &secret.key());
    if let Some(IncidentState { first, last, .. }) = find_open_incident(builder.facts, &key, metadata) {
        let rule = response.id.clone();
        builder.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers: Vec::new() });
        return;
    }
    let mut observation = Observation::from_event(builder.event());
    observation.at = *since;
    observation.secrets = vec![secret.clone()];
    observation.region.clone_from(&secret.region);
    let mut details = vec![
        IncidentDetail { label: "what", value: Untrusted::new(why) },
        IncidentDetail { label: "secret", value: secret.friendly_name() },
    ];
    if let Some(rotated_at) = metadata.rotated_at {
        let value = Untrusted::new(rotated_at.to_string());
        details.push(IncidentDetail { label: "last rotation", value });
    }
    builder.add_incident_of(response, key, vec![&observation], details, Vec::new());
}

/// The incident that already notified of this rotation: no rotation succeeded since. Other reasons for which it is overdue
/// are no news.
fn find_open_incident(facts: &Facts, key: &str, metadata: &SecretMetadata) -> Option<IncidentState> {
    let incident = *facts.incidents.get(key)?;
    let is_over = match incident.resolved.max(metadata.rotated_at) {
        Some(over) => over >= incident.first,
        None => false,
    };
    if is_over { None } else { Some(incident) }
}
