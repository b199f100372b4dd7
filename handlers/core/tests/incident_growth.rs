//! The growth of an incident: each step of it is paged once, under one key, in any order of events.

// long: the made-up calls below serve each property of growth.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use responder_core::facts::Facts;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::Renderer;
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::{RuleSet, builtin};
use responder_core::settings::Settings;
use responder_core::severity::Severity;
use responder_core::time::Timestamp;
use serde_json::{Value, json};

const START: i64 = 1_772_323_200_000;

fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| builtin().unwrap());
    &RULES
}

#[derive(Clone, Copy, Debug)]
struct Call {
    second: u32,
    /// `None` for a list.
    secret: Option<u32>,
    region: &'static str,
    agent: &'static str,
    address: u8,
    key: &'static str,
}

const TEMPORARY_KEY: &str = "ASIAIOSFODNN7EXAMPLE";

fn read(second: u32, secret: u32) -> Call {
    Call {
        second,
        secret: Some(secret),
        region: "us-west-2",
        agent: "aws-cli/2.22",
        address: 9,
        key: TEMPORARY_KEY,
    }
}

fn list(second: u32) -> Call {
    Call { secret: None, ..read(second, 0) }
}

/// One read a second of secrets that nobody read before.
fn theft(from: u32, secrets: std::ops::Range<u32>) -> Vec<Call> {
    let begin = secrets.start;
    secrets.map(|secret| read(from + secret - begin, secret)).collect()
}

impl Call {
    fn text(self) -> String {
        let Self { second, secret, region, agent, address, key } = self;
        let time = Timestamp::from_millis(START + i64::from(second) * 1_000).to_string();
        let (name, parameters) = match secret {
            Some(secret) => ("GetSecretValue", json!({"secretId": format!("app/s{secret}")})),
            None => ("ListSecrets", Value::Null),
        };
        json!({
            "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
            "account": "111122223333", "region": region, "time": time, "resources": [],
            "detail": {
                "eventSource": "secretsmanager.amazonaws.com", "eventName": name, "awsRegion": region, "eventTime": time,
                "eventID": format!("{self:?}"), "recipientAccountId": "111122223333", "requestParameters": parameters,
                "userAgent": agent, "eventType": "AwsApiCall", "sourceIPAddress": format!("203.0.113.{address}"),
                "userIdentity": {"type": "AssumedRole", "accountId": "111122223333", "accessKeyId": key,
                    "arn": "arn:aws:sts::111122223333:assumed-role/refresher/i-0123456789abcdef0",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/refresher",
                        "accountId": "111122223333", "userName": "refresher"}}},
            },
        })
        .to_string()
    }
}

fn decide(calls: &[Call], ordered: bool) -> (Vec<Plan>, MemoryStore<'static>) {
    decide_texts(calls.iter().map(|call| call.text()).collect(), ordered)
}

/// The same, with a sweep in each of some minutes.
fn decide_with_sweeps(calls: &[Call], minutes: std::ops::Range<i64>) -> (Vec<Plan>, MemoryStore<'static>) {
    let mut texts: Vec<String> = calls.iter().map(|call| call.text()).collect();
    texts.extend(minutes.map(sweep));
    decide_texts(texts, true)
}

fn sweep(minute: i64) -> String {
    let time = Timestamp::from_millis(START + minute * 60_000).to_string();
    json!({"id": format!("sweep-{minute}"), "source": "aws.events", "detail-type": "Scheduled Event",
        "account": "111122223333", "region": "us-west-2", "time": time, "resources": [], "detail": {}})
    .to_string()
}

fn decide_texts(texts: Vec<String>, ordered: bool) -> (Vec<Plan>, MemoryStore<'static>) {
    let mut events = Vec::new();
    for text in texts {
        events.extend(rules().match_event(&text).unwrap());
    }
    if ordered {
        events = order_and_deduplicate(events).0;
    }
    let mut store = MemoryStore::new(Facts::default());
    let plans = events.iter().map(|event| store.decide(event)).collect();
    (plans, store)
}

fn page_steps(plans: &[Plan]) -> Vec<&PlanStep> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    steps.filter(|step| matches!(step, PlanStep::Page { .. })).collect()
}

fn pages(plans: &[Plan]) -> Vec<&Incident> {
    let mut incidents = Vec::new();
    for step in page_steps(plans) {
        if let PlanStep::Page { incident, .. } = step {
            incidents.push(&**incident);
        }
    }
    incidents
}

/// The severity and the number of secrets of each page.
fn summaries(plans: &[Plan]) -> Vec<(Severity, usize)> {
    pages(plans).iter().map(|incident| (incident.severity, incident.secrets.len())).collect()
}

