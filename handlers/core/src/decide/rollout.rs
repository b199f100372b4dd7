//! Rollouts: the deployments that we asked for, followed to their end.

use super::{Draft, incident_key};
use crate::facts::Question;
use crate::incident::Detail;
use crate::plan::Step;
use crate::rules::{Case, Response};
use crate::text::Untrusted;

pub(super) fn questions(case: &Case<'_>, response: &Response) -> Vec<Question> {
    let Some(deployment) = case.event.text("/detail/deploymentId") else { return Vec::new() };
    let key = incident_key(response, deployment.raw());
    vec![Question::Rollout { deployment: deployment.raw().to_owned() }, Question::Incident { key }]
}

pub(super) fn respond(draft: &mut Draft<'_, '_>, response: &Response) {
    let event = draft.event();
    let deployment = event.text("/detail/deploymentId").unwrap_or_default();
    let Some(rollout) = draft.facts.rollouts.get(deployment.raw()) else {
        draft.steps.push(Step::Ignore { why: "not a deployment that we asked for".to_owned() });
        return;
    };
    let state = event.name();
    let reason = event.text("/detail/reason").unwrap_or_default();
    match state.raw() {
        "SERVICE_DEPLOYMENT_COMPLETED" => {
            let (deployment, service) = (deployment.raw().to_owned(), rollout.service.clone());
            draft.steps.push(Step::Complete { deployment, service });
        }
        "SERVICE_DEPLOYMENT_FAILED" => {
            let detail = |label, value| Detail { label, value };
            let details = vec![
                detail("service", Untrusted::new(&*rollout.service)),
                detail("secret", rollout.secret.name()),
                detail("deployment", deployment.clone()),
                detail("reason", reason),
                detail(
                    "note",
                    Untrusted::new(
                        "a rollback does not bring the old secret back: its tasks read AWSCURRENT too",
                    ),
                ),
            ];
            draft.page_once(response, deployment.raw(), details);
        }
        _ => draft.steps.push(Step::Nothing { why: "the rollout of our deployment goes on".to_owned() }),
    }
}
