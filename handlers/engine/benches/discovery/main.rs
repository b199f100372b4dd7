//! What discovery costs in an account with thousands of services: `cargo bench -p responder-engine --bench discovery`.
//!
//! The engine answers rotations as the function does, in front of a fleet in memory in which every call takes 10 ms. It
//! only says what it would redeploy, so that every run finds the same fleet. Time is that of the fleet's clock; the last
//! column is what this machine computed meanwhile.

#![expect(clippy::disallowed_macros, reason = "a bench prints for people")]
#![expect(clippy::disallowed_methods, reason = "what this machine computed is no time of the fleet's")]

mod fleet;

use std::collections::BTreeMap;
use std::time::Instant;

use fleet::{AGAIN, Fleet};
use responder_core::rules::{Handler, builtin};
use responder_core::settings::{ResponseMode, Settings};
use responder_core::time::{Span, Timestamp};
use responder_engine::port::AwsPort as _;
use responder_engine::{Engine, Invocation};

const REVISIONS: usize = 3_000;
const SECRETS: usize = 300;
/// As long as an invocation may last.
const LEASE: Span = Span::from_secs(900);

fn main() {
    println!("One process learns of rotations; then another one, which has nothing but the ledger.");
    println!(
        "`unpaced` ignores the pace that the engine keeps: what ECS would throttle then is in its column.\n"
    );
    for (title, sizes) in [
        ("5,000 services in 20 clusters of 120 and 20 of 130", [[120; 20], [130; 20]].concat()),
        ("5,000 services in 40 clusters of 125", vec![125; 40]),
    ] {
        println!("{title}, {REVISIONS} revisions");
        let lists: usize = sizes.iter().map(|size: &usize| size.div_ceil(100)).sum();
        let describes: usize = sizes.iter().map(|size: &usize| size.div_ceil(10)).sum();
        println!(
            "  fewest calls: 1 ListClusters, {lists} ListServices, {describes} DescribeServices, {REVISIONS} revisions"
        );
        println!("  {HEAD}");
        for waits in [false, true] {
            table(&sizes, waits);
        }
        println!();
    }
    println!(
        "DescribeServices takes 10 services of one cluster: a cluster of 125 costs 13 calls, two of 120 and 130 cost 25."
    );
    println!(
        "again: DescribeServices of those that use the secret, right before acting, where the first look is older than 5 s."
    );
}

const HEAD: &str = "                                        clusters  lists  describes  revisions  again  | ledger  | throttled |   time | computed";

fn table(sizes: &[usize], waits: bool) {
    let mut fleet = Fleet::of(sizes, REVISIONS, SECRETS);
    fleet.latency = Span::from_millis(10);
    fleet.waits = waits;
    let how = if waits { "paced" } else { "unpaced" };
    let first = process(fleet);
    let changed = first.aws.now().minus(Span::from_secs(1));
    row(&first, how, "cold", &[&[0]], changed);
    minute(&first);
    row(&first, how, "warm, another secret", &[&[1]], changed);
    minute(&first);
    let storm: Vec<Vec<usize>> =
        (0..10).map(|batch| (0..10).map(|n| 10 + batch * 10 + n).collect()).collect();
    let storm: Vec<&[usize]> = storm.iter().map(Vec::as_slice).collect();
    row(&first, how, "warm, 100 secrets in 10 batches", &storm, changed);
    let second = process(first.aws);
    row(&second, how, "another process", &[&[0]], second.aws.now().minus(Span::from_secs(1)));
}

/// A process that knows nothing yet.
fn process(fleet: Fleet) -> Engine<Fleet> {
    fleet.described.borrow_mut().clear();
    let settings =
        Settings { mode: ResponseMode::Notify, settle_delay: Span::default(), ..Settings::default() };
    let Ok(rules) = builtin() else { unreachable!("a test of the core loads them") };
    Engine::new(fleet, Handler::Rotation, rules, settings, LEASE)
}

fn minute(engine: &Engine<Fleet>) {
    let fleet = &engine.aws;
    fleet.block_on(fleet.sleep(Span::from_secs(60)));
}

fn row(engine: &Engine<Fleet>, how: &str, what: &str, batches: &[&[usize]], changed: Timestamp) {
    let fleet = &engine.aws;
    let (calls, throttled) = (fleet.calls.borrow().clone(), fleet.throttled.get());
    let (start, began) = (fleet.now(), Instant::now());
    for (number, batch) in batches.iter().enumerate() {
        let events: Vec<String> = batch.iter().map(|secret| event(*secret, changed)).collect();
        let texts: Vec<&str> = events.iter().map(String::as_str).collect();
        let turn = Invocation {
            until: fleet.now().plus(LEASE),
            owner: format!("{what} {number}"),
            account: "111122223333".to_owned(),
            keeps_facts: false,
        };
        fleet.block_on(engine.process_batch(&turn, &texts));
    }
    let took = fleet.now().millis() - start.millis();
    let made: BTreeMap<&str, usize> = fleet
        .calls
        .borrow()
        .iter()
        .map(|(operation, count)| (*operation, count - calls.get(operation).unwrap_or(&0)))
        .collect();
    let of = |operation| made.get(operation).copied().unwrap_or_default();
    let ledger = of("BatchGetItem") + of("UpdateItem") + of("Query");
    println!(
        "  {how:<8}{what:<32}{:>8}{:>7}{:>11}{:>11}{:>7}  |{ledger:>7}  |{:>10} |{:>5}.{} s |{:>6} ms",
        of("ListClusters"),
        of("ListServices"),
        of("DescribeServices") - of(AGAIN),
        of("DescribeTaskDefinition"),
        of(AGAIN),
        fleet.throttled.get() - throttled,
        took / 1_000,
        took % 1_000 / 100,
        began.elapsed().as_millis(),
    );
}

/// A rotation of a secret succeeded.
fn event(secret: usize, at: Timestamp) -> String {
    let arn = fleet::secret(secret);
    format!(
        r#"{{"source":"aws.secretsmanager","detail-type":"AWS Service Event via CloudTrail",
        "account":"111122223333","region":"us-west-2","time":"{at}","detail":{{
        "eventSource":"secretsmanager.amazonaws.com","eventName":"RotationSucceeded","awsRegion":"us-west-2",
        "eventTime":"{at}","eventID":"rotation-{secret}","eventType":"AwsServiceEvent",
        "recipientAccountId":"111122223333","additionalEventData":{{"SecretId":"{arn}"}}}}}}"#
    )
}
