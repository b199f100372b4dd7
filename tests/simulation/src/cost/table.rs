//! The document: what was measured, what it costs, what is beside it, and where the prices are from.

use std::fmt::Write as _;

use responder_core::rules::RulesError;

use super::bill::{Bill, Naive};
use super::estate::ESTATES;
use super::measure::{Measured, Used, measure};
use super::price::{ALL, READ};

/// The whole document, as Markdown.
///
/// # Errors
/// When the rules cannot be loaded.
pub fn document() -> Result<String, RulesError> {
    let measured = ESTATES.into_iter().map(measure).collect::<Result<Vec<Measured>, _>>()?;
    let bills: Vec<Bill> = measured.iter().map(Bill::of).collect();
    let naive: Vec<Naive> = measured.iter().map(Naive::of).collect();
    let mut out = HEAD.to_owned();
    table(&mut out, "a month", &estates());
    out.push_str(COSTS);
    table(&mut out, "US dollars a month", &costs(&bills, &naive));
    out.push_str(USES);
    table(&mut out, "a month", &uses(&measured, &bills));
    out.push_str(BY_CAUSE);
    table(&mut out, "one of them", &by_cause(&measured));
    out.push_str(NAIVE);
    table(&mut out, "a month", &naives(&naive));
    out.push_str(PRICES);
    prices(&mut out);
    Ok(out)
}

const HEAD: &str = "\
# What a month costs

Generated: `cargo run --profile simulation -p simulation --bin cost > infra/COST.md`; `cargo test --profile simulation -p simulation --test cost` fails if it is stale.

The engine that the functions run lives through stretches of these months, in [the simulation](../tests/simulation/src/cost/mod.rs): minutes or hours of reads, an hour and
a half of rotations, an hour and a half of nothing. What it uses is counted and scaled to 30 days of us-east-1, without free tiers and discounts.

";

const COSTS: &str = "
## Costs

";

const USES: &str = "
Without reads and rotations it costs what *fixed* says at most, and its sweeps. Not counted: the trail's bucket, which most accounts have; the storage of logs; Athena, when
somebody asks; and what the deployments themselves cost, which are the point of it.

## What is used

Measured, but for the lines with a star: those are counted from [the templates](README.md) and the schedules.

";

const BY_CAUSE: &str = "
## What causes it

";

const NAIVE: &str = "
## One invocation an event

The design that it is compared with has no queue, no batches, no memory, no sweep and no alarm. Each read is an invocation and a write of one KB; each of the two events
of a rotation lists and describes every service and every task definition, and redeploys every consumer. Calls take as long as in the simulation.

";

const PRICES: &str = "
It is the cheaper one, because it does less: nobody notices when it stops, its pages get lost when it is throttled, a lost event is never found, a service is redeployed
twice for a rotation, and one count for each caller knows neither secrets nor windows. Where little happens, what ours costs more is what watches over it. Queues and batches
save invocations and time; where callers are as spread out as here, a read is one write in either design. What ours costs more where much happens are its messages, and its memory:
queries of what the same caller did before. A burst is [cheaper](../ARCHITECTURE.md#decisions-worth-knowing): 1,000 reads by one caller are four or five writes.

## Assumptions

- Reads come from roles that read three secrets each, evenly in time. A role's reads in one batch share an item of the ledger, so that bursts are cheaper.
- A function has 256 MB. A call of the ledger takes 15 ms, of ECS 150 ms, of Secrets Manager and SNS 60 ms on average, and the rest of an invocation 5 ms: on the long side.
- Messages for `access` come at whole multiples of its batching window, ten at most in an invocation. Real pollers share them out, and batches are smaller.
- Each of the four queues is polled five times at once, for twenty seconds, also when it is empty (believed).
- A metric costs in the hours in which it gets data, and a zero is none. What heartbeats, sweeps and reads write counts for every hour, what only rotations write for two hours
  of each rotation, and a page is two metrics for an hour.
- Events of other Regions go home one by one, and no Region but home has services or rotations. A page is one mail.

## Prices

";

type Row = (String, [String; 3]);

fn row<T>(what: &str, from: &[T], value: impl Fn(&T) -> String) -> Row {
    let cell = |at: usize| from.get(at).map(&value).unwrap_or_default();
    (what.to_owned(), [cell(0), cell(1), cell(2)])
}

fn table(out: &mut String, corner: &str, rows: &[Row]) {
    let names = ESTATES.map(|estate| estate.name);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "| {corner} | {} |\n| --- | ---: | ---: | ---: |", names.join(" | "));
    for (what, cells) in rows {
        let _ = writeln!(out, "| {what} | {} |", cells.join(" | "));
    }
}

fn estates() -> Vec<Row> {
    let of = |what, value: fn(&super::Estate) -> u64| {
        row(what, &ESTATES, |estate| count(super::float(value(estate))))
    };
    vec![
        of("Regions", |estate| estate.regions),
        of("clusters", |estate| estate.clusters),
        of("services, with two secrets each", |estate| estate.services),
        of("secrets", |estate| estate.secrets),
        of("roles that read by themselves", |estate| estate.readers),
        of("their reads", |estate| estate.reads),
        of("rotations", |estate| estate.rotations),
        of("pages", |estate| estate.pages),
    ]
}

