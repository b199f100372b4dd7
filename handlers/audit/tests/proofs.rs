//! Proofs from events alone: which events count as a change, a deployment or a read, and which do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use responder_audit::proof::{ChainState, ProofLink, RebuiltProofs, RotationEvents, rebuild_proofs};
use responder_core::aws::ecs_service::{DeploymentController, EcsDeployment, EcsService, ServiceStatus};
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_780_282_800_000 + second * 1_000)
}

const SECRET: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
const TASK: &str = "0123456789abcdef0123456789abcdef";

fn arn(name: &str) -> String {
    format!("arn:aws:ecs:us-west-2:111122223333:service/shop/{name}")
}

fn event(source: &str, name: &str, second: i64, detail: &Value) -> Value {
    let mut event = json!({"account": "111122223333", "region": "us-west-2", "source": format!("aws.{source}"), "detail": {
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "eventTime": at(second)}});
    let object = event["detail"].as_object_mut().unwrap();
    object.extend(detail.as_object().unwrap().clone());
    event
}

fn changed(second: i64) -> Value {
    event(
        "secretsmanager",
        "RotationSucceeded",
        second,
        &json!({"additionalEventData": {"SecretId": SECRET}}),
    )
}

fn read(second: i64, role: &str, session: &str, asked: &Value) -> Value {
    let identity = json!({"arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}")});
    event(
        "secretsmanager",
        "GetSecretValue",
        second,
        &json!({"userIdentity": identity, "requestParameters": asked}),
    )
}

fn fetched(second: i64, role: &str) -> Value {
    read(second, role, TASK, &json!({"secretId": "prod/db"}))
}

fn forced(second: i64, name: &str, id: &str) -> Value {
    let primary = json!({"id": id, "status": "PRIMARY", "createdAt": at(second)});
    let service = json!({"serviceArn": arn(name), "taskDefinition": "web:1", "deployments": [primary]});
    event(
        "ecs",
        "UpdateService",
        second,
        &json!({"requestParameters": {"cluster": "shop", "service": name,
        "forceNewDeployment": true}, "responseElements": {"service": service}}),
    )
}

fn ended(second: i64, name: &str, state: &str, id: &str, reason: &str) -> Value {
    json!({"source": "aws.ecs", "detail-type": "ECS Deployment State Change", "resources": [arn(name)], "time": at(second),
        "detail": {"eventName": format!("SERVICE_DEPLOYMENT_{state}"), "deploymentId": id, "reason": reason}})
}

fn service(name: &str, role: &str) -> EcsService {
    EcsService {
        arn: arn(name).into(),
        cluster: "arn:aws:ecs:us-west-2:111122223333:cluster/shop".into(),
        status: ServiceStatus::Active,
        controller: DeploymentController::Ecs,
        primary: Some(EcsDeployment {
            id: "old".to_owned(),
            created_at: at(-9_000),
            ..EcsDeployment::default()
        }),
        execution_roles: [Untrusted::new(format!("arn:aws:iam::111122223333:role/team/{role}"))].into(),
        references: vec![SecretReference {
            kind: ReferenceKind::ContainerSecret,
            value: Untrusted::new(SECRET),
        }],
        ..EcsService::default()
    }
}

fn rebuild(facts: &Facts, events: &[Value]) -> RebuiltProofs {
    let from = |events: &mut dyn Iterator<Item = &Value>| {
        let mut evidence = RotationEvents::default();
        for event in events {
            evidence.add_event(&Event::parse(&event.to_string()).unwrap()).unwrap();
        }
        rebuild_proofs(&evidence, facts)
    };
    let found = from(&mut events.iter());
    assert_eq!(found, from(&mut events.iter().rev().chain(events)), "order and copies change nothing");
    found
}

