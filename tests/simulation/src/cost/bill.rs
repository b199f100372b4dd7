//! From what an estate uses to what it costs: ours, and a design that answers each event by itself.

use super::estate::{CostEstate, MONTH_MINUTES};
use super::measure::{MeasuredMonth, MonthlyUsage};
use super::numbers::to_float;
use super::price;

/// The memory of a function (`MemoryMegabytes`), in GB.
const FUNCTION_MEMORY_GB: f64 = 0.25;
/// The runtime's time of each invocation beside our calls, in seconds: some milliseconds as `tests/cold-start` measures
/// them, rounded up.
const RUNTIME_SECS: f64 = 0.005;
/// The bytes that Lambda writes into the log of each invocation: START, END and REPORT, believed.
const REPORT_BYTES: f64 = 400.0;
/// Long polls of an idle queue: five at a time, each of twenty seconds (Lambda developer guide, "Using Lambda with Amazon
/// SQS"; the twenty seconds are believed), of four queues.
const MONTHLY_POLLS: u64 = 4 * 5 * 3 * MONTH_MINUTES;
/// The heartbeats of three functions, each five minutes; the sweep's own minute is among what is measured.
const MONTHLY_HEARTBEATS: u64 = 3 * MONTH_MINUTES / 5;
/// About the bytes of a read's event, as it crosses Regions.
const EVENT_BYTES: f64 = 1_500.0;
/// How many mails of the daily summary there are in a month.
const MONTHLY_SUMMARIES: f64 = 30.0;

/// The templates with the alarms, as if every optional one were wanted.
const RESPONDER_TEMPLATE: &str = include_str!("../../../../infra/responder.yaml");
const FORWARDER_TEMPLATE: &str = include_str!("../../../../infra/forwarder.yaml");

/// A line of a bill.
pub(super) struct BillLine {
    pub(super) item: &'static str,
    pub(super) dollars: f64,
    /// Whether it grows with what happens.
    pub(super) varies: bool,
}

/// Everything that is used in a month, and what it costs.
pub(super) struct MonthlyBill {
    pub(super) usage: MonthlyUsage,
    pub(super) invocations: f64,
    pub(super) requests: f64,
    pub(super) alarms: u64,
    pub(super) metrics: f64,
    pub(super) lines: Vec<BillLine>,
}

impl MonthlyBill {
    /// The bill of our design.
    pub(super) fn new(month: &MeasuredMonth) -> Self {
        let estate = &month.estate;
        let usage = month.idle.plus(&month.reads).plus(&month.rotations);
        let mut bill = Self {
            invocations: usage.invocations + to_float(MONTHLY_HEARTBEATS),
            requests: usage.messages + to_float(MONTHLY_POLLS + 3 * MONTHLY_HEARTBEATS),
            alarms: count_alarms(RESPONDER_TEMPLATE)
                + (estate.regions - 1) * count_alarms(FORWARDER_TEMPLATE),
            metrics: average_metrics(month),
            lines: Vec::new(),
            usage,
        };
        bill.add_varying_lines(estate);
        bill.add_fixed_lines();
        bill
    }

    fn add_line(&mut self, item: &'static str, dollars: f64, varies: bool) {
        self.lines.push(BillLine { item, dollars, varies });
    }

    fn add_varying_lines(&mut self, estate: &CostEstate) {
        let usage = &self.usage;
        let seconds = usage.seconds + self.invocations * RUNTIME_SECS;
        let logged = usage.log_bytes + self.invocations * REPORT_BYTES;
        let other_regions = to_float(estate.regions - 1);
        let hops = to_float(estate.reads) * other_regions / to_float(estate.regions);
        let published = to_float(estate.pages) + MONTHLY_SUMMARIES;
        let secrets_calls = self.count_calls("ListSecrets")
            + self.count_calls("DescribeSecret")
            + other_regions * to_float(MONTH_MINUTES);
        let functions =
            price::REQUEST.times(self.invocations) + price::DURATION.times(seconds * FUNCTION_MEMORY_GB);
        let ledger = price::WRITE.times(usage.write_units)
            + price::READ_UNIT.times(usage.read_units)
            + price::STORED.times(usage.stored_bytes);
        let messages = price::MESSAGE.times(usage.messages);
        let regions = price::HOP.times(hops) + price::TRANSFER.times(hops * EVENT_BYTES);
        let publishing = price::PUBLISH.times(published)
            + price::MAIL.times(published)
            + price::KMS.times(published * 3.0);
        self.add_line("Lambda", functions, true);
        self.add_line("Ledger", ledger, true);
        self.add_line("SQS: messages", messages, true);
        self.add_line("Events from other Regions", regions, true);
        self.add_line("Logs", price::LOGS.times(logged), true);
        self.add_line("Secrets Manager calls", price::SECRETS.times(secrets_calls), true);
        self.add_line("SNS and KMS requests", publishing, true);
    }

