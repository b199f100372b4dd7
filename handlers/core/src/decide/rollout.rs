//! Rollouts: the deployments that we asked for, followed to their end by ECS's events, and by the sweep where none comes.

use super::eligibility::CLOCKS;
use super::plan_builder::PlanBuilder;
use crate::aws::arn::Arn;
use crate::aws::ecs_service::{EcsService, RolloutState};
use crate::detection::window_match::WindowMatch;
use crate::facts::{Facts, IncidentState, place};
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{Handler, MatchedEvent, Response};
use crate::state::deployment::{AffectedConsumer, DeploymentEnd, DeploymentOutcome, DeploymentRecord};
use crate::state::observation::Observation;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let mut questions = Vec::new();
    if case.handler == Handler::Sweep {
        questions.push(Question::OpenIncidents);
        for (service, requested) in open(case, facts) {
            questions
                .push(Question::Service { cluster: requested.cluster.clone(), service: service.to_owned() });
            questions.push(Question::Incident { key: key(response, service, requested) });
        }
    } else if let Some(service) = service_of(case) {
        let requested = facts.deployments.get(&service);
        questions.extend(
            requested.map(|requested| Question::Incident { key: key(response, &service, requested) }),
        );
        questions.push(Question::Deployment { service });
    }
    questions
}

/// What ECS says of a service's deployment, in an event or when asked.
struct DeploymentReport<'s> {
    deployment: Option<String>,
    state: RolloutState,
    reason: Untrusted,
    at: Timestamp,
    is_rollback: bool,
    service: &'s str,
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    let facts = draft.facts;
    if draft.case.handler == Handler::Sweep {
        for (service, requested) in open(draft.case, facts) {
            poll(draft, response, service, requested);
        }
        return;
    }
    let (Some(service), event) = (service_of(draft.case), draft.event()) else {
        draft.steps.push(PlanStep::Ignore { why: "the event names no service".to_owned() });
        return;
    };
    let state = match event.name().raw() {
        "SERVICE_DEPLOYMENT_COMPLETED" => RolloutState::Completed,
        "SERVICE_DEPLOYMENT_FAILED" => RolloutState::Failed,
        _ => RolloutState::InProgress,
    };
    let reason = event.text("/detail/reason").unwrap_or_default();
    let deployment = event.text("/detail/deploymentId").map(|id| id.raw().to_owned());
    let is_rollback = state == RolloutState::InProgress && reason.raw().contains("rolling back");
    let report =
        DeploymentReport { deployment, state, reason, at: event.time, is_rollback, service: &service };
    match facts.deployments.get(&service) {
        Some(requested) if concerns(requested, &report) => follow(draft, response, requested, &report),
        _ => draft.steps.push(PlanStep::Ignore { why: "not a deployment that we asked for".to_owned() }),
    }
}

/// Whether a report is about the deployment that we asked for.
fn concerns(requested: &DeploymentRecord, report: &DeploymentReport<'_>) -> bool {
    let Some(id) = report.deployment.as_deref() else { return false };
    if !requested.was_asked() {
        return false;
    }
    // What took its place cannot fail before it has begun.
    let before =
        |ended: &DeploymentEnd| ended.outcome == DeploymentOutcome::Superseded && report.at < ended.at;
    let is_open = requested.may_be_told_of() || requested.end.as_ref().is_some_and(before);
    match (requested.deployment.as_deref(), report.state) {
        // The circuit breaker goes back to an older deployment, and says so of that one.
        (ours, _) if report.is_rollback => {
            let to_ours = ours.is_some_and(|ours| report.reason.raw().contains(ours));
            is_open && !to_ours && report.at >= requested.requested_at
        }
        // Of what begins, events tell the whole second.
        (Some(ours), RolloutState::InProgress) => {
            ours == id && report.at >= requested.requested_at.whole_second()
        }
        (Some(ours), _) => ours == id && report.at >= requested.requested_at,
        // We never learned its id.
        (None, RolloutState::InProgress) => {
            requested.may_be_told_of()
                && report.at >= requested.requested_at.whole_second()
                && may_have_begun(requested, report.at)
        }
        // Where that is because the answer was lost, another may complete that it gave way to.
        (None, RolloutState::Completed) => {
            requested.may_be_told_of()
                && requested.lease_until.is_none()
                && report.at >= requested.requested_at
        }
        (None, RolloutState::Failed) => is_open && report.at >= requested.requested_at,
    }
}

/// Whether our call may have begun a deployment as late as this: while whoever called was alive, and before somebody looked
/// and saw none. A replay does not know when the call was made.
fn may_have_begun(requested: &DeploymentRecord, at: Timestamp) -> bool {
    let lease = requested.lease_until.map(|until| until.plus(CLOCKS));
    lease.or(requested.end.map(|ended| ended.at)).is_none_or(|until| at <= until)
}