/// The state of the only chain, for a service `web` with a role of its own.
fn state(events: &[Value]) -> (ChainState, Option<ProofLink>) {
    let facts = Facts { services: Some(vec![service("web", "web-role")]), ..Facts::default() };
    let chains = rebuild(&facts, events).chains;
    assert_eq!(chains.len(), 1);
    (chains[0].state, chains[0].link)
}

#[test]
fn only_a_later_read_by_a_task_of_the_role_counts_and_it_is_half_a_proof() {
    let events = |read: Value| [changed(0), forced(16, "web", "new"), read];
    assert_eq!(state(&events(fetched(52, "web-role"))), (ChainState::Read, Some(ProofLink::Completed)));
    let asked = json!({"secretId": SECRET});
    for not in [
        fetched(15, "web-role"),
        fetched(52, "other-role"),
        read(52, "web-role", "somebody", &asked),
        read(52, "web-role", TASK, &json!({"secretId": "prod/other"})),
        read(52, "web-role", TASK, &json!({"secretId": SECRET, "versionStage": "AWSPREVIOUS"})),
        read(52, "web-role", TASK, &json!({"secretId": SECRET, "versionId": "v0"})),
    ] {
        assert_eq!(state(&events(not.clone())), (ChainState::Open, Some(ProofLink::Fetched)), "{not}");
    }
}

#[test]
fn a_deployment_must_be_newer_than_the_change_and_its_margin() {
    for second in [-60, 0, 4] {
        let events = [changed(0), forced(second, "web", "new"), fetched(52, "web-role")];
        assert_eq!(state(&events), (ChainState::Open, Some(ProofLink::Deployed)), "{second}");
    }
    // A call that only changes the count shows the old deployment.
    let mut count = forced(16, "web", "new");
    count["detail"]["requestParameters"] = json!({"cluster": "shop", "service": "web", "desiredCount": 3});
    count["detail"]["responseElements"]["service"]["deployments"][0]["createdAt"] =
        json!("May 1, 2026, 3:00:36 AM");
    assert_eq!(state(&[changed(0), count, fetched(52, "web-role")]).1, Some(ProofLink::Deployed));
    let over = [changed(0), ended(901, "web", "COMPLETED", "old", "")];
    assert_eq!(state(&over), (ChainState::Broken, Some(ProofLink::Deployed)));
}

#[test]
fn a_known_end_of_a_rollout_decides_the_chain() {
    let begun = [changed(0), forced(16, "web", "new"), fetched(52, "web-role")];
    let with = |ends: &[Value]| state(&[&begun[..], ends].concat());
    let end = |second, how, id, reason| ended(second, "web", how, id, reason);
    assert_eq!(with(&[end(17, "IN_PROGRESS", "new", "")]), (ChainState::Open, Some(ProofLink::Completed)));
    assert_eq!(with(&[end(90, "COMPLETED", "new", "")]), (ChainState::Complete, None));
    let failed = (ChainState::Broken, Some(ProofLink::Completed));
    assert_eq!(with(&[end(90, "FAILED", "new", "no")]), failed);
    // ECS reports only the rollback: under the id of the deployment that failed, or of the one that it goes back to.
    for id in ["new", "old"] {
        let back = end(90, "IN_PROGRESS", id, "circuit breaker: rolling back to deploymentId old.");
        assert_eq!(with(&[back, end(99, "COMPLETED", "old", "")]), failed, "{id}");
    }
    let again = [
        end(90, "FAILED", "new", "no"),
        forced(200, "web", "newer"),
        end(300, "COMPLETED", "newer", ""),
        fetched(250, "web-role"),
    ];
    assert_eq!(with(&again), (ChainState::Complete, None));
}