#[test]
fn theft_of_three_hundred_secrets_is_paged_at_each_step() {
    let calls: Vec<Call> = (0..310).map(|secret| read(secret / 5, secret)).collect();
    let (plans, store) = decide(&calls, true);
    let expected = [
        (Severity::Medium, 10),
        (Severity::High, 20),
        (Severity::High, 50),
        (Severity::Critical, 100),
        (Severity::Critical, 300),
    ];
    assert_eq!(summaries(&plans), expected);
    let keys: BTreeSet<&str> = pages(&plans).iter().map(|page| page.key.as_str()).collect();
    assert_eq!((keys.len(), store.incidents().len()), (1, 1));
}

#[test]
fn theft_inside_an_incident_that_never_ends_is_paged() {
    let mut calls = Vec::new();
    for hour in 0..3 {
        calls.extend(theft(hour * 3_600, 0..20));
    }
    assert_eq!(summaries(&decide(&calls, true).0), [(Severity::Medium, 10), (Severity::High, 20)]);
    calls.push(list(7_300));
    calls.extend(theft(7_301, 100..160));
    let (plans, _) = decide(&calls, true);
    // The list comes before five more secrets; then come the steps 50, and no page for 80 secrets.
    let told = summaries(&plans);
    assert_eq!(told[2..], [(Severity::High, 25), (Severity::High, 50)]);
    let last = pages(&plans)[3];
    assert_eq!((last.rule.as_str(), last.lists, last.notified.unwrap().extent.secrets), ("bulk-read", 1, 25));
}

#[test]
fn operator_that_refreshes_the_same_secrets_pages_no_further() {
    let mut calls = Vec::new();
    for hour in 0..48 {
        calls.extend(theft(hour * 3_000, 0..25));
    }
    let (plans, _) = decide(&calls, true);
    // The third page is the reminder after a day.
    let told = [(Severity::Medium, 10), (Severity::High, 20), (Severity::High, 10)];
    assert_eq!(summaries(&plans), told);
    let hours: Vec<i64> = told_by_minute(&plans).iter().map(|(minute, _)| minute / 60).collect();
    assert_eq!(hours, [0, 0, 24]);
    let steps = page_steps(&plans);
    let body = Renderer::new(rules(), &Settings::default()).render_step(steps[2]).unwrap().body;
    assert!(body.contains("It is still open: it began 2026-03-01 00:00:00 UTC."), "{body}");
}

#[test]
fn new_address_of_a_severe_incident_is_paged_once_and_named() {
    let from = |address: u8, calls: Vec<Call>| -> Vec<Call> {
        calls.into_iter().map(|call| Call { address, ..call }).collect()
    };
    let owner = theft(0, 0..22);
    let calls =
        [owner.clone(), from(77, theft(30, 0..3)), theft(40, 0..3), from(77, theft(50, 0..3))].concat();
    let (plans, _) = decide(&calls, true);
    let told: Vec<i64> = pages(&plans).iter().map(|page| (page.last.millis() - START) / 1_000).collect();
    assert_eq!(told, [9, 19, 30], "the first read from the new address");
    let steps = page_steps(&plans);
    let body = Renderer::new(rules(), &Settings::default()).render_step(steps[2]).unwrap().body;
    assert!(body.contains("New since then: address 203.0.113.77."), "{body}");
    // Below high it is none, and the first page of several addresses names them all.
    let calls = [theft(0, 0..12), from(77, theft(30, 0..3))].concat();
    assert_eq!(summaries(&decide(&calls, true).0), [(Severity::Medium, 10)]);
    let calls = [theft(0, 0..5), from(77, theft(10, 5..22)), theft(40, 0..3)].concat();
    assert_eq!(summaries(&decide(&calls, true).0), [(Severity::Medium, 10), (Severity::High, 20)]);
}

#[test]
fn new_lasting_access_key_is_paged_and_a_new_temporary_one_is_not() {
    let with = |key: &'static str| {
        let second: Vec<Call> = theft(30, 0..3).into_iter().map(|call| Call { key, ..call }).collect();
        summaries(&decide(&[theft(0, 0..22), second].concat(), true).0).len()
    };
    assert_eq!(with("AKIAI44QH8DHBEXAMPLE"), 3);
    assert_eq!(with("ASIAI44QH8DHBEXAMPLE"), 2);
}

