//! The use of a stretch of a month, as it is counted while the engine runs through it.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{Handler, RulesError};
use responder_core::time::Timestamp;
use responder_engine::port::{ItemKey, TableItem};

use super::estate::{CostEstate, MONTH_MINUTES, minutes};
use super::month::EstateMonth;
use super::numbers::to_float;
use crate::usage_meter::count_item_bytes;
use crate::world::SimulatedWorld;

/// How long the stretch of rotations is, in minutes: the last of them is resolved within it.
const ROTATION_STRETCH_MINUTES: u64 = 90;

/// The names of metrics, each with its dimensions.
type MetricNames = BTreeSet<String>;

/// The use of an estate, by the cause: a month's reads and sweeps, and a month's rotations.
#[derive(Clone, Debug)]
pub struct MeasuredMonth {
    /// The estate.
    pub estate: CostEstate,
    /// The use of its sweeps, with nothing to do.
    pub idle: MonthlyUsage,
    /// The use of its reads beside that.
    pub reads: MonthlyUsage,
    /// The use of its rotations beside that, deployments and the reads of their tasks included.
    pub rotations: MonthlyUsage,
    /// Metrics of our own that get data in every hour: from heartbeats, sweeps and reads.
    pub steady_metrics: BTreeSet<String>,
    /// Those that get data only while something rotates.
    pub passing_metrics: BTreeSet<String>,
}

/// The use of a month.
#[derive(Clone, Debug, Default)]
pub struct MonthlyUsage {
    /// Invocations.
    pub invocations: f64,
    /// Their time, in seconds.
    pub seconds: f64,
    /// Messages of the queues.
    pub messages: f64,
    /// Write request units of the ledger.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
    /// Bytes of logs.
    pub log_bytes: f64,
    /// Bytes of the ledger, once as much of it ends as begins.
    pub stored_bytes: f64,
    /// Calls, by operation.
    pub calls: BTreeMap<&'static str, f64>,
}

/// Runs through stretches of a month, and scales what they use.
///
/// # Errors
///
/// If the rules cannot be loaded.
pub fn measure_month(estate: CostEstate) -> Result<MeasuredMonth, RulesError> {
    let length = estate.sampled_minutes;
    let sampled_reads = estate.reads * length / MONTH_MINUTES;
    let idle = measure_stretch(&estate, ROTATION_STRETCH_MINUTES, 0, 0)?;
    let busy = measure_stretch(&estate, length, sampled_reads, 0)?;
    let rotating = measure_stretch(&estate, ROTATION_STRETCH_MINUTES, 0, estate.sampled_rotations)?;
    let mut steady_metrics = idle.metrics;
    steady_metrics.extend(busy.metrics);
    steady_metrics.extend(measure_heartbeats(&estate)?);
    let idle_month = scale_to_month(&idle.usage, ROTATION_STRETCH_MINUTES);
    let rotations_factor = to_float(estate.rotations) / to_float(estate.sampled_rotations);
    Ok(MeasuredMonth {
        estate,
        reads: scale_to_month(&busy.usage, length).minus(&idle_month),
        rotations: rotating.usage.minus(&idle.usage).times(rotations_factor),
        idle: idle_month,
        passing_metrics: rotating.metrics.difference(&steady_metrics).cloned().collect(),
        steady_metrics,
    })
}

fn scale_to_month(usage: &MonthlyUsage, length_minutes: u64) -> MonthlyUsage {
    usage.times(to_float(MONTH_MINUTES) / to_float(length_minutes))
}

/// The metrics of a heartbeat of each function that gets one. `failure` has no queue here: a heartbeat is to it what it is to
/// `rotation`.
fn measure_heartbeats(estate: &CostEstate) -> Result<MetricNames, RulesError> {
    let mut month = EstateMonth::new(estate)?;
    let before = copy_metrics(&month.world);
    month.add_heartbeats();
    month.world.run_until(month.from.plus(minutes(1)));
    let mut metrics = list_new_metrics(&month.world, &before);
    let rotation = Handler::Rotation.as_str();
    for name in metrics.clone() {
        if name.contains(rotation) {
            metrics.insert(name.replace(rotation, Handler::Failure.as_str()));
        }
    }
    Ok(metrics)
}

fn copy_metrics(world: &SimulatedWorld) -> BTreeMap<String, u64> {
    world.with_record(|record| record.meter.metrics.clone())
}

