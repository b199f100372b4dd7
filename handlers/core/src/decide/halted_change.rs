//! The brake: once a rollout of a change failed, the other consumers of the change are held. The new value may be one with which
//! no task starts, such as one that lost a JSON key; each further deployment would cost tasks that still work.

use super::deferral::Deferral;
use super::eligibility_check::EligibilityCheck;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::service_tags::RedeployTag;
use crate::plan::DeferReason;
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;

/// Gate 17: a rollout of one of its changes failed elsewhere. A newer version of the secret is another change, and releases it;
/// so does its tag.
pub(super) fn check_halt(check: &EligibilityCheck<'_, '_>) -> Option<Deferral> {
    if check.consumer.tags.redeploy == RedeployTag::Always {
        return None;
    }
    for change in check.consumer.changes() {
        let Some(failed_service) = find_failed_rollout(check, &change) else { continue };
        let why = format!(
            "held: the deployment of {} for this change failed, and the new value may be bad; a newer version of the \
             secret, or its tag `secrets-responder:redeploy` = `always`, releases it",
            failed_service.show(60)
        );
        return Some(Deferral { reason: DeferReason::Halted, until: None, expected_end: None, why });
    }
    None
}

/// Another service, for people, whose last deployment of ours was for this change and failed.
fn find_failed_rollout(check: &EligibilityCheck<'_, '_>, change: &SecretChange) -> Option<Untrusted> {
    for (service, record) in &check.facts.deployments {
        // Few have failed: this comes first, where thousands of services use one secret.
        if !record.has_failed() || *service == check.consumer.service.arn {
            continue;
        }
        if record.changes.iter().any(|failed| is_same_value(failed, change)) {
            return Some(name_service(check, service));
        }
    }
    None
}

/// A service, for people: by its ARN, where ECS did not describe it.
fn name_service(check: &EligibilityCheck<'_, '_>, arn: &ServiceArn) -> Untrusted {
    let known = check.facts.services.iter().flatten().find(|service| service.arn == *arn);
    match known {
        Some(service) => service.display_name(),
        None => Untrusted::new(arn.as_str()),
    }
}

/// Whether a rollout was for the value of a change: by the version, or by the time where one of them has none.
fn is_same_value(rolled_out: &SecretChange, change: &SecretChange) -> bool {
    if rolled_out.secret.key() != change.secret.key() {
        return false;
    }
    match (&rolled_out.version, &change.version) {
        (Some(rolled_out), Some(version)) => rolled_out == version,
        _ => rolled_out.at >= change.at,
    }
}