#[test]
fn thief_with_an_address_for_each_call_is_paged_a_few_times() {
    let calls: Vec<Call> = (0..240u8).map(|n| Call { address: n, ..read(u32::from(n), 0) }).collect();
    let first = theft(300, 0..40);
    let more = calls.iter().map(|call| Call { second: call.second + 400, ..*call });
    let (plans, _) = decide(&first.into_iter().chain(more).collect::<Vec<_>>(), true);
    let count = pages(&plans).len();
    assert!(count <= 10, "{count}");
}

#[test]
fn failed_rotation_that_is_open_for_a_day_is_reminded_of_once() {
    let time = Timestamp::from_millis(START).to_string();
    let failure = json!({"version": "0", "id": "i", "source": "aws.secretsmanager", "account": "111122223333", "region": "us-west-2",
        "detail-type": "AWS Service Event via CloudTrail", "time": time, "resources": [], "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed", "eventTime": time, "eventID": "e",
            "awsRegion": "us-west-2", "eventType": "AwsServiceEvent", "recipientAccountId": "111122223333",
            "additionalEventData": {"SecretId": "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3"}}});
    let mut texts = vec![failure.to_string()];
    texts.extend((1..60).map(|hour| sweep(hour * 60)));
    let (plans, _) = decide_texts(texts, true);
    let mut hours = Vec::new();
    for plan in &plans {
        for page in pages(std::slice::from_ref(plan)) {
            if page.rule == "rotation-failed" {
                hours.push((plan.time.millis() - START) / 3_600_000);
            }
        }
    }
    assert_eq!(hours, [0, 24]);
}

#[test]
fn new_region_of_an_open_incident_is_paged_once() {
    let mut calls = theft(0, 0..20);
    let elsewhere = |second, secret| Call { region: "eu-west-1", ..read(second, secret) };
    calls.extend([elsewhere(30, 0), elsewhere(31, 1), elsewhere(32, 2)]);
    let (plans, _) = decide(&calls, true);
    let regions: Vec<usize> = pages(&plans).iter().map(|page| page.regions.len()).collect();
    // The third page is of the second Region, at its first read.
    assert_eq!(regions, [1, 1, 2]);
}

/// The same calls with the user agent of Terraform.
fn by_terraform(calls: Vec<Call>) -> Vec<Call> {
    let agent = "APN/1.0 HashiCorp/1.0 Terraform/1.11.2 (+https://www.terraform.io)";
    calls.into_iter().map(|call| Call { agent, ..call }).collect()
}

#[test]
fn growth_of_a_lowered_incident_keeps_its_lower_severity() {
    let (plans, _) = decide(&by_terraform(theft(0, 0..60)), true);
    let expected = [(Severity::Low, 10), (Severity::Medium, 20), (Severity::Medium, 50)];
    assert_eq!(summaries(&plans), expected);
}

#[test]
fn reads_that_an_exception_lowers_fill_no_window_of_those_that_none_does() {
    let mut calls = by_terraform(theft(0, 0..15));
    // Nine secrets by hand: together with the others they are lowered as these are.
    calls.extend(theft(60, 20..29));
    let (plans, store) = decide(&calls, true);
    let told = summaries(&plans);
    assert_eq!(told, [(Severity::Low, 10), (Severity::Medium, 20)]);
    assert_eq!(store.incidents()[0].severity, Severity::Medium);
    // Two more, and those by hand are an incident by themselves: the page and the incident count them alone.
    calls.extend(theft(69, 29..31));
    let (plans, store) = decide(&calls, true);
    let incident = &store.incidents()[0];
    assert_eq!((incident.severity, incident.reads, incident.secrets.len()), (Severity::Medium, 11, 11));
    assert_eq!(incident.counted_apart.get("tool"), Some(&15));
    assert_eq!(summaries(&plans), told, "it was paged as urgently");
}

#[test]
fn page_of_growth_says_what_was_said_before() {
    let (plans, _) = decide(&theft(0, 0..60), true);
    let settings = Settings::default();
    let renderer = Renderer::new(rules(), &settings);
    let bodies: Vec<String> =
        page_steps(&plans).into_iter().map(|step| renderer.render_step(step).unwrap().body).collect();
    assert!(!bodies[0].contains("The page before"), "{}", bodies[0]);
    assert!(
        bodies[0].contains("10 calls for 10 different secrets within 9 seconds so far."),
        "{}",
        bodies[0]
    );
    let last = bodies.last().unwrap();
    assert!(last.contains("The page before said: high, 20 secrets, one Region."), "{last}");
}

/// How many secrets each page tells, and when it was decided, in minutes.
fn told_by_minute(plans: &[Plan]) -> Vec<(i64, usize)> {
    let mut told = Vec::new();
    for plan in plans {
        let minute = (plan.time.millis() - START) / 60_000;
        for page in pages(std::slice::from_ref(plan)) {
            told.push((minute, page.secret_refs.len()));
        }
    }
    told
}