/// The metrics that got data since then.
fn list_new_metrics(world: &SimulatedWorld, before: &BTreeMap<String, u64>) -> MetricNames {
    let mut new = MetricNames::new();
    for (name, count) in copy_metrics(world) {
        if before.get(&name) != Some(&count) {
            new.insert(name);
        }
    }
    new
}

/// The use of a stretch of a month.
struct StretchUsage {
    usage: MonthlyUsage,
    metrics: MetricNames,
}

fn measure_stretch(
    estate: &CostEstate,
    length_minutes: u64,
    reads: u64,
    rotations: u64,
) -> Result<StretchUsage, RulesError> {
    let mut month = EstateMonth::new(estate)?;
    let before = MonthlyUsage::of_world(&month.world);
    let metrics_before = copy_metrics(&month.world);
    let known: BTreeSet<ItemKey> =
        month.world.with_table(|table| table.items().map(|item| item.key.clone()).collect());
    month.add_reads(reads, length_minutes);
    // The last third of the time is for what follows.
    month.add_rotations(rotations, length_minutes * 2 / 3);
    month.world.run_until(month.from.plus(minutes(length_minutes)));
    let mut usage = MonthlyUsage::of_world(&month.world).minus(&before);
    usage.stored_bytes = measure_stored_bytes(&month.world, &known);
    let metrics = list_new_metrics(&month.world, &metrics_before);
    Ok(StretchUsage { usage, metrics })
}

/// The bytes of the new items, in months of their life: as much as of a month's is there at any time, later.
fn measure_stored_bytes(world: &SimulatedWorld, known: &BTreeSet<ItemKey>) -> f64 {
    let now = world.now();
    let byte_seconds: f64 = world.with_table(|table| {
        let new = table.items().filter(|item| !known.contains(&item.key));
        new.map(|item| to_float(count_item_bytes(item)) * measure_lifetime(item, now)).sum()
    });
    byte_seconds / to_float(MONTH_MINUTES * 60)
}

/// How many seconds an item is still kept.
fn measure_lifetime(item: &TableItem, now: Timestamp) -> f64 {
    let Some(ttl) = item.number("ttl") else { return 0.0 };
    to_float(u64::try_from(ttl - now.millis() / 1_000).unwrap_or_default())
}

impl MonthlyUsage {
    fn of_world(world: &SimulatedWorld) -> Self {
        let mut invocations = 0;
        let mut received = 0;
        for (handler, count) in &world.history().invocations {
            invocations += count;
            if matches!(handler, Handler::Rotation | Handler::Access) {
                received += count;
            }
        }
        let sweeps = world.history().invocations.get(&Handler::Sweep).copied().unwrap_or_default();
        world.with_record(|record| {
            let meter = &record.meter;
            let millis: i64 = meter.working_times.values().map(|span| span.millis()).sum();
            let mut calls = BTreeMap::new();
            for (operation, count) in &record.calls {
                calls.insert(*operation, to_float(*count));
            }
            Self {
                invocations: to_float(invocations),
                seconds: to_float(u64::try_from(millis).unwrap_or_default()) / 1_000.0,
                // Each is sent by itself; an invocation receives and deletes its batch of at most ten in a request each.
                messages: to_float(world.count_messages() + 2 * received + 3 * sweeps),
                write_units: to_float(meter.write_units),
                read_units: to_float(meter.read_units),
                log_bytes: to_float(meter.log_bytes),
                stored_bytes: 0.0,
                calls,
            }
        })
    }

    fn times(&self, factor: f64) -> Self {
        self.combine(&Self::default(), |own, _| own * factor)
    }

    fn minus(&self, other: &Self) -> Self {
        self.combine(other, |own, other| (own - other).max(0.0))
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for operation in other.calls.keys() {
            both.calls.entry(operation).or_default();
        }
        both.combine(other, |own, other| own + other)
    }

    fn combine(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut calls = BTreeMap::new();
        for (operation, count) in &self.calls {
            let of_other = other.calls.get(operation).copied().unwrap_or_default();
            calls.insert(*operation, f(*count, of_other));
        }
        Self {
            invocations: f(self.invocations, other.invocations),
            seconds: f(self.seconds, other.seconds),
            messages: f(self.messages, other.messages),
            write_units: f(self.write_units, other.write_units),
            read_units: f(self.read_units, other.read_units),
            log_bytes: f(self.log_bytes, other.log_bytes),
            stored_bytes: f(self.stored_bytes, other.stored_bytes),
            calls,
        }
    }
}
