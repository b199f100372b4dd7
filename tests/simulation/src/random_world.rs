//! Small worlds that chance makes: a few services, secrets and rotations, and everything that can go wrong.

use responder_core::rules::RulesError;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::Random;
use crate::ecs::{CircuitBreaker, Container, NewService, Outcome, TaskDefinition};
use crate::oracle::{Promised, violations};
use crate::world::{ACCOUNT, Conditions, REGION, World};

/// For how long things go wrong, and for how long they do not afterwards: longer than a rollout, a cooldown and what waits for both.
const STORMY: Span = Span::from_secs(1_200);
const CALM: Span = Span::from_secs(2_700);

/// The conditions of a seed with everything that goes wrong.
pub fn faulty(seed: u64) -> Conditions {
    let (home, rollout) = (Some(REGION.to_owned()), Span::from_secs(600));
    let settings =
        Settings { rollout_limit: 2, rollout_timeout: rollout, home_region: home, ..Settings::default() };
    let (faulty, dying, lost, unswept, twice) = (100, 50, 200, 50, 200);
    Conditions { settings, faulty, dying, lost, unswept, twice, ..Conditions::calm(seed) }
}

/// The conditions of a seed where only events get lost, repeated and late.
pub fn lossy(seed: u64) -> Conditions {
    Conditions { faulty: 0, dying: 0, unswept: 0, ..faulty(seed) }
}

/// When these worlds begin.
pub fn start() -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000)
}

/// Lives through a world; returns it with what is wrong in the end.
///
/// # Errors
/// When the rules cannot be loaded.
pub fn live(conditions: Conditions, promised: &Promised) -> Result<(World, Vec<String>), RulesError> {
    let mut world = made(conditions);
    world.run(start().plus(STORMY).plus(CALM))?;
    let mut wrong = violations(&world, promised);
    if world.conditions.sweep_every.is_some() {
        let planned = world.sweep()?;
        wrong.extend(planned.iter().map(|step| format!("a further sweep plans: {step:?}")));
    }
    Ok((world, wrong))
}

/// A world of a seed that has not begun.
fn made(conditions: Conditions) -> World {
    // Of its own, so that what a world is does not depend on what goes wrong in it.
    let mut random = Random::new(conditions.seed ^ 0x5eed);
    let mut below = move |bound: u64| random.below(bound);
    let mut world = World::new(conditions, start());
    let long_ago = start().minus(Span::from_secs(40 * 86_400));
    let recently = start().minus(Span::from_secs(10 * 86_400));
    let secrets: Vec<String> = (0..2 + below(3))
        .map(|i| world.secrets(|secrets| secrets.create(REGION, &format!("app-{i:02}"), long_ago)))
        .collect();
    world.secrets(|secrets| secrets.stale_for = Span::from_secs(3));
    let clusters = 1 + below(2);
    let mut services = Vec::new();
    for i in 0..3 + below(4) {
        let used = secrets.iter().filter(|_| below(2) == 0).map(|secret| format!("{secret}:password::"));
        let container = Container { name: "app".to_owned(), secrets: used.collect(), ..Container::default() };
        // Some share a role.
        let role = format!("arn:aws:iam::{ACCOUNT}:role/execution-{}", i / 2);
        let definition = TaskDefinition {
            family: format!("family-{i:02}"),
            execution_role: Some(role),
            containers: vec![container],
            ..TaskDefinition::default()
        };
        let breaks = below(3);
        let cluster = format!("cluster-{}", below(clusters));
        let desired = 1 + u32::try_from(below(2)).unwrap_or_default();
        let service = world.ecs(|ecs| {
            let task_definition = ecs.register(definition);
            let service = NewService {
                cluster,
                name: format!("service-{i:02}"),
                task_definition,
                desired,
                circuit_breaker: (breaks > 0).then_some(CircuitBreaker { rollback: breaks > 1 }),
                ..NewService::default()
            };
            ecs.create_service(service, recently)
        });
        let outcomes: Vec<Outcome> = (0..12)
            .map(|_| match below(12) {
                0 => Outcome::Fails(Span::from_secs(i64::try_from(20 + below(180)).unwrap_or(60))),
                1 if below(3) == 0 => Outcome::Stalls,
                _ => Outcome::Completes(Span::from_secs(i64::try_from(20 + below(180)).unwrap_or(60))),
            })
            .collect();
        world.ecs(|ecs| ecs.next(&service, outcomes));
        services.push(service);
    }
    let within = |below: &mut dyn FnMut(u64) -> u64| {
        let millis = u64::try_from(STORMY.millis()).unwrap_or_default();
        start().plus(Span::from_millis(i64::try_from(below(millis)).unwrap_or_default()))
    };
    for _ in 0..2 + below(6) {
        let chosen = usize::try_from(below(secrets.len() as u64)).unwrap_or_default();
        let at = within(&mut below);
        if let Some(secret) = secrets.get(chosen) {
            world.rotate(at, secret);
        }
    }
    for _ in 0..below(3) {
        let chosen = usize::try_from(below(services.len() as u64)).unwrap_or_default();
        let at = within(&mut below);
        if let Some(service) = services.get(chosen) {
            world.deploy(at, service);
        }
    }
    world.calm(start().plus(STORMY));
    world
}
