//! The steps of growth: secrets, Regions, origins, lists, and a day.

use std::collections::BTreeSet;

use responder_core::notify::Renderer;
use responder_core::settings::Settings;
use responder_core::severity::Severity;
use responder_core::time::Timestamp;
use serde_json::json;

use crate::calls::*;
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
