//! Small worlds made by chance: a few services, secrets and rotations, and everything that can go wrong.

use responder_core::aws::rollout_configuration::{RolloutConfiguration, RolloutStrategy, TrafficSteps};
use responder_core::plan::{DeferReason, PlanStep};
use responder_core::rules::RulesError;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::ecs::{
    CircuitBreaker, NewService, RegisteredTaskDefinition, RollbackShape, RolloutOutcome, SimulatedService,
    TaskContainer,
};
use crate::location::{HOME_ACCOUNT, HOME_REGION};
use crate::oracle::{WorldPromises, list_violations};
use crate::random::SeededRandom;
use crate::world::{SimulatedWorld, WorldConditions};

/// For how long things go wrong.
const STORMY_TIME: Span = Span::from_secs(1_200);
/// For how long they do not afterwards: longer than a rollout, a cooldown and what waits for both.
const CALM_TIME: Span = Span::from_secs(2_700);
/// The age of the secrets.
const SECRET_AGE: Span = Span::from_secs(40 * 86_400);
/// The age of the services.
const SERVICE_AGE: Span = Span::from_secs(10 * 86_400);
/// How long ECS waits for a person by default.
const APPROVAL_TIME: Span = Span::from_secs(86_400);
/// A Region without services, whose secrets services of the home Region refer to by ARN.
const DISTANT_REGION: &str = "eu-west-1";
/// How many outcomes of deployments are planned for each service.
const PLANNED_OUTCOMES: u64 = 12;

/// The conditions of a seed with everything that goes wrong.
pub fn make_faulty_conditions(seed: u64) -> WorldConditions {
    let settings = Settings {
        rollout_limit: 2,
        rollout_timeout: Span::from_secs(600),
        home_region: Some(HOME_REGION.to_owned()),
        further_regions: if has_distant_secrets(seed) { vec![DISTANT_REGION.to_owned()] } else { Vec::new() },
        ..Settings::default()
    };
    WorldConditions {
        settings,
        faulty_calls: 100,
        dying_invocations: 50,
        lost_events: 200,
        lost_sweeps: 50,
        repeated_events: 200,
        ..WorldConditions::calm(seed)
    }
}

/// Whether some secrets of a world are of another Region than the services that refer to them.
fn has_distant_secrets(seed: u64) -> bool {
    seed % 4 == 1
}

/// The conditions of a seed where only events get lost, repeated and late.
pub fn make_lossy_conditions(seed: u64) -> WorldConditions {
    WorldConditions { faulty_calls: 0, dying_invocations: 0, lost_sweeps: 0, ..make_faulty_conditions(seed) }
}

/// When these worlds begin.
pub fn world_start() -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000)
}

/// Runs a world to its end; returns it with its violations.
///
/// # Errors
///
/// If the rules cannot be loaded.
pub fn run_random_world(
    conditions: WorldConditions,
    promises: &WorldPromises,
) -> Result<(SimulatedWorld, Vec<String>), RulesError> {
    let mut world = WorldMaker::new(conditions)?.make();
    world.run_until(world_start().plus(STORMY_TIME).plus(CALM_TIME));
    let mut violations = list_violations(&world, promises);
    if world.conditions.sweep_every.is_some() {
        for step in world.sweep_once_more() {
            if waits_for_ever(&world, &step) {
                continue;
            }
            violations.push(format!("a further sweep plans: {step:?}"));
        }
    }
    Ok((world, violations))
}

/// Whether a step defers a service that waits for something which never comes here, and of which people were notified once:
///
/// 1. its deployment goes on for ever, or
/// 2. a deployment for the same change failed elsewhere, and the secret gets no newer version.
fn waits_for_ever(world: &SimulatedWorld, step: &PlanStep) -> bool {
    let PlanStep::Defer { service, reason, .. } = step else { return false };
    match reason {
        // 1. Its deployment goes on.
        DeferReason::InProgress => {
            world.with_ecs(|ecs| ecs.service(service).is_some_and(SimulatedService::is_in_flight))
        }
        // 2. It is held.
        DeferReason::Halted => true,
        _ => false,
    }
}

/// Makes the world of a seed.
struct WorldMaker {
    /// A sequence of its own, so that what a world is does not depend on what goes wrong in it.
    random: SeededRandom,
    /// A further sequence, so that worlds with pinned seeds stay as they are where more can happen in them.
    further_random: SeededRandom,
    world: SimulatedWorld,
}

impl WorldMaker {
    fn new(conditions: WorldConditions) -> Result<Self, RulesError> {
        let random = SeededRandom::new(conditions.seed ^ 0x5eed);
        let further_random = SeededRandom::new(conditions.seed ^ 0xfa17);
        Ok(Self { random, further_random, world: SimulatedWorld::new(conditions, world_start())? })
    }

    /// A world that has not begun.
    fn make(mut self) -> SimulatedWorld {
        let secrets = self.make_secrets();
        let clusters = 1 + self.random.below(2);
        let mut services = Vec::new();
        for number in 0..3 + self.random.below(4) {
            services.push(self.make_service(number, clusters, &secrets));
        }
        for _ in 0..2 + self.random.below(6) {
            let secret = &secrets[self.random.index(secrets.len())];
            let at = draw_stormy_instant(&mut self.random);
            self.world.rotate_at(at, secret);
        }
        for _ in 0..self.random.below(3) {
            let service = &services[self.random.index(services.len())];
            let at = draw_stormy_instant(&mut self.random);
            self.world.deploy_at(at, service);
        }
        self.world.calm_at(world_start().plus(STORMY_TIME));
        self.world
    }

