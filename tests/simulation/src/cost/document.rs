//! The document: what was measured, what it costs, the design that it is compared with, and the sources of the prices.

use std::fmt::Write as _;

use responder_core::rules::RulesError;

use super::bill::{MonthlyBill, NaiveBill};
use super::estate::{COST_ESTATES, CostEstate, MONTH_MINUTES};
use super::measure::{MeasuredMonth, measure_month};
use super::numbers::to_float;
use super::price::{ALL_PRICES, READ_ON};

/// The whole document, as Markdown.
///
/// # Errors
///
/// If the rules cannot be loaded.
pub fn write_document() -> Result<String, RulesError> {
    let mut months = Vec::new();
    for estate in COST_ESTATES {
        months.push(measure_month(estate)?);
    }
    let bills: Vec<MonthlyBill> = months.iter().map(MonthlyBill::new).collect();
    let naive: Vec<NaiveBill> = months.iter().map(NaiveBill::new).collect();
    let mut out = HEAD.to_owned();
    write_table(&mut out, "a month", &list_estates());
    out.push_str(COSTS);
    write_table(&mut out, "US dollars a month", &list_costs(&bills, &naive));
    out.push_str(USES);
    write_table(&mut out, "a month", &list_uses(&months, &bills));
    out.push_str(BY_CAUSE);
    write_table(&mut out, "one of them", &list_causes(&months));
    out.push_str(NAIVE);
    write_table(&mut out, "a month", &list_naive_uses(&naive));
    out.push_str(PRICES);
    write_prices(&mut out);
    Ok(out)
}

const HEAD: &str = "\
# What a month costs

Generated: `cargo run --profile simulation -p simulation --bin cost > infra/COST.md`; `cargo test --profile simulation -p simulation --test cost` fails if it is stale.

The engine that the functions run is run through stretches of these months, in [the simulation](../tests/simulation/src/cost.rs): minutes or hours of reads, an hour and
a half of rotations, an hour and a half of nothing. Its use is counted and scaled to 30 days of us-east-1, without free tiers and discounts.

";

const COSTS: &str = "
## Costs

";

const USES: &str = "
Without reads and rotations the responder costs at most the line *fixed*, and its sweeps. Not counted: the trail's bucket, which most accounts have; the storage of logs;
Athena, when somebody asks; and the deployments themselves, which are the point of it.

## Use

Measured, but for the lines with a star: those are counted from [the templates](README.md) and the schedules.

";

const BY_CAUSE: &str = "
## Use by cause

";

const NAIVE: &str = "
## One invocation an event

The design for comparison has no queue, no batches, no memory, no sweep and no alarm. Each read is an invocation and a write of one KB; each of the two events
of a rotation lists and describes every service and every task definition, and redeploys every consumer. Calls take as long as in the simulation.

";

const PRICES: &str = "
It is the cheaper design, because it does less: nothing notices when it stops, its pages get lost when it is throttled, a lost event is never found, a service is redeployed
twice for a rotation, and one count for each caller knows neither secrets nor windows. In a small estate, the difference is the price of what watches over the responder. Queues
and batches save invocations and time; where callers are as spread out as here, a read is one write in either design. In a large estate, the difference is the price of messages
and of memory: queries of what the same caller did before. A burst is [cheaper](../handlers/README.md#storage-of-observations): 1,000 reads by one caller are four or five writes.

## Assumptions

- Reads come from roles that read three secrets each, evenly in time. A role's reads in one batch share an item of the ledger, so that bursts are cheaper.
- A function has 256 MB. A call of the ledger takes 15 ms, of ECS 150 ms, of Secrets Manager and SNS 60 ms on average, and the rest of an invocation 5 ms: on the long side.
- Messages for `access` come at whole multiples of its batching window, ten at most in an invocation. Real pollers share them out, and batches are smaller.
- Each of the four queues is polled five times at once, for twenty seconds, also when it is empty (believed).
- A metric costs in the hours in which it gets data, and a zero is none. Metrics of heartbeats, sweeps and reads count for every hour, those of rotations alone for two hours
  of each rotation, and a page is two metrics for an hour.
- Events of other Regions go home one by one, and no Region but home has services or rotations. A page is one mail.

## Prices

";

/// A row: its heading, and a cell for each estate.
type TableRow = (String, [String; 3]);

/// A row whose cells are made from one value for each estate.
fn make_row<T>(heading: &str, values: &[T], write_cell: impl Fn(&T) -> String) -> TableRow {
    let mut cells = <[String; 3]>::default();
    for (cell, value) in cells.iter_mut().zip(values) {
        *cell = write_cell(value);
    }
    (heading.to_owned(), cells)
}

fn write_table(out: &mut String, corner: &str, rows: &[TableRow]) {
    let names = COST_ESTATES.map(|estate| estate.name);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "| {corner} | {} |\n| --- | ---: | ---: | ---: |", names.join(" | "));
    for (heading, cells) in rows {
        let _ = writeln!(out, "| {heading} | {} |", cells.join(" | "));
    }
}