fn follow(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    requested: &DeploymentRecord,
    report: &DeploymentReport<'_>,
) {
    let service = report.service;
    if report.state == RolloutState::Failed || report.is_rollback {
        let what = if report.is_rollback { "it is rolled back" } else { "it failed" };
        fail(draft, response, requested, report, what);
        end(draft, service, requested, report.at, DeploymentOutcome::Failed);
    } else if report.state == RolloutState::Completed {
        end(draft, service, requested, report.at, DeploymentOutcome::Completed);
        resolve(draft, response, service, requested, report.at);
    } else if let (None, Some(deployment)) = (&requested.deployment, &report.deployment) {
        adopt(draft, service, requested, deployment);
    } else {
        draft.steps.push(PlanStep::Nothing { why: "the rollout of our deployment goes on".to_owned() });
    }
}

/// Looks at a deployment of ours of which no event told the end.
fn poll(draft: &mut PlanBuilder<'_, '_>, response: &Response, service: &str, requested: &DeploymentRecord) {
    let (facts, now) = (draft.facts, draft.now());
    // Somebody is asking, or what was asked for is hardly to be seen yet.
    if requested.is_held(now) || now < requested.requested_at.plus(SEEN_AFTER) {
        return;
    }
    let late = now > requested.requested_at.plus(facts.settings.rollout);
    let found = facts.services.iter().flatten().find(|found| found.arn == service);
    let report = |deployment: Option<&str>, state, reason: &str| DeploymentReport {
        deployment: deployment.map(str::to_owned),
        state,
        reason: Untrusted::new(reason),
        at: now,
        is_rollback: false,
        service,
    };
    let Some(found) = found.filter(|found| found.status != "INACTIVE") else {
        let is_gone = found.is_some();
        if is_gone {
            end(draft, service, requested, now, DeploymentOutcome::Gone);
        // What could not be learned now may be learned by the next look; that is told for itself.
        } else if late
            && !facts.discovery_failures.contains_key(&place(&draft.event().account, region_of(service)))
        {
            let silent = report(None, RolloutState::InProgress, "ECS does not say what became of it");
            fail(draft, response, requested, &silent, "its end is unknown");
        }
        return;
    };
    let primary = found.primary.as_ref();
    let id = primary.map(|primary| primary.id.as_str()).filter(|id| !id.is_empty());
    let ours = requested.deployment.as_deref();
    let newer = primary.is_some_and(|primary| primary.created_at >= requested.requested_at.minus(CLOCKS));
    let is_ours = match (ours, primary) {
        (None, Some(primary)) => may_have_begun(requested, primary.created_at),
        (None, None) => true,
        (Some(_), _) => id == ours,
    };
    let failed = is_told_of(facts, &key(response, service, requested));
    if ours.is_none() && !newer && !failed {
        // What is rolled back looks the same, until the deployment before is complete again.
        if state(found) != Some(RolloutState::InProgress) || late {
            end(draft, service, requested, now, DeploymentOutcome::Unseen);
        }
    } else if newer && !is_ours {
        let since = primary.map_or(now, |primary| primary.created_at);
        if failed {
            // Whoever saw that may not have told it.
            let why = "somebody else deployed since";
            fail(draft, response, requested, &report(ours, RolloutState::Failed, why), "it failed");
        }
        end(
            draft,
            service,
            requested,
            since,
            if failed { DeploymentOutcome::Failed } else { DeploymentOutcome::Superseded },
        );
    } else if !newer && (ours.is_none() || id != ours) {
        let why = "an older deployment is PRIMARY again";
        fail(draft, response, requested, &report(ours, RolloutState::Failed, why), "it was rolled back");
        end(draft, service, requested, now, DeploymentOutcome::Failed);
    } else {
        if let (None, Some(id)) = (ours, id) {
            adopt(draft, service, requested, id);
        }
        match state(found) {
            Some(RolloutState::Completed) => {
                end(draft, service, requested, now, DeploymentOutcome::Completed);
                resolve(draft, response, service, requested, now);
            }
            Some(RolloutState::Failed) => {
                fail(
                    draft,
                    response,
                    requested,
                    &report(id, RolloutState::Failed, "its rollout state is FAILED"),
                    "it failed",
                );
                end(draft, service, requested, now, DeploymentOutcome::Failed);
            }
            Some(RolloutState::InProgress) | None if late => {
                let why = format!("it did not complete within {}", facts.settings.rollout);
                fail(
                    draft,
                    response,
                    requested,
                    &report(id, RolloutState::InProgress, &why),
                    "it does not end",
                );
                // Nothing waits for it any longer. Should it complete after all, that is told.
                end(draft, service, requested, now, DeploymentOutcome::Failed);
            }
            Some(RolloutState::InProgress) | None => {}
        }
    }
}

/// Whether somebody told of this deployment, or was about to, and could not note its end.
fn is_told_of(facts: &Facts, key: &str) -> bool {
    let opened = facts.open_incidents.get(key).is_some_and(|opened| opened.resolved.is_none());
    let resolved = |state: &IncidentState| state.resolved.is_some();
    facts.incidents.get(key).map_or(opened, |state| !resolved(state))
}

