//! Notices: what humans are notified of about consumers that still run an old value, and the incidents that carry it.

use std::collections::BTreeSet;

use super::consumer::SecretConsumer;
use super::deferral::Deferral;
use super::plan_builder::PlanBuilder;
use crate::aws::ecs_refusal::DeploymentRefusal;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::hash::hash_parts;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::notify;
use crate::plan::{DeferReason, PlanStep, RefusedDeployment};
use crate::rules::{Handler, Response};
use crate::state::deployment::{AffectedConsumer, DeploymentOutcome, SecretChange};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// One line of a notification: one consumer of one change, and what is said about it.
struct ConsumerNotice {
    about: AffectedConsumer,
    detail: IncidentDetail,
}

/// The notices of one plan, without those that a human got before.
pub(super) struct NoticeList<'f> {
    facts: &'f Facts,
    now: Timestamp,
    notices: Vec<ConsumerNotice>,
}

impl<'f> NoticeList<'f> {
    /// An empty list.
    pub(super) fn new(facts: &'f Facts, now: Timestamp) -> Self {
        Self { facts, now, notices: Vec::new() }
    }

    /// A service is not redeployed, and a human must act.
    pub(super) fn add_skipped(&mut self, consumer: &SecretConsumer<'_>, why: &str) {
        self.add(consumer, &consumer.open_changes(self.facts), DetailKind::NotRedeployed, why);
    }

    /// A service waits: worth a notice if it waits for longer than a change may go unanswered, or for a human.
    pub(super) fn add_deferred(&mut self, consumer: &SecretConsumer<'_>, deferral: &Deferral) {
        let Deferral { reason, until, expected_end, why } = deferral;
        let deadline = self.answer_deadline(consumer).max(expected_end.unwrap_or_default());
        let is_halted = *reason == DeferReason::Halted;
        if is_halted || self.now >= deadline || until.is_some_and(|until| until > deadline) {
            self.add(consumer, &consumer.open_changes(self.facts), DetailKind::NotRedeployedYet, why);
        }
    }

    /// Some references of a service are not changed by its new deployment.
    pub(super) fn add_read_in_part(&mut self, consumer: &SecretConsumer<'_>) {
        let why = "another of its references asks for a fixed version or another label";
        self.add(consumer, &consumer.changes_read_in_part(), DetailKind::RedeployedInPart, why);
    }

    /// ECS refuses a service again and again: worth a notice if that takes longer than a change may go unanswered.
    pub(super) fn add_repeated_refusal(&mut self, consumer: &SecretConsumer<'_>) {
        let Some(record) = self.facts.deployments.get(&consumer.service.arn) else { return };
        let is_refused = record.end.is_some_and(|end| end.outcome == DeploymentOutcome::Refused);
        if !is_refused
            || record.requested_at < consumer.waiting_since(self.facts)
            || self.now < self.answer_deadline(consumer)
        {
            return;
        }
        let requested_at = record.requested_at;
        let why =
            format!("the call of {requested_at} had no effect: ECS throttles, or fails; it is repeated");
        self.add(consumer, &consumer.open_changes(self.facts), DetailKind::NotRedeployedYet, &why);
    }

    /// Adds a notice of each of these changes of which no human was notified yet.
    fn add(&mut self, consumer: &SecretConsumer<'_>, changes: &[SecretChange], kind: DetailKind, why: &str) {
        let value = Untrusted::new(format!("{}: {why}", consumer.service.display_name().raw()));
        for change in changes {
            if is_notified(self.facts, consumer, change) {
                continue;
            }
            let about = AffectedConsumer { service: consumer.service.arn.clone(), change: change.clone() };
            let detail = IncidentDetail { kind, value: value.clone() };
            self.notices.push(ConsumerNotice { about, detail });
        }
    }

    /// When the consumer has run an old value for longer than a change may go unanswered.
    fn answer_deadline(&self, consumer: &SecretConsumer<'_>) -> Timestamp {
        consumer.waiting_since(self.facts).plus(self.facts.settings.answer_deadline)
    }
}

/// Whether a human was notified of a consumer of a change. Two changes within the settle delay of each other are one to a
/// human, who does not act on the first within these seconds.
fn is_notified(facts: &Facts, consumer: &SecretConsumer<'_>, change: &SecretChange) -> bool {
    let Some(notified) = facts.notified.get(&consumer.service.arn) else { return false };
    let Some(notified_until) = notified.get(&change.secret.key()) else { return false };
    notified_until.plus(facts.settings.settle_delay) >= change.at
}

