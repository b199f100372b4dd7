//! The real functions, with their real SDK, against the fake: pages, tens, rollouts that end badly.

use std::collections::BTreeMap;

use acceptance::{Fake, Function, Outcome, World, events, now};
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};
use simulation::ecs::{CircuitBreaker, NewService, RegisteredTaskDefinition, RolloutOutcome, TaskContainer};

fn invoke(function: &mut Function, event: &Value) -> Value {
    let answer = function.invoke(event.to_string().as_bytes());
    assert!(matches!(answer.outcome, Outcome::Response(_)), "not a response: {answer:?}");
    serde_json::from_str(&answer.raw).expect("a function answers with JSON")
}

fn steps<'a>(told: &'a Value, what: &str) -> Vec<&'a Value> {
    let steps = told["plan"]["steps"].as_array().expect("a plan has steps");
    steps.iter().filter(|step| step["do"] == what).collect()
}

#[test]
fn the_function_learns_every_consumer_in_an_estate_through_its_sdk() {
    let world = World::new();
    let fake = Fake::estate(world.aws.account(), world.aws.region(), 12, 700, 100);
    let secret = fake.secrets(|secrets, _| secrets.arns().next().map(str::to_owned)).expect("a secret");
    let mut function = world.start("rotation", &fake);
    let event = events::rotation_succeeded(&world.aws, &secret, now());
    // What it has no time for, because it keeps below the limits of ECS, it does when the event comes again.
    let told: Vec<Value> = (0..4).map(|_| invoke(&mut function, &event)).collect();
    let redeployed: usize = told.iter().map(|told| steps(told, "redeploy").len()).sum();
    let told = told.last().expect("it was invoked");
    assert!(told["facts"].get("gaps").is_none(), "{}", told["facts"]["gaps"]);
    let services = told.pointer("/facts/services").expect("the facts have services");
    let mut learned = BTreeMap::new();
    collect(services, &mut learned);
    // All were looked at, in tens, and the users once more before acting.
    assert!(fake.requests("DescribeServices") >= 70);
    fake.ecs(|ecs, now| {
        let arns: Vec<String> = ecs.service_arns().map(str::to_owned).collect();
        for arn in arns {
            let (definition, connect) = {
                let service = ecs.service(&arn).expect("it is there");
                let is_rolling = service.controller.as_str() == "ECS";
                let connect = is_rolling.then(|| service.connect_secrets.clone());
                (service.task_definition.clone(), connect.unwrap_or_default())
            };
            let definition = ecs.describe_task_definition(&definition, now).expect("it is there");
            let refers =
                definition.references().iter().chain(&connect).any(|reference| reference.contains(&secret));
            assert!(!refers || learned.contains_key(&arn), "{arn} refers to the secret");
        }
        for arn in learned.keys().cloned().collect::<Vec<_>>() {
            let (known, service) = (&learned[&arn], ecs.service(&arn).expect("it is there").clone());
            let mut deployments = service.deployments.iter();
            let primary =
                deployments.find(|one| known["primary"]["id"] == json!(one.id)).expect("one of its own");
            assert_eq!(known["controller"], service.controller.as_str());
            let created = known["primary"]["created_at"].as_str().and_then(|text| text.parse().ok());
            let created: Timestamp = created.expect("a PRIMARY deployment has an instant");
            // The SDK reads seconds as a floating-point number and cuts: up to a millisecond too early, never too late.
            let early = primary.created_at.millis() - created.millis();
            assert!((0..=1).contains(&early), "{arn}: {created} for {}", primary.created_at);
            assert_eq!(known["tags"], json!(service.tags));
            let definition = ecs.describe_task_definition(&service.task_definition, primary.created_at);
            let definition = definition.expect("it is there");
            let mut references = definition.references();
            if service.controller.as_str() == "ECS" {
                references.extend_from_slice(&service.connect_secrets);
            }
            let count = references.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert!(known["references"].as_array().is_some_and(|known| known.len() >= count), "{known}");
            for reference in references {
                assert!(known["references"].to_string().contains(reference.as_str()), "{arn}: {reference}");
            }
        }
    });
    assert!(redeployed > 0, "the estate uses its secrets: {:#}", told["plan"]);
    assert_eq!(fake.ecs(|ecs, _| ecs.log.deployments().len()), redeployed);
}

/// Every object in here that is a service, by its ARN.
fn collect(value: &Value, services: &mut BTreeMap<String, Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, services)),
        Value::Object(fields) => {
            match (fields.get("arn").and_then(Value::as_str), fields.get("controller")) {
                (Some(arn), Some(_)) => {
                    services.insert(arn.to_owned(), value.clone());
                }
                _ => fields.values().for_each(|value| collect(value, services)),
            }
        }
        _ => {}
    }
}

#[test]
fn a_deployment_of_ours_that_the_circuit_breaker_ends_is_paged() {
    let world = World::new();
    let fake = Fake::start(world.aws.account(), world.aws.region());
    let secret = fake.secrets(|secrets, now| secrets.create(world.aws.region(), "prod/app", now));
    let service = fake.ecs(|ecs, now| {
        let task_definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "web".to_owned(),
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
        let arn = ecs.create_service(service, now.minus(Span::from_secs(60)));
        ecs.plan_outcomes(&arn, [RolloutOutcome::Fails(Span::from_secs(30))]);
        arn
    });
    fake.secrets(|secrets, now| secrets.put_value(&secret, now));
    let mut function = world.start("rotation", &fake);
    for event in fake.events() {
        invoke(&mut function, &event);
    }
    let deployments = fake.ecs(|ecs, _| ecs.log.deployments().to_vec());
    assert_eq!(
        deployments.iter().map(|one| (&one.service, one.forced)).collect::<Vec<_>>(),
        [(&service, true)]
    );
    fake.skip(Span::from_secs(600));
    for event in fake.events() {
        invoke(&mut function, &event);
    }
    let page = world.wait_for_pages(1).remove(0);
    assert!(page.message.contains(&deployments[0].deployment), "{}", page.message);
    assert!(page.message.contains("circuit breaker"), "{}", page.message);
}
