//! Changes that no event reported, and the chain of proof: the real functions on the fake ECS and the emulated ledger.

use std::fs;
use std::process::Command;

use acceptance::{FakeAws, FunctionProcess, InvocationOutcome, LEDGER_TABLE, TestBed, events, now, paths};
use responder_core::time::Span;
use serde_json::{Value, json};
use simulation::ecs::{CircuitBreaker, NewService, RegisteredTaskDefinition, TaskContainer};

/// Invokes the function, and returns its plan, one word a step.
fn plan_for(function: &mut FunctionProcess, event: &Value) -> Vec<String> {
    let answer = function.invoke(event.to_string().as_bytes());
    assert!(matches!(answer.outcome, InvocationOutcome::Response(_)), "not a response: {answer:?}");
    let told: Value = serde_json::from_str(&answer.raw).expect("a function answers with JSON");
    let steps = told["plan"]["steps"].as_array().cloned().unwrap_or_default();
    steps.iter().filter_map(|step| step["do"].as_str().map(str::to_owned)).collect()
}

fn sweep(bed: &TestBed, function: &mut FunctionProcess) -> Vec<String> {
    plan_for(function, &events::sweep_due(&bed.aws, now()))
}

/// A secret of an hour ago and a service of a minute later that injects it; gives both ARNs back.
fn make_estate(bed: &TestBed, fake: &FakeAws) -> (String, String) {
    let ago = |minutes: i64| Span::from_secs(60 * minutes);
    let secret =
        fake.with_secrets(|secrets, now| secrets.create(bed.aws.region(), "prod/app", now.minus(ago(60))));
    let role = format!("arn:aws:iam::{}:role/web-execution", bed.aws.account());
    let service = fake.with_ecs(|ecs, now| {
        let task_definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "web".to_owned(),
            execution_role: Some(role),
            containers: vec![TaskContainer { secrets: vec![secret.clone()], ..TaskContainer::default() }],
            ..RegisteredTaskDefinition::default()
        });
        let service = NewService {
            cluster: "prod".to_owned(),
            name: "web".to_owned(),
            task_definition,
            desired: 1,
            circuit_breaker: Some(CircuitBreaker { rollback: true }),
            ..NewService::default()
        };
        ecs.create_service(service, now.minus(ago(59)))
    });
    (secret, service)
}

/// The table of proofs and the exit status that `replay proof` gives for the ledger's items.
fn read_proof(bed: &TestBed) -> (String, bool) {
    let file = paths::leftovers().join(format!("ledger-{}.json", bed.aws.account()));
    let items = json!({ "Items": bed.aws.scan(LEDGER_TABLE) });
    fs::write(&file, items.to_string()).expect("the target directory can be written");
    let output =
        Command::new(paths::program("replay")).arg("proof").arg(&file).output().expect("the replay starts");
    fs::remove_file(&file).expect("the target directory can be written");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("the replay prints UTF-8"), output.status.success())
}

#[test]
fn a_change_that_no_event_reported_is_found_by_the_sweep_and_proved_to_the_end() {
    let bed = TestBed::new();
    let fake = FakeAws::start(bed.aws.account(), bed.aws.region());
    let (secret, service) = make_estate(&bed, &fake);
    let mut sweeper = bed.start_with_fake("sweep", &fake);
    // First sight: recorded, and nothing to do, for the service is newer.
    let first = sweep(&bed, &mut sweeper);
    assert!(
        first.contains(&"record-change".to_owned()) && !first.contains(&"redeploy".to_owned()),
        "{first:?}"
    );
    assert!(fake.with_ecs(|ecs, _| ecs.log.deployments().is_empty()));
    // Nothing happened since: no service is described.
    let looked = fake.count_requests("DescribeServices") + fake.count_requests("ListServices");
    sweep(&bed, &mut sweeper);
    assert_eq!(
        fake.count_requests("DescribeServices") + fake.count_requests("ListServices"),
        looked,
        "a quiet sweep"
    );

    fake.with_secrets(|secrets, now| secrets.put_value(&secret, now));
    let lost = fake.take_events();
    assert!(!lost.is_empty(), "the events that never arrive");
    assert!(sweep(&bed, &mut sweeper).contains(&"redeploy".to_owned()));
    assert_eq!(fake.with_ecs(|ecs, _| ecs.log.deployments().to_vec()).len(), 1);
    assert!(!sweep(&bed, &mut sweeper).contains(&"redeploy".to_owned()));
    // One consumer, and its chain is not at its end.
    let (table, complete) = read_proof(&bed);
    assert!(!complete && table.contains("web"), "{table}");

    // The rollout ends, and ECS says so; its tasks read the secret.
    fake.skip(Span::from_secs(600));
    let mut rotation = bed.start_with_fake("rotation", &fake);
    let steps: Vec<String> =
        fake.take_events().iter().flat_map(|event| plan_for(&mut rotation, event)).collect();
    assert!(steps.contains(&"end-deployment".to_owned()), "{steps:?}");
    let mut access = bed.start_with_fake("access", &fake);
    let launches = fake.take_launches();
    let launch = launches.iter().rfind(|launch| launch.service == service).expect("a new task started");
    let read = events::task_read(
        &bed.aws,
        launch.execution_role.as_deref().expect("it has a role"),
        &launch.task,
        &secret,
        now(),
    );
    assert!(plan_for(&mut access, &read).contains(&"prove".to_owned()));
    assert!(!plan_for(&mut access, &read).contains(&"prove".to_owned()), "once");
    let (table, complete) = read_proof(&bed);
    assert!(complete, "{table}");
    assert!(bed.take_pages().is_empty());
}
