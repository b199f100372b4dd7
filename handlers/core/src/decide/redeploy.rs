//! Redeployment: what changes of secrets ask of the services that use them. An event and the sweep plan the same: every
//! consumer runs the new value, is about to, or a human is notified.

use std::collections::BTreeSet;

use super::change_index::ChangeIndex;
use super::concurrency::{EligibleConsumer, SlotAllocator, sort_by_waiting_time};
use super::consumer::{SecretConsumer, find_consumers_in_service};
use super::consumer_locations::is_looked_for;
use super::consumer_notices::{NoticeList, add_notice_incidents, is_left_to_sweep};
use super::deferral::Deferral;
use super::eligibility::{Eligibility, check_eligibility};
use super::invalid_tags::notify_invalid_tags;
use super::plan_builder::PlanBuilder;
use super::resolved_changes::{find_waiting_secrets, resolve_answered_changes};
use crate::facts::Facts;
use crate::plan::{DeferReason, PlanStep, SkipReason};
use crate::rules::Response;
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;

/// Plans what these changes ask for. `unconfirmed` holds the keys of the secrets whose change Secrets Manager did not
/// confirm. The steps come in this order:
///
/// 1. the consumers that are skipped or deferred, with the reason of each,
/// 2. the incidents that notify humans: redeploying many services may take longer than the invocation has,
/// 3. the redeployments,
/// 4. the changes that are answered.
pub(super) fn plan_redeployments(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    changes: &[SecretChange],
    unconfirmed: &BTreeSet<String>,
) {
    let facts = builder.facts;
    let consumers = find_consumers(facts, &ChangeIndex::new(changes.to_vec()));
    let mut decisions = ConsumerDecisions::new(facts, builder);
    for consumer in &consumers {
        decisions.decide(builder, response, consumer, unconfirmed);
    }
    decisions.allocate_slots(builder, response);
    let ConsumerDecisions { notices, steps, redeployments, .. } = decisions;
    let waiting = find_waiting_secrets(&steps, &redeployments, facts, builder.now());
    builder.steps.extend(steps);
    if consumers.is_empty() && !changes.is_empty() {
        builder.steps.push(PlanStep::Nothing { why: "no known service uses the secret".to_owned() });
    }
    add_notice_incidents(builder, response, notices);
    let services = consumers.iter().map(|consumer| consumer.service.arn.as_str()).collect();
    notify_invalid_tags(builder, response, &services);
    builder.steps.extend(redeployments);
    resolve_answered_changes(builder, changes, &waiting);
}

/// The consumers of these changes, by the ARN of the service.
fn find_consumers<'f>(facts: &'f Facts, changes: &ChangeIndex) -> Vec<SecretConsumer<'f>> {
    let mut consumers = Vec::new();
    for service in facts.services.iter().flatten() {
        consumers.extend(find_consumers_in_service(service, changes, &facts.settings, &facts.secrets));
    }
    consumers.sort_by(|a, b| a.service.arn.cmp(&b.service.arn));
    consumers
}

/// The decisions about the consumers of a plan.
struct ConsumerDecisions<'d, 'f> {
    facts: &'f Facts,
    notices: NoticeList<'f>,
    /// The consumers that are skipped or deferred.
    steps: Vec<PlanStep>,
    /// The consumers that may be redeployed, if their cluster has a slot.
    eligible: Vec<EligibleConsumer<'d, 'f>>,
    redeployments: Vec<PlanStep>,
}

impl<'d, 'f> ConsumerDecisions<'d, 'f> {
    fn new(facts: &'f Facts, builder: &PlanBuilder<'_, '_>) -> Self {
        let notices = NoticeList::new(facts, builder.now());
        Self { facts, notices, steps: Vec::new(), eligible: Vec::new(), redeployments: Vec::new() }
    }

    fn decide(
        &mut self,
        builder: &PlanBuilder<'_, '_>,
        response: &Response,
        consumer: &'d SecretConsumer<'f>,
        unconfirmed: &BTreeSet<String>,
    ) {
        let changes = consumer.changes();
        // Before the gates: a service that no function would see gets no gate's answer.
        let location = consumer.service.region_and_account();
        if !is_looked_for(&self.facts.settings, location, changes.iter().map(|change| &change.secret)) {
            self.skip(consumer, SkipReason::OutOfReach, describe_out_of_reach(location.0));
            return;
        }
        let is_unconfirmed = changes.iter().any(|change| unconfirmed.contains(&change.secret.key()));
        match check_eligibility(consumer, self.facts, builder.now(), is_unconfirmed) {
            Eligibility::Skip(skipped)
                if skipped.reason.needs_human() && is_left_to_sweep(builder, response, consumer) =>
            {
                let why = format!(
                    "{}; people were notified of it moments ago, and the sweep notifies of what came since",
                    skipped.why
                );
                self.defer(
                    consumer,
                    Deferral { reason: DeferReason::LeftToSweep, until: None, expected_end: None, why },
                );
            }
            Eligibility::Skip(skipped) => self.skip(consumer, skipped.reason, skipped.why),
            Eligibility::Defer(deferral) => self.defer(consumer, deferral),
            Eligibility::Redeploy(terms) => {
                self.notices.add_read_in_part(consumer);
                self.notices.add_repeated_refusal(consumer);
                self.eligible.push(EligibleConsumer { consumer, terms });
            }
        }
    }

