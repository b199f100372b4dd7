//! The real functions, with their real SDK, against the fake: pages, tens, rollouts that end badly.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{FakeAws, FunctionProcess, InvocationOutcome, TestBed, events, now};
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};
use simulation::ecs::{
    CircuitBreaker, NewService, RegisteredTaskDefinition, RolloutOutcome, SimulatedEcs, TaskContainer,
};

/// How often an event is delivered again, at most, before the function must know all services. With the rate limits of ECS and sixty seconds an invocation two or
/// three are enough; a machine that is too slow for the limits needs more.
const MOST_DELIVERIES: usize = 20;

fn invoke(function: &mut FunctionProcess, event: &Value) -> Value {
    let answer = function.invoke(event.to_string().as_bytes());
    assert!(matches!(answer.outcome, InvocationOutcome::Response(_)), "not a response: {answer:?}");
    serde_json::from_str(&answer.raw).expect("a function answers with JSON")
}

fn count_steps(told: &Value, what: &str) -> usize {
    let steps = told["plan"]["steps"].as_array().expect("a plan has steps");
    steps.iter().filter(|step| step["do"] == what).count()
}

#[test]
fn the_function_learns_every_consumer_in_an_estate_through_its_sdk() {
    let bed = TestBed::new();
    let fake = FakeAws::estate(bed.aws.account(), bed.aws.region(), 12, 700, 100);
    let secret = fake.with_secrets(|secrets, _| secrets.arns().next().map(str::to_owned)).expect("a secret");
    let mut function = bed.start_with_fake("rotation", &fake);
    let event = events::rotation_succeeded(&bed.aws, &secret, now());
    // The function keeps below the limits of ECS. It does the rest when the event comes again.
    let mut redeployed = 0;
    let mut deliveries = 0;
    let told = loop {
        let told = invoke(&mut function, &event);
        let new = count_steps(&told, "redeploy");
        redeployed += new;
        deliveries += 1;
        if told["facts"].get("gaps").is_none() && new == 0 {
            break told;
        }
        assert!(deliveries < MOST_DELIVERIES, "{}", told["facts"]["gaps"]);
    };
    let mut learned = BTreeMap::new();
    collect_services(told.pointer("/facts/services").expect("the facts have services"), &mut learned);
    // All were looked at, in tens, and the users once more before acting.
    assert!(fake.count_requests("DescribeServices") >= 70);
    fake.with_ecs(|ecs, now| {
        assert_every_consumer_is_learned(ecs, &secret, &learned, now);
        for (arn, known) in &learned {
            assert_service_is_described(ecs, arn, known);
        }
    });
    assert!(redeployed > 0, "the estate uses its secrets: {:#}", told["plan"]);
    assert_eq!(fake.with_ecs(|ecs, _| ecs.log.deployments().len()), redeployed);
}

fn assert_every_consumer_is_learned(
    ecs: &mut SimulatedEcs,
    secret: &str,
    learned: &BTreeMap<String, Value>,
    now: Timestamp,
) {
    let arns: Vec<String> = ecs.service_arns().map(str::to_owned).collect();
    for arn in arns {
        let service = ecs.service(&arn).expect("it is there").clone();
        let definition = ecs.describe_task_definition(&service.task_definition, now).expect("it is there");
        let mut refers = definition.references().iter().any(|reference| reference.contains(secret));
        if service.controller.as_str() == "ECS" {
            refers |= service.connect_secrets.iter().any(|reference| reference.contains(secret));
        }
        assert!(!refers || learned.contains_key(&arn), "{arn} refers to the secret");
    }
}

