//! Facts, events and plans in a few words: `redeploy a s1`, `defer a cooldown 12:05:15`, `page rollout-failed`.

use std::sync::LazyLock;

use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::ecs_service::{
    DeploymentController, EcsDeployment, EcsService, RolloutState, ServiceStatus,
};
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::decide::{apply, questions, respond};
use responder_core::facts::Facts;
use responder_core::plan::{Plan, PlanStep};
use responder_core::question::Question;
use responder_core::rules::{MatchedEvent, RuleSet, builtin};
use responder_core::state::deployment::{
    DeploymentEnd, DeploymentOutcome, DeploymentRecord, KnownChange, SecretChange,
};
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const HOME: &str = "us-west-2";
pub(crate) const CLUSTER: &str = "arn:aws:ecs:us-west-2:111122223333:cluster/shop";

static RULES: LazyLock<RuleSet> = LazyLock::new(|| builtin().unwrap());

/// The event as the handler `rotation` or `sweep` matches it.
pub(crate) fn matched(event: &str) -> MatchedEvent<'static> {
    RULES.match_event(event).unwrap().into_iter().next().unwrap()
}

/// An instant of Monday, 2 March 2026, or a whole one.
pub(crate) fn at(time: &str) -> Timestamp {
    if time.contains('T') { time.parse().unwrap() } else { format!("2026-03-02T{time}Z").parse().unwrap() }
}

pub(crate) fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{HOME}:{ACCOUNT}:secret:{name}-a1B2c3")
}

pub(crate) fn secret(name: &str) -> SecretRef {
    SecretRef::from_arn(&secret_arn(name)).unwrap()
}

pub(crate) fn change(name: &str, time: &str) -> SecretChange {
    SecretChange { secret: secret(name), at: at(time), version: Some("v2".to_owned()) }
}

pub(crate) fn service_arn(name: &str) -> ServiceArn {
    format!("arn:aws:ecs:{HOME}:{ACCOUNT}:service/shop/{name}").into()
}

/// An old service that takes these as container secrets.
pub(crate) fn service(name: &str, values: &[String]) -> EcsService {
    let reference = |value: &String| SecretReference {
        kind: ReferenceKind::ContainerSecret,
        value: Untrusted::new(value),
    };
    EcsService {
        arn: service_arn(name),
        cluster: CLUSTER.into(),
        status: ServiceStatus::Active,
        controller: DeploymentController::Ecs,
        primary: primary("old", "2026-02-01T00:00:00Z", Some(RolloutState::Completed)),
        references: values.iter().map(reference).collect(),
        ..EcsService::default()
    }
}

/// A PRIMARY deployment.
#[expect(clippy::unnecessary_wraps, reason = "a service may have none")]
pub(crate) fn primary(id: &str, time: &str, state: Option<RolloutState>) -> Option<EcsDeployment> {
    Some(EcsDeployment {
        id: id.to_owned(),
        created_at: at(time),
        rollout_state: state,
        ..EcsDeployment::default()
    })
}

/// A secret whose version `v2` is AWSCURRENT since.
pub(crate) fn metadata(name: &str, time: &str) -> SecretMetadata {
    let versions = [("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")];
    SecretMetadata {
        arn: secret_arn(name),
        versions: versions.map(|(id, label)| (id.to_owned(), [label.to_owned()].into())).into(),
        created_at: Some(at("2025-01-01T00:00:00Z")),
        modified_at: Some(at(time)),
        ..SecretMetadata::default()
    }
}

pub(crate) fn request(time: &str, deployment: Option<&str>) -> DeploymentRecord {
    DeploymentRecord {
        requested_at: at(time),
        cluster: CLUSTER.into(),
        deployment: deployment.map(str::to_owned),
        slot: Some(0),
        changes: vec![change("s1", "12:00:00")],
        lease_until: None,
        end: None,
    }
}

pub(crate) fn ended(requested: DeploymentRecord, how: DeploymentOutcome) -> DeploymentRecord {
    DeploymentRecord { end: Some(DeploymentEnd { at: requested.requested_at, outcome: how }), ..requested }
}

pub(crate) fn known_change(time: &str, version: &str, settled: bool) -> KnownChange {
    KnownChange {
        at: at(time),
        version: Some(version.to_owned()),
        waiting_since: None,
        resolved: settled,
        arn: None,
    }
}

/// Services `a`, `b`, … of which each uses these secrets, and what Secrets Manager says of those: changed at noon.
pub(crate) fn facts_with(services: &[(&str, &[&str])]) -> Facts {
    let mut facts = Facts::default();
    for (name, secrets) in services {
        let values: Vec<String> = secrets.iter().map(|name| secret_arn(name)).collect();
        facts.services.get_or_insert_default().push(service(name, &values));
        for name in *secrets {
            facts.secrets.insert(secret(name).key(), metadata(name, "12:00:00"));
        }
    }
    facts
}

/// The first service.
pub(crate) fn first_service(facts: &mut Facts) -> &mut EcsService {
    &mut facts.services.as_mut().unwrap()[0]
}

pub(crate) fn tag(facts: &mut Facts, name: &str, value: &str) {
    first_service(facts).tags.insert(format!("secrets-responder:{name}"), value.to_owned());
}

/// Decides about an event, and applies the plan to the facts.
pub(crate) fn decide(facts: &mut Facts, event: &str) -> Plan {
    let plan = respond(&matched(event), facts);
    apply(&plan, facts);
    plan
}

/// The steps of a plan in words.
pub(crate) fn describe(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(describe_step).collect()
}

/// Decides about an event, applies the plan to the facts, and returns its steps in words.
pub(crate) fn steps(facts: &mut Facts, event: &str) -> Vec<String> {
    describe(&decide(facts, event))
}

