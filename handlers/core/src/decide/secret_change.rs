//! Rotations: a secret's value changed, so every service that uses it gets a newer deployment, or a reason why not.

use std::collections::BTreeSet;

use super::eligibility::ChangeIndex;
use super::invalid_tags;
use super::plan_builder::PlanBuilder;
use super::redeploy::{reconcile, unlearned, unlearned_key};
use crate::aws::principal::UNKNOWN;
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::facts::{Facts, place};
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::deployment::{KnownChange, SecretChange};
use crate::text::Untrusted;
use crate::time::Span;

pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let Some(secret) = case.event.secrets.first() else {
        return vec![Question::Incident { key: incident_key(response, UNKNOWN) }];
    };
    let version = version(case);
    let mut questions = Vec::new();
    let replicas = facts.secrets.get(&secret.key()).into_iter().flat_map(|metadata| &metadata.replicas);
    for region in std::iter::once(&secret.region).chain(replicas) {
        let there = SecretRef { region: region.clone(), ..secret.clone() };
        questions.push(Question::RotationState { account: secret.account.clone(), region: region.clone() });
        questions.push(Question::Incident {
            key: incident_key(response, &unlearned_key(&place(&there.account, &there.region))),
        });
        if facts.settings.is_swept(&there.region) == Some(false) {
            questions.push(Question::Incident { key: incident_key(response, &unswept_key(&there)) });
        }
        questions.push(Question::Secret { secret: there.clone(), version: version.clone() });
        questions.push(Question::Consumers { secret: there, since: case.event.time });
    }
    questions.extend(invalid_tags::questions(response, facts));
    questions
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    let event = draft.event();
    let own = |secret: &&SecretRef| event.time_known && secret.account == event.account;
    let Some(secret) = event.secrets.first().filter(own).cloned() else {
        let why = match event.secrets.first() {
            None => "the event names no secret",
            Some(_) if event.time_known => "the event of one account names a secret of another",
            Some(_) => "the event does not say when",
        };
        draft.steps.push(PlanStep::Unknown { why: why.to_owned() });
        let what = IncidentDetail { label: "nothing was redeployed", value: Untrusted::new(why) };
        draft.add_event_incident(response, UNKNOWN, vec![what]);
        return;
    };
    if draft.facts.services.is_none() {
        draft
            .steps
            .push(PlanStep::Unknown { why: "the services that use the secret are unknown".to_owned() });
        unlearned(draft, response, &secret.account, &secret.region);
        return;
    }
    let (mut found, mut unconfirmed) = (Vec::new(), BTreeSet::new());
    let replicas = draft.facts.secrets.get(&secret.key()).map(|metadata| metadata.replicas.clone());
    let regions = std::iter::once(secret.region.clone()).chain(replicas.into_iter().flatten());
    let everywhere: BTreeSet<SecretRef> =
        regions.map(|region| SecretRef { region, ..secret.clone() }).collect();
    for there in &everywhere {
        match confirm(draft, there, there.region != secret.region) {
            ChangeConfirmation::Yes(changed) => found.push(changed),
            ChangeConfirmation::Unknown(changed) => {
                unconfirmed.extend(draft.facts.secrets.contains_key(&there.key()).then(|| there.key()));
                found.push(changed);
            }
            ChangeConfirmation::NotYet(why) => {
                draft.steps.push(PlanStep::Unknown { why });
                // A replica follows when it follows: the sweep sees that, where it looks.
                if !draft.facts.settings.regions.contains(&there.region) || there.region == secret.region {
                    draft.retry = Some("the new version is not AWSCURRENT yet".to_owned());
                }
            }
        }
    }
    for changed in &found {
        let known = draft.facts.changes.get(&changed.secret.key());
        let news = known.is_none_or(|known| {
            known.at < changed.at || known.version.is_none() && changed.version.is_some()
        });
        // Without what is remembered it is not known when this version became current: `LastChangedDate` may have moved since.
        if news && draft.facts.is_remembered(&changed.secret.account, &changed.secret.region) {
            draft.steps.push(PlanStep::RecordChange { change: changed.clone() });
        }
    }
    for there in &everywhere {
        unlearned(draft, response, &there.account, &there.region);
        unswept(draft, response, there);
    }
    reconcile(draft, response, &found, &unconfirmed);
}

/// Tells of a Region that no sweep looks at, if services there use the secret: what waits there is forgotten.
fn unswept(draft: &mut PlanBuilder<'_, '_>, response: &Response, there: &SecretRef) {
    let region = &there.region;
    let changed = SecretChange { secret: there.clone(), at: draft.event().time, version: None };
    let (sought, settings) = (ChangeIndex::new(vec![changed]), &draft.facts.settings);
    let mut services = draft.facts.services.iter().flatten();
    if settings.is_swept(region) == Some(false)
        && services.any(|service| sought.are_used_by(service, settings))
    {
        let region = Untrusted::new(&**region).show(32);
        let what = format!(
            "no sweep looks at {region}: services there that have to wait stay forgotten; add it to REGIONS, the parameter Regions"
        );
        let details = vec![IncidentDetail { label: "not swept", value: Untrusted::new(what) }];
        draft.add_event_incident(response, &unswept_key(there), details);
    }
}

