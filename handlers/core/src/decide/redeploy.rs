//! Changes of secrets against the services as they are: the same for an event and for the sweep. Every consumer runs the
//! new value, will, or a human is told.

use std::collections::{BTreeMap, BTreeSet};

use super::eligibility::{ChangeIndex, Eligibility, RedeployTerms, SecretConsumer};
use super::invalid_tags;
use super::plan_builder::PlanBuilder;
use crate::aws::ecs_service::{EcsDeployment, RolloutState};
use crate::aws::secret_ref::SecretRef;
use crate::facts::{Facts, LEDGER_GAP, place};
use crate::hash;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::notify;
use crate::plan::{DeferReason, PlanStep, SkipReason};
use crate::rules::{Handler, Response};
use crate::state::deployment::{self, DeploymentOutcome, DeploymentRecord, SecretChange};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// Something to say to a human about one consumer.
struct ConsumerNotice {
    about: deployment::AffectedConsumer,
    detail: IncidentDetail,
}

/// Plans what these changes ask for. `unconfirmed` holds the keys of the secrets of which Secrets Manager did not confirm
/// the change.
pub(super) fn reconcile(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    changes: &[SecretChange],
    unconfirmed: &BTreeSet<String>,
) {
    let (facts, now) = (draft.facts, draft.now());
    let services = facts.services.iter().flatten();
    let sought = ChangeIndex::new(changes.to_vec());
    let mut consumers: Vec<SecretConsumer<'_>> =
        services.flat_map(|service| SecretConsumer::of(service, &sought, &facts.settings)).collect();
    consumers.sort_by(|a, b| a.service.arn.cmp(&b.service.arn));
    let (mut said, mut going, mut waiting) = (Vec::new(), Vec::new(), BTreeSet::new());
    for consumer in &consumers {
        let doubtful = consumer.uses.iter().any(|(changed, _)| unconfirmed.contains(&changed.secret.key()));
        match consumer.verdict(facts, now, doubtful) {
            Eligibility::Skip(reason, why)
                if reason.needs_human() && is_for_the_sweep(draft, response, consumer) =>
            {
                let why =
                    format!("{why}; people were told of it moments ago, and the sweep tells what came since");
                hold(&mut said, draft, consumer, (DeferReason::LeftToSweep, None, why));
            }
            Eligibility::Skip(reason, why) => {
                if reason.needs_human() {
                    tell(&mut said, draft, consumer, &consumer.open(facts), "not redeployed", &why);
                } else if !matches!(reason, SkipReason::Inactive | SkipReason::OptedOut) {
                    tell_in_part(&mut said, draft, consumer);
                }
                draft.steps.push(PlanStep::Skip {
                    service: consumer.service.arn.clone(),
                    secrets: consumer.changes(),
                    deployment: consumer.service.primary.clone(),
                    reason,
                    why,
                });
            }
            Eligibility::Defer(reason, until, why) => {
                hold(&mut said, draft, consumer, (reason, until, why));
            }
            Eligibility::Redeploy(go) => {
                tell_in_part(&mut said, draft, consumer);
                tell_of_refusals(&mut said, draft, consumer);
                going.push((consumer, go));
            }
        }
    }
    let redeploys = waves(draft, &mut said, response, going);
    // What goes on may fail, and be rolled back: until that is told, its changes are not answered.
    let in_time = |at: Timestamp| now < at.plus(facts.settings.rollout);
    let goes_on = |service: &String, primary: &Option<EcsDeployment>| {
        let requested = facts.deployments.get(service).filter(|requested| requested.is_open());
        let theirs =
            primary.as_ref().filter(|primary| primary.rollout_state == Some(RolloutState::InProgress));
        requested.is_some_and(|requested| in_time(requested.requested_at))
            || theirs.is_some_and(|primary| in_time(primary.created_at))
    };
    for step in draft.steps.iter().chain(&redeploys) {
        let (secrets, waits) = match step {
            PlanStep::Defer { secrets, .. } | PlanStep::Redeploy { secrets, .. } => (secrets, true),
            PlanStep::Skip { secrets, reason, service, deployment, .. } => match reason {
                // It may turn out never to have begun.
                SkipReason::AlreadyRequested => (secrets, true),
                SkipReason::AlreadyNewer => (secrets, goes_on(service, deployment)),
                _ => (secrets, false),
            },
            _ => continue,
        };
        waiting.extend(secrets.iter().filter(|_| waits).map(|changed| changed.secret.key()));
    }
    if consumers.is_empty() && !changes.is_empty() {
        draft.steps.push(PlanStep::Nothing { why: "no known service uses the secret".to_owned() });
    }
    // People first: redeploying many services may take longer than the invocation has.
    say(draft, response, said);
    invalid_tags::tell(
        draft,
        response,
        &consumers.iter().map(|consumer| consumer.service.arn.as_str()).collect(),
    );
    draft.steps.extend(redeploys);
    settle(draft, changes, &waiting);
}