#[test]
fn a_rotation_soon_after_another_needs_a_deployment_of_its_own() {
    let reported = |second: i64, id: &str| {
        let mut report = changed(second);
        report["detail"]["eventID"] = json!(id);
        report
    };
    let answered = [
        forced(6, "web", "new"),
        fetched(10, "web-role"),
        ended(30, "web", "COMPLETED", "new", ""),
        reported(0, "a"),
    ];
    let facts = Facts { services: Some(vec![service("web", "web-role")]), ..Facts::default() };
    let states = |more: &[Value]| -> Vec<ChainState> {
        let chains = rebuild(&facts, &[&answered[..], more].concat()).chains;
        chains.iter().map(|chain| chain.state).collect()
    };
    assert_eq!(states(&[reported(0, "a")]), [ChainState::Complete], "a copy");
    assert_eq!(states(&[reported(40, "b")]), [ChainState::Complete, ChainState::Open]);
    let label = json!({"source": "aws.secretsmanager", "detail-type": "Secret Label Updated", "account": "111122223333",
        "region": "us-west-2", "time": at(-1), "resources": [SECRET],
        "detail": {"labelUpdated": "AWSCURRENT", "versionId": "v1"}});
    assert_eq!(states(&[label]), [ChainState::Complete], "the native event of the same rotation");
}

#[test]
fn somebody_elses_completed_deployment_is_no_proof_without_a_read() {
    let mut theirs = forced(300, "web", "theirs");
    theirs["detail"]["requestParameters"] =
        json!({"cluster": "shop", "service": "web", "taskDefinition": "web:2"});
    let events = [changed(0), theirs, ended(420, "web", "COMPLETED", "theirs", "")];
    let with = |more: &[Value]| state(&[&events[..], more].concat());
    assert_eq!(with(&[]), (ChainState::Open, Some(ProofLink::Fetched)));
    let later = ended(9_000, "web", "IN_PROGRESS", "other", "");
    assert_eq!(with(&[later]), (ChainState::Broken, Some(ProofLink::Fetched)));
    assert_eq!(with(&[fetched(330, "web-role")]), (ChainState::Complete, None));
}

#[test]
fn a_read_under_a_role_that_two_consumers_share_needs_a_completed_rollout() {
    let services = vec![service("web", "app"), service("worker", "app")];
    let facts = Facts { services: Some(services), ..Facts::default() };
    let mut events =
        vec![changed(0), forced(16, "web", "w1"), forced(16, "worker", "w2"), fetched(52, "app")];
    let open = rebuild(&facts, &events).chains;
    assert!(open.iter().all(|chain| chain.proof.shared && chain.state == ChainState::Open));
    events.push(ended(90, "web", "COMPLETED", "w1", ""));
    let states: Vec<ChainState> = rebuild(&facts, &events).chains.iter().map(|chain| chain.state).collect();
    assert_eq!(states, [ChainState::Complete, ChainState::Open]);
}

#[test]
fn a_reference_to_another_version_is_never_proved() {
    let mut web = service("web", "web-role");
    web.references[0].value = Untrusted::new(format!("{SECRET}::BLUE:"));
    let facts = Facts { services: Some(vec![web]), ..Facts::default() };
    let chains = rebuild(&facts, &[changed(0), forced(16, "web", "new"), fetched(52, "web-role")]).chains;
    assert_eq!((chains[0].state, chains[0].link), (ChainState::Broken, Some(ProofLink::Decided)));
}

