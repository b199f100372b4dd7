//! Sweep: finds the changes that no event reported, and retries what was deferred. Idempotent, and cheap where nothing
//! happened: services are described only where a change is open.

use std::collections::BTreeSet;

use super::consumer_locations::{ConsumerLocation, list_consumer_locations};
use super::discovery_failures::{discovery_incident_key, notify_discovery_failures};
use super::invalid_tags;
use super::open_changes::{OpenChange, find_open_changes, list_swept_regions};
use super::plan_builder::PlanBuilder;
use super::redeploy::plan_redeployments;
use super::unreached_references::{self, notify_unreached_references};
use crate::facts::Facts;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};

/// What must be known about secrets and the work of before, and then about the consumers of each open change.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let mut questions = Vec::new();
    for region in list_swept_regions(case, facts) {
        let account = case.event.account.clone();
        let key = discovery_incident_key(response, &account, &region);
        questions.push(Question::Incident { key });
        questions.push(Question::RotationState { account: account.clone(), region: region.clone() });
        questions.push(Question::Secrets { account, region });
    }
    for OpenChange { change, .. } in find_open_changes(case, facts) {
        for ConsumerLocation { account, region } in list_consumer_locations(&facts.settings, &change.secret) {
            questions.push(Question::RotationState { account: account.clone(), region: region.clone() });
            let (secret, since) = (change.secret.clone(), change.at);
            questions.push(Question::Consumers { account, region, secret, since });
        }
    }
    questions.extend(invalid_tags::questions(response, facts));
    questions.extend(unreached_references::questions(response, facts));
    questions
}

/// Records the changes that are news, and redeploys the consumers of all open ones.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    let mut changes = Vec::new();
    for OpenChange { change, is_news } in find_open_changes(builder.case, builder.facts) {
        if is_news {
            builder.steps.push(PlanStep::RecordChange { change: change.clone() });
        }
        changes.push(change);
    }
    let account = builder.event().account.clone();
    for region in list_swept_regions(builder.case, builder.facts) {
        notify_discovery_failures(builder, response, &account, &region);
    }
    // The next sweep is the retry.
    builder.retry = None;
    if changes.is_empty() {
        return;
    }
    if builder.facts.services.is_none() {
        let why = "the services that use the changed secrets are unknown".to_owned();
        builder.steps.push(PlanStep::Unknown { why });
        return;
    }
    notify_unreached_references(builder, response, &changes);
    plan_redeployments(builder, response, &changes, &BTreeSet::new());
}
