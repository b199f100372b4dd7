//! Deployments that we requested: their incident, and the steps about their end.

use super::plan_builder::PlanBuilder;
use crate::aws::ecs_arn::ServiceArn;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::rules::Response;
use crate::state::deployment::{AffectedConsumer, DeploymentEnd, DeploymentOutcome, DeploymentRecord};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// The last deployment of a service that we requested.
#[derive(Clone, Copy)]
pub(super) struct OwnDeployment<'f> {
    /// The service's ARN.
    pub(super) service: &'f ServiceArn,
    pub(super) record: &'f DeploymentRecord,
}

/// Why a deployment of ours counts as failed.
pub(super) struct RolloutFailure<'a> {
    /// What happened, in a few words of ours.
    pub(super) what: &'a str,
    /// The id of the deployment, where the record does not have it.
    pub(super) deployment: Option<&'a str>,
    /// The reason that ECS gives, or ours.
    pub(super) reason: Untrusted,
}

impl<'f> OwnDeployment<'f> {
    /// The record of a service.
    pub(super) fn find(facts: &'f Facts, service: &'f ServiceArn) -> Option<Self> {
        let record = facts.deployments.get(service)?;
        Some(Self { service, record })
    }

    /// The key of the incident about its failure: the same however the failure is found out.
    pub(super) fn incident_key(&self, response: &Response) -> String {
        incident_key(response, &format!("{} {}", self.service, self.record.requested_at))
    }

    /// Records the id, which the answer to our call did not bring.
    pub(super) fn reconcile_id(&self, builder: &mut PlanBuilder<'_, '_>, deployment: &str) {
        builder.steps.push(PlanStep::ReconcileDeployment {
            service: self.service.clone(),
            requested_at: self.record.requested_at,
            deployment: deployment.to_owned(),
        });
    }

    /// Records the end.
    pub(super) fn end(&self, builder: &mut PlanBuilder<'_, '_>, at: Timestamp, outcome: DeploymentOutcome) {
        let record = self.record;
        if !record.may_end_as(outcome) {
            let why = "the end of our deployment is known".to_owned();
            builder.steps.push(PlanStep::Nothing { why });
            return;
        }
        builder.steps.push(PlanStep::EndDeployment {
            service: self.service.clone(),
            cluster: record.cluster.clone(),
            requested_at: record.requested_at,
            deployment: record.deployment.clone(),
            // A deployment with an end has released its slot already.
            slot: if record.is_open() { record.slot } else { None },
            secrets: record.changes.clone(),
            end: DeploymentEnd { at, outcome },
        });
    }

    /// Notifies a human of its failure, once, however it is found out.
    pub(super) fn notify_failure(
        &self,
        builder: &mut PlanBuilder<'_, '_>,
        response: &Response,
        failure: &RolloutFailure<'_>,
    ) {
        let mut details = vec![
            IncidentDetail { kind: DetailKind::Problem, value: Untrusted::new(failure.what) },
            IncidentDetail { kind: DetailKind::Service, value: Untrusted::new(self.service.as_str()) },
        ];
        let mut consumers = Vec::new();
        for change in &self.record.changes {
            details.push(IncidentDetail { kind: DetailKind::Secret, value: change.secret.friendly_name() });
            consumers.push(AffectedConsumer { service: self.service.clone(), change: change.clone() });
        }
        if let Some(id) = self.record.deployment.as_deref().or(failure.deployment) {
            details.push(IncidentDetail { kind: DetailKind::Deployment, value: Untrusted::new(id) });
        }
        details.push(IncidentDetail { kind: DetailKind::Reason, value: failure.reason.clone() });
        let note = "a rollback does not bring the old secret back: its tasks read AWSCURRENT too";
        details.push(IncidentDetail { kind: DetailKind::Note, value: Untrusted::new(note) });
        let observation = self.observe(builder);
        let key = self.incident_key(response);
        builder.add_incident_of(response, key, vec![&observation], details, consumers);
    }

    /// Resolves the incident about its failure: it completed after all.
    pub(super) fn resolve_incident(
        &self,
        builder: &mut PlanBuilder<'_, '_>,
        response: &Response,
        at: Timestamp,
    ) {
        let key = self.incident_key(response);
        let Some(state) = builder.facts.incidents.get(&key) else { return };
        if state.resolved.is_some() {
            return;
        }
        let observation = self.observe(builder);
        let detail =
            IncidentDetail { kind: DetailKind::Service, value: Untrusted::new(self.service.as_str()) };
        builder.add_resolution(response, key, at, &observation, detail);
    }

    /// The observation of its incident, which is as old as the deployment, however its failure is found out.
    fn observe(&self, builder: &PlanBuilder<'_, '_>) -> Observation {
        let mut observation = Observation::from_event(builder.event());
        observation.at = self.record.requested_at;
        observation.secrets.clear();
        for change in &self.record.changes {
            observation.secrets.push(change.secret.clone());
        }
        observation
    }
}