/// The services to redeploy now, as many as each cluster has room for; the rest waits. Whoever has waited longest comes
/// first, then the order is a hash's, so that it is not always the same ones that wait.
fn waves(
    draft: &mut PlanBuilder<'_, '_>,
    said: &mut Vec<ConsumerNotice>,
    response: &Response,
    mut going: Vec<(&SecretConsumer<'_>, RedeployTerms)>,
) -> Vec<PlanStep> {
    let (facts, now) = (draft.facts, draft.now());
    going.sort_by_cached_key(|(consumer, go)| {
        (go.fresh_from, hash::id(&["wave", &consumer.service.arn, &go.fresh_from.to_string()]))
    });
    let unanswered = unanswered(facts);
    let mut taken: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let mut steps = Vec::new();
    for (consumer, go) in going {
        let service = consumer.service;
        let taken = taken
            .entry(service.cluster.as_str())
            .or_insert_with(|| occupied(facts, service.cluster.as_str(), now));
        // A place that it still holds; one that was given to another since is not its own any more.
        let slots = facts.concurrency_slots.get(&service.cluster).into_iter().flatten();
        let mut own = slots.filter(|(_, slot)| slot.service == service.arn && slot.until > now);
        let own = own.next().map(|(number, _)| *number);
        let free = own.or_else(|| (0..facts.settings.in_flight).find(|slot| !taken.contains(slot)));
        let Some(slot) = free else {
            let why = format!("{} deployments are in flight in its cluster", facts.settings.in_flight);
            hold(said, draft, consumer, (DeferReason::RolloutLimit, None, why));
            continue;
        };
        taken.insert(slot);
        steps.push(PlanStep::Redeploy {
            rule: response.id.clone(),
            cluster: service.cluster.clone(),
            service: service.arn.clone(),
            secrets: answered(consumer, &unanswered, facts),
            not_before: go.not_before,
            fresh_from: go.fresh_from,
            cooldown_from: go.cooled_from,
            slot,
            rollout: facts.settings.rollout,
            risks: go.findings,
            execution_roles: service.execution_roles.clone(),
            why: go.why,
        });
    }
    steps
}

/// The changes that a new deployment answers: also others that nobody answered yet, and those of a deployment of ours that
/// it supersedes before its end. If it fails, the service runs the old values of all of them.
fn answered(consumer: &SecretConsumer<'_>, unanswered: &ChangeIndex, facts: &Facts) -> Vec<SecretChange> {
    let mut changes = consumer.changes();
    let others = SecretConsumer::of(consumer.service, unanswered, &facts.settings);
    let others = others.iter().filter(|other| other.is_helped()).flat_map(SecretConsumer::changes);
    let superseded = facts.deployments.get(&consumer.service.arn).filter(|requested| requested.is_open());
    for other in others.chain(superseded.into_iter().flat_map(|requested| requested.changes.clone())) {
        if changes.iter().all(|known| known.secret.key() != other.secret.key()) {
            changes.push(other);
        }
    }
    changes
}

/// The changes that are not answered for.
fn unanswered(facts: &Facts) -> ChangeIndex {
    let open = facts.changes.iter().filter(|(_, change)| !change.resolved);
    let changed = open.filter_map(|(key, change)| {
        let secret = SecretRef::from_key(key)?;
        Some(SecretChange { secret, at: change.at, version: change.version.clone() })
    });
    ChangeIndex::new(changed.collect())
}

/// The places of a cluster that are taken.
fn occupied(facts: &Facts, cluster: &str, now: Timestamp) -> BTreeSet<u32> {
    let slots = facts.concurrency_slots.get(cluster).into_iter().flatten();
    slots.filter(|(_, slot)| slot.until > now).map(|(number, _)| *number).collect()
}

/// Lets a consumer wait; a human is told if it waits for longer than a change may go unanswered.
fn hold(
    said: &mut Vec<ConsumerNotice>,
    draft: &mut PlanBuilder<'_, '_>,
    consumer: &SecretConsumer<'_>,
    (reason, until, why): (DeferReason, Option<Timestamp>, String),
) {
    let answer = draft.facts.settings.answer;
    let late = consumer.waits_since(draft.facts).plus(answer);
    if draft.now() >= late || until.is_some_and(|until| until > late) {
        tell(said, draft, consumer, &consumer.open(draft.facts), "not redeployed yet", &why);
    }
    draft.steps.push(PlanStep::Defer {
        service: consumer.service.arn.clone(),
        secrets: consumer.changes(),
        reason,
        until,
        why,
    });
}

/// Tells of references that a new deployment does not change, beside others that it does.
fn tell_in_part(said: &mut Vec<ConsumerNotice>, draft: &PlanBuilder<'_, '_>, consumer: &SecretConsumer<'_>) {
    let why = "another of its references asks for a fixed version or another label";
    tell(said, draft, consumer, &consumer.in_part(), "redeployed in part", why);
}

/// Tells of a consumer that is tried again and again, for longer than a change may go unanswered.
fn tell_of_refusals(
    said: &mut Vec<ConsumerNotice>,
    draft: &PlanBuilder<'_, '_>,
    consumer: &SecretConsumer<'_>,
) {
    let facts = draft.facts;
    let since = consumer.waits_since(facts);
    let refused = |requested: &&DeploymentRecord| {
        requested.requested_at >= since
            && requested.end.is_some_and(|ended| ended.outcome == DeploymentOutcome::Refused)
    };
    let requested = facts.deployments.get(&consumer.service.arn).filter(refused);
    if let Some(requested) = requested.filter(|_| draft.now() >= since.plus(facts.settings.answer)) {
        let why = format!(
            "the call of {} had no effect: ECS throttles, or fails; it is repeated",
            requested.requested_at
        );
        tell(said, draft, consumer, &consumer.open(facts), "not redeployed yet", &why);
    }
}

/// Whether what is to be told of a consumer is left to the sweep: it tells of many changes in one page.
fn is_for_the_sweep(draft: &PlanBuilder<'_, '_>, response: &Response, consumer: &SecretConsumer<'_>) -> bool {
    let (facts, (region, _)) = (draft.facts, consumer.service.place());
    let recent = draft.now().minus(response.resolve_after);
    let mut notified = facts.notified.get(&consumer.service.arn).into_iter().flat_map(BTreeMap::values);
    draft.case.handler == Handler::Rotation
        && facts.settings.is_swept(region) == Some(true)
        && notified.any(|changed_at| *changed_at > recent)
        && consumer.open(facts).iter().any(|changed| !is_told(draft, consumer, changed))
}

/// Whether a human was told of a consumer of a change.
fn is_told(draft: &PlanBuilder<'_, '_>, consumer: &SecretConsumer<'_>, changed: &SecretChange) -> bool {
    let notified = draft.facts.notified.get(&consumer.service.arn);
    let known = notified.and_then(|notified| notified.get(&changed.secret.key()));
    // Two tellings of one change are seconds apart, and nobody acts on the first between them.
    known.is_some_and(|until| until.plus(draft.facts.settings.settle) >= changed.at)
}

/// Notes what to tell of a consumer, of each of these changes of which nobody was told yet.
fn tell(
    said: &mut Vec<ConsumerNotice>,
    draft: &PlanBuilder<'_, '_>,
    consumer: &SecretConsumer<'_>,
    changes: &[SecretChange],
    label: &'static str,
    why: &str,
) {
    let value = Untrusted::new(format!("{}: {why}", consumer.service.label().raw()));
    for changed in changes.iter().filter(|changed| !is_told(draft, consumer, changed)) {
        let about =
            deployment::AffectedConsumer { service: consumer.service.arn.clone(), change: changed.clone() };
        said.push(ConsumerNotice { about, detail: IncidentDetail { label, value: value.clone() } });
    }
}

/// Pages about all of it, as many as it takes to name everything. Their keys name what they say of whom: nobody is told the
/// same twice, and everybody of what is new.
fn say(draft: &mut PlanBuilder<'_, '_>, response: &Response, said: Vec<ConsumerNotice>) {
    let mut pages: Vec<(Vec<deployment::AffectedConsumer>, Vec<IncidentDetail>, BTreeSet<String>)> =
        Vec::new();
    for ConsumerNotice { about, detail } in said {
        let secret = about.change.secret.key();
        let has_room = |(_, details, secrets): &(_, Vec<IncidentDetail>, BTreeSet<String>)| {
            (details.len() < notify::DETAILS_MAX || details.contains(&detail))
                && (secrets.len() < notify::SECRETS_MAX || secrets.contains(&secret))
        };
        if !pages.last().is_some_and(has_room) {
            pages.push(Default::default());
        }
        if let Some((known, details, secrets)) = pages.last_mut() {
            if !known.contains(&about) {
                known.push(about);
            }
            if !details.contains(&detail) {
                details.push(detail);
            }
            secrets.insert(secret);
        }
    }
    for (mut about, details, _) in pages {
        about.sort();
        page_about(draft, response, "consumers", about, details);
    }
}

/// Pages about consumers. What is said of them is one incident, and another thing said of them another one.
pub(super) fn page_about(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    what: &str,
    about: Vec<deployment::AffectedConsumer>,
    details: Vec<IncidentDetail>,
) {
    let mut parts = vec![what.to_owned()];
    for consumer in &about {
        let changed = &consumer.change;
        let which = changed.version.clone().unwrap_or_else(|| changed.at.to_string());
        parts.extend([consumer.service.clone(), changed.secret.key(), which]);
    }
    let subject = hash::id(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut observations: Vec<Observation> = Vec::new();
    for consumer in &about {
        // The incident is as old as the change: the sweep says what the event said.
        let mut observation = Observation::from_event(draft.event());
        observation.at = consumer.change.at;
        observation.secrets = vec![consumer.change.secret.clone()];
        observation.region.clone_from(&consumer.change.secret.region);
        if !observations.contains(&observation) {
            observations.push(observation);
        }
    }
    observations.sort();
    let key = incident_key(response, &subject);
    draft.add_incident_of(response, key, observations.iter().collect(), details, about);
}

/// What could not be learned of a place: told, and worth another look where that may help. Replays have no gaps: there the
/// plan alone says what is unknown.
pub(super) fn unlearned(draft: &mut PlanBuilder<'_, '_>, response: &Response, account: &str, region: &str) {
    let place = place(account, region);
    let (gaps, limits) =
        (draft.facts.discovery_failures.get(&place), draft.facts.discovery_limits.get(&place));
    let gap = |gap: &String| IncidentDetail { label: "could not be learned", value: Untrusted::new(gap) };
    // A ledger that is down is alarmed by the functions that fail; it would be told with every delivery.
    let worth = limits.into_iter().chain(gaps).flatten().filter(|gap| *gap != LEDGER_GAP);
    let details: Vec<IncidentDetail> = worth.map(gap).collect();
    if !details.is_empty() {
        // In a page of its own: the next look may have more to tell.
        draft.add_event_incident(response, &unlearned_key(&place), details);
    }
    if gaps.is_some_and(|gaps| !gaps.is_empty()) {
        draft.retry = Some("not everything about the services could be learned".to_owned());
    }
}

pub(super) fn unlearned_key(subject: &str) -> String {
    format!("{subject} unlearned")
}

/// A change of which nobody waits and nothing is unknown is answered for.
fn settle(draft: &mut PlanBuilder<'_, '_>, changes: &[SecretChange], waiting: &BTreeSet<String>) {
    for changed in changes {
        let place = place(&changed.secret.account, &changed.secret.region);
        let known = !draft.facts.discovery_failures.contains_key(&place) && draft.facts.services.is_some();
        let key = changed.secret.key();
        // The sweep sees secrets for the first time that nobody waits for: open, they would seem to wait ever since.
        let first = draft.case.handler == Handler::Sweep && !draft.facts.changes.contains_key(&key);
        let open = first || draft.facts.changes.get(&key).is_some_and(|change| !change.resolved);
        if known && open && !waiting.contains(&key) {
            draft.steps.push(PlanStep::ResolveChange { change: changed.clone() });
        }
    }
}
