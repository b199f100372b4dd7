//! Where ECS refuses, and where a rollout does not end well, people are notified once, and no other service waits for it.

use responder_core::aws::ecs_service::DeploymentController;
use responder_core::plan::{DeferReason, PlanStep};
use responder_core::settings::Settings;
use responder_core::time::Span;
use simulation::cloud::CloudBug;
use simulation::ecs::{
    CircuitBreaker, NewService, RegisteredTaskDefinition, RolloutOutcome, SimulatedEcs, SimulatedService,
    TaskContainer,
};
use simulation::location::{HOME_ACCOUNT, HOME_REGION};
use simulation::oracle::{WorldPromises, list_violations};
use simulation::random_world::world_start;
use simulation::world::{SimulatedWorld, WorldConditions};

/// The age of the secret.
const SECRET_AGE: Span = Span::from_secs(40 * 86_400);
/// The age of the services.
const SERVICE_AGE: Span = Span::from_secs(39 * 86_400);
const SERVICES: usize = 6;

/// A world after a rotation, and its services (ARNs): the first is the special one.
struct RotatedWorld {
    world: SimulatedWorld,
    services: Vec<String>,
}

/// Six services in one cluster that use one secret, which is rotated; the first of them is created as `adapt` says and prepared as `prepare` says.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn rotate_secret_of_six(
    adapt: impl Fn(&mut NewService),
    prepare: impl FnOnce(&mut SimulatedEcs, &str),
) -> RotatedWorld {
    let settings = Settings { rollout_timeout: Span::from_secs(600), ..Settings::default() };
    let conditions = WorldConditions { settings: settings.clone(), ..WorldConditions::calm(7) };
    let mut world = SimulatedWorld::new(conditions, world_start()).unwrap();
    let secret =
        world.with_secrets(|secrets| secrets.create(HOME_REGION, "app", world_start().minus(SECRET_AGE)));
    let mut services = Vec::new();
    for number in 0..SERVICES {
        let mut service = describe_service(number);
        if number == 0 {
            adapt(&mut service);
        }
        services.push(world.with_ecs(|ecs| {
            service.task_definition = ecs.register_task_definition(describe_task(number, &secret));
            ecs.create_service(service, world_start().minus(SERVICE_AGE))
        }));
    }
    world.with_ecs(|ecs| prepare(ecs, &services[0]));
    world.rotate_at(world_start().plus(Span::from_secs(300)), &secret);
    world.run_until(world_start().plus(Span::from_secs(3_600)));
    let promises = WorldPromises { settings, answered_within: Some(Span::from_secs(900)) };
    let violations = list_violations(&world, &promises);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    let mut planned = world.sweep_once_more();
    planned.retain(|step| !is_held(step));
    assert!(planned.is_empty(), "a further sweep plans: {planned:?}");
    RotatedWorld { world, services }
}

/// Whether a step holds a service, because a deployment for the same change failed.
fn is_held(step: &PlanStep) -> bool {
    matches!(step, PlanStep::Defer { reason: DeferReason::Halted, .. })
}

fn describe_service(number: usize) -> NewService {
    NewService {
        cluster: "shop".to_owned(),
        name: format!("service-{number}"),
        desired: 2,
        circuit_breaker: Some(CircuitBreaker { rollback: true }),
        ..NewService::default()
    }
}

fn describe_task(number: usize, secret: &str) -> RegisteredTaskDefinition {
    let container = TaskContainer {
        name: "app".to_owned(),
        secrets: vec![secret.to_owned()],
        ..TaskContainer::default()
    };
    RegisteredTaskDefinition {
        family: format!("family-{number}"),
        execution_role: Some(format!("arn:aws:iam::{HOME_ACCOUNT}:role/execution-{number}")),
        containers: vec![container],
        ..RegisteredTaskDefinition::default()
    }
}

impl RotatedWorld {
    /// The bodies of the pages of a rule.
    fn pages_of(&self, rule: &str) -> Vec<String> {
        let mut pages = self.world.pages();
        pages.retain(|page| page.attributes["rule"] == rule);
        pages.into_iter().map(|page| page.body).collect()
    }