fn unswept_key(there: &SecretRef) -> String {
    format!("{} unswept", place(&there.account, &there.region))
}

/// What Secrets Manager says to the event.
enum ChangeConfirmation {
    /// The change.
    Yes(SecretChange),
    /// Nothing: the event's word counts.
    Unknown(SecretChange),
    /// The new version is not current yet.
    NotYet(String),
}

/// How much earlier than its event a change may have been written: the events tell whole seconds, and a rotation's comes
/// after its last step.
const EARLIER: Span = Span::from_secs(60);

/// Whether the secret's AWSCURRENT is what the event tells of, and since when. Secrets Manager is the source of the time,
/// except that a change keeps the time under which it became known: its `LastChangedDate` also moves with its tags.
fn confirm(draft: &PlanBuilder<'_, '_>, secret: &SecretRef, is_replica: bool) -> ChangeConfirmation {
    let (event, key) = (draft.event(), secret.key());
    let version = version(draft.case);
    let notified = SecretChange { secret: secret.clone(), at: event.time, version: version.clone() };
    let elsewhere = || {
        let region = Untrusted::new(&*secret.region).show(32);
        ChangeConfirmation::NotYet(format!("the new version has not reached {region} yet"))
    };
    let metadata = draft.facts.secrets.get(&key).filter(|metadata| metadata.is_readable());
    let Some((metadata, current)) = metadata.and_then(|metadata| Some((metadata, metadata.current()?)))
    else {
        // The event is about the secret that it names: only Secrets Manager knows of its replicas.
        return if is_replica { elsewhere() } else { ChangeConfirmation::Unknown(notified) };
    };
    // A version that was current before may become so again: then its event is newer than what is known of it.
    let again = |known: &KnownChange| {
        let later = known.at.plus(EARLIER);
        version.as_deref() == Some(current)
            && event.time > later
            && metadata.modified_at.is_none_or(|at| at > later)
    };
    let known = draft.facts.changes.get(&key);
    let same = |known: &&KnownChange| known.version.as_deref() == Some(current) && !again(known);
    if let Some(known) = known.filter(same) {
        let changed = SecretChange { secret: secret.clone(), at: known.at, version: known.version.clone() };
        // An older event of a version that was current before, or another telling of this one.
        return ChangeConfirmation::Yes(changed);
    }
    let changed = SecretChange {
        secret: secret.clone(),
        at: metadata.modified_at.map_or(event.time, |at| at.max(event.time)),
        version: Some(current.to_owned()),
    };
    let is_current = version.as_deref().is_none_or(|version| version == current);
    let is_recent = metadata.modified_at.is_none_or(|at| at >= event.time.minus(EARLIER));
    if is_current && is_recent {
        ChangeConfirmation::Yes(changed)
    } else if is_replica {
        elsewhere()
    } else if superseded(metadata, version.as_deref(), draft) {
        ChangeConfirmation::Yes(changed)
    } else if version.is_some() {
        ChangeConfirmation::NotYet(
            "Secrets Manager does not say yet that the new version is AWSCURRENT".to_owned(),
        )
    } else {
        ChangeConfirmation::Unknown(notified)
    }
}

/// Whether another version became current after the event's.
fn superseded(metadata: &SecretMetadata, version: Option<&str>, draft: &PlanBuilder<'_, '_>) -> bool {
    let left = version.is_none_or(|version| {
        metadata.versions.get(version).is_none_or(|labels| !labels.contains("AWSPENDING"))
    });
    let margin = draft.facts.settings.fresh_after();
    left && metadata.modified_at.is_some_and(|at| at > draft.event().time.plus(margin))
}

fn version(case: &MatchedEvent<'_>) -> Option<String> {
    // Version ids are at most 64 characters (`API_DescribeSecret`): anything else is none.
    case.event
        .text("/detail/versionId")
        .map(|version| version.raw().to_owned())
        .filter(|version| version.len() <= 64)
}

/// Tells a human about services whose redeployment was refused: their ARNs, and why.
pub(super) fn notify_refusals(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    refused: &[(PlanStep, String)],
) {
    let (mut about, mut details) = (Vec::new(), Vec::new());
    for (step, why) in refused {
        let PlanStep::Redeploy { service, secrets, .. } = step else { continue };
        about.extend(secrets.iter().map(|changed| crate::state::deployment::AffectedConsumer {
            service: service.clone(),
            change: changed.clone(),
        }));
        let value = Untrusted::new(format!("{service}: {why}"));
        details.push(IncidentDetail { label: "not redeployed, ECS refused", value });
    }
    if !about.is_empty() {
        super::redeploy::page_about(draft, response, "refused", about, details);
    }
}
