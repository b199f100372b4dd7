//! Rollouts: follows the deployments that we requested to their end, by ECS's events, and by the sweep where none comes.

use super::own_deployment::OwnDeployment;
use super::plan_builder::PlanBuilder;
use super::rollout_report::{DeploymentReport, follow_report};
use super::rollout_sweep::sweep_deployment;
use crate::aws::ecs_arn::ServiceArn;
use crate::facts::Facts;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{Handler, MatchedEvent, Response};

/// The longest ARN that is looked up, in bytes.
const ARN_MAX_BYTES: usize = 1_024;

/// What must be known about the deployment of an event's service, or of all deployments without an end.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let mut questions = Vec::new();
    if case.handler == Handler::Sweep {
        questions.push(Question::OpenIncidents);
        for deployment in list_open_deployments(case, facts) {
            let service = deployment.service.clone();
            questions.push(Question::Service { cluster: deployment.record.cluster.clone(), service });
            questions.push(Question::Incident { key: deployment.incident_key(response) });
        }
    } else if let Some(service) = find_service_arn(case) {
        if let Some(deployment) = OwnDeployment::find(facts, &service) {
            questions.push(Question::Incident { key: deployment.incident_key(response) });
        }
        questions.push(Question::Deployment { service });
    }
    questions
}

/// Decides what an event says about the deployment that we requested, or what became of all those without an end.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    let facts = builder.facts;
    if builder.case.handler == Handler::Sweep {
        for deployment in list_open_deployments(builder.case, facts) {
            sweep_deployment(builder, response, deployment);
        }
        return;
    }
    let Some(service) = find_service_arn(builder.case) else {
        builder.steps.push(PlanStep::Ignore { why: "the event names no service".to_owned() });
        return;
    };
    let report = DeploymentReport::from_event(builder.event());
    match OwnDeployment::find(facts, &service) {
        Some(deployment) if report.is_about(deployment.record) => {
            follow_report(builder, response, deployment, &report);
        }
        _ => {
            let why = "not a deployment that we requested".to_owned();
            builder.steps.push(PlanStep::Ignore { why });
        }
    }
}

/// The deployments that we requested in the account of a sweep, and whose end is not known.
fn list_open_deployments<'f>(case: &MatchedEvent<'_>, facts: &'f Facts) -> Vec<OwnDeployment<'f>> {
    let account = format!(":{}:", case.event.account);
    let mut open = Vec::new();
    for (service, record) in &facts.deployments {
        if record.is_open() && service.contains(&account) {
            open.push(OwnDeployment { service, record });
        }
    }
    open
}

fn find_service_arn(case: &MatchedEvent<'_>) -> Option<ServiceArn> {
    let arn = case.event.find_text("/resources/0")?;
    if arn.raw().len() > ARN_MAX_BYTES {
        return None;
    }
    Some(ServiceArn::from(arn.raw()))
}
