//! Reads that nobody should make page; ordinary ones do not.

use std::collections::BTreeSet;

use acceptance::{Function, Meter, Outcome, World, events, now, paths};
use jiff::ToSpan;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::builtin;
use serde_json::{Value, json};
use simulation::corpus::{list_classes, make_facts, make_sample};

/// Reads of `count` secrets by one user, a second apart, ending now.
fn burst(world: &World, user: &str, count: usize) -> Vec<Value> {
    let end = now();
    let mut time = end - i64::try_from(count).expect("a few").seconds();
    let mut reads = Vec::new();
    for i in 0..count {
        time += 1.second();
        let secret = world.aws.arn("secretsmanager", &format!("secret:prod/db-{i}-AbCd{i:02}"));
        reads.push(events::secret_read(&world.aws, user, &secret, time));
    }
    reads
}

#[test]
fn twenty_reads_are_one_alert_in_any_order_and_however_often_they_are_told() {
    let world = World::new();
    let access = world.deploy("access");
    let mut reads = burst(&world, "mallory", 20);
    reads.reverse();
    world.send(&access, &reads);
    // Ten reads open the incident; twenty may raise its severity, which is the same incident.
    world.settle(&access);
    let pages = world.pages();
    assert!(!pages.is_empty(), "a bulk read pages");
    assert!(pages.iter().all(|page| page.message.contains("mallory")), "{pages:#?}");
    assert!(pages.len() <= 2, "one alert, and at most its escalation: {pages:#?}");

    world.send(&access, &reads);
    world.settle(&access);
    assert_eq!(world.pages().len(), 0, "duplicates change nothing");
    assert!(world.parked(&access).is_empty());
}

#[test]
fn a_theft_that_is_told_late_twice_and_in_no_order_is_the_incident_of_the_replay() {
    let class =
        list_classes().into_iter().find(|class| class.name == "theft-delivered-late-and-twice").unwrap();
    let theft = make_sample(class, 7);
    let events: Vec<Value> = theft.events.iter().map(|(_, event)| event.clone()).collect();
    let world = World::new();
    let access = world.deploy("access");
    world.send(&access, &events);
    world.settle(&access);

    let rules = builtin().unwrap();
    let cases = events.iter().flat_map(|event| rules.cases(&event.to_string()).unwrap()).collect();
    let mut ledger = MemoryStore::new(make_facts(&[theft]));
    let cases = order_and_deduplicate(cases).0;
    let plans: Vec<_> = cases.iter().map(|case| ledger.decide(case)).collect();
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let keys = steps.filter_map(|step| match step {
        PlanStep::Page { incident, .. } => Some(incident.key.clone()),
        _ => None,
    });
    let keys: BTreeSet<String> = keys.collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let pages = world.pages();
    assert!(!pages.is_empty() && pages.len() <= 2, "one alert, and at most its escalation: {pages:#?}");
    assert!(pages.iter().all(|page| keys.iter().all(|key| page.message.contains(key))), "{pages:#?}");
    assert!(world.parked(&access).is_empty());
}

#[test]
fn nine_reads_are_none() {
    let world = World::new();
    let access = world.deploy("access");
    world.send(&access, &burst(&world, "alice", 9));
    world.settle(&access);
    assert_eq!(world.pages().len(), 0);
}

#[test]
fn three_hundred_reads_of_one_secret_by_ten_users_are_none() {
    let world = World::new();
    let access = world.deploy("access");
    let end = now();
    let secret = world.aws.arn("secretsmanager", "secret:prod/shared-AbCdEf");
    let reads: Vec<Value> = (0..300)
        .map(|i| {
            // Every 10 s per user: far below the read rate.
            let time = end - i64::from(i / 10 * 10).seconds();
            events::secret_read(&world.aws, &format!("user-{}", i % 10), &secret, time)
        })
        .collect();
    world.send(&access, &reads);
    world.settle(&access);
    assert_eq!(world.pages().len(), 0);
}

/// Hands a function one batch, and returns what it wrote meanwhile: the operations, and the largest request.
fn writes(function: &mut Function, meter: &Meter, reads: &[Value]) -> (Vec<String>, usize) {
    let record = |(index, read): (usize, &Value)| {
        json!({"messageId": index.to_string(), "body": read.to_string(), "eventSource": "aws:sqs", "attributes": {},
            "receiptHandle": "r", "messageAttributes": {}, "awsRegion": "us-east-1"})
    };
    let records: Vec<Value> = reads.iter().enumerate().map(record).collect();
    let answer = function.invoke(json!({"Records": records}).to_string().as_bytes());
    assert_eq!(answer.outcome, Outcome::Response(json!({"batchItemFailures": []})), "{:?}", answer.lines);
    let known = ["UpdateItem", "Query", "BatchGetItem"];
    let calls = meter.calls();
    assert!(calls.iter().all(|(operation, _)| known.contains(&operation.as_str())));
    let writes = calls.into_iter().filter(|(operation, _)| operation == "UpdateItem");
    let writes: Vec<(String, usize)> =
        writes.map(|(_, body)| (body["Key"]["pk"]["S"].to_string(), body.to_string().len())).collect();
    let largest = writes.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
    (writes.into_iter().map(|(pk, _)| pk).collect(), largest)
}

#[test]
fn a_thousand_reads_in_one_batch_are_five_writes_and_their_copies_one() {
    let world = World::new();
    let meter = Meter::start(&world.aws, "dynamodb");
    let mut environment = world.environment();
    environment.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), meter.endpoint()));
    let mut function = Function::start(&paths::function("access"), &environment);
    // Ten minutes that an item covers, from their first second on.
    let start = now() - 1.hour();
    let start = start - (start.as_second() % 600).seconds();
    let reads: Vec<Value> = (0..1_000)
        .map(|i| {
            let secret = world.aws.arn("secretsmanager", &format!("secret:prod/db-{i}-AbCdEf"));
            events::secret_read(&world.aws, "mallory", &secret, start + (i64::from(i) / 2).seconds())
        })
        .collect();
    let (written, largest) = writes(&mut function, &meter, &reads);
    println!("{written:?}, the largest request has {largest} bytes");
    assert!(written.len() <= 5, "{written:?}");
    assert!(largest < 300_000, "{largest}");
    let pages = world.pages().len();
    assert!(pages >= 1);
    // Production's secrets, read with a long-term key: noted for the summary. The same notes are the same item.
    let again = writes(&mut function, &meter, &reads).0;
    assert!(again.len() == 1 && written.contains(&again[0]), "{again:?}");
    assert_eq!(world.pages().len(), 0);
}
