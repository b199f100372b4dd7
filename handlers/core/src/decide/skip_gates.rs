//! The gates that leave a service as it is: for good, or until a human acts.

use super::command_text::{describe_daemon_update, format_arn_argument};
use super::eligibility_check::EligibilityCheck;
use crate::aws::ecs_service::{DeploymentController, ServiceStatus};
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_reference::RequestedVersion;
use crate::aws::service_tags::RedeployTag;
use crate::plan::SkipReason;
use crate::settings::{DeploymentRisk, ResponseMode, RiskPolicy};
use crate::state::deployment::DeploymentOutcome;
use crate::text::Untrusted;
use crate::time::Span;

/// For how long after a call without an answer its effect may still show.
const LOST_ANSWER_TIMEOUT: Span = Span::from_secs(120);

/// Why a service is left as it is. [`SkipReason::needs_human`] says whether a human is notified.
pub(super) struct ReasonToSkip {
    pub(super) reason: SkipReason,
    pub(super) why: String,
}

type SkipGate = fn(&EligibilityCheck<'_, '_>) -> Option<ReasonToSkip>;

/// The gates before that of the PRIMARY deployment, in the order in which they run.
const NEED_GATES: [SkipGate; 3] = [check_service, check_secrets, check_desired_count];

/// The gates after it, in the order in which they run.
const PERMISSION_GATES: [SkipGate; 3] = [check_own_deployment, check_controller, check_wishes];

/// The first reason why a newer deployment is not needed or does not help, if there is one.
pub(super) fn find_lack_of_need(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    find_first_reason(&NEED_GATES, check)
}

/// The first reason why we must not deploy the service, if there is one.
pub(super) fn find_lack_of_permission(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    find_first_reason(&PERMISSION_GATES, check)
}

fn find_first_reason(gates: &[SkipGate], check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    for gate in gates {
        if let Some(reason) = gate(check) {
            return Some(reason);
        }
    }
    None
}

/// Gates 1 and 2: services that nobody expects to be redeployed.
fn check_service(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    // 1. It is draining or gone.
    let status = &check.consumer.service.status;
    if *status != ServiceStatus::Active {
        let why = format!("its status is {}", Untrusted::new(status.as_str()).show(20));
        return Some(ReasonToSkip { reason: SkipReason::Inactive, why });
    }
    // 2. Its tag says `off`. With an invalid tag beside it, it is not clear what is meant: gate 13.
    let tags = &check.consumer.tags;
    if tags.redeploy == RedeployTag::Off && tags.problems.is_empty() {
        let why = "its tag `secrets-responder:redeploy` is `off`".to_owned();
        return Some(ReasonToSkip { reason: SkipReason::OptedOut, why });
    }
    None
}

/// Gates 3 and 4: a new deployment would not help, however new the present one is.
fn check_secrets(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    // 3. It asks for other versions only.
    match find_unhelpful_reference(check) {
        Some(SkipReason::PinnedVersion) => {
            let why = "it asks for one version by id; a redeploy does not help".to_owned();
            return Some(ReasonToSkip { reason: SkipReason::PinnedVersion, why });
        }
        Some(reason) => {
            let why = "it asks for another staging label than AWSCURRENT, which did not move; a redeploy does not help";
            return Some(ReasonToSkip { reason, why: why.to_owned() });
        }
        None => {}
    }
    // 4. A secret is deleted or missing.
    for secret_use in &check.consumer.uses {
        let metadata = check.facts.secrets.get(&secret_use.change.secret.key());
        if !metadata.is_none_or(SecretMetadata::is_readable) {
            let why = "a secret that it uses is deleted: its new tasks could not start".to_owned();
            return Some(ReasonToSkip { reason: SkipReason::SecretGone, why });
        }
    }
    None
}

/// The reason for a service whose every reference asks for something else than the current version.
fn find_unhelpful_reference(check: &EligibilityCheck<'_, '_>) -> Option<SkipReason> {
    let mut reason = SkipReason::OtherLabel;
    for version in check.consumer.uses.iter().flat_map(|secret_use| &secret_use.versions) {
        match version {
            RequestedVersion::Current => return None,
            RequestedVersion::Pinned => reason = SkipReason::PinnedVersion,
            RequestedVersion::Stage(_) => {}
        }
    }
    Some(reason)
}

