//! `ECS Deployment State Change` events: the evidence for the end of a rollout.

use super::identity::ServiceIdentity;
use responder_core::event::Event;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// An `ECS Deployment State Change` event. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RolloutEvent {
    pub(crate) at: Timestamp,
    pub(crate) service: ServiceIdentity,
    /// The ARN of the service.
    pub(crate) arn: String,
    /// The id of the deployment.
    pub(crate) deployment: String,
    pub(crate) progress: RolloutProgress,
    /// The reason that ECS gives.
    pub(crate) reason: Untrusted,
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RolloutProgress {
    /// It begins.
    Begins,
    /// It completed.
    Completed,
    /// It failed.
    Failed,
    /// The circuit breaker or an alarm goes back to an older deployment.
    RollsBack,
}

impl RolloutEvent {
    /// Reads an event. Returns `None` if it names no service or deployment, or is of an unknown kind.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        let arn = event.find_text("/resources/0")?.raw().to_owned();
        let reason = event.find_text("/detail/reason").unwrap_or_default();
        // An ARN of the old form lacks the cluster, and most events do not name it beside the ARN.
        let cluster = event.find_text("/detail/clusterArn").unwrap_or_default().raw().to_owned();
        let progress = match event.event_name().raw() {
            "SERVICE_DEPLOYMENT_COMPLETED" => RolloutProgress::Completed,
            "SERVICE_DEPLOYMENT_FAILED" => RolloutProgress::Failed,
            _ if reason.raw().contains("rolling back") => RolloutProgress::RollsBack,
            "SERVICE_DEPLOYMENT_IN_PROGRESS" => RolloutProgress::Begins,
            _ => return None,
        };
        Some(Self {
            at: event.time,
            service: ServiceIdentity::from_arn(&arn, Some(&cluster))?,
            arn,
            deployment: event.find_text("/detail/deploymentId")?.raw().to_owned(),
            progress,
            reason,
        })
    }

    /// Whether the reason names this deployment, as in "rolling back to deploymentId ecs-svc/123.".
    pub(crate) fn reason_names(&self, deployment: &str) -> bool {
        let mut words = self.reason.raw().split(|c: char| c.is_whitespace() || c == ',');
        words.any(|word| word.trim_end_matches('.') == deployment)
    }
}