/// Whether the notice about a consumer is left to the sweep, which puts many changes into one page: a human was notified of
/// this service moments ago, and a sweep runs in its Region.
pub(super) fn is_left_to_sweep(
    builder: &PlanBuilder<'_, '_>,
    response: &Response,
    consumer: &SecretConsumer<'_>,
) -> bool {
    let facts = builder.facts;
    let (region, _) = consumer.service.region_and_account();
    if builder.case.handler != Handler::Rotation || facts.settings.is_swept(region) != Some(true) {
        return false;
    }
    let recently = builder.now().minus(response.resolve_after);
    let mut notified = facts.notified.get(&consumer.service.arn).into_iter().flatten();
    let mut open_changes = consumer.open_changes(facts).into_iter();
    notified.any(|(_, changed_at)| *changed_at > recently)
        && open_changes.any(|change| !is_notified(facts, consumer, &change))
}

/// The content of one incident.
#[derive(Default)]
struct NoticePage {
    consumers: Vec<AffectedConsumer>,
    details: Vec<IncidentDetail>,
    secrets: BTreeSet<String>,
}

impl NoticePage {
    /// Whether a person can still read the page with this notice on it.
    fn has_room_for(&self, notice: &ConsumerNotice) -> bool {
        let secret = notice.about.change.secret.key();
        (self.details.len() < notify::DETAILS_MAX || self.details.contains(&notice.detail))
            && (self.secrets.len() < notify::SECRETS_MAX || self.secrets.contains(&secret))
    }

    fn add(&mut self, notice: ConsumerNotice) {
        let ConsumerNotice { about, detail } = notice;
        self.secrets.insert(about.change.secret.key());
        if !self.consumers.contains(&about) {
            self.consumers.push(about);
        }
        if !self.details.contains(&detail) {
            self.details.push(detail);
        }
    }
}

/// Adds incidents about all notices, as many as it takes to name every consumer.
pub(super) fn add_notice_incidents(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    list: NoticeList<'_>,
) {
    let mut pages: Vec<NoticePage> = Vec::new();
    for notice in list.notices {
        match pages.last_mut() {
            Some(page) if page.has_room_for(&notice) => page.add(notice),
            _ => {
                let mut page = NoticePage::default();
                page.add(notice);
                pages.push(page);
            }
        }
    }
    for mut page in pages {
        page.consumers.sort();
        add_consumer_incident(builder, response, "consumers", page.consumers, page.details);
    }
}

/// Adds an incident about consumers. Its key names the consumers and `topic`: a human gets the same notice once, and another
/// notice about the same consumers as another incident.
fn add_consumer_incident(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    topic: &str,
    consumers: Vec<AffectedConsumer>,
    details: Vec<IncidentDetail>,
) {
    let mut parts = vec![topic.to_owned()];
    let mut observations: Vec<Observation> = Vec::new();
    for AffectedConsumer { service, change } in &consumers {
        let version = change.version.clone().unwrap_or_else(|| change.at.to_string());
        parts.extend([String::from(service), change.secret.key(), version]);
        // The incident is as old as the change: the sweep and the event give the same one.
        let mut observation = Observation::from_event(builder.event());
        observation.at = change.at;
        observation.secrets = vec![change.secret.clone()];
        observation.region.clone_from(&change.secret.region);
        if !observations.contains(&observation) {
            observations.push(observation);
        }
    }
    observations.sort();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let key = incident_key(response, &hash_parts(&parts));
    builder.add_incident_of(response, key, observations.iter().collect(), details, consumers);
}

/// Adds an incident about services that ECS refused to redeploy.
pub(super) fn add_refusal_incident(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    refused: &[RefusedDeployment],
) {
    let mut consumers = Vec::new();
    let mut details = Vec::new();
    for RefusedDeployment { step, refusal, why } in refused {
        let PlanStep::Redeploy { service, secrets, .. } = step else { continue };
        for change in secrets {
            consumers.push(AffectedConsumer { service: service.clone(), change: change.clone() });
        }
        let repetition = match refusal {
            DeploymentRefusal::Final => "",
            DeploymentRefusal::Passing => "; the call is repeated after the cooldown",
        };
        let value = Untrusted::new(format!("{service}: {}{repetition}", why.raw()));
        details.push(IncidentDetail { kind: DetailKind::RefusedByEcs, value });
    }
    if !consumers.is_empty() {
        add_consumer_incident(builder, response, "refused", consumers, details);
    }
}
