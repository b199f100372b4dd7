//! Reports: what an event of ECS says about a deployment, and whether that is the one that we requested.

use super::deployment_timing::ECS_CLOCK_SKEW;
use super::own_deployment::{OwnDeployment, RolloutFailure};
use super::plan_builder::PlanBuilder;
use crate::aws::ecs_deployment::ROLLBACK_TEXT;
use crate::event::Event;
use crate::plan::PlanStep;
use crate::rules::Response;
use crate::state::deployment::{DeploymentOutcome, DeploymentRecord};
use crate::text::Untrusted;
use crate::time::Timestamp;

/// An event about a deployment of a service.
pub(super) struct DeploymentReport {
    /// The id of the deployment; of a rollback, that of the older deployment to which ECS goes back.
    deployment: Option<String>,
    kind: ReportKind,
    reason: Untrusted,
    at: Timestamp,
}

/// What an event says about a deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReportKind {
    /// It began, or goes on.
    InProgress,
    /// ECS goes back to it.
    RollingBack,
    Completed,
    Failed,
}

impl DeploymentReport {
    /// Reads an event `ECS Deployment State Change`.
    pub(super) fn from_event(event: &Event) -> Self {
        let reason = event.find_text("/detail/reason").unwrap_or_default();
        let kind = match event.event_name().raw() {
            "SERVICE_DEPLOYMENT_COMPLETED" => ReportKind::Completed,
            "SERVICE_DEPLOYMENT_FAILED" => ReportKind::Failed,
            _ if reason.raw().contains(ROLLBACK_TEXT) => ReportKind::RollingBack,
            _ => ReportKind::InProgress,
        };
        let deployment = event.find_text("/detail/deploymentId").map(|id| id.raw().to_owned());
        Self { deployment, kind, reason, at: event.time }
    }

    /// Whether the report is about the deployment that we requested.
    pub(super) fn is_about(&self, record: &DeploymentRecord) -> bool {
        let Some(id) = self.deployment.as_deref() else { return false };
        if !record.was_requested() {
            return false;
        }
        match (record.deployment.as_deref(), self.kind) {
            // The circuit breaker reports a rollback with the id of the deployment to which it goes back.
            (own, ReportKind::RollingBack) => {
                let is_to_own = own.is_some_and(|own| self.reason.raw().contains(own));
                self.may_end(record) && !is_to_own && self.at >= record.requested_at
            }
            // An event that a deployment begins has its time in whole seconds.
            (Some(own), ReportKind::InProgress) => {
                own == id && self.at >= record.requested_at.truncate_to_second()
            }
            (Some(own), _) => own == id && self.at >= record.requested_at,
            // The record has no id.
            (None, ReportKind::InProgress) => {
                record.may_be_reported_without_id()
                    && self.at >= record.requested_at.truncate_to_second()
                    && may_have_begun_at(record, self.at)
            }
            // Where the answer to our call was lost, another deployment may complete that superseded ours.
            (None, ReportKind::Completed) => {
                record.may_be_reported_without_id()
                    && record.lease_until.is_none()
                    && self.at >= record.requested_at
            }
            (None, ReportKind::Failed) => self.may_end(record) && self.at >= record.requested_at,
        }
    }

    /// Whether the report may tell the end of a deployment: its end is not known, or a newer deployment superseded it, which
    /// cannot have failed before it began.
    fn may_end(&self, record: &DeploymentRecord) -> bool {
        let Some(end) = record.end else { return true };
        record.may_be_reported_without_id()
            || end.outcome == DeploymentOutcome::Superseded && self.at < end.at
    }
}

/// Whether our call may have begun a deployment as late as this: while the caller held its lease, and before somebody looked
/// and saw none. A replay does not know when the call was made.
pub(super) fn may_have_begun_at(record: &DeploymentRecord, at: Timestamp) -> bool {
    if let Some(lease_until) = record.lease_until {
        return at <= lease_until.plus(ECS_CLOCK_SKEW);
    }
    match record.end {
        Some(end) => at <= end.at,
        None => true,
    }
}

/// Adds the steps for a report about our deployment:
///
/// 1. it failed or is rolled back: notify, and record the end;
/// 2. it completed: record the end, and resolve the incident about its failure if there is one;
/// 3. it began, and the record has no id: record the id;
/// 4. it goes on: nothing.
pub(super) fn follow_report(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    own: OwnDeployment<'_>,
    report: &DeploymentReport,
) {
    match report.kind {
        // 1. It failed or is rolled back. A rollback has the id of another deployment.
        ReportKind::Failed | ReportKind::RollingBack => {
            let reason = report.reason.clone();
            let failure = if report.kind == ReportKind::Failed {
                RolloutFailure { what: "it failed", deployment: report.deployment.as_deref(), reason }
            } else {
                RolloutFailure { what: "it is rolled back", deployment: None, reason }
            };
            own.notify_failure(builder, response, &failure);
            own.end(builder, report.at, DeploymentOutcome::Failed);
        }
        // 2. It completed.
        ReportKind::Completed => {
            own.end(builder, report.at, DeploymentOutcome::Completed);
            own.resolve_incident(builder, response, report.at);
        }
        ReportKind::InProgress => {
            if let (None, Some(id)) = (&own.record.deployment, &report.deployment) {
                // 3. It began, and the record has no id.
                own.reconcile_id(builder, id);
            } else {
                // 4. It goes on.
                let why = "the rollout of our deployment goes on".to_owned();
                builder.steps.push(PlanStep::Nothing { why });
            }
        }
    }
}
