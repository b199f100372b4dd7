//! A storm: very many rotations of shared secrets at about the same time, and nothing fails.

use std::collections::BTreeMap;
use std::fmt;

use responder_core::rules::{Handler, RulesError};
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};

use crate::Random;
use crate::ecs::{CircuitBreaker, Container, NewService, TaskDefinition};
use crate::oracle::{Promised, most_in_flight, violations};
use crate::random_world::start;
use crate::world::{ACCOUNT, Conditions, REGION, World};

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many clusters the services are in, evenly.
    pub clusters: usize,
    /// How many services.
    pub services: usize,
    /// How many secrets each of them uses.
    pub uses: usize,
    /// How many secrets.
    pub secrets: usize,
    /// How many rotations.
    pub rotations: usize,
    /// Within what time they begin.
    pub within: Span,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How large it was.
    pub size: Size,
    /// Messages that the rotation's function was told.
    pub events: u64,
    /// One deployment for each event of a change and each consumer: what a function without memory would start.
    pub naive: usize,
    /// Deployments that we started.
    pub deployments: usize,
    /// The most that one service got.
    pub of_one_service: usize,
    /// The most that were under way in one cluster.
    pub in_flight: usize,
    /// The most calls of `UpdateService` within a second.
    pub updates_a_second: usize,
    /// The calls, by operation.
    pub calls: BTreeMap<&'static str, u64>,
    /// The invocations, by handler.
    pub invocations: BTreeMap<Handler, u64>,
    /// The pages, by rule.
    pub pages: BTreeMap<String, usize>,
    /// From the first rotation to the last consumer's newest deployment.
    pub last_consumer: Span,
    /// From the last rotation's end to that.
    pub after_the_last: Span,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// Lives through a storm.
///
/// # Errors
/// When the rules cannot be loaded.
pub fn live(size: Size, settings: &Settings, seed: u64) -> Result<Figures, RulesError> {
    let conditions =
        Conditions { settings: settings.clone(), twice: 200, workers: 5, ..Conditions::calm(seed) };
    let mut world = World::new(conditions, start());
    world.ecs(crate::ecs::Ecs::throttle);
    world.secrets(|secrets| secrets.stale_for = Span::from_secs(3));
    let used = made(&mut world, size, seed);
    world.run(start().plus(size.within).plus(Span::from_secs(3_600)))?;
    let promised = Promised { settings: settings.clone(), within: None };
    let mut wrong = violations(&world, &promised);
    wrong.extend(world.sweep()?.iter().map(|step| format!("a further sweep plans: {step:?}")));
    Ok(figures(&world, size, settings, &used, wrong))
}

/// Makes the world; gives the number of services that use each secret.
fn made(world: &mut World, size: Size, seed: u64) -> BTreeMap<String, usize> {
    let mut random = Random::new(seed);
    let long_ago = start().minus(Span::from_secs(40 * 86_400));
    let recently = start().minus(Span::from_secs(10 * 86_400));
    let secrets: Vec<String> = (0..size.secrets)
        .map(|i| world.secrets(|secrets| secrets.create(REGION, &format!("app-{i:04}"), long_ago)))
        .collect();
    let mut used = BTreeMap::new();
    for i in 0..size.services {
        // One after the other, so that each is shared by as many services as any other, or by one more.
        let own =
            (0..size.uses).filter_map(|use_| secrets.get((i * size.uses + use_) % secrets.len().max(1)));
        let own: Vec<&String> = own.collect();
        for secret in &own {
            *used.entry((*secret).clone()).or_default() += 1;
        }
        service(world, (i, size.clusters), own.into_iter(), recently);
    }
    let within = u64::try_from(size.within.millis()).unwrap_or_default();
    for i in 0..size.rotations {
        let at = start().plus(Span::from_millis(i64::try_from(random.below(within)).unwrap_or_default()));
        if let Some(secret) = secrets.get(i % secrets.len().max(1)) {
            world.rotate(at, secret);
        }
    }
    used
}