fn costs(bills: &[Bill], naive: &[Naive]) -> Vec<Row> {
    let mut rows = Vec::new();
    for varies in [true, false] {
        let lines = bills.first().into_iter().flat_map(|bill| &bill.lines);
        for line in lines.filter(|line| line.varies == varies) {
            let own = |bill: &Bill| {
                let own = bill.lines.iter().find(|own| own.what == line.what);
                own.map(|own| dollars(own.dollars)).unwrap_or_default()
            };
            rows.push(row(line.what, bills, own));
        }
        let what = if varies { "*varies with what happens*" } else { "*fixed*" };
        rows.push(row(what, bills, |bill| format!("*{}*", dollars(bill.sum(varies)))));
    }
    rows.push(row("**all**", bills, |bill| format!("**{}**", dollars(bill.sum(true) + bill.sum(false)))));
    rows.push(row("one invocation an event, watched by nothing", naive, |naive| dollars(naive.dollars)));
    let watched = ESTATES.iter().enumerate().map(|(at, _)| {
        let fixed = bills.get(at).map(|bill| bill.sum(false)).unwrap_or_default();
        fixed + naive.get(at).map(|naive| naive.dollars).unwrap_or_default()
    });
    let watched: Vec<f64> = watched.collect();
    rows.push(row("one invocation an event, watched as this is", &watched, |all| dollars(*all)));
    rows
}

fn uses(measured: &[Measured], bills: &[Bill]) -> Vec<Row> {
    let call = |what: &str, operation: &'static str| {
        row(what, bills, |bill| count(bill.used.calls.get(operation).copied().unwrap_or_default()))
    };
    let of = |what, value: fn(&Used) -> f64| row(what, bills, |bill| count(value(&bill.used)));
    vec![
        row("invocations, heartbeats included*", bills, |bill| count(bill.invocations)),
        of("seconds that they work, without the runtime", |used| used.seconds),
        of("requests to SQS for messages", |used| used.messages),
        row("requests to SQS in all*", bills, |bill| count(bill.requests)),
        of("write request units", |used| used.writes),
        of("read request units", |used| used.units),
        row("MB of ledger in the long run", bills, |bill| count(bill.used.stored / 1_048_576.0)),
        row("MB of logs, without Lambda's own lines", bills, |bill| count(bill.used.logged / 1_048_576.0)),
        call("`UpdateItem`", "UpdateItem"),
        call("`BatchGetItem`", "BatchGetItem"),
        call("`Query`", "Query"),
        call("`ListSecrets`, at home", "ListSecrets"),
        call("`DescribeSecret`", "DescribeSecret"),
        row("calls of ECS, which are free", bills, |bill| {
            let all = ECS.iter().filter_map(|operation| bill.used.calls.get(operation));
            count(all.sum())
        }),
        call("of these `UpdateService`: deployments", "UpdateService"),
        row("alarms*", bills, |bill| count(super::float(bill.alarms))),
        row("metrics of our own, on average of the hours*", bills, |bill| format!("{:.1}", bill.metrics)),
        row("reads of tasks that start, among the messages", measured, |one| {
            count(one.rotations.calls.get("UpdateService").copied().unwrap_or_default() * 4.0)
        }),
    ]
}

const ECS: [&str; 5] =
    ["ListClusters", "ListServices", "DescribeServices", "DescribeTaskDefinition", "UpdateService"];

fn by_cause(measured: &[Measured]) -> Vec<Row> {
    let part = |what: &str, value: &dyn Fn(&Measured) -> f64| {
        row(what, measured, |one| format!("{:.2}", value(one)))
    };
    let sweeps = super::float(super::estate::MONTH);
    let reads = |one: &Measured| super::float(one.estate.reads);
    let rotations = |one: &Measured| super::float(one.estate.rotations);
    vec![
        part("read: invocations", &|one| one.reads.invocations / reads(one)),
        part("read: milliseconds", &|one| one.reads.seconds * 1_000.0 / reads(one)),
        part("read: write request units", &|one| one.reads.writes / reads(one)),
        part("read: read request units", &|one| one.reads.units / reads(one)),
        part("rotation: invocations", &|one| one.rotations.invocations / rotations(one)),
        part("rotation: seconds", &|one| one.rotations.seconds / rotations(one)),
        part("rotation: write request units", &|one| one.rotations.writes / rotations(one)),
        part("rotation: read request units", &|one| one.rotations.units / rotations(one)),
        part("sweep: milliseconds", &|one| one.idle.seconds * 1_000.0 / sweeps),
        part("sweep: read request units", &|one| one.idle.units / sweeps),
    ]
}

fn naives(naive: &[Naive]) -> Vec<Row> {
    let of = |what, value: fn(&Naive) -> f64| row(what, naive, |naive| count(value(naive)));
    vec![
        of("invocations", |naive| naive.invocations),
        of("seconds that they work", |naive| naive.seconds),
        of("write request units", |naive| naive.writes),
        of("calls of ECS", |naive| naive.calls),
        of("deployments", |naive| naive.deployments),
    ]
}

fn prices(out: &mut String) {
    let _ = writeln!(
        out,
        "Of us-east-1, read on {READ} in stored copies of 2025 and 2026; what has no source is believed. AWS's own pages are what counts; most show\nfigures by script, and copies of them have none.\n"
    );
    out.push_str("| of | US dollars | for a | from |\n| --- | ---: | --- | --- |\n");
    for price in ALL {
        let source = price.source.map_or("believed".to_owned(), |source| format!("<{source}>"));
        let _ = writeln!(out, "| {} | {} | {} | {source} |", price.what, price.dollars, price.unit);
    }
}

/// Three digits that mean something, with commas.
fn count(value: f64) -> String {
    let digits = value.abs().max(1.0).log10().floor().max(0.0);
    let step = 10_f64.powf((digits - 2.0).max(0.0));
    let whole = format!("{:.0}", (value / step).round() * step);
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn dollars(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_three_digits_that_mean_something() {
        let shown = [0.0, 7.4, 999.0, 1_234.0, 43_250.0, 12_345_678.0].map(count);
        assert_eq!(shown, ["0", "7", "999", "1,230", "43,300", "12,300,000"]);
    }
}
