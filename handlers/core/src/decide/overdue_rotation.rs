//! Overdue rotations: a human is notified once of each rotation that should have happened or ended. The next rotation that
//! succeeds resolves the incident. Many that a sweep finds at once are one page.

use std::collections::{BTreeMap, BTreeSet};

use super::command_text::format_region_argument;
use super::plan_builder::PlanBuilder;
use crate::aws::arn::Arn;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::location::Location;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::detection::window_match::WindowMatch;
use crate::facts::{Facts, IncidentState};
use crate::hash::hash_parts;
use crate::incident::{Incident, IncidentDetail, incident_key};
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::deployment::{AffectedConsumer, SecretChange};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// How many overdue rotations that one sweep finds have a page each.
const MAX_SEPARATE_PAGES: usize = 3;

/// How many overdue rotations a page about many of them lists.
const MAX_LISTED_ROTATIONS: usize = 10;

/// The resource of the ARNs under which the ledger remembers the pages about many rotations, before the hash of their secrets. No
/// service has such an ARN.
const GROUP_RESOURCE: &str = "overdue-rotations/";

/// Whether a human was notified of each rotation that is overdue. The questions of the sweep list the secrets.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let now = facts.now.unwrap_or(case.event.time);
    let mut questions = Vec::new();
    for overdue in find_overdue_rotations(facts, now) {
        questions.push(Question::Incident { key: incident_key(response, &overdue.secret.key()) });
    }
    for group in list_notified_groups(facts) {
        questions.push(Question::Incident { key: incident_key(response, group.as_str()) });
    }
    questions
}

/// Notifies of each overdue rotation, or extends the incident that did:
///
/// 1. a page told of it, alone or among others: extend the incident of that page;
/// 2. a few are news: a page for each;
/// 3. many of an account and Region are news: one page that lists them.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    let facts = builder.facts;
    let mut extended = BTreeSet::new();
    let mut news: BTreeMap<Location, Vec<OverdueRotation<'_>>> = BTreeMap::new();
    for overdue in find_overdue_rotations(facts, builder.now()) {
        let SecretRef { account, region, .. } = &overdue.secret;
        if !facts.is_remembered(account, region) {
            continue;
        }
        // 1. A page told of it.
        if let Some((key, state)) = find_incident_of(facts, response, &overdue) {
            if extended.insert(key.clone()) {
                let IncidentState { first, last, .. } = state;
                let rule = response.id.clone();
                builder.steps.push(PlanStep::ExtendIncident {
                    rule,
                    key,
                    first,
                    last,
                    consumers: Vec::new(),
                });
            }
            continue;
        }
        news.entry(Location::new(account, region)).or_default().push(overdue);
    }
    resolve_finished_groups(builder, response, &extended);
    for overdue in news.values() {
        if overdue.len() <= MAX_SEPARATE_PAGES {
            // 2. A few.
            for overdue in overdue {
                notify_overdue_rotation(builder, response, overdue);
            }
        } else {
            // 3. Many.
            notify_overdue_group(builder, response, overdue);
        }
    }
}

/// The names of the pages about many overdue rotations.
fn list_notified_groups(facts: &Facts) -> Vec<&ServiceArn> {
    let mut groups = Vec::new();
    for subject in facts.notified.keys() {
        let resource = Arn::parse_for_service("ecs", subject).map(|arn| arn.resource);
        if resource.is_some_and(|resource| resource.starts_with(GROUP_RESOURCE)) {
            groups.push(subject);
        }
    }
    groups
}

/// The open incident that told of an overdue rotation: its own, or that of a page about many.
fn find_incident_of(
    facts: &Facts,
    response: &Response,
    overdue: &OverdueRotation<'_>,
) -> Option<(String, IncidentState)> {
    let own_key = incident_key(response, &overdue.secret.key());
    if let Some(state) = find_open_incident(facts, &own_key, overdue.metadata) {
        return Some((own_key, state));
    }
    for group in list_notified_groups(facts) {
        let notified = facts.notified.get(group).and_then(|secrets| secrets.get(&overdue.secret.key()));
        let key = incident_key(response, group.as_str());
        // A rotation that succeeded since, and is overdue again, is news.
        let is_same = notified.is_some_and(|notified_at| overdue.metadata.rotated_at <= Some(*notified_at));
        if is_same && let Some(state) = facts.incidents.get(&key) {
            return Some((key, *state));
        }
    }
    None
}

