//! What a stretch of a month uses, as it is counted while the engine lives through it.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{Handler, RulesError};
use responder_core::settings::Settings;
use responder_engine::port::{ItemKey, TableItem};

use super::estate::{Estate, MONTH, beat, minutes, read, rotate, world};
use super::float;
use crate::meter::size;
use crate::world::World;

/// How long the stretch of rotations is, in minutes: the last of them settles within it.
const ROTATIONS: u64 = 90;

/// What an estate uses, by the cause: a month's reads and sweeps, and a month's rotations.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Which.
    pub estate: Estate,
    /// What its sweeps use, with nothing to do.
    pub idle: Used,
    /// What its reads use beside.
    pub reads: Used,
    /// What its rotations use beside, deployments and the reads of their tasks included.
    pub rotations: Used,
    /// Metrics of our own that get data in every hour: from heartbeats, sweeps and reads.
    pub steady: BTreeSet<String>,
    /// Those that get data only while something rotates.
    pub passing: BTreeSet<String>,
}

/// What was used in a month.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// Invocations.
    pub invocations: f64,
    /// Their time, in seconds.
    pub seconds: f64,
    /// Messages of the queues.
    pub messages: f64,
    /// Write request units of the ledger.
    pub writes: f64,
    /// Read request units.
    pub units: f64,
    /// Bytes of logs.
    pub logged: f64,
    /// Bytes of the ledger, once as much of it ends as begins.
    pub stored: f64,
    /// Calls, by operation.
    pub calls: BTreeMap<&'static str, f64>,
}

/// Lives through stretches of a month, and scales what they use.
///
/// # Errors
/// When the rules cannot be loaded.
pub fn measure(estate: Estate) -> Result<Measured, RulesError> {
    let (length, rotated) = estate.sample;
    let count = estate.reads * length / MONTH;
    let (idle, mut steady) = live(&estate, ROTATIONS, 0, 0)?;
    let (busy, of_reads) = live(&estate, length, count, 0)?;
    let (rotations, of_rotations) = live(&estate, ROTATIONS, 0, rotated)?;
    steady.extend(of_reads);
    steady.extend(heartbeats(&estate)?);
    let passing = of_rotations.difference(&steady).cloned().collect();
    let month = |used: &Used, length| used.times(float(MONTH) / float(length));
    let idle_month = month(&idle, ROTATIONS);
    Ok(Measured {
        estate,
        reads: month(&busy, length).minus(&idle_month),
        rotations: rotations.minus(&idle).times(float(estate.rotations) / float(rotated)),
        idle: idle_month,
        steady,
        passing,
    })
}

type Metrics = BTreeSet<String>;

/// The metrics of a heartbeat of each function that gets one. `failure` has no queue here: to it a heartbeat is what it is to
/// `rotation`.
fn heartbeats(estate: &Estate) -> Result<Metrics, RulesError> {
    let (mut world, from) = world(estate, Settings::default())?;
    let before = metered(&world);
    beat(&mut world, from);
    world.run(from.plus(minutes(1)))?;
    let mut metrics = since(&world, &before);
    let of_failure = |name: &String| {
        name.contains(Handler::Rotation.as_str())
            .then(|| name.replace(Handler::Rotation.as_str(), Handler::Failure.as_str()))
    };
    let of_failure: Vec<String> = metrics.iter().filter_map(of_failure).collect();
    metrics.extend(of_failure);
    Ok(metrics)
}

fn metered(world: &World) -> BTreeMap<String, u64> {
    world.record(|record| record.meter.metrics.clone())
}

/// What got data since then.
fn since(world: &World, before: &BTreeMap<String, u64>) -> Metrics {
    metered(world)
        .into_iter()
        .filter(|(name, count)| before.get(name) != Some(count))
        .map(|(name, _)| name)
        .collect()
}

fn live(estate: &Estate, length: u64, reads: u64, rotations: u64) -> Result<(Used, Metrics), RulesError> {
    let (mut world, from) = world(estate, Settings::default())?;
    let (before, metrics) = (Used::of(&world), metered(&world));
    let known: BTreeSet<ItemKey> = world.store(|store| store.items().map(|item| item.key.clone()).collect());
    read(&mut world, estate, from, (reads, length));
    // The last third of the time is for what follows.
    rotate(&mut world, estate, from, (rotations, length * 2 / 3));
    world.run(from.plus(minutes(length)))?;
    let mut used = Used::of(&world).minus(&before);
    let now = world.now();
    let lives = |item: &TableItem| {
        let left = item.number("ttl")? - now.millis() / 1_000;
        u64::try_from(left).ok().map(|left| float(size(item)) * float(left))
    };
    // What is new, in months of its life: as much as of a month's is there at any time, later.
    let stored: f64 = world.store(|store| {
        let new = store.items().filter(|item| !known.contains(&item.key));
        new.filter_map(lives).sum()
    });
    used.stored = stored / float(MONTH * 60);
    let metrics = since(&world, &metrics);
    Ok((used, metrics))
}

impl Used {
    fn of(world: &World) -> Self {
        let invocations = &world.history().invocations;
        let through_queues = |handler: &Handler| matches!(handler, Handler::Rotation | Handler::Access);
        let received: u64 =
            invocations.iter().filter(|(handler, _)| through_queues(handler)).map(|(_, count)| count).sum();
        let sweeps = invocations.get(&Handler::Sweep).copied().unwrap_or_default();
        world.record(|record| {
            let meter = &record.meter;
            let worked: i64 = meter.worked.values().map(|span| span.millis()).sum();
            Self {
                invocations: float(invocations.values().sum()),
                seconds: float(u64::try_from(worked).unwrap_or_default()) / 1_000.0,
                // Each is sent by itself; an invocation receives and deletes its batch of at most ten in a request each.
                messages: float(world.delivered() + 2 * received + 3 * sweeps),
                writes: float(meter.writes),
                units: float(meter.reads),
                logged: float(meter.logged),
                stored: 0.0,
                calls: record.calls.iter().map(|(operation, count)| (*operation, float(*count))).collect(),
            }
        })
    }

    fn times(&self, factor: f64) -> Self {
        self.with(&Self::default(), |own, _| own * factor)
    }

    fn minus(&self, other: &Self) -> Self {
        self.with(other, |own, other| (own - other).max(0.0))
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for operation in other.calls.keys() {
            both.calls.entry(operation).or_default();
        }
        both.with(other, |own, other| own + other)
    }

    fn with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let call = |operation: &&'static str| other.calls.get(operation).copied().unwrap_or_default();
        Self {
            invocations: f(self.invocations, other.invocations),
            seconds: f(self.seconds, other.seconds),
            messages: f(self.messages, other.messages),
            writes: f(self.writes, other.writes),
            units: f(self.units, other.units),
            logged: f(self.logged, other.logged),
            stored: f(self.stored, other.stored),
            calls: self
                .calls
                .iter()
                .map(|(operation, count)| (*operation, f(*count, call(operation))))
                .collect(),
        }
    }
}
