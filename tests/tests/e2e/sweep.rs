//! What no event told, and the chain of proof: the real functions on the fake ECS and the emulated ledger.

use std::fs;
use std::process::Command;

use acceptance::{Fake, Function, Outcome, TABLE, World, events, paths};
use responder_core::time::Span;
use serde_json::{Value, json};
use simulation::ecs::{CircuitBreaker, NewService, RegisteredTaskDefinition, TaskContainer};

/// What the function planned, one word a step.
fn tell(function: &mut Function, event: &Value) -> Vec<String> {
    let answer = function.invoke(event.to_string().as_bytes());
    assert!(matches!(answer.outcome, Outcome::Response(_)), "not a response: {answer:?}");
    let told: Value = serde_json::from_str(&answer.raw).expect("a function answers with JSON");
    let steps = told["plan"]["steps"].as_array().cloned().unwrap_or_default();
    steps.iter().filter_map(|step| step["do"].as_str().map(str::to_owned)).collect()
}

fn sweep(world: &World, function: &mut Function) -> Vec<String> {
    tell(function, &events::sweep_due(&world.aws, acceptance::now()))
}

/// A secret of an hour ago and a service of half an hour ago that injects it; gives both ARNs back.
fn estate(world: &World, fake: &Fake) -> (String, String) {
    let ago = |minutes: i64| Span::from_secs(60 * minutes);
    let secret =
        fake.secrets(|secrets, now| secrets.create(world.aws.region(), "prod/app", now.minus(ago(60))));
    let role = format!("arn:aws:iam::{}:role/web-execution", world.aws.account());
    let service = fake.ecs(|ecs, now| {
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
        ecs.create_service(service, now.minus(ago(30)))
    });
    (secret, service)
}

/// The table of proofs and the exit status that `replay proof` gives for the ledger's items.
fn proof(world: &World) -> (String, bool) {
    let file = paths::leftovers().join(format!("ledger-{}.json", world.aws.account()));
    let items = json!({ "Items": world.aws.scan(TABLE) });
    fs::write(&file, items.to_string()).expect("the target directory can be written");
    let output = Command::new(paths::target().join("debug/replay"))
        .arg("proof")
        .arg(&file)
        .output()
        .expect("tests/run builds the replay");
    fs::remove_file(&file).expect("the target directory can be written");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("the replay prints UTF-8"), output.status.success())
}

#[test]
fn a_change_that_no_event_told_is_found_by_the_sweep_and_proved_to_the_end() {
    let world = World::new();
    let fake = Fake::start(world.aws.account(), world.aws.region());
    let (secret, service) = estate(&world, &fake);
    let mut sweeper = world.start("sweep", &fake);
    // First sight: noted, and nothing to do, for the service is newer.
    let first = sweep(&world, &mut sweeper);
    assert!(first.contains(&"note".to_owned()) && !first.contains(&"redeploy".to_owned()), "{first:?}");
    assert!(fake.ecs(|ecs, _| ecs.log.deployments().is_empty()));
    // Nothing happened since: no service is asked for.
    let looked = fake.requests("DescribeServices") + fake.requests("ListServices");
    sweep(&world, &mut sweeper);
    assert_eq!(fake.requests("DescribeServices") + fake.requests("ListServices"), looked, "a quiet sweep");

    fake.secrets(|secrets, now| secrets.put_value(&secret, now));
    let lost = fake.events();
    assert!(!lost.is_empty(), "the events that never arrive");
    assert!(sweep(&world, &mut sweeper).contains(&"redeploy".to_owned()));
    assert_eq!(fake.ecs(|ecs, _| ecs.log.deployments().to_vec()).len(), 1);
    assert!(!sweep(&world, &mut sweeper).contains(&"redeploy".to_owned()));
    // One consumer, and its chain is not at its end.
    let (table, complete) = proof(&world);
    assert!(!complete && table.contains("web"), "{table}");

    // The rollout ends, and ECS says so; its tasks read the secret.
    fake.skip(Span::from_secs(600));
    let mut rotation = world.start("rotation", &fake);
    let told: Vec<String> = fake.events().iter().flat_map(|event| tell(&mut rotation, event)).collect();
    assert!(told.contains(&"end".to_owned()), "{told:?}");
    let mut access = world.start("access", &fake);
    let launches = fake.launches();
    let launch = launches.iter().rfind(|launch| launch.service == service).expect("a new task started");
    let read = events::task_read(
        &world.aws,
        launch.execution_role.as_deref().expect("it has a role"),
        &launch.task,
        &secret,
        acceptance::now(),
    );
    assert!(tell(&mut access, &read).contains(&"prove".to_owned()));
    assert!(!tell(&mut access, &read).contains(&"prove".to_owned()), "once");
    let (table, complete) = proof(&world);
    assert!(complete, "{table}");
    assert!(world.pages().is_empty());
}
