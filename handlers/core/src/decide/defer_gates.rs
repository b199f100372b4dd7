//! The gates that defer the redeployment of a service.

use super::command_text::describe_ongoing_deployment;
use super::deferral::Deferral;
use super::deployment_timing::LONGEST_WAIT;
use super::eligibility_check::EligibilityCheck;
use super::halted_change::check_halt;
use crate::plan::DeferReason;
use crate::settings::{DeploymentRisk, RiskPolicy};

type DeferGate = fn(&EligibilityCheck<'_, '_>) -> Option<Deferral>;

/// The gates in the order in which they run.
const DEFER_GATES: [DeferGate; 6] =
    [check_halt, check_ledger, check_settle_delay, check_ongoing_deployments, check_cooldown, check_window];

/// The first reason to redeploy the service later, if there is one.
pub(super) fn find_reason_to_defer(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    for gate in DEFER_GATES {
        if let Some(deferral) = gate(check) {
            return Some(deferral);
        }
    }
    None
}

/// Gate 18: the ledger did not answer.
fn check_ledger(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    let (region, account) = check.consumer.service.region_and_account();
    if check.facts.is_remembered(account, region) {
        return None;
    }
    let why = "what was done before is not known: the ledger did not answer".to_owned();
    Some(Deferral { reason: DeferReason::InProgress, until: None, expected_end: None, why })
}

/// Gate 19: the settle delay of the change is not over. The shell waits for the last seconds by itself.
fn check_settle_delay(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    let settled_at = check.settled_at();
    if settled_at <= check.now.plus(LONGEST_WAIT) {
        return None;
    }
    let why = format!("the change settles until {settled_at}");
    Some(Deferral { reason: DeferReason::SettleDelay, until: Some(settled_at), expected_end: None, why })
}

/// Gates 20 and 21: another deployment would supersede one that goes on, or hide how one of ours ended.
fn check_ongoing_deployments(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    let reason = DeferReason::InProgress;
    // 20. A deployment is in progress: of somebody else that a forced one would ruin, or any, where the settings say so.
    if check.is_ongoing_approval() {
        let why = format!(
            "a deployment of it is in progress ({}); a forced one would cost its approval and its new tasks",
            describe_ongoing_deployment(check.consumer.service)
        );
        return Some(Deferral { reason, until: None, expected_end: None, why });
    }
    if check.facts.settings.risk_policy(DeploymentRisk::InProgress) != RiskPolicy::Wait {
        return None;
    }
    if check.risks.contains(&DeploymentRisk::InProgress) {
        let why = format!(
            "a deployment of it is in progress ({}); another one would leave nothing to roll back to",
            describe_ongoing_deployment(check.consumer.service)
        );
        return Some(Deferral { reason, until: None, expected_end: None, why });
    }
    // 21. The end of our last deployment is not known.
    let record = check.own_deployment()?;
    if record.was_requested() && check.is_end_unknown(record) {
        let why = "how the deployment before ended is not known; another one would hide it";
        return Some(Deferral { reason, until: None, expected_end: None, why: why.to_owned() });
    }
    None
}

/// Gate 22: the service cools down after our last deployment.
fn check_cooldown(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    let record = check.own_deployment()?;
    let cooled_down_at = record.requested_at.plus(check.cooldown());
    if !record.starts_cooldown() || cooled_down_at <= check.earliest_deployment() {
        return None;
    }
    let what = if record.was_requested() { "we redeployed it" } else { "ECS declined to deploy it" };
    let why = format!("{what} a short while ago; it waits until {cooled_down_at}");
    Some(Deferral { reason: DeferReason::Cooldown, until: Some(cooled_down_at), expected_end: None, why })
}

/// Gate 23: its window is closed.
fn check_window(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    let window = check.consumer.tags.window.as_ref()?;
    let deployed_at = check.earliest_deployment();
    if window.is_open(deployed_at) {
        return None;
    }
    let until = window.find_next_opening(deployed_at);
    let why = match until {
        Some(opens_at) => format!("its window is closed until {opens_at}"),
        None => "its window is closed for longer than a week".to_owned(),
    };
    Some(Deferral { reason: DeferReason::Window, until, expected_end: None, why })
}