    fn add_fixed_lines(&mut self) {
        let idle_requests = self.requests - self.usage.messages;
        self.add_line("SQS: idle polls and heartbeats", price::MESSAGE.times(idle_requests), false);
        self.add_line("Alarms", price::ALARM.times(to_float(self.alarms)), false);
        self.add_line("Metrics", price::METRIC.times(self.metrics), false);
        let dashboard_and_key = price::DASHBOARD.times(1.0) + price::KEY.times(1.0);
        self.add_line("Dashboard and key", dashboard_and_key, false);
    }

    /// How often an operation is called in a month.
    pub(super) fn count_calls(&self, operation: &str) -> f64 {
        self.usage.calls.get(operation).copied().unwrap_or_default()
    }

    /// The sum of the lines that vary with what happens, or of those that do not.
    pub(super) fn sum_lines(&self, varies: bool) -> f64 {
        let lines = self.lines.iter().filter(|line| line.varies == varies);
        lines.map(|line| line.dollars).sum()
    }

    /// The price of an item of the bill.
    pub(super) fn find_dollars(&self, item: &str) -> Option<f64> {
        let line = self.lines.iter().find(|line| line.item == item)?;
        Some(line.dollars)
    }
}

/// The bill of a design without queues, batches, memory and sweep: each read is an invocation with one write of one KB, and
/// each of the two events of a rotation lists and describes every service and every task definition, and redeploys every
/// consumer.
pub(super) struct NaiveBill {
    pub(super) invocations: f64,
    pub(super) writes: f64,
    pub(super) calls: f64,
    pub(super) deployments: f64,
    pub(super) seconds: f64,
    pub(super) dollars: f64,
}

/// How long calls of the ledger and of ECS take, as in the simulation's `cloud/port.rs`.
const LEDGER_CALL_SECS: f64 = 0.015;
const ECS_CALL_SECS: f64 = 0.15;

impl NaiveBill {
    pub(super) fn new(month: &MeasuredMonth) -> Self {
        let CostEstate { regions, clusters, services, secrets, reads, rotations, .. } = month.estate;
        // Tasks that start read both secrets of their service, once for each deployment of each consumer.
        let events = to_float(2 * rotations);
        let deployments = events * to_float(2 * services) / to_float(secrets);
        let launch_reads = deployments * 2.0 * 2.0;
        let listing = 1 + clusters.div_ceil(100) + 2 * clusters + services.div_ceil(10) + services;
        let calls = events * to_float(listing) + deployments;
        let invocations = to_float(reads) + launch_reads + events;
        let writes = to_float(reads) + launch_reads;
        let seconds = writes * LEDGER_CALL_SECS + calls * ECS_CALL_SECS + invocations * RUNTIME_SECS;
        let logged = invocations * (REPORT_BYTES + 300.0);
        let hops = to_float(reads) * to_float(regions - 1) / to_float(regions);
        let dollars = price::REQUEST.times(invocations)
            + price::DURATION.times(seconds * FUNCTION_MEMORY_GB)
            + price::WRITE.times(writes)
            + price::LOGS.times(logged)
            + price::HOP.times(hops)
            + price::TRANSFER.times(hops * EVENT_BYTES)
            + price::ECS.times(calls);
        Self { invocations, writes, calls, deployments, seconds, dollars }
    }
}

/// Metrics of our own on average of the hours: each is paid for in the hours in which it gets data. The metrics of a rotation lie
/// within half an hour (`measure.rs` lets it end), and so in two hours at most; a page is one of `PagesSent` and one of its incident.
fn average_metrics(month: &MeasuredMonth) -> f64 {
    let hours = to_float(MONTH_MINUTES / 60);
    let steady = to_float(u64::try_from(month.steady_metrics.len()).unwrap_or_default());
    let passing = to_float(u64::try_from(month.passing_metrics.len()).unwrap_or_default());
    let rotating_hours = to_float(2 * month.estate.rotations).min(hours);
    steady + (rotating_hours * passing + 2.0 * to_float(month.estate.pages)) / hours
}

fn count_alarms(template: &str) -> u64 {
    u64::try_from(template.matches("Type: AWS::CloudWatch::Alarm").count()).unwrap_or_default()
}