pub(crate) fn list_questions(facts: &Facts, event: &str) -> Vec<Question> {
    questions(&matched(event), facts)
}

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.strip_prefix("2026-03-02T").unwrap_or(&text).trim_end_matches('Z').to_owned()
}

fn names(changes: &[SecretChange]) -> String {
    let names: Vec<String> =
        changes.iter().map(|changed| changed.secret.friendly_name().raw().to_owned()).collect();
    names.join("+")
}

fn describe_step(step: &PlanStep) -> String {
    match step {
        PlanStep::Redeploy { service, secrets, .. } => {
            format!("redeploy {} {}", short(service), names(secrets))
        }
        PlanStep::Defer { service, reason, until, .. } => {
            let until = until.map(|until| format!(" {}", time(until))).unwrap_or_default();
            format!("defer {} {}{until}", short(service), name(reason))
        }
        PlanStep::Skip { service, reason, .. } => format!("skip {} {}", short(service), name(reason)),
        PlanStep::RecordChange { change } => {
            format!("record {} {}", change.secret.friendly_name().raw(), time(change.at))
        }
        PlanStep::ResolveChange { change } => {
            format!("resolve-change {}", change.secret.friendly_name().raw())
        }
        PlanStep::ReconcileDeployment { service, deployment, .. } => {
            format!("reconcile {} {deployment}", short(service))
        }
        PlanStep::EndDeployment { service, end, .. } => {
            format!("end {} {}", short(service), name(&end.outcome))
        }
        PlanStep::Prove { evidence, .. } => format!("prove {}", short(&evidence.service)),
        PlanStep::Page { incident, .. } => format!("page {}", incident.rule),
        PlanStep::Digest { rule, .. } => format!("digest {rule}"),
        PlanStep::Suppress { rule, .. } => format!("suppress {rule}"),
        PlanStep::ExtendIncident { rule, .. } => format!("extend {rule}"),
        PlanStep::Resolve { rule, .. } => format!("resolve {rule}"),
        PlanStep::Count { rule, .. } => format!("count {rule}"),
        PlanStep::UpdateLastSeen { .. } => "update-last-seen".to_owned(),
        PlanStep::Unknown { .. } => "unknown".to_owned(),
        PlanStep::Nothing { .. } => "nothing".to_owned(),
        PlanStep::Ignore { .. } => "ignore".to_owned(),
    }
}

/// The details of the incidents that a plan pages.
pub(crate) fn details(plan: &Plan) -> Vec<String> {
    let pages = plan.steps.iter().filter_map(|step| match step {
        PlanStep::Page { incident, .. } => Some(&incident.details),
        _ => None,
    });
    pages.flatten().map(|detail| format!("{}: {}", detail.kind.label(), detail.value.raw())).collect()
}

fn event(kind: &str, source: &str, time: &str, resources: &[String], detail: &Value) -> String {
    let time = at(time).to_string();
    json!({"version": "0", "id": format!("{kind} {time} {resources:?} {detail}"), "detail-type": kind, "source": source,
        "account": ACCOUNT, "region": HOME, "time": time, "resources": resources, "detail": detail})
    .to_string()
}

/// The native event: a version of the secret is AWSCURRENT.
pub(crate) fn label_moved(name: &str, time: &str, version: &str) -> String {
    let detail = json!({"name": name, "labelUpdated": "AWSCURRENT", "versionId": version});
    event("Secret Label Updated", "aws.secretsmanager", time, &[secret_arn(name)], &detail)
}

/// `RotationSucceeded`, which names no version.
pub(crate) fn rotation_succeeded(name: &str, time: &str) -> String {
    let detail = json!({"eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationSucceeded",
        "eventTime": at(time).to_string(), "eventID": format!("{name} {time}"), "awsRegion": HOME,
        "recipientAccountId": ACCOUNT, "additionalEventData": {"SecretId": secret_arn(name)},
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "secretsmanager.amazonaws.com"}});
    event("AWS Service Event via CloudTrail", "aws.secretsmanager", time, &[], &detail)
}

pub(crate) fn sweep(time: &str) -> String {
    event("Scheduled Event", "aws.events", time, &[], &json!({}))
}

/// `SERVICE_DEPLOYMENT_…` of a service's deployment.
pub(crate) fn deployment_event(name: &str, time: &str, kind: &str, id: &str, reason: &str) -> String {
    let detail = json!({"eventType": "INFO", "eventName": format!("SERVICE_DEPLOYMENT_{kind}"), "deploymentId": id,
        "updatedAt": at(time).to_string(), "reason": reason});
    event("ECS Deployment State Change", "aws.ecs", time, &[service_arn(name).into()], &detail)
}

/// A role's session reads a secret.
pub(crate) fn secret_read(name: &str, time: &str, role: &str, session: &str) -> String {
    let issuer = json!({"sessionIssuer": {"type": "Role", "arn": role, "accountId": ACCOUNT}});
    let detail = json!({"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "eventTime": at(time).to_string(), "eventID": format!("{name} {time} {session}"), "awsRegion": HOME,
        "recipientAccountId": ACCOUNT, "requestParameters": {"secretId": secret_arn(name)},
        "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT, "sessionContext": issuer,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/exec/{session}")}});
    event("AWS API Call via CloudTrail", "aws.secretsmanager", time, &[], &detail)
}

/// The services with a deployment of ours whose end is not known at an instant.
pub(crate) fn in_flight(facts: &Facts, now: Timestamp) -> Vec<ServiceArn> {
    let going = facts.deployments.iter().filter(|(_, requested)| requested.is_open());
    let going =
        going.filter(|(_, requested)| requested.requested_at.plus(facts.settings.rollout_timeout) > now);
    going.map(|(service, _)| service.clone()).collect()
}