/// The facts about a service are what ECS says of it.
fn assert_service_is_described(ecs: &mut SimulatedEcs, arn: &str, known: &Value) {
    let service = ecs.service(arn).expect("it is there").clone();
    let mut deployments = service.deployments.iter();
    let primary = deployments.find(|one| known["primary"]["id"] == json!(one.id)).expect("one of its own");
    assert_eq!(known["controller"], service.controller.as_str());
    let created = known["primary"]["created_at"].as_str().and_then(|text| text.parse().ok());
    let created: Timestamp = created.expect("a PRIMARY deployment has an instant");
    // The SDK reads seconds as a floating-point number and cuts: up to a millisecond too early, never too late.
    let early = primary.created_at.millis() - created.millis();
    assert!((0..=1).contains(&early), "{arn}: {created} for {}", primary.created_at);
    assert_eq!(known["tags"], json!(service.tags));
    let definition = ecs.describe_task_definition(&service.task_definition, primary.created_at);
    let definition = definition.expect("it is there");
    let mut references: BTreeSet<String> = definition.references().into_iter().collect();
    if service.controller.as_str() == "ECS" {
        references.extend(service.connect_secrets.iter().cloned());
    }
    assert!(known["references"].as_array().is_some_and(|known| known.len() >= references.len()), "{known}");
    for reference in references {
        assert!(known["references"].to_string().contains(reference.as_str()), "{arn}: {reference}");
    }
}

/// Collects every object in here that is a service, by its ARN.
fn collect_services(value: &Value, services: &mut BTreeMap<String, Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_services(value, services)),
        Value::Object(fields) => {
            match (fields.get("arn").and_then(Value::as_str), fields.get("controller")) {
                (Some(arn), Some(_)) => {
                    services.insert(arn.to_owned(), value.clone());
                }
                _ => fields.values().for_each(|value| collect_services(value, services)),
            }
        }
        _ => {}
    }
}

#[test]
fn a_deployment_of_ours_that_the_circuit_breaker_ends_is_paged() {
    let bed = TestBed::new();
    let fake = FakeAws::start(bed.aws.account(), bed.aws.region());
    let secret = fake.with_secrets(|secrets, now| secrets.create(bed.aws.region(), "prod/app", now));
    let service = fake.with_ecs(|ecs, now| {
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
        // Long enough for the function to see the rollout before it fails.
        ecs.plan_outcomes(&arn, [RolloutOutcome::Fails(Span::from_secs(3_000))]);
        arn
    });
    fake.with_secrets(|secrets, now| secrets.put_value(&secret, now));
    let mut function = bed.start_with_fake("rotation", &fake);
    for event in fake.take_events() {
        invoke(&mut function, &event);
    }
    let deployments = fake.with_ecs(|ecs, _| ecs.log.deployments().to_vec());
    assert_eq!(
        deployments.iter().map(|one| (&one.service, one.forced)).collect::<Vec<_>>(),
        [(&service, true)]
    );
    fake.skip(Span::from_secs(3_600));
    for event in fake.take_events() {
        invoke(&mut function, &event);
    }
    let page = bed.wait_for_pages(1).remove(0);
    assert!(page.message.contains(&deployments[0].deployment), "{}", page.message);
    assert!(page.message.contains("circuit breaker"), "{}", page.message);
}

#[test]
fn a_managed_daemon_that_uses_the_secret_is_paged_with_its_command() {
    let bed = TestBed::new();
    let fake = FakeAws::start(bed.aws.account(), bed.aws.region());
    let secret = fake.with_secrets(|secrets, now| secrets.create(bed.aws.region(), "prod/agent", now));
    let daemon = fake.with_ecs(|ecs, now| {
        let definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "agent".to_owned(),
            containers: vec![TaskContainer { log_secrets: vec![secret.clone()], ..TaskContainer::default() }],
            ..RegisteredTaskDefinition::default()
        });
        ecs.create_daemon("prod", "agent", &definition, now.minus(Span::from_secs(60)))
    });
    fake.with_secrets(|secrets, now| secrets.put_value(&secret, now));
    let mut function = bed.start_with_fake("rotation", &fake);
    for event in fake.take_events() {
        invoke(&mut function, &event);
    }
    let page = bed.wait_for_pages(1).remove(0);
    assert!(page.message.contains(&format!("--daemon-arn {daemon}")), "{}", page.message);
    assert!(fake.with_ecs(|ecs, _| ecs.log.deployments().is_empty()));
}