    fn skip(&mut self, consumer: &SecretConsumer<'_>, reason: SkipReason, why: String) {
        if reason.needs_human() {
            self.notices.add_skipped(consumer, &why);
        } else if !matches!(reason, SkipReason::Inactive | SkipReason::OptedOut | SkipReason::ScaledToZero) {
            self.notices.add_read_in_part(consumer);
        }
        self.steps.push(PlanStep::Skip {
            service: consumer.service.arn.clone(),
            secrets: consumer.changes(),
            deployment: consumer.service.primary.clone(),
            reason,
            why,
        });
    }

    fn defer(&mut self, consumer: &SecretConsumer<'_>, deferral: Deferral) {
        self.notices.add_deferred(consumer, &deferral);
        let Deferral { reason, until, why, .. } = deferral;
        self.steps.push(PlanStep::Defer {
            service: consumer.service.arn.clone(),
            secrets: consumer.changes(),
            reason,
            until,
            why,
        });
    }

    /// Redeploys as many of the eligible services as each cluster has slots for, and defers the others.
    fn allocate_slots(&mut self, builder: &PlanBuilder<'_, '_>, response: &Response) {
        let facts = self.facts;
        let mut eligible = std::mem::take(&mut self.eligible);
        sort_by_waiting_time(&mut eligible);
        let open_changes = index_open_changes(facts);
        let mut slots = SlotAllocator::new(facts, builder.now());
        for EligibleConsumer { consumer, terms } in eligible {
            let Some(slot) = slots.allocate(consumer.service) else {
                let why =
                    format!("{} deployments are in flight in its cluster", facts.settings.rollout_limit);
                self.defer(
                    consumer,
                    Deferral { reason: DeferReason::RolloutLimit, until: None, expected_end: None, why },
                );
                continue;
            };
            self.redeployments.push(PlanStep::Redeploy {
                rule: response.id.clone(),
                cluster: consumer.service.cluster.clone(),
                service: consumer.service.arn.clone(),
                secrets: list_answered_changes(consumer, &open_changes, facts),
                not_before: terms.not_before,
                fresh_from: terms.fresh_from,
                cooldown_from: terms.cooldown_from,
                slot,
                rollout: facts.settings.rollout_timeout,
                risks: terms.risks,
                execution_roles: consumer.service.execution_roles.clone(),
                partial_arns: consumer.partial_arns(),
                why: terms.why,
            });
        }
    }
}

/// Why a service is not redeployed in a Region where no function looks for consumers.
fn describe_out_of_reach(region: &str) -> String {
    let region = Untrusted::new(region).show(32);
    format!("the functions do not look for services in {region}; add it to REGIONS, the parameter Regions")
}

/// The changes that a new deployment answers: those of the consumer, other open changes that it uses, and those of a
/// deployment of ours that it supersedes. If it fails, the service runs the old values of all of them.
fn list_answered_changes(
    consumer: &SecretConsumer<'_>,
    open_changes: &ChangeIndex,
    facts: &Facts,
) -> Vec<SecretChange> {
    let mut answered = consumer.changes();
    let mut others = Vec::new();
    for other in find_consumers_in_service(consumer.service, open_changes, &facts.settings, &facts.secrets) {
        if other.reads_new_values() {
            others.extend(other.changes());
        }
    }
    if let Some(record) = facts.deployments.get(&consumer.service.arn)
        && record.is_open()
    {
        others.extend(record.changes.clone());
    }
    for other in others {
        let key = other.secret.key();
        if answered.iter().all(|change| change.secret.key() != key) {
            answered.push(other);
        }
    }
    answered
}

/// The changes that some consumer still waits for.
fn index_open_changes(facts: &Facts) -> ChangeIndex {
    let mut open = Vec::new();
    for (key, change) in &facts.changes {
        if change.resolved {
            continue;
        }
        let Some(secret) = change.find_secret(key) else { continue };
        open.push(SecretChange { secret, at: change.at, version: change.version.clone() });
    }
    ChangeIndex::new(open)
}