/// Resolves the incidents about many rotations none of which is overdue any longer. `extended` holds the keys of those that go on.
/// Where not all secrets could be listed, the next sweep looks again.
fn resolve_finished_groups(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    extended: &BTreeSet<String>,
) {
    let facts = builder.facts;
    let at = builder.now();
    for group in list_notified_groups(facts) {
        let key = incident_key(response, group.as_str());
        let Some(state) = facts.incidents.get(&key) else { continue };
        let (region, account) = group.region_and_account();
        let is_unknown = facts.discovery_failures.contains_key(&Location::new(account, region));
        if extended.contains(&key) || is_unknown || state.resolved >= Some(state.first) {
            continue;
        }
        let mut observation = Observation::from_event(builder.event());
        observation.at = state.last;
        let why = Untrusted::new("none of these rotations is overdue any longer");
        let detail = IncidentDetail { kind: DetailKind::ClosingReason, value: why };
        builder.add_resolution(response, key, at, &observation, detail);
    }
}

/// Notifies of many overdue rotations of one account and Region: how many, and those that are overdue for longest.
fn notify_overdue_group(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    overdue: &[OverdueRotation<'_>],
) {
    let now = builder.now();
    let mut by_age: Vec<&OverdueRotation<'_>> = overdue.iter().collect();
    by_age.sort_by_key(|overdue| (overdue.since, overdue.secret.key()));
    let mut keys = Vec::new();
    let mut observations = Vec::new();
    let mut consumers = Vec::new();
    for overdue in &by_age {
        keys.push(overdue.secret.key());
        observations.push(overdue.observe(builder));
    }
    let Some(OverdueRotation { secret: SecretRef { account, region, .. }, .. }) = by_age.first() else {
        return;
    };
    let key_texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    let group = ServiceArn::from(format!(
        "arn:aws:ecs:{region}:{account}:{GROUP_RESOURCE}{}",
        hash_parts(&key_texts)
    ));
    for OverdueRotation { secret, .. } in &by_age {
        let change = SecretChange { secret: secret.clone(), at: now, version: None };
        consumers.push(AffectedConsumer { service: group.clone(), change });
    }
    let region = format_region_argument(region);
    let note = format!(
        "{} rotations are overdue; those that are for longest stand here. All of them: aws secretsmanager list-secrets --region {region} \
         --query 'SecretList[?RotationEnabled].[Name,NextRotationDate,LastRotatedDate]' --output text",
        by_age.len()
    );
    let mut details = vec![IncidentDetail { kind: DetailKind::Note, value: Untrusted::new(note) }];
    for OverdueRotation { secret, why, .. } in by_age.iter().take(MAX_LISTED_ROTATIONS) {
        let value = Untrusted::new(format!("{}: {why}", secret.friendly_name().raw()));
        details.push(IncidentDetail { kind: DetailKind::Problem, value });
    }
    let window_match = WindowMatch {
        observations: observations.iter().collect(),
        severity: response.severity,
        resolved: None,
    };
    let key = incident_key(response, group.as_str());
    let mut incident = Incident::from_match(response, key, &window_match, details);
    incident.handler = builder.case.handler;
    builder.add_incident(response, incident, consumers);
}

/// A rotation that should have happened, or ended.
struct OverdueRotation<'f> {
    metadata: &'f SecretMetadata,
    secret: SecretRef,
    since: Timestamp,
    why: String,
}

impl OverdueRotation<'_> {
    /// The observation of its incident, which is as old as the rotation is overdue.
    fn observe(&self, builder: &PlanBuilder<'_, '_>) -> Observation {
        let mut observation = Observation::from_event(builder.event());
        observation.at = self.since;
        observation.secrets = vec![self.secret.clone()];
        observation.region.clone_from(&self.secret.region);
        observation
    }
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
    let OverdueRotation { metadata, secret, why, .. } = overdue;
    let key = incident_key(response, &secret.key());
    let observation = overdue.observe(builder);
    let mut details = vec![
        IncidentDetail { kind: DetailKind::Problem, value: Untrusted::new(why) },
        IncidentDetail { kind: DetailKind::Secret, value: secret.friendly_name() },
    ];
    if let Some(rotated_at) = metadata.rotated_at {
        let value = Untrusted::new(rotated_at.to_string());
        details.push(IncidentDetail { kind: DetailKind::LastRotation, value });
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