    /// How many deployments each service got.
    fn count_deployments(&self) -> Vec<usize> {
        let mut counts = vec![0; self.services.len()];
        self.world.with_ecs(|ecs| {
            for started in ecs.log.deployments() {
                for (count, service) in counts.iter_mut().zip(&self.services) {
                    *count += usize::from(*service == started.service);
                }
            }
        });
        counts
    }
}

fn assert_only_first_is_refused(
    adapt: impl Fn(&mut NewService),
    prepare: impl FnOnce(&mut SimulatedEcs, &str),
) {
    let rotated = rotate_secret_of_six(adapt, prepare);
    let pages = rotated.pages_of("redeploy-consumers");
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!(pages[0].contains("shop/service-0") && !pages[0].contains("service-1"), "{}", pages[0]);
    assert_eq!(rotated.count_deployments(), [0, 1, 1, 1, 1, 1]);
}

#[test]
fn a_codedeploy_service_is_reported_and_the_others_are_redeployed() {
    assert_only_first_is_refused(|service| service.controller = DeploymentController::CodeDeploy, |_, _| {});
}

#[test]
fn a_service_that_may_not_be_updated_is_reported_and_the_others_are_redeployed() {
    assert_only_first_is_refused(|_| {}, SimulatedEcs::deny_updates);
}

#[test]
fn a_service_that_is_not_found_is_reported_and_the_others_are_redeployed() {
    assert_only_first_is_refused(|_| {}, SimulatedEcs::lose_for_updates);
}