/// A row of figures: its heading, and how to get the figure of an estate.
type FigureRow<T, N> = (&'static str, fn(&T) -> N);

fn list_estates() -> Vec<TableRow> {
    let figures: [FigureRow<CostEstate, u64>; 8] = [
        ("Regions", |estate| estate.regions),
        ("clusters", |estate| estate.clusters),
        ("services, with two secrets each", |estate| estate.services),
        ("secrets", |estate| estate.secrets),
        ("roles that read by themselves", |estate| estate.readers),
        ("their reads", |estate| estate.reads),
        ("rotations", |estate| estate.rotations),
        ("pages", |estate| estate.pages),
    ];
    let mut rows = Vec::new();
    for (heading, count) in figures {
        rows.push(make_row(heading, &COST_ESTATES, |estate| write_count(to_float(count(estate)))));
    }
    rows
}

fn list_costs(bills: &[MonthlyBill], naive: &[NaiveBill]) -> Vec<TableRow> {
    let mut rows = Vec::new();
    let Some(first) = bills.first() else { return rows };
    for varies in [true, false] {
        for line in &first.lines {
            if line.varies == varies {
                let item = line.item;
                rows.push(make_row(item, bills, |bill| {
                    bill.find_dollars(item).map(write_dollars).unwrap_or_default()
                }));
            }
        }
        let heading = if varies { "*varies with what happens*" } else { "*fixed*" };
        rows.push(make_row(heading, bills, |bill| format!("*{}*", write_dollars(bill.sum_lines(varies)))));
    }
    rows.push(make_row("**all**", bills, |bill| {
        format!("**{}**", write_dollars(bill.sum_lines(true) + bill.sum_lines(false)))
    }));
    rows.push(make_row("one invocation an event, watched by nothing", naive, |bill| {
        write_dollars(bill.dollars)
    }));
    let mut watched = Vec::new();
    for (bill, naive) in bills.iter().zip(naive) {
        watched.push(bill.sum_lines(false) + naive.dollars);
    }
    rows.push(make_row("one invocation an event, watched as the responder is", &watched, |dollars| {
        write_dollars(*dollars)
    }));
    rows
}

/// The operations of ECS.
const ECS_OPERATIONS: [&str; 5] =
    ["ListClusters", "ListServices", "DescribeServices", "DescribeTaskDefinition", "UpdateService"];
/// The other operations, each with its heading.
const OPERATIONS: [(&str, &str); 5] = [
    ("`UpdateItem`", "UpdateItem"),
    ("`BatchGetItem`", "BatchGetItem"),
    ("`Query`", "Query"),
    ("`ListSecrets`, at home", "ListSecrets"),
    ("`DescribeSecret`", "DescribeSecret"),
];
const BYTES_PER_MB: f64 = 1_048_576.0;

fn list_uses(months: &[MeasuredMonth], bills: &[MonthlyBill]) -> Vec<TableRow> {
    let figures: [FigureRow<MonthlyBill, f64>; 8] = [
        ("invocations, heartbeats included*", |bill| bill.invocations),
        ("seconds that they work, without the runtime", |bill| bill.usage.seconds),
        ("requests to SQS for messages", |bill| bill.usage.messages),
        ("requests to SQS in all*", |bill| bill.requests),
        ("write request units", |bill| bill.usage.write_units),
        ("read request units", |bill| bill.usage.read_units),
        ("MB of ledger in the long run", |bill| bill.usage.stored_bytes / BYTES_PER_MB),
        ("MB of logs, without Lambda's own lines", |bill| bill.usage.log_bytes / BYTES_PER_MB),
    ];
    let mut rows = Vec::new();
    for (heading, measure) in figures {
        rows.push(make_row(heading, bills, |bill| write_count(measure(bill))));
    }
    for (heading, operation) in OPERATIONS {
        rows.push(make_row(heading, bills, |bill| write_count(bill.count_calls(operation))));
    }
    rows.push(make_row("calls of ECS, which are free", bills, |bill| {
        write_count(ECS_OPERATIONS.iter().map(|operation| bill.count_calls(operation)).sum())
    }));
    rows.push(make_row("of these `UpdateService`: deployments", bills, |bill| {
        write_count(bill.count_calls("UpdateService"))
    }));
    rows.push(make_row("alarms*", bills, |bill| write_count(to_float(bill.alarms))));
    rows.push(make_row("metrics of our own, on average of the hours*", bills, |bill| {
        format!("{:.1}", bill.metrics)
    }));
    rows.push(make_row("reads of tasks that start, among the messages", months, |month| {
        let deployments = month.rotations.calls.get("UpdateService").copied().unwrap_or_default();
        // Two tasks with two secrets each.
        write_count(deployments * 4.0)
    }));
    rows
}

fn list_causes(months: &[MeasuredMonth]) -> Vec<TableRow> {
    let figures: [FigureRow<MeasuredMonth, f64>; 10] = [
        ("read: invocations", |month| month.reads.invocations / count_reads(month)),
        ("read: milliseconds", |month| month.reads.seconds * 1_000.0 / count_reads(month)),
        ("read: write request units", |month| month.reads.write_units / count_reads(month)),
        ("read: read request units", |month| month.reads.read_units / count_reads(month)),
        ("rotation: invocations", |month| month.rotations.invocations / count_rotations(month)),
        ("rotation: seconds", |month| month.rotations.seconds / count_rotations(month)),
        ("rotation: write request units", |month| month.rotations.write_units / count_rotations(month)),
        ("rotation: read request units", |month| month.rotations.read_units / count_rotations(month)),
        ("sweep: milliseconds", |month| month.idle.seconds * 1_000.0 / to_float(MONTH_MINUTES)),
        ("sweep: read request units", |month| month.idle.read_units / to_float(MONTH_MINUTES)),
    ];
    let mut rows = Vec::new();
    for (heading, measure) in figures {
        rows.push(make_row(heading, months, |month| format!("{:.2}", measure(month))));
    }
    rows
}

fn count_reads(month: &MeasuredMonth) -> f64 {
    to_float(month.estate.reads)
}

fn count_rotations(month: &MeasuredMonth) -> f64 {
    to_float(month.estate.rotations)
}

fn list_naive_uses(naive: &[NaiveBill]) -> Vec<TableRow> {
    let figures: [FigureRow<NaiveBill, f64>; 5] = [
        ("invocations", |bill| bill.invocations),
        ("seconds that they work", |bill| bill.seconds),
        ("write request units", |bill| bill.writes),
        ("calls of ECS", |bill| bill.calls),
        ("deployments", |bill| bill.deployments),
    ];
    let mut rows = Vec::new();
    for (heading, measure) in figures {
        rows.push(make_row(heading, naive, |bill| write_count(measure(bill))));
    }
    rows
}

fn write_prices(out: &mut String) {
    let _ = writeln!(
        out,
        "Of us-east-1, read on {READ_ON} in stored copies of 2025 and 2026; a price without a source is believed. AWS's own pages are what counts; most show\nfigures by script, and copies of them have none.\n"
    );
    out.push_str("| of | US dollars | for a | from |\n| --- | ---: | --- | --- |\n");
    for price in ALL_PRICES {
        let source = match price.source {
            Some(source) => format!("<{source}>"),
            None => "believed".to_owned(),
        };
        let _ = writeln!(out, "| {} | {} | {} | {source} |", price.product, price.dollars, price.unit);
    }
}

/// Three significant digits, with commas.
fn write_count(value: f64) -> String {
    let digits = value.abs().max(1.0).log10().floor().max(0.0);
    let step = 10_f64.powf((digits - 2.0).max(0.0));
    let whole = format!("{:.0}", (value / step).round() * step);
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn write_dollars(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_three_significant_digits() {
        let written = [0.0, 7.4, 999.0, 1_234.0, 43_250.0, 12_345_678.0].map(write_count);
        assert_eq!(written, ["0", "7", "999", "1,230", "43,300", "12,300,000"]);
    }
}
