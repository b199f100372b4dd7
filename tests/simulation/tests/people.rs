//! Where ECS refuses, and where a rollout does not end well: people are told, once, and nobody else waits for it.

use responder_core::settings::Settings;
use responder_core::time::Span;
use simulation::ecs::{CircuitBreaker, Container, Controller, NewService, Outcome, TaskDefinition};
use simulation::oracle::{Promised, violations};
use simulation::random_world::start;
use simulation::world::{ACCOUNT, Conditions, REGION, World};

/// Six services in one cluster that use one secret, the first of them as `special` says; the secret is rotated.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn rotated(
    special: impl FnOnce(&mut NewService),
    prepare: impl FnOnce(&World, &str),
) -> (World, Vec<String>) {
    let settings = Settings { rollout_timeout: Span::from_secs(600), ..Settings::default() };
    let mut world = World::new(Conditions { settings, ..Conditions::calm(7) }, start());
    let long_ago = start().minus(Span::from_secs(40 * 86_400));
    let secret = world.secrets(|secrets| secrets.create(REGION, "app", long_ago));
    let mut special = Some(special);
    let services: Vec<String> = (0..6)
        .map(|i| {
            let container =
                Container { name: "app".to_owned(), secrets: vec![secret.clone()], ..Container::default() };
            let definition = TaskDefinition {
                family: format!("family-{i}"),
                execution_role: Some(format!("arn:aws:iam::{ACCOUNT}:role/execution-{i}")),
                containers: vec![container],
                ..TaskDefinition::default()
            };
            world.ecs(|ecs| {
                let mut service = NewService {
                    cluster: "shop".to_owned(),
                    name: format!("service-{i}"),
                    task_definition: ecs.register(definition),
                    desired: 2,
                    circuit_breaker: Some(CircuitBreaker { rollback: true }),
                    ..NewService::default()
                };
                if let Some(special) = special.take() {
                    special(&mut service);
                }
                ecs.create_service(service, long_ago.plus(Span::from_secs(86_400)))
            })
        })
        .collect();
    prepare(&world, &services[0]);
    world.rotate(start().plus(Span::from_secs(300)), &secret);
    world.run(start().plus(Span::from_secs(3_600))).unwrap();
    let promised =
        Promised { settings: world.conditions.settings.clone(), within: Some(Span::from_secs(900)) };
    let mut wrong = violations(&world, &promised);
    wrong.extend(world.sweep().unwrap().iter().map(|step| format!("a further sweep plans: {step:?}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (world, services)
}

/// The bodies of the pages of a rule.
fn pages(world: &World, rule: &str) -> Vec<String> {
    world.pages().into_iter().filter(|page| page.attributes["rule"] == rule).map(|page| page.body).collect()
}

fn deployed(world: &World, service: &str) -> usize {
    world.ecs(|ecs| ecs.log.deployments().iter().filter(|one| one.service == service).count())
}

fn assert_refused(special: impl FnOnce(&mut NewService), prepare: impl FnOnce(&World, &str)) {
    let (world, services) = rotated(special, prepare);
    let notified = pages(&world, "redeploy-consumers");
    assert_eq!(notified.len(), 1, "{notified:?}");
    assert!(notified[0].contains("shop/service-0") && !notified[0].contains("service-1"), "{}", notified[0]);
    let counts: Vec<usize> = services.iter().map(|service| deployed(&world, service)).collect();
    assert_eq!(counts, [0, 1, 1, 1, 1, 1]);
}

#[test]
fn a_service_of_codedeploy_is_told_of_and_the_others_are_redeployed() {
    assert_refused(|service| service.controller = Controller::CodeDeploy, |_, _| {});
}

#[test]
fn a_service_that_may_not_be_updated_is_told_of_and_the_others_are_redeployed() {
    assert_refused(|_| {}, |world, service| world.ecs(|ecs| ecs.deny(service)));
}

#[test]
fn a_service_that_is_not_found_is_told_of_and_the_others_are_redeployed() {
    assert_refused(|_| {}, |world, service| world.ecs(|ecs| ecs.lose(service)));
}

#[test]
fn a_rollout_that_fails_is_one_page_with_a_rollback_and_without() {
    for rollback in [true, false] {
        let breaker = Some(CircuitBreaker { rollback });
        let (world, services) = rotated(
            |service| service.circuit_breaker = breaker,
            |world, service| world.ecs(|ecs| ecs.next(service, [Outcome::Fails(Span::from_secs(90))])),
        );
        let notified = pages(&world, "rollout-failed");
        assert_eq!((notified.len(), deployed(&world, &services[0])), (1, 1), "{notified:?}");
        assert!(notified[0].contains(&services[0]), "{}", notified[0]);
        assert!(pages(&world, "redeploy-consumers").is_empty());
    }
}

#[test]
fn a_rollout_that_does_not_end_is_one_page() {
    for outcome in [Outcome::Stalls, Outcome::Fails(Span::from_secs(90))] {
        let (world, services) = rotated(
            |service| service.circuit_breaker = None,
            |world, service| world.ecs(|ecs| ecs.next(service, [outcome])),
        );
        let notified = pages(&world, "rollout-failed");
        assert_eq!((notified.len(), deployed(&world, &services[0])), (1, 1), "{notified:?}");
        assert!(notified[0].contains("it does not end"), "{}", notified[0]);
    }
}

#[test]
fn a_service_that_is_deleted_meanwhile_needs_nobody() {
    let (world, services) = rotated(
        |_| {},
        |world, service| world.ecs(|ecs| ecs.delete_service(service, start().plus(Span::from_secs(1)))),
    );
    assert_eq!((deployed(&world, &services[0]), world.pages().len()), (0, 0));
}