#[test]
fn last_figures_are_told_once_if_the_pages_told_less_than_nine_tenths() {
    let (plans, _) = decide_with_sweeps(&theft(0, 0..33), 1..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (11, 33)]);
    let steps = page_steps(&plans);
    let settings = Settings::default();
    let body = Renderer::new(rules(), &settings).render_step(steps[2]).unwrap().body;
    let expected = "33 calls for 33 different secrets within 32 seconds.\nThe page before said: high, 20 secrets, one Region. Nothing followed for 10 minutes: these are the last figures.";
    assert!(body.contains(expected), "{body}");
    // Of 22 secrets the pages told 20: that is enough. Of 23 it is not.
    assert_eq!(told_by_minute(&decide_with_sweeps(&theft(0, 0..22), 1..180).0).len(), 2);
    assert_eq!(told_by_minute(&decide_with_sweeps(&theft(0, 0..23), 1..180).0).len(), 3);
}

#[test]
fn last_figures_are_told_before_the_end_if_no_sweep_came_in_time() {
    let (plans, _) = decide_with_sweeps(&theft(0, 0..33), 90..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (90, 33)]);
    let last: Vec<&str> = plans
        .iter()
        .filter(|plan| plan.time.millis() == START + 90 * 60_000)
        .flat_map(|plan| &plan.steps)
        .filter_map(|step| match step {
            PlanStep::Page { .. } => Some("page"),
            PlanStep::Resolve { .. } => Some("resolve"),
            _ => None,
        })
        .collect();
    assert_eq!(last, ["page", "resolve"]);
}

#[test]
fn last_figures_of_a_slow_theft_hold_its_hours() {
    let calls: Vec<Call> = (0..300).map(|secret| read(secret * 70, secret)).collect();
    let (plans, _) = decide_with_sweeps(&calls, 1..500);
    assert_eq!(told_by_minute(&plans).last(), Some(&(359, 300)));
}

#[test]
fn last_figures_hold_two_waves_of_different_secrets() {
    let calls = [theft(0, 0..25), theft(3_000, 100..125)].concat();
    let (plans, _) = decide_with_sweeps(&calls, 1..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (11, 25), (50, 50)]);
    // The same secrets again are no news.
    let calls = [theft(0, 0..25), theft(3_000, 0..25)].concat();
    assert_eq!(told_by_minute(&decide_with_sweeps(&calls, 1..180).0), [(0, 10), (0, 20), (11, 25)]);
}

fn any_call() -> impl Strategy<Value = Call> {
    let regions = ["us-west-2", "us-west-2", "us-west-2", "eu-west-1", "us-east-1"];
    (0u32..600, proptest::option::weighted(0.97, 0u32..60), 0..regions.len()).prop_map(
        move |(second, secret, region)| Call {
            region: regions[region],
            ..Call { secret, ..read(second, 0) }
        },
    )
}

/// How much a page names in steps: severity, secrets, Regions, lists.
fn steps_of(incident: &Incident) -> [usize; 4] {
    let step = |steps: &[usize], count: usize| steps.iter().filter(|step| **step <= count).count();
    [
        usize::from(incident.severity.rank()),
        // One name in two Regions is two secrets.
        step(&[10, 20, 50, 100, 300, 1_000], incident.secret_refs.len()),
        step(&[2, 3, 4, 5, 10, 20], incident.regions.len()),
        incident.lists.min(1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// In whatever order events arrive: each page names a step that no page before it named, and together they name every step
    /// of the incident as it is in the end.
    #[test]
    fn each_step_is_paged_once_and_none_is_lost(
        calls in proptest::collection::vec(any_call(), 10..120),
        turn in any::<usize>(),
    ) {
        let middle = turn % calls.len();
        let mut turned: Vec<Call> = calls[middle..].to_vec();
        turned.extend(&calls[..middle]);
        turned.extend(&calls[..middle / 2]);
        for (calls, ordered) in [(&calls, true), (&turned, false)] {
            let (plans, store) = decide(calls, ordered);
            let mut told = [0; 4];
            for page in pages(&plans) {
                let steps = steps_of(page);
                prop_assert!((0..4).any(|part| steps[part] > told[part]), "{steps:?} after {told:?}");
                for part in 0..4 {
                    told[part] = told[part].max(steps[part]);
                }
            }
            for incident in store.incidents() {
                let steps = steps_of(&incident);
                prop_assert!((0..4).all(|part| steps[part] <= told[part]), "{steps:?}, but {told:?} was told");
            }
        }
    }
}