#[test]
fn a_refusal_that_passes_is_reported_once_and_the_service_is_redeployed() {
    let passes_at = world_start().plus(Span::from_secs(1_800));
    let rotated = rotate_secret_of_six(|_| {}, |ecs, service| ecs.protect_tasks(service, passes_at));
    let pages = rotated.pages_of("redeploy-consumers");
    assert_eq!(pages.len(), 1, "{pages:?}");
    assert!(pages[0].contains("5 active deployments exist"), "{}", pages[0]);
    assert!(pages[0].contains("repeated after the cooldown"), "{}", pages[0]);
    assert_eq!(rotated.count_deployments(), [1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_failed_rollout_is_one_page_with_a_rollback_and_without() {
    for rollback in [true, false] {
        let rotated = rotate_secret_of_six(
            |service| service.circuit_breaker = Some(CircuitBreaker { rollback }),
            |ecs, service| ecs.plan_outcomes(service, [RolloutOutcome::Fails(Span::from_secs(90))]),
        );
        let pages = rotated.pages_of("rollout-failed");
        assert_eq!((pages.len(), rotated.count_deployments()[0]), (1, 1), "{pages:?}");
        assert!(pages[0].contains(&rotated.services[0]), "{}", pages[0]);
        // Five are deployed at once. The sixth has not begun when the first fails: it is held.
        let held = rotated.pages_of("redeploy-consumers");
        assert_eq!((held.len(), rotated.count_deployments().iter().sum::<usize>()), (1, 5), "{held:?}");
        assert!(held[0].contains("held: the deployment of shop/service-0"), "{}", held[0]);
    }
}

/// How many services use the bad value.
const CONSUMERS: usize = 30;

/// A world in which every deployment for a change fails, an hour after that, and the secret (an ARN).
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn rotate_to_bad_value(bug: Option<CloudBug>) -> (SimulatedWorld, String) {
    let conditions = WorldConditions { settings: Settings::default(), bug, ..WorldConditions::calm(7) };
    let mut world = SimulatedWorld::new(conditions, world_start()).unwrap();
    let secret =
        world.with_secrets(|secrets| secrets.create(HOME_REGION, "app", world_start().minus(SECRET_AGE)));
    for number in 0..CONSUMERS {
        world.with_ecs(|ecs| {
            let task_definition = ecs.register_task_definition(describe_task(number, &secret));
            let service = NewService { task_definition, ..describe_service(number) };
            ecs.create_service(service, world_start().minus(SERVICE_AGE));
        });
    }
    world.with_ecs(|ecs| ecs.default_outcome = RolloutOutcome::Fails(Span::from_secs(90)));
    world.rotate_at(world_start().plus(Span::from_secs(300)), &secret);
    world.run_until(world_start().plus(Span::from_secs(3_600)));
    (world, secret)
}

#[test]
fn without_the_halt_a_bad_value_is_deployed_wave_after_wave() {
    let (world, _) = rotate_to_bad_value(Some(CloudBug::ForgetsFailures));
    let deployments = world.with_ecs(|ecs| ecs.log.deployments().len());
    let wave = usize::try_from(Settings::default().rollout_limit).unwrap();
    assert!(deployments > wave, "{deployments}");
}

#[test]
fn a_bad_value_is_deployed_to_one_wave_and_a_newer_version_to_all() {
    let settings = Settings::default();
    let wave = usize::try_from(settings.rollout_limit).unwrap();
    let after = |seconds| world_start().plus(Span::from_secs(seconds));
    let (mut world, secret) = rotate_to_bad_value(None);
    assert_eq!(world.with_ecs(|ecs| ecs.log.deployments().len()), wave, "one wave");
    let mut pages = world.pages();
    pages.retain(|page| page.attributes["rule"] == "redeploy-consumers");
    let bodies: Vec<&str> = pages.iter().map(|page| page.body.as_str()).collect();
    let named = (0..CONSUMERS).filter(|number| {
        let line = format!("shop/service-{number}: held");
        bodies.iter().any(|body| body.contains(&line))
    });
    assert_eq!(named.count(), CONSUMERS - wave, "{bodies:?}");
    // The next value is good.
    world.with_ecs(|ecs| ecs.default_outcome = RolloutOutcome::Completes(Span::from_secs(90)));
    world.rotate_at(after(3_600), &secret);
    world.run_until(after(7_200));
    let last_change = *world.history().changes_of(&secret).last().unwrap();
    world.with_ecs(|ecs| {
        for arn in ecs.service_arns() {
            let oldest = ecs.service(arn).and_then(SimulatedService::oldest_task);
            assert!(oldest.is_some_and(|started_at| started_at > last_change), "{arn} {oldest:?}");
        }
    });
    let promises = WorldPromises { settings, answered_within: None };
    assert_eq!(list_violations(&world, &promises), Vec::<String>::new());
}

#[test]
fn a_rollout_that_does_not_end_is_one_page() {
    for outcome in [RolloutOutcome::Stalls, RolloutOutcome::Fails(Span::from_secs(90))] {
        let rotated = rotate_secret_of_six(
            |service| service.circuit_breaker = None,
            |ecs, service| ecs.plan_outcomes(service, [outcome]),
        );
        let pages = rotated.pages_of("rollout-failed");
        assert_eq!((pages.len(), rotated.count_deployments()[0]), (1, 1), "{pages:?}");
        assert!(pages[0].contains("it does not end"), "{}", pages[0]);
    }
}

#[test]
fn a_service_that_is_deleted_meanwhile_needs_no_page() {
    let deleted_at = world_start().plus(Span::from_secs(1));
    let rotated = rotate_secret_of_six(|_| {}, |ecs, service| ecs.delete_service(service, deleted_at));
    assert_eq!((rotated.count_deployments()[0], rotated.world.pages().len()), (0, 0));
}

#[test]
fn a_managed_daemon_is_reported_once_with_its_command_and_never_updated() {
    let mut conditions = WorldConditions::calm(7);
    conditions.settings = Settings::default();
    let mut world = SimulatedWorld::new(conditions, world_start()).unwrap();
    let created = world_start().minus(SECRET_AGE);
    let (used, unused) = world.with_secrets(|secrets| {
        (secrets.create(HOME_REGION, "agent-key", created), secrets.create(HOME_REGION, "other", created))
    });
    world.with_ecs(|ecs| {
        for (number, secret) in [&used, &unused].into_iter().enumerate() {
            let definition = ecs.register_task_definition(describe_task(number, secret));
            let deployed = world_start().minus(SERVICE_AGE);
            ecs.create_daemon("shop", &format!("agent-{number}"), &definition, deployed);
        }
    });
    world.rotate_at(world_start().plus(Span::from_secs(300)), &used);
    world.run_until(world_start().plus(Span::from_secs(3_600)));
    let pages = world.pages();
    assert_eq!(pages.len(), 1, "{pages:?}");
    let body = &pages[0].body;
    assert!(body.contains("shop/agent-0") && !body.contains("agent-1"), "{body}");
    assert!(body.contains("aws ecs update-daemon --region us-west-2 --daemon-arn arn:aws:ecs:"), "{body}");
    assert!(body.contains("--capacity-provider-arns PROVIDER"), "{body}");
}
