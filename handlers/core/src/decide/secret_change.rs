//! Changes of secrets by events: confirms the change where the secret is and in each Region that has a replica, records it,
//! and plans the redeployments that it asks for.

use std::collections::{BTreeMap, BTreeSet};

use super::change_index::ChangeIndex;
use super::confirmation::{ChangeConfirmation, confirm_change, find_event_version};
use super::consumer::find_consumers_in_service;
use super::consumer_locations::{ConsumerLocation, list_consumer_locations};
use super::discovery_failures::{discovery_incident_key, notify_discovery_failures};
use super::invalid_tags;
use super::plan_builder::PlanBuilder;
use super::redeploy::plan_redeployments;
use super::unreached_references::{self, notify_unreached_references};
use super::unswept_region::{notify_unswept_region, unswept_incident_key};
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How far in the future the time of an event may be: clocks differ.
const FUTURE_TIME_MAX: Span = Span::from_secs(300);

/// The subject of the incident about events that do not say which secret changed.
const UNKNOWN_SECRET: &str = "unknown";

/// What must be known about the secret, about its replicas once they are known, and about their consumers.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let Some(secret) = case.event.secrets.first() else {
        return vec![Question::Incident { key: incident_key(response, UNKNOWN_SECRET) }];
    };
    let version = find_event_version(&case.event);
    let mut questions = Vec::new();
    let mut locations = BTreeSet::new();
    for secret in list_with_replicas(secret, facts) {
        if let Some(key) = unswept_incident_key(&facts.settings, response, &secret) {
            questions.push(Question::Incident { key });
        }
        questions.push(Question::Secret { secret: secret.clone(), version: version.clone() });
        for ambiguous in find_ambiguous_references(&secret, facts) {
            questions.push(Question::SecretWithArn { secret: ambiguous });
        }
        for location in list_consumer_locations(&facts.settings, &secret) {
            let ConsumerLocation { account, region } = location.clone();
            let since = case.event.time;
            questions.push(Question::Consumers { account, region, secret: secret.clone(), since });
            locations.insert(location);
        }
    }
    for ConsumerLocation { account, region } in locations {
        let key = discovery_incident_key(response, &account, &region);
        questions.push(Question::Incident { key });
        questions.push(Question::RotationState { account, region });
    }
    questions.extend(invalid_tags::questions(response, facts));
    questions.extend(unreached_references::questions(response, facts));
    questions
}

/// The secret and its replicas, as far as they are known.
fn list_with_replicas(secret: &SecretRef, facts: &Facts) -> BTreeSet<SecretRef> {
    let mut secrets = BTreeSet::from([secret.clone()]);
    if let Some(metadata) = facts.secrets.get(&secret.key()) {
        for region in &metadata.replicas {
            secrets.insert(SecretRef { region: region.clone(), ..secret.clone() });
        }
    }
    secrets
}

/// The references to a secret by a partial ARN that may be the full ARN of another secret.
fn find_ambiguous_references(secret: &SecretRef, facts: &Facts) -> BTreeSet<SecretRef> {
    let change = SecretChange { secret: secret.clone(), at: Timestamp::default(), version: None };
    let changes = ChangeIndex::new(vec![change]);
    let mut ambiguous = BTreeSet::new();
    for service in facts.services.iter().flatten() {
        for consumer in find_consumers_in_service(service, &changes, &facts.settings, &BTreeMap::new()) {
            ambiguous.extend(consumer.partial_arns());
        }
    }
    ambiguous
}

/// Plans what the event asks for. The checks run in this order:
///
/// 1. the event names no secret, no time, or a secret of another account: notify;
/// 2. the services are not known: notify of what could not be learned;
/// 3. the new version is not AWSCURRENT yet: ask for a retry;
/// 4. otherwise: record the change, and redeploy.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    let secret = match find_changed_secret(builder) {
        Ok(secret) => secret,
        Err(why) => {
            // 1. The event does not say which secret of its own account changed, or when.
            builder.steps.push(PlanStep::Unknown { why: why.to_owned() });
            let detail = IncidentDetail { kind: DetailKind::NothingRedeployed, value: Untrusted::new(why) };
            builder.add_event_incident(response, UNKNOWN_SECRET, vec![detail]);
            return;
        }
    };
    if builder.facts.services.is_none() {
        // 2. The services are not known.
        let why = "the services that use the secret are unknown".to_owned();
        builder.steps.push(PlanStep::Unknown { why });
        notify_discovery_failures(builder, response, &secret.account, &secret.region);
        return;
    }
    let mut changes = Vec::new();
    let mut unconfirmed = BTreeSet::new();
    let secrets = list_with_replicas(&secret, builder.facts);
    for there in &secrets {
        match confirm_change(builder.event(), builder.facts, there, there.region != secret.region) {
            ChangeConfirmation::Confirmed(change) => changes.push(change),
            ChangeConfirmation::Unconfirmed(change) => {
                let key = there.key();
                if builder.facts.secrets.contains_key(&key) {
                    unconfirmed.insert(key);
                }
                changes.push(change);
            }
            ChangeConfirmation::NotYet(why) => {
                // 3. The new version is not AWSCURRENT yet. Replication takes its own time, and a sweep of the Region of a
                // replica finds the version when it is there.
                builder.steps.push(PlanStep::Unknown { why });
                let is_found_by_sweep = builder.facts.settings.further_regions.contains(&there.region);
                if !is_found_by_sweep || there.region == secret.region {
                    builder.retry = Some("the new version is not AWSCURRENT yet".to_owned());
                }
            }
        }
    }
    // 4. Record the change, and redeploy.
    record_changes(builder, &changes);
    let mut locations = BTreeSet::new();
    for there in &secrets {
        locations.extend(list_consumer_locations(&builder.facts.settings, there));
        notify_unswept_region(builder, response, there);
    }
    for ConsumerLocation { account, region } in &locations {
        notify_discovery_failures(builder, response, account, region);
    }
    notify_unreached_references(builder, response, &changes);
    plan_redeployments(builder, response, &changes, &unconfirmed);
}

/// The secret whose change the event reports, or why the event does not say it.
fn find_changed_secret(builder: &PlanBuilder<'_, '_>) -> Result<SecretRef, &'static str> {
    let event = builder.event();
    let Some(secret) = event.secrets.first() else { return Err("the event names no secret") };
    if !event.time_known {
        return Err("the event does not say when");
    }
    // Otherwise the change would settle until then, and hide every real one before.
    if event.time > builder.now().plus(FUTURE_TIME_MAX) {
        return Err(
            "the event says a time in the future: it is not believed, and the sweep finds the real change",
        );
    }
    if secret.account != event.account {
        return Err("the event of one account names a secret of another");
    }
    Ok(secret.clone())
}

/// Records the changes that are newer than what is known of their secrets. Without the ledger it is not known when the
/// version became AWSCURRENT, since `LastChangedDate` may have moved: then nothing is recorded.
fn record_changes(builder: &mut PlanBuilder<'_, '_>, changes: &[SecretChange]) {
    for change in changes {
        let is_news = match builder.facts.changes.get(&change.secret.key()) {
            None => true,
            Some(known) => known.at < change.at || known.version.is_none() && change.version.is_some(),
        };
        if is_news && builder.facts.is_change_remembered(&change.secret) {
            builder.steps.push(PlanStep::RecordChange { change: change.clone() });
        }
    }
}
