//! A storm: very many rotations of shared secrets at about the same time, and nothing fails.

use std::collections::BTreeMap;
use std::fmt;

use responder_core::rules::{Handler, RulesError};
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::ecs::{CircuitBreaker, NewService, RegisteredTaskDefinition, SimulatedEcs, TaskContainer};
use crate::location::{HOME_ACCOUNT, HOME_REGION};
use crate::oracle::{WorldPromises, find_most_in_flight, list_violations};
use crate::random::SeededRandom;
use crate::random_world::world_start;
use crate::world::{SimulatedWorld, WorldConditions};

/// How large a storm is.
#[derive(Clone, Copy, Debug)]
pub struct StormSize {
    /// How many clusters the services are in, evenly.
    pub clusters: usize,
    /// How many services.
    pub services: usize,
    /// How many secrets each of them uses.
    pub secrets_per_service: usize,
    /// How many secrets.
    pub secrets: usize,
    /// How many rotations.
    pub rotations: usize,
    /// The time within which they begin.
    pub within: Span,
}

/// The figures of a storm.
#[derive(Clone, Debug)]
pub struct StormFigures {
    /// How large it was.
    pub size: StormSize,
    /// Messages that the rotation's function got.
    pub messages: u64,
    /// One deployment for each event of a change and each consumer: what a function without memory would start.
    pub naive_deployments: usize,
    /// Deployments that we started.
    pub deployments: usize,
    /// The most that one service got.
    pub most_of_one_service: usize,
    /// The most that were under way in one cluster.
    pub most_in_flight: usize,
    /// The most calls of `UpdateService` within a second.
    pub most_updates_a_second: usize,
    /// The calls, by operation.
    pub calls: BTreeMap<&'static str, u64>,
    /// The invocations, by handler.
    pub invocations: BTreeMap<Handler, u64>,
    /// The pages, by rule.
    pub pages: BTreeMap<String, usize>,
    /// From the first rotation to the last consumer's newest deployment.
    pub until_last_consumer: Span,
    /// From the last rotation's end to that.
    pub after_last_rotation: Span,
    /// The violations.
    pub violations: Vec<String>,
}

/// How long a storm is observed after the last rotation began.
const AFTERMATH: Span = Span::from_secs(3_600);
/// The age of the secrets.
const SECRET_AGE: Span = Span::from_secs(40 * 86_400);
/// The age of the services.
const SERVICE_AGE: Span = Span::from_secs(10 * 86_400);
/// Each change has two events: one by Secrets Manager itself, and one through `CloudTrail`.
const EVENTS_PER_CHANGE: usize = 2;

/// Runs a storm to its end.
///
/// # Errors
///
/// If the rules cannot be loaded.
pub fn run_storm(size: StormSize, settings: &Settings, seed: u64) -> Result<StormFigures, RulesError> {
    let conditions = WorldConditions {
        settings: settings.clone(),
        repeated_events: 200,
        workers: 5,
        ..WorldConditions::calm(seed)
    };
    let mut world = SimulatedWorld::new(conditions, world_start())?;
    world.with_ecs(SimulatedEcs::refuse_calls_beyond_limits);
    world.with_secrets(|secrets| secrets.stale_for = Span::from_secs(3));
    let consumers = prepare_world(&mut world, size, seed);
    world.run_until(world_start().plus(size.within).plus(AFTERMATH));
    let promises = WorldPromises { settings: settings.clone(), answered_within: None };
    let mut violations = list_violations(&world, &promises);
    for step in world.sweep_once_more() {
        violations.push(format!("a further sweep plans: {step:?}"));
    }
    Ok(measure_storm(&world, size, &promises, &consumers, violations))
}

/// Creates secrets and services and plans the rotations; returns how many services use each secret.
fn prepare_world(world: &mut SimulatedWorld, size: StormSize, seed: u64) -> BTreeMap<String, usize> {
    let mut random = SeededRandom::new(seed);
    let secrets = create_secrets(world, size.secrets);
    let count = secrets.len().max(1);
    let mut consumers = BTreeMap::new();
    for number in 0..size.services {
        // One secret after the other, so that each is shared by as many services as any other, or by one more.
        let mut own = Vec::new();
        for use_number in 0..size.secrets_per_service {
            own.extend(secrets.get((number * size.secrets_per_service + use_number) % count).cloned());
        }
        for secret in &own {
            *consumers.entry(secret.clone()).or_default() += 1;
        }
        create_numbered_service(world, number, size.clusters, &own, world_start().minus(SERVICE_AGE));
    }
    let within = u64::try_from(size.within.millis()).unwrap_or_default();
    for number in 0..size.rotations {
        let at = world_start().plus(Span::from_millis(random.signed_below(within)));
        if let Some(secret) = secrets.get(number % count) {
            world.rotate_at(at, secret);
        }
    }
    consumers
}

fn create_secrets(world: &SimulatedWorld, count: usize) -> Vec<String> {
    let created = world_start().minus(SECRET_AGE);
    world.with_secrets(|secrets| {
        (0..count).map(|number| secrets.create(HOME_REGION, &format!("app-{number:04}"), created)).collect()
    })
}

