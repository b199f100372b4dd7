//! Which service, secret or deployment a page is about.

use responder_core::aws::secret_ref::SecretRef;
use responder_core::time::{Span, Timestamp};

use crate::cloud::SentNotification;

/// After what silence an incident about a rollout ends: `resolve_after` of the rule.
const ROLLOUT_RESOLVE_AFTER: Span = Span::from_secs(3_600);

/// The rule of pages about rollouts.
pub(super) const ROLLOUT_RULE: &str = "rollout-failed";

/// The cluster and the name of a service (an ARN), as pages write them.
pub(super) fn label_service(service: &str) -> &str {
    match service.split_once(":service/") {
        Some((_, label)) => label,
        None => service,
    }
}

/// Whether a page names a service and a secret (ARNs).
pub(super) fn names_consumer(sent: &SentNotification, service: &str, secret: &str) -> bool {
    let name = match SecretRef::from_arn(secret) {
        Some(secret) => secret.friendly_name().raw().to_owned(),
        None => String::new(),
    };
    sent.page.body.contains(label_service(service)) && sent.page.body.contains(&name)
}

/// Whether a page is about a deployment, and does not only name it as the target of a rollback.
pub(super) fn is_about_deployment(sent: &SentNotification, deployment: &str) -> bool {
    for line in sent.page.body.lines() {
        if line.starts_with("Deployment") && line.contains(deployment) {
            return true;
        }
    }
    false
}

/// Whether a page is about some deployment whose id nobody learned.
pub(super) fn is_about_unknown_deployment(sent: &SentNotification, service: &str) -> bool {
    !sent.page.body.lines().any(|line| line.starts_with("Deployment")) && sent.page.body.contains(service)
}

/// When the deployment of a page was requested, by the alert for machines.
pub(super) fn find_request_time(sent: &SentNotification) -> Option<Timestamp> {
    let alert: serde_json::Value = serde_json::from_str(&sent.page.alert).ok()?;
    alert.pointer("/payload/custom_details/first")?.as_str()?.parse().ok()
}

/// Whether a later page says that a rollout is well after all. An incident that is auto-resolved stands.
pub(super) fn is_withdrawn(pages: &[SentNotification], sent: &SentNotification) -> bool {
    if sent.attribute("rule") != ROLLOUT_RULE {
        return false;
    }
    let withdrawn_until = sent.at.plus(ROLLOUT_RESOLVE_AFTER);
    for later in pages {
        let is_in_time = sent.at <= later.at && later.at < withdrawn_until;
        if later.key == sent.key && is_in_time && later.is_resolved() {
            return true;
        }
    }
    false
}