/// A service that uses some secrets, in one of so many clusters.
pub(crate) fn service<'s>(
    world: &mut World,
    (number, clusters): (usize, usize),
    secrets: impl Iterator<Item = &'s String>,
    created: Timestamp,
) {
    let references = secrets.map(|secret| format!("{secret}:password::")).collect();
    let container = Container { name: "app".to_owned(), secrets: references, ..Container::default() };
    let definition = TaskDefinition {
        family: format!("family-{number:04}"),
        execution_role: Some(format!("arn:aws:iam::{ACCOUNT}:role/execution-{number}")),
        containers: vec![container],
        ..TaskDefinition::default()
    };
    world.ecs(|ecs| {
        let service = NewService {
            cluster: format!("cluster-{}", number % clusters.max(1)),
            name: format!("service-{number:04}"),
            task_definition: ecs.register(definition),
            desired: 2,
            circuit_breaker: Some(CircuitBreaker { rollback: true }),
            ..NewService::default()
        };
        ecs.create_service(service, created)
    });
}

fn figures(
    world: &World,
    size: Size,
    settings: &Settings,
    used: &BTreeMap<String, usize>,
    wrong: Vec<String>,
) -> Figures {
    let changes = &world.history().changes;
    let between = |from: Timestamp, to: Timestamp| Span::from_millis(to.millis() - from.millis());
    let last = world.ecs(|ecs| ecs.log.deployments().iter().map(|one| one.created_at).max());
    let last = last.unwrap_or_else(start);
    let last_change = changes.values().flatten().max().copied().unwrap_or_else(start);
    // Each change is told twice: by Secrets Manager and through CloudTrail.
    let naive =
        changes.iter().map(|(secret, all)| all.len() * 2 * used.get(secret).copied().unwrap_or(0)).sum();
    let in_flight = most_in_flight(world, settings.rollout_timeout).values().map(|(most, _)| *most).max();
    let in_flight = in_flight.unwrap_or_default();
    world.record(|record| {
        let mut by_service: BTreeMap<&str, usize> = BTreeMap::new();
        for requested in &record.deployments {
            *by_service.entry(&requested.service).or_default() += 1;
        }
        let mut pages = BTreeMap::new();
        for notified in &record.pages {
            let rule = notified.page.attributes.get("rule").cloned().unwrap_or_default();
            *pages.entry(rule).or_default() += 1;
        }
        let second = Span::from_millis(999);
        let a_second = record
            .updates
            .iter()
            .map(|from| record.updates.iter().filter(|at| *at >= from && **at <= from.plus(second)).count());
        Figures {
            size,
            events: world.sent(),
            naive,
            deployments: record.deployments.len(),
            of_one_service: by_service.values().copied().max().unwrap_or_default(),
            in_flight,
            updates_a_second: a_second.max().unwrap_or_default(),
            calls: record.calls.clone(),
            invocations: world.history().invocations.clone(),
            pages,
            last_consumer: between(start(), last),
            after_the_last: between(last_change, last),
            wrong,
        }
    })
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { clusters, services, secrets, rotations, .. } = self.size;
        writeln!(
            f,
            "{rotations} rotations of {secrets} secrets, {services} services in {clusters} clusters"
        )?;
        writeln!(f, "  messages to the rotation's function  {}", self.events)?;
        writeln!(f, "  one deployment an event and consumer {}", self.naive)?;
        writeln!(f, "  deployments that we started          {}", self.deployments)?;
        writeln!(f, "  the most of one service              {}", self.of_one_service)?;
        writeln!(f, "  the most under way in a cluster      {}", self.in_flight)?;
        writeln!(f, "  UpdateService calls a second at most {}", self.updates_a_second)?;
        writeln!(f, "  until the last consumer is new       {} s", self.last_consumer.millis() / 1_000)?;
        writeln!(f, "  after the last rotation              {} s", self.after_the_last.millis() / 1_000)?;
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