#[test]
fn consumers_come_from_the_task_definition_in_force() {
    let definition = |revision: u32, value: &str| {
        let family = format!("arn:aws:ecs:us-west-2:111122223333:task-definition/web:{revision}");
        event(
            "ecs",
            "RegisterTaskDefinition",
            -900 + i64::from(revision),
            &json!({"requestParameters": {
            "executionRoleArn": "web-role", "containerDefinitions": [{"secrets": [{"name": "X", "valueFrom": value}]}]},
            "responseElements": {"taskDefinition": {"taskDefinitionArn": family}}}),
        )
    };
    let rest = [changed(0), forced(16, "web", "new"), fetched(52, "web-role")];
    let with = |value| rebuild(&Facts::default(), &[&[definition(1, value)], &rest[..]].concat());
    let found = with(SECRET);
    assert_eq!((found.chains[0].state, found.unconsumed.len()), (ChainState::Read, 0));
    for events in [
        with("arn:aws:secretsmanager:us-west-2:111122223333:secret:other-a1B2c3"),
        rebuild(&Facts::default(), &rest),
    ] {
        assert!(events.chains.is_empty() && !events.unconsumed[0].certain);
        assert_eq!(events.unconsumed[0].first_read.as_ref().map(|read| read.at), Some(at(52)));
    }
    // A service that was created after the change never had the old value.
    let mut created = rest.clone();
    created[1]["detail"]["eventName"] = json!("CreateService");
    let events = [&[definition(1, SECRET)], &created[..]].concat();
    assert!(rebuild(&Facts::default(), &events).chains.is_empty());
}

#[test]
fn facts_without_a_consumer_are_certain_only_where_they_know_the_place() {
    let mut other = service("web", "web-role");
    other.references.clear();
    let mut facts = Facts { services: Some(vec![other]), ..Facts::default() };
    assert!(rebuild(&facts, &[changed(0)]).unconsumed[0].certain);
    facts.add_discovery_failure("111122223333", "us-west-2", "a cluster");
    assert!(!rebuild(&facts, &[changed(0)]).unconsumed[0].certain);
    facts = Facts { services: Some(Vec::new()), ..Facts::default() };
    assert!(!rebuild(&facts, &[changed(0)]).unconsumed[0].certain);
}

#[test]
fn only_events_that_move_awscurrent_are_changes() {
    let call = |name: &str, asked: &Value, answer: &Value| {
        let detail = json!({"requestParameters": asked, "responseElements": answer});
        rebuild(&Facts::default(), &[event("secretsmanager", name, 0, &detail)]).unconsumed.len()
    };
    let (secret, version) = (json!({"secretId": SECRET}), json!({"arn": SECRET, "versionId": "v1"}));
    let staged = |stage: &str| json!({"secretId": SECRET, "versionStages": [stage]});
    let moved = |stage: &str| json!({"secretId": SECRET, "versionStage": stage, "moveToVersionId": "v1"});
    for (name, asked, answer, count) in [
        ("PutSecretValue", &secret, &version, 1),
        ("PutSecretValue", &staged("AWSCURRENT"), &version, 1),
        ("PutSecretValue", &staged("AWSPENDING"), &version, 0),
        ("UpdateSecret", &secret, &version, 1),
        ("UpdateSecret", &secret, &json!({"arn": SECRET}), 0),
        ("UpdateSecretVersionStage", &moved("AWSCURRENT"), &json!(null), 1),
        ("UpdateSecretVersionStage", &moved("AWSPENDING"), &json!(null), 0),
        ("RotateSecret", &secret, &version, 0),
    ] {
        assert_eq!(call(name, asked, answer), count, "{name} {asked}");
    }
    let refused = json!({"errorCode": "AccessDenied", "requestParameters": secret});
    assert!(
        rebuild(&Facts::default(), &[event("secretsmanager", "PutSecretValue", 0, &refused)])
            .unconsumed
            .is_empty()
    );
}

#[test]
fn an_event_from_another_source_proves_nothing() {
    let facts = Facts { services: Some(vec![service("web", "web-role")]), ..Facts::default() };
    let own = |mut event: Value| {
        event["source"] = json!("my.app");
        event
    };
    let events = [changed(0), forced(16, "web", "new"), own(fetched(52, "web-role"))];
    assert_eq!(rebuild(&facts, &events).chains[0].link, Some(ProofLink::Fetched));
    let events = [changed(0), own(forced(16, "web", "new")), fetched(52, "web-role")];
    assert_eq!(rebuild(&facts, &events).chains[0].link, Some(ProofLink::Deployed));
    assert_eq!(rebuild(&facts, &[own(changed(0))]), RebuiltProofs::default());
}
