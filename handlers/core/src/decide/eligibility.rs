//! Eligibility: whether one service that uses changed secrets is skipped, deferred or redeployed, and whether a human is
//! notified.

use std::collections::BTreeSet;

use super::consumer::SecretConsumer;
use super::defer_gates::find_reason_to_defer;
use super::deferral::Deferral;
use super::eligibility_check::EligibilityCheck;
use super::newer_deployment::{NewerDeployment, judge_newer_deployment};
use super::skip_gates::{ReasonToSkip, find_lack_of_need, find_lack_of_permission};
use crate::facts::Facts;
use crate::settings::DeploymentRisk;
use crate::time::Timestamp;

/// What is to be done about a consumer.
pub(super) enum Eligibility {
    /// Leave it; [`SkipReason::needs_human`] says whether a human is notified.
    Skip(ReasonToSkip),
    /// Redeploy it later.
    Defer(Deferral),
    /// Redeploy it.
    Redeploy(RedeployTerms),
}

/// The terms of a redeployment: the fields of the plan's step.
pub(super) struct RedeployTerms {
    pub(super) not_before: Timestamp,
    pub(super) fresh_from: Timestamp,
    pub(super) cooldown_from: Timestamp,
    pub(super) risks: BTreeSet<DeploymentRisk>,
    pub(super) why: String,
}

/// Decides about one consumer. `is_unconfirmed`: Secrets Manager did not confirm one of the changes.
///
/// The gates run in this order, and the first that applies decides:
///
/// | | the gates | the outcome |
/// | --- | --- | --- |
/// | 1 | the service is draining or gone | skip |
/// | 2 | its tag says `off` | skip |
/// | 3 | it asks for other versions only | notify |
/// | 4 | a secret is deleted or missing | notify |
/// | 5 | it is scaled to 0 | skip |
/// | 6 | its PRIMARY deployment is newer than the change | skip if complete, notify if it failed, else defer |
/// | 7 | ECS refused to deploy it for this change | notify |
/// | 8 | our deployment for this change failed | notify |
/// | 9 | our deployment for this change was requested and is not seen yet | skip |
/// | 10 | `CodeDeploy` deploys it | notify |
/// | 11 | an external controller deploys it | notify |
/// | 12 | ECS manages it | notify |
/// | 13 | one of its tags is invalid | notify |
/// | 14 | its tag says `notify` | notify |
/// | 15 | the settings leave one of its risks to a human | notify |
/// | 16 | the mode is `notify` | notify |
/// | 17 | a rollout of one of its changes failed elsewhere | defer, and notify at once |
/// | 18 | the ledger did not answer | defer |
/// | 19 | the settle delay of the change is not over | defer |
/// | 20 | a deployment is in progress | defer |
/// | 21 | the end of our last deployment is not known | defer |
/// | 22 | the service cools down after our last deployment | defer |
/// | 23 | its window is closed | defer |
/// | 24 | none of the above | redeploy |
pub(super) fn check_eligibility(
    consumer: &SecretConsumer<'_>,
    facts: &Facts,
    now: Timestamp,
    is_unconfirmed: bool,
) -> Eligibility {
    let check = EligibilityCheck::new(consumer, facts, now, is_unconfirmed);
    // 1 to 5.
    if let Some(reason) = find_lack_of_need(&check) {
        return Eligibility::Skip(reason);
    }
    // 6.
    match judge_newer_deployment(&check) {
        Some(NewerDeployment::Settled(reason)) => return Eligibility::Skip(reason),
        Some(NewerDeployment::Awaited(deferral)) => return Eligibility::Defer(deferral),
        None => {}
    }
    // 7 to 16.
    if let Some(reason) = find_lack_of_permission(&check) {
        return Eligibility::Skip(reason);
    }
    // 17 to 23.
    if let Some(deferral) = find_reason_to_defer(&check) {
        return Eligibility::Defer(deferral);
    }
    // 24. Nothing keeps it from being redeployed.
    Eligibility::Redeploy(redeploy_terms(check))
}

fn redeploy_terms(check: EligibilityCheck<'_, '_>) -> RedeployTerms {
    let why = match &check.consumer.service.primary {
        Some(primary) => format!("its deployment of {} is older than the change", primary.created_at),
        None => "it has no PRIMARY deployment that could be newer than the change".to_owned(),
    };
    RedeployTerms {
        not_before: check.settled_at(),
        fresh_from: check.fresh_from,
        cooldown_from: check.earliest_deployment().minus(check.cooldown()),
        risks: check.risks,
        why,
    }
}