fn region_of(service: &str) -> &str {
    Arn::of("ecs", service).map_or("", |arn| arn.region)
}

/// How long ECS may show the deployments of before.
const SEEN_AFTER: Span = Span::from_secs(60);

fn state(service: &EcsService) -> Option<RolloutState> {
    service.primary.as_ref().and_then(|primary| primary.rollout_state)
}

/// The deployments of ours that have no end yet.
fn open<'f>(case: &MatchedEvent<'_>, facts: &'f Facts) -> Vec<(&'f str, &'f DeploymentRecord)> {
    let account = format!(":{}:", case.event.account);
    let open = facts
        .deployments
        .iter()
        .filter(|(service, requested)| requested.is_open() && service.contains(&account));
    open.map(|(service, requested)| (service.as_str(), requested)).collect()
}

fn adopt(draft: &mut PlanBuilder<'_, '_>, service: &str, requested: &DeploymentRecord, deployment: &str) {
    let (service, deployment) = (service.to_owned(), deployment.to_owned());
    draft.steps.push(PlanStep::ReconcileDeployment {
        service,
        requested_at: requested.requested_at,
        deployment,
    });
}

fn end(
    draft: &mut PlanBuilder<'_, '_>,
    service: &str,
    requested: &DeploymentRecord,
    at: Timestamp,
    how: DeploymentOutcome,
) {
    if requested.may_end(how) {
        draft.steps.push(PlanStep::EndDeployment {
            service: service.to_owned(),
            cluster: requested.cluster.clone(),
            requested_at: requested.requested_at,
            deployment: requested.deployment.clone(),
            // What has an end gave its place back.
            slot: requested.slot.filter(|_| requested.is_open()),
            secrets: requested.changes.clone(),
            end: DeploymentEnd { at, outcome: how },
        });
    } else {
        draft.steps.push(PlanStep::Nothing { why: "the end of our deployment is known".to_owned() });
    }
}

/// Pages about a deployment of ours, once, however it is found out.
fn fail(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    requested: &DeploymentRecord,
    report: &DeploymentReport<'_>,
    what: &str,
) {
    let detail = |label, value: &str| IncidentDetail { label, value: Untrusted::new(value) };
    let mut details = vec![detail("what", what), detail("service", report.service)];
    for changed in &requested.changes {
        details.push(IncidentDetail { label: "secret", value: changed.secret.name() });
    }
    // A rollback is reported of the deployment that it goes back to.
    let reported = report.deployment.as_ref().filter(|_| !report.is_rollback);
    let deployment = requested.deployment.as_ref().or(reported);
    details.extend(deployment.map(|id| detail("deployment", id)));
    details.push(IncidentDetail { label: "reason", value: report.reason.clone() });
    let note = "a rollback does not bring the old secret back: its tasks read AWSCURRENT too";
    details.push(detail("note", note));
    let observation = observation(draft, requested);
    let about = requested
        .changes
        .iter()
        .map(|changed| AffectedConsumer { service: report.service.to_owned(), change: changed.clone() });
    let key = key(response, report.service, requested);
    draft.add_incident_of(response, key, vec![&observation], details, about.collect());
}

/// Takes back what was said about a deployment that then completed after all.
fn resolve(
    draft: &mut PlanBuilder<'_, '_>,
    response: &Response,
    service: &str,
    requested: &DeploymentRecord,
    at: Timestamp,
) {
    let key = key(response, service, requested);
    let Some(open) = draft.facts.incidents.get(&key).filter(|state| state.resolved.is_none()) else { return };
    let observation = observation(draft, requested);
    let window_match =
        WindowMatch { observations: vec![&observation], severity: open.severity, resolved: Some(at) };
    let details = vec![IncidentDetail { label: "service", value: Untrusted::new(service) }];
    let incident = crate::incident::Incident::from_match(response, key.clone(), &window_match, details);
    draft.steps.push(PlanStep::Resolve {
        rule: response.id.clone(),
        key,
        at,
        last_event: None,
        notice: Some(Box::new(incident)),
        severity: open.severity,
    });
}

/// The incident is as old as the deployment, whoever finds it out.
fn observation(draft: &PlanBuilder<'_, '_>, requested: &DeploymentRecord) -> Observation {
    let mut observation = Observation::from_event(draft.event());
    observation.at = requested.requested_at;
    observation.secrets = requested.changes.iter().map(|changed| changed.secret.clone()).collect();
    observation
}

fn key(response: &Response, service: &str, requested: &DeploymentRecord) -> String {
    incident_key(response, &format!("{service} {}", requested.requested_at))
}

fn service_of(case: &MatchedEvent<'_>) -> Option<String> {
    let arn = case.event.text("/resources/0")?;
    (arn.raw().len() <= 1_024).then(|| arn.raw().to_owned())
}