/// Gate 5: it has no tasks. Those that start later read the new value.
fn check_desired_count(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    if check.consumer.service.desired_count != Some(0) {
        return None;
    }
    let why = "it is scaled to 0: tasks that start later read the new value".to_owned();
    Some(ReasonToSkip { reason: SkipReason::ScaledToZero, why })
}

/// Gates 7 to 9: our deployment for the change is not PRIMARY. It failed, or does not show yet.
fn check_own_deployment(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    let record = check.fresh_own_deployment()?;
    let requested_at = record.requested_at;
    // 7. ECS refused to deploy it for this change.
    if record.end.is_some_and(|end| end.outcome == DeploymentOutcome::Denied) {
        let why = format!("ECS refused to deploy it at {requested_at}");
        return Some(ReasonToSkip { reason: SkipReason::Refused, why });
    }
    // 8. Our deployment for this change failed.
    if record.has_failed() {
        let why = format!("the deployment of {requested_at} that should answer the change failed");
        return Some(ReasonToSkip { reason: SkipReason::RolloutFailed, why });
    }
    // 9. Our deployment for this change was requested and is not seen yet. Where the answer to the call was lost, the
    // call may have had no effect; that shows within minutes.
    let may_show = record.deployment.is_some()
        || record.is_leased_at(check.now)
        || check.now < requested_at.plus(LOST_ANSWER_TIMEOUT);
    if record.is_open() && may_show {
        let why = format!("a deployment was requested at {requested_at} and is not seen yet");
        return Some(ReasonToSkip { reason: SkipReason::AlreadyRequested, why });
    }
    None
}

/// Gates 10 to 12: something else than ECS deploys the service.
fn check_controller(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    let service = check.consumer.service;
    match service.controller {
        // 10. `CodeDeploy` deploys it.
        DeploymentController::CodeDeploy => {
            let why = "CodeDeploy deploys it, and ECS refuses to force a deployment; start one in CodeDeploy";
            return Some(ReasonToSkip { reason: SkipReason::CodeDeploy, why: why.to_owned() });
        }
        // 11. An external controller deploys it.
        DeploymentController::External => {
            let why = "an external controller deploys it; start a deployment there";
            return Some(ReasonToSkip { reason: SkipReason::External, why: why.to_owned() });
        }
        DeploymentController::Ecs | DeploymentController::Other(_) => {}
    }
    // 12. ECS manages it: it has an API of its own.
    if let Some(daemon) = &service.daemon {
        return Some(ReasonToSkip {
            reason: SkipReason::Managed,
            why: describe_daemon_update(service, daemon),
        });
    }
    if service.managed {
        let why = match format_arn_argument(&service.arn) {
            Some(arn) => format!(
                "ECS manages it as an express gateway service; deploy it by: aws ecs \
                 update-express-gateway-service --service-arn {arn}"
            ),
            None => "ECS manages it as an express gateway service; update it there".to_owned(),
        };
        return Some(ReasonToSkip { reason: SkipReason::Managed, why });
    }
    None
}

/// Gates 13 to 16: its owners or the operator want a human to decide.
fn check_wishes(check: &EligibilityCheck<'_, '_>) -> Option<ReasonToSkip> {
    let tags = &check.consumer.tags;
    // 13. One of its tags is invalid.
    if !tags.problems.is_empty() {
        return Some(ReasonToSkip { reason: SkipReason::UnclearTag, why: tags.problems.join("; ") });
    }
    // 14. Its tag says `notify`.
    if tags.redeploy == RedeployTag::Notify {
        let why = "its tag `secrets-responder:redeploy` is `notify`";
        return Some(ReasonToSkip { reason: SkipReason::NotifyOnly, why: why.to_owned() });
    }
    // 15. The settings leave one of its risks to a human.
    for risk in &check.risks {
        let is_left_to_human = match check.facts.settings.risk_policy(*risk) {
            RiskPolicy::Go => false,
            RiskPolicy::Notify => true,
            // Only a deployment in progress is over by itself.
            RiskPolicy::Wait => *risk != DeploymentRisk::InProgress,
        };
        if is_left_to_human {
            let why = format!("{}; the settings leave that to a human", risk.describe());
            return Some(ReasonToSkip { reason: SkipReason::Finding, why });
        }
    }
    // 16. The mode is `notify`.
    if check.facts.settings.mode == ResponseMode::Notify {
        let why = "it would be redeployed; the mode is `notify`";
        return Some(ReasonToSkip { reason: SkipReason::NotifyMode, why: why.to_owned() });
    }
    None
}
