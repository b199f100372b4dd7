//! From what an estate uses to what it costs: ours, and a design that answers each event by itself.

use std::collections::BTreeSet;

use super::estate::{Estate, MONTH};
use super::float;
use super::measure::{Measured, Used};
use super::price;

/// The memory of a function (`MemoryMegabytes`), in GB.
const MEMORY: f64 = 0.25;
/// What the runtime takes of each invocation beside our calls, in seconds: some milliseconds as `tests/cold-start` measures
/// them, rounded up.
const RUNTIME: f64 = 0.005;
/// What Lambda writes into the log of each invocation: START, END and REPORT, believed.
const REPORT: f64 = 400.0;
/// Long polls of an idle queue: five at a time, each of twenty seconds (Lambda developer guide, "Using Lambda with Amazon
/// SQS"; the twenty seconds are believed), of four queues.
const POLLS: u64 = 4 * 5 * 3 * MONTH;
/// The heartbeat of three functions, each five minutes; the sweep's own minute is among what is measured.
const HEARTBEATS: u64 = 3 * MONTH / 5;
/// About what an event of a read has in bytes, as it crosses Regions.
const EVENT: f64 = 1_500.0;

/// The alarms of the templates, which is what they would be with every optional one.
const RESPONDER: &str = include_str!("../../../../infra/responder.yaml");
const FORWARDER: &str = include_str!("../../../../infra/forwarder.yaml");

/// A line of the bill.
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) dollars: f64,
    /// Whether it grows with what happens.
    pub(super) varies: bool,
}

/// Everything that is used in a month, beside what is measured.
pub(super) struct Bill {
    pub(super) used: Used,
    pub(super) invocations: f64,
    pub(super) requests: f64,
    pub(super) alarms: u64,
    pub(super) metrics: f64,
    pub(super) lines: Vec<Line>,
}

impl Bill {
    /// Ours.
    pub(super) fn of(measured: &Measured) -> Self {
        let estate = &measured.estate;
        let used = measured.idle.plus(&measured.reads).plus(&measured.rotations);
        let invocations = used.invocations + float(HEARTBEATS);
        let requests = used.messages + float(POLLS + 3 * HEARTBEATS);
        let seconds = used.seconds + invocations * RUNTIME;
        let logged = used.logged + invocations * REPORT;
        let others = float(estate.regions - 1);
        let hops = float(estate.reads) * others / float(estate.regions);
        let alarms = count(RESPONDER) + (estate.regions - 1) * count(FORWARDER);
        let metrics = metrics(measured);
        let published = float(estate.pages) + 30.0;
        let call = |operation: &str| used.calls.get(operation).copied().unwrap_or_default();
        let secrets = call("ListSecrets") + call("DescribeSecret") + others * float(MONTH);
        let varying = [
            ("Lambda", price::REQUEST.of(invocations) + price::DURATION.of(seconds * MEMORY)),
            (
                "Ledger",
                price::WRITE.of(used.writes)
                    + price::READ_UNIT.of(used.units)
                    + price::STORED.of(used.stored),
            ),
            ("SQS: messages", price::MESSAGE.of(used.messages)),
            ("Events from other Regions", price::HOP.of(hops) + price::TRANSFER.of(hops * EVENT)),
            ("Logs", price::LOGS.of(logged)),
            ("Secrets Manager calls", price::SECRETS.of(secrets)),
            (
                "SNS and KMS requests",
                price::PUBLISH.of(published) + price::MAIL.of(published) + price::KMS.of(published * 3.0),
            ),
        ];
        let fixed = [
            ("SQS: idle polls and heartbeats", price::MESSAGE.of(requests - used.messages)),
            ("Alarms", price::ALARM.of(float(alarms))),
            ("Metrics", price::METRIC.of(metrics)),
            ("Dashboard and key", price::DASHBOARD.of(1.0) + price::KEY.of(1.0)),
        ];
        let line = |varies| move |(what, dollars)| Line { what, dollars, varies };
        let lines = varying.into_iter().map(line(true)).chain(fixed.into_iter().map(line(false)));
        let lines = lines.collect();
        Self { used, invocations, requests, alarms, metrics, lines }
    }

    pub(super) fn sum(&self, varies: bool) -> f64 {
        self.lines.iter().filter(|line| line.varies == varies).map(|line| line.dollars).sum()
    }
}

/// A design without queues, batches, memory and sweep: each read is an invocation with one write of one KB, and each of the
/// two events of a rotation lists and describes every service and every task definition, and redeploys every consumer.
pub(super) struct Naive {
    pub(super) invocations: f64,
    pub(super) writes: f64,
    pub(super) calls: f64,
    pub(super) deployments: f64,
    pub(super) seconds: f64,
    pub(super) dollars: f64,
}

impl Naive {
    pub(super) fn of(measured: &Measured) -> Self {
        let Estate { regions, clusters, services, secrets, reads, rotations, .. } = measured.estate;
        // Tasks that start read both secrets of their service, once for each deployment of each consumer.
        let events = float(2 * rotations);
        let deployments = events * float(2 * services) / float(secrets);
        let launched = deployments * 2.0 * 2.0;
        let listing = 1 + clusters.div_ceil(100) + 2 * clusters + services.div_ceil(10) + services;
        let calls = events * float(listing) + deployments;
        let invocations = float(reads) + launched + events;
        let writes = float(reads) + launched;
        // A call takes what it takes in the world that is measured: see `ports.rs`.
        let seconds = writes * 0.015 + calls * 0.15 + invocations * RUNTIME;
        let logged = invocations * (REPORT + 300.0);
        let hops = float(reads) * float(regions - 1) / float(regions);
        let dollars = price::REQUEST.of(invocations)
            + price::DURATION.of(seconds * MEMORY)
            + price::WRITE.of(writes)
            + price::LOGS.of(logged)
            + price::HOP.of(hops)
            + price::TRANSFER.of(hops * EVENT)
            + price::ECS.of(calls);
        Self { invocations, writes, calls, deployments, seconds, dollars }
    }
}

/// Metrics of our own on average of the hours: each is paid for in the hours in which it gets data. What a rotation writes lies
/// within half an hour (`measure.rs` lets it end), and so in two hours at most; a page is one of `PagesSent` and one of its incident.
fn metrics(measured: &Measured) -> f64 {
    let hours = float(MONTH / 60);
    let number = |metrics: &BTreeSet<String>| float(u64::try_from(metrics.len()).unwrap_or_default());
    let passing = float(2 * measured.estate.rotations).min(hours) * number(&measured.passing);
    number(&measured.steady) + (passing + 2.0 * float(measured.estate.pages)) / hours
}

fn count(template: &str) -> u64 {
    u64::try_from(template.matches("Type: AWS::CloudWatch::Alarm").count()).unwrap_or_default()
}
