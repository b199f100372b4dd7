//! What discovery costs in an account with thousands of services: `cargo bench -p simulation --bench discovery`.
//!
//! The engine answers rotations as the function does, in front of a fleet in memory in which every call takes 10 ms. It
//! only says what it would redeploy, so that every run finds the same fleet. Time is that of the fleet's clock; the last
//! column is what this machine computed meanwhile.

#![expect(clippy::disallowed_methods, reason = "what this machine computed is no time of the fleet's")]

#[path = "../tests/engine/fleet.rs"]
mod fleet;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

use fleet::build_fleet;
use responder_core::rules::{Handler, builtin};
use responder_core::settings::{ResponseMode, Settings};
use responder_core::time::{Span, Timestamp};
use responder_engine::{Engine, Invocation};
use simulation::cloud::{SimulatedCloud, SimulatedPort};

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
    let cloud = build_fleet(sizes, REVISIONS, SECRETS, Span::from_millis(10));
    cloud.with_state(|state| state.skips_sleeps = !waits);
    let how = if waits { "paced" } else { "unpaced" };
    let mut first = BenchProcess::new(&cloud);
    let changed = cloud.now().minus(Span::from_secs(1));
    first.print_row(how, "cold", &[&[0]], changed);
    cloud.pass(Span::from_secs(60));
    first.print_row(how, "warm, another secret", &[&[1]], changed);
    cloud.pass(Span::from_secs(60));
    let storm: Vec<Vec<usize>> =
        (0..10).map(|batch| (0..10).map(|n| 10 + batch * 10 + n).collect()).collect();
    let storm: Vec<&[usize]> = storm.iter().map(Vec::as_slice).collect();
    first.print_row(how, "warm, 100 secrets in 10 batches", &storm, changed);
    let changed = cloud.now().minus(Span::from_secs(1));
    BenchProcess::new(&cloud).print_row(how, "another process", &[&[0]], changed);
}

/// A process that knows nothing yet.
struct BenchProcess {
    cloud: Rc<SimulatedCloud>,
    engine: Engine<SimulatedPort>,
    /// The services that it described.
    described: BTreeSet<String>,
}

/// The operations of the columns, in their order; the last three are those of the ledger.
const OPERATIONS: [&str; 7] = [
    "ListClusters",
    "ListServices",
    "DescribeServices",
    "DescribeTaskDefinition",
    "BatchGetItem",
    "UpdateItem",
    "Query",
];

impl BenchProcess {
    fn new(cloud: &Rc<SimulatedCloud>) -> Self {
        let settings =
            Settings { mode: ResponseMode::Notify, settle_delay: Span::default(), ..Settings::default() };
        let Ok(rules) = builtin() else { unreachable!("a test of the core loads them") };
        let port = SimulatedPort::new(cloud, 1);
        let engine = Engine::new(port, Handler::Rotation, rules, settings, LEASE);
        Self { cloud: Rc::clone(cloud), engine, described: BTreeSet::new() }
    }

    fn print_row(&mut self, how: &str, what: &str, batches: &[&[usize]], changed: Timestamp) {
        let before = OPERATIONS.map(|operation| self.cloud.count_calls(operation));
        let throttled = self.cloud.with_ecs(|ecs| ecs.count_throttled());
        self.cloud.take_journal();
        let (start, began) = (self.cloud.now(), Instant::now());
        for (number, batch) in batches.iter().enumerate() {
            let events: Vec<String> = batch.iter().map(|secret| event(*secret, changed)).collect();
            let texts: Vec<&str> = events.iter().map(String::as_str).collect();
            let invocation = Invocation {
                until: self.cloud.now().plus(LEASE),
                owner: format!("{what} {number}"),
                account: "111122223333".to_owned(),
                function_arn: String::new(),
                keeps_facts: false,
            };
            self.cloud.run_to_end(self.engine.process_batch(&invocation, &texts));
        }
        let took = self.cloud.now().millis() - start.millis();
        let mut again = 0;
        for services in self.cloud.take_journal().described {
            let new = services.into_iter().filter(|arn| self.described.insert(arn.clone())).count();
            again += u64::from(new == 0);
        }
        let mut made = OPERATIONS.map(|operation| self.cloud.count_calls(operation));
        for (count, before) in made.iter_mut().zip(before) {
            *count -= before;
        }
        let [clusters, lists, describes, revisions, gets, updates, queries] = made;
        let ledger = gets + updates + queries;
        println!(
            "  {how:<8}{what:<32}{clusters:>8}{lists:>7}{:>11}{revisions:>11}{again:>7}  |{ledger:>7}  |{:>10} |{:>5}.{} s |{:>6} ms",
            describes - again,
            self.cloud.with_ecs(|ecs| ecs.count_throttled()) - throttled,
            took / 1_000,
            took % 1_000 / 100,
            began.elapsed().as_millis(),
        );
    }
}

/// A rotation of a secret succeeded.
fn event(secret: usize, at: Timestamp) -> String {
    let arn = fleet::secret_arn(secret);
    format!(
        r#"{{"source":"aws.secretsmanager","detail-type":"AWS Service Event via CloudTrail",
        "account":"111122223333","region":"us-west-2","time":"{at}","detail":{{
        "eventSource":"secretsmanager.amazonaws.com","eventName":"RotationSucceeded","awsRegion":"us-west-2",
        "eventTime":"{at}","eventID":"rotation-{secret}","eventType":"AwsServiceEvent",
        "recipientAccountId":"111122223333","additionalEventData":{{"SecretId":"{arn}"}}}}}}"#
    )
}