    fn make_secrets(&mut self) -> Vec<String> {
        let created = world_start().minus(SECRET_AGE);
        let count = 2 + self.random.below(3);
        let has_distant_secrets = !self.world.conditions.settings.further_regions.is_empty();
        let mut regions = Vec::new();
        for _ in 0..count {
            let is_distant = has_distant_secrets && self.further_random.below(2) == 0;
            regions.push(if is_distant { DISTANT_REGION } else { HOME_REGION });
        }
        self.world.with_ecs(|ecs| ecs.rollback_shapes = RollbackShape::ALL.to_vec());
        self.world.with_secrets(|secrets| {
            secrets.stale_for = Span::from_secs(3);
            let numbered = regions.into_iter().enumerate();
            numbered
                .map(|(number, region)| secrets.create(region, &format!("app-{number:02}"), created))
                .collect()
        })
    }

    /// A service that uses some of the secrets, or none; returns its ARN.
    fn make_service(&mut self, number: u64, clusters: u64, secrets: &[String]) -> String {
        let mut references = Vec::new();
        for secret in secrets {
            if self.random.below(2) == 0 {
                references.push(format!("{secret}:password::"));
            }
        }
        let container =
            TaskContainer { name: "app".to_owned(), secrets: references, ..TaskContainer::default() };
        // Some services share a role.
        let role = format!("arn:aws:iam::{HOME_ACCOUNT}:role/execution-{}", number / 2);
        let definition = RegisteredTaskDefinition {
            family: format!("family-{number:02}"),
            execution_role: Some(role),
            containers: vec![container],
            ..RegisteredTaskDefinition::default()
        };
        let circuit_breaker = match self.random.below(3) {
            0 => None,
            drawn => Some(CircuitBreaker { rollback: drawn > 1 }),
        };
        let configuration = self.draw_configuration();
        let is_approved = configuration.pause_hook_timeout.is_some();
        let cluster = format!("cluster-{}", self.random.below(clusters));
        let desired = 1 + u32::try_from(self.random.below(2)).unwrap_or_default();
        let service = self.world.with_ecs(|ecs| {
            let service = NewService {
                cluster,
                name: format!("service-{number:02}"),
                task_definition: ecs.register_task_definition(definition),
                desired,
                configuration: configuration.clone(),
                circuit_breaker,
                ..NewService::default()
            };
            ecs.create_service(service, world_start().minus(SERVICE_AGE))
        });
        let mut outcomes = Vec::new();
        for _ in 0..PLANNED_OUTCOMES {
            let outcome = self.draw_outcome();
            outcomes.push(if is_approved { self.add_pause(outcome) } else { outcome });
        }
        // ECS declines to deploy some services for a while.
        let is_protected = self.further_random.below(8) == 0;
        let protected_until = draw_stormy_instant(&mut self.further_random);
        self.world.with_ecs(|ecs| {
            ecs.plan_outcomes(&service, outcomes);
            if is_protected {
                ecs.protect_tasks(&service, protected_until);
            }
        });
        service
    }

    /// Most services are deployed as ECS does by default; some shift traffic in steps, and some wait for a person.
    fn draw_configuration(&mut self) -> RolloutConfiguration {
        let minute = Span::from_secs(60);
        match self.random.below(10) {
            0 => RolloutConfiguration {
                strategy: RolloutStrategy::Canary,
                bake_time: Some(minute),
                steps: Some(TrafficSteps { percent: 10, bake_time: minute }),
                ..RolloutConfiguration::default()
            },
            1 => RolloutConfiguration {
                strategy: RolloutStrategy::BlueGreen,
                bake_time: Some(Span::from_secs(600)),
                ..RolloutConfiguration::default()
            },
            2 => RolloutConfiguration {
                pause_hook_timeout: Some(APPROVAL_TIME),
                ..RolloutConfiguration::default()
            },
            _ => RolloutConfiguration::default(),
        }
    }

    /// The same, where a person has to continue it: some do within minutes, some never do.
    fn add_pause(&mut self, outcome: RolloutOutcome) -> RolloutOutcome {
        let RolloutOutcome::Completes(started_after) = outcome else { return outcome };
        let is_continued = self.random.below(4) > 0;
        let minutes = self.random.signed_below(10);
        let continued_after = is_continued.then_some(Span::from_secs(60 * minutes));
        RolloutOutcome::Pauses { started_after, continued_after }
    }

    fn draw_outcome(&mut self) -> RolloutOutcome {
        match self.random.below(12) {
            0 => RolloutOutcome::Fails(self.draw_rollout_time()),
            1 if self.random.below(3) == 0 => RolloutOutcome::Stalls,
            _ => RolloutOutcome::Completes(self.draw_rollout_time()),
        }
    }

    fn draw_rollout_time(&mut self) -> Span {
        Span::from_secs(20 + self.random.signed_below(180))
    }
}

/// An instant at which things go wrong.
fn draw_stormy_instant(random: &mut SeededRandom) -> Timestamp {
    let millis = u64::try_from(STORMY_TIME.millis()).unwrap_or_default();
    world_start().plus(Span::from_millis(random.signed_below(millis)))
}