/// Creates a service that uses some secrets, in one of so many clusters.
pub(crate) fn create_numbered_service(
    world: &SimulatedWorld,
    number: usize,
    clusters: usize,
    secrets: &[String],
    created: Timestamp,
) {
    let references = secrets.iter().map(|secret| format!("{secret}:password::")).collect();
    let container = TaskContainer { name: "app".to_owned(), secrets: references, ..TaskContainer::default() };
    let definition = RegisteredTaskDefinition {
        family: format!("family-{number:04}"),
        execution_role: Some(format!("arn:aws:iam::{HOME_ACCOUNT}:role/execution-{number}")),
        containers: vec![container],
        ..RegisteredTaskDefinition::default()
    };
    world.with_ecs(|ecs| {
        let service = NewService {
            cluster: format!("cluster-{}", number % clusters.max(1)),
            name: format!("service-{number:04}"),
            task_definition: ecs.register_task_definition(definition),
            desired: 2,
            circuit_breaker: Some(CircuitBreaker { rollback: true }),
            ..NewService::default()
        };
        ecs.create_service(service, created)
    });
}

fn measure_storm(
    world: &SimulatedWorld,
    size: StormSize,
    promises: &WorldPromises,
    consumers: &BTreeMap<String, usize>,
    violations: Vec<String>,
) -> StormFigures {
    let mut naive_deployments = 0;
    let mut last_change = world_start();
    for (secret, changes) in &world.history().changes {
        let consumers = consumers.get(secret).copied().unwrap_or_default();
        naive_deployments += changes.len() * EVENTS_PER_CHANGE * consumers;
        for changed_at in changes {
            last_change = last_change.max(*changed_at);
        }
    }
    let last_deployment = find_last_deployment(world);
    let most_in_flight = find_most_in_flight(world, promises).into_values().map(|most| most.count).max();
    world.with_record(|record| {
        let mut by_service: BTreeMap<&str, usize> = BTreeMap::new();
        for requested in &record.deployments {
            *by_service.entry(&requested.service).or_default() += 1;
        }
        let mut pages = BTreeMap::new();
        for sent in &record.pages {
            *pages.entry(sent.attribute("rule").to_owned()).or_default() += 1;
        }
        StormFigures {
            size,
            messages: world.count_rotation_messages(),
            naive_deployments,
            deployments: record.deployments.len(),
            most_of_one_service: by_service.values().copied().max().unwrap_or_default(),
            most_in_flight: most_in_flight.unwrap_or_default(),
            most_updates_a_second: count_most_in_a_second(&record.update_times),
            calls: record.calls.clone(),
            invocations: world.history().invocations.clone(),
            pages,
            until_last_consumer: measure_span(world_start(), last_deployment),
            after_last_rotation: measure_span(last_change, last_deployment),
            violations,
        }
    })
}

/// When the last deployment was created; the beginning if there was none.
fn find_last_deployment(world: &SimulatedWorld) -> Timestamp {
    world.with_ecs(|ecs| {
        let created = ecs.log.deployments().iter().map(|started| started.created_at);
        created.max().unwrap_or_else(world_start)
    })
}

fn measure_span(from: Timestamp, to: Timestamp) -> Span {
    Span::from_millis(to.millis() - from.millis())
}

/// The most instants within any second.
fn count_most_in_a_second(times: &[Timestamp]) -> usize {
    let mut most = 0;
    for from in times {
        let end = from.plus(Span::from_secs(1));
        most = most.max(times.iter().filter(|at| *at >= from && **at < end).count());
    }
    most
}

impl fmt::Display for StormFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StormSize { clusters, services, secrets, rotations, .. } = self.size;
        writeln!(
            f,
            "{rotations} rotations of {secrets} secrets, {services} services in {clusters} clusters"
        )?;
        writeln!(f, "  messages to the rotation's function  {}", self.messages)?;
        writeln!(f, "  one deployment an event and consumer {}", self.naive_deployments)?;
        writeln!(f, "  deployments that we started          {}", self.deployments)?;
        writeln!(f, "  the most of one service              {}", self.most_of_one_service)?;
        writeln!(f, "  the most under way in a cluster      {}", self.most_in_flight)?;
        writeln!(f, "  UpdateService calls a second at most {}", self.most_updates_a_second)?;
        writeln!(
            f,
            "  until the last consumer is new       {} s",
            self.until_last_consumer.millis() / 1_000
        )?;
        writeln!(
            f,
            "  after the last rotation              {} s",
            self.after_last_rotation.millis() / 1_000
        )?;
        for (rule, count) in &self.pages {
            writeln!(f, "  pages of {rule:<27} {count}")?;
        }
        for (handler, count) in &self.invocations {
            writeln!(f, "  invocations of {handler:<21} {count}")?;
        }
        for (operation, count) in &self.calls {
            writeln!(f, "  {operation:<36} {count}")?;
        }
        Ok(())
    }
}
