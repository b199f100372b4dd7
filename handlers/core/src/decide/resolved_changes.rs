//! Resolved changes: a change is resolved when no consumer waits for it and nothing about its consumers is unknown.

use std::collections::BTreeSet;

use super::consumer_locations::{ConsumerLocation, list_consumer_locations};
use super::plan_builder::PlanBuilder;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::location::Location;
use crate::facts::Facts;
use crate::plan::{PlanStep, SkipReason};
use crate::rules::Handler;
use crate::state::deployment::SecretChange;
use crate::time::Timestamp;

/// The keys of the secrets whose consumers wait, after these steps. A consumer waits
///
/// 1. if it is deferred or redeployed now, as where its newer deployment goes on,
/// 2. if its deployment is not seen yet: it may turn out that it never began, or
/// 3. if nobody says how far its newer deployment is, and the end of ours is not known: it may fail and be rolled back.
pub(super) fn find_waiting_secrets(
    steps: &[PlanStep],
    redeployments: &[PlanStep],
    facts: &Facts,
    now: Timestamp,
) -> BTreeSet<String> {
    let mut waiting = BTreeSet::new();
    for step in steps.iter().chain(redeployments) {
        let changes = match step {
            // 1 and 2. It is deferred or redeployed now, or its deployment is not seen yet.
            PlanStep::Defer { secrets, .. }
            | PlanStep::Redeploy { secrets, .. }
            | PlanStep::Skip { secrets, reason: SkipReason::AlreadyRequested, .. } => secrets,
            // 3. The end of ours is not known.
            PlanStep::Skip { secrets, reason: SkipReason::AlreadyNewer, service, .. }
                if is_rollout_ongoing(facts, service, now) =>
            {
                secrets
            }
            _ => continue,
        };
        for change in changes {
            waiting.insert(change.secret.key());
        }
    }
    waiting
}

/// Whether the end of a deployment of ours is not known, and it has not gone on for too long.
fn is_rollout_ongoing(facts: &Facts, service: &ServiceArn, now: Timestamp) -> bool {
    let Some(record) = facts.deployments.get(service) else { return false };
    record.is_open() && now < record.requested_at.plus(facts.settings.rollout_timeout)
}

/// Resolves the changes that no consumer waits for, where all consumers are known.
pub(super) fn resolve_answered_changes(
    builder: &mut PlanBuilder<'_, '_>,
    changes: &[SecretChange],
    waiting: &BTreeSet<String>,
) {
    let facts = builder.facts;
    for change in changes {
        let key = change.secret.key();
        if facts.services.is_none() || has_unknown_consumers(facts, change) || waiting.contains(&key) {
            continue;
        }
        let is_open = match facts.changes.get(&key) {
            Some(known) => !known.resolved,
            // The sweep records the change of a secret that it sees for the first time. Left open, the change would seem to
            // have waited ever since.
            None => builder.case.handler == Handler::Sweep,
        };
        if is_open {
            builder.steps.push(PlanStep::ResolveChange { change: change.clone() });
        }
    }
}

/// Whether something could not be learned of an account and Region in which services may use the secret.
fn has_unknown_consumers(facts: &Facts, change: &SecretChange) -> bool {
    let locations = list_consumer_locations(&facts.settings, &change.secret);
    locations.iter().any(|ConsumerLocation { account, region }| {
        facts.discovery_failures.contains_key(&Location::new(account, region))
    })
}
