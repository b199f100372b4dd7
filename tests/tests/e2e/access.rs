//! Reads that no principal should make page; ordinary ones do not.

use std::collections::BTreeSet;

use acceptance::{
    CallRecorder, FunctionProcess, InvocationOutcome, ReceivedPage, TestBed, events, now, paths,
};
use jiff::ToSpan;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::builtin;
use serde_json::{Value, json};
use simulation::corpus::{list_classes, make_facts, make_sample};

/// Reads of `count` secrets by one user, a second apart, ending now.
fn reads_of_secrets(bed: &TestBed, user: &str, count: usize) -> Vec<Value> {
    let end = now();
    let mut time = end - i64::try_from(count).expect("a few").seconds();
    let mut reads = Vec::new();
    for i in 0..count {
        time += 1.second();
        let secret = bed.aws.arn("secretsmanager", &format!("secret:prod/db-{i}-AbCd{i:02}"));
        reads.push(events::secret_read(&bed.aws, user, &secret, time));
    }
    reads
}

/// The keys of the incidents that pages are about. A page is the object that a machine gets.
fn incident_keys(pages: &[ReceivedPage]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for page in pages {
        let alert: Value = serde_json::from_str(&page.message).expect("an alert is JSON");
        keys.insert(alert["dedup_key"].as_str().expect("an alert has a key").to_owned());
    }
    keys
}

/// However the reads are cut into batches, the incident is paged when ten secrets are known, and again when it becomes severe: with twenty.
#[test]
fn twenty_reads_in_any_order_and_their_copies_are_one_incident() {
    let bed = TestBed::new();
    let access = bed.deploy("access");
    let mut reads = reads_of_secrets(&bed, "mallory", 20);
    reads.reverse();
    bed.send(&access, &reads);
    bed.wait_until_answered(&access);
    let pages = bed.take_pages();
    assert!(pages.len() <= 2, "one page, and at most its escalation: {pages:#?}");
    assert_eq!(incident_keys(&pages).len(), 1, "{pages:#?}");
    assert!(pages.iter().all(|page| page.message.contains("mallory")), "{pages:#?}");
    let severe: Vec<&ReceivedPage> =
        pages.iter().filter(|page| page.attribute("severity") == "high").collect();
    assert_eq!(severe.len(), 1, "{pages:#?}");
    for i in 0..20 {
        assert!(
            severe[0].message.contains(&format!("\"prod/db-{i}\"")),
            "all secrets are named: {severe:#?}"
        );
    }

    bed.send(&access, &reads);
    bed.wait_until_answered(&access);
    assert_eq!(bed.take_pages().len(), 0, "duplicates change nothing");
    assert!(bed.take_parked(&access).is_empty());
}

#[test]
fn a_theft_that_is_reported_late_twice_and_in_no_order_is_the_incident_of_the_replay() {
    let class =
        list_classes().into_iter().find(|class| class.name == "theft-delivered-late-and-twice").unwrap();
    let theft = make_sample(class, 7);
    let events: Vec<Value> = theft.events.iter().map(|(_, event)| event.clone()).collect();
    let bed = TestBed::new();
    let access = bed.deploy("access");
    bed.send(&access, &events);
    bed.wait_until_answered(&access);

    let rules = builtin().unwrap();
    let mut ledger = MemoryStore::new(make_facts(&[theft]));
    let cases = events.iter().flat_map(|event| rules.match_event(&event.to_string()).unwrap()).collect();
    let mut replayed_keys = BTreeSet::new();
    for case in &order_and_deduplicate(cases).0 {
        for step in ledger.decide(case).steps {
            if let PlanStep::Page { incident, .. } = step {
                replayed_keys.insert(incident.key);
            }
        }
    }
    assert_eq!(replayed_keys.len(), 1, "{replayed_keys:?}");
    let pages = bed.take_pages();
    // Which of them are sent depends on the batches.
    assert!(pages.len() <= 4, "one page, its escalation, and one each at ten and twenty secrets: {pages:#?}");
    assert_eq!(incident_keys(&pages), replayed_keys, "{pages:#?}");
    assert!(bed.take_parked(&access).is_empty());
}

#[test]
fn nine_reads_page_nobody() {
    let bed = TestBed::new();
    let access = bed.deploy("access");
    bed.send(&access, &reads_of_secrets(&bed, "alice", 9));
    bed.wait_until_answered(&access);
    assert_eq!(bed.take_pages().len(), 0);
    assert!(bed.take_parked(&access).is_empty());
}

#[test]
fn three_hundred_reads_of_one_secret_by_ten_users_page_nobody() {
    let bed = TestBed::new();
    let access = bed.deploy("access");
    let end = now();
    let secret = bed.aws.arn("secretsmanager", "secret:prod/shared-AbCdEf");
    let mut reads = Vec::new();
    for i in 0..300 {
        // Every 10 s per user: far below the read rate.
        let time = end - i64::from(i / 10 * 10).seconds();
        reads.push(events::secret_read(&bed.aws, &format!("user-{}", i % 10), &secret, time));
    }
    bed.send(&access, &reads);
    bed.wait_until_answered(&access);
    assert_eq!(bed.take_pages().len(), 0);
    assert!(bed.take_parked(&access).is_empty());
}

/// Hands a function one batch, and returns the partition keys that it wrote meanwhile, and the size of the largest write in bytes.
fn count_writes(
    function: &mut FunctionProcess,
    recorder: &CallRecorder,
    reads: &[Value],
) -> (Vec<String>, usize) {
    let bodies: Vec<String> = reads.iter().map(Value::to_string).collect();
    let batch = events::batch("arn:aws:sqs:us-east-1:000000000000:access", &bodies);
    let answer = function.invoke(batch.to_string().as_bytes());
    assert_eq!(
        answer.outcome,
        InvocationOutcome::Response(json!({"batchItemFailures": []})),
        "{:?}",
        answer.lines
    );
    let mut keys = Vec::new();
    let mut largest = 0;
    for call in recorder.take_calls() {
        assert!(["UpdateItem", "Query", "BatchGetItem"].contains(&call.operation.as_str()), "{call:?}");
        if call.operation == "UpdateItem" {
            keys.push(call.request["Key"]["pk"]["S"].to_string());
            largest = largest.max(call.request.to_string().len());
        }
    }
    (keys, largest)
}

#[test]
fn a_thousand_reads_in_one_batch_are_six_writes_and_their_copies_one() {
    let bed = TestBed::new();
    let recorder = CallRecorder::start(&bed.aws, "dynamodb");
    let mut environment = bed.environment();
    environment.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), recorder.endpoint()));
    let mut function = FunctionProcess::start(&paths::function("access"), &environment);
    // Ten minutes that an item covers, from their first second on.
    let start = now() - 1.hour();
    let start = start - (start.as_second() % 600).seconds();
    let mut reads = Vec::new();
    for i in 0..1_000 {
        let secret = bed.aws.arn("secretsmanager", &format!("secret:prod/db-{i}-AbCdEf"));
        reads.push(events::secret_read(&bed.aws, "mallory", &secret, start + (i64::from(i) / 2).seconds()));
    }
    let (written, largest) = count_writes(&mut function, &recorder, &reads);
    println!("{written:?}, the largest request has {largest} bytes");
    // One item for the principal and one for the address; a claim, the index of what is open, the mark of the page, and the digest.
    assert!(written.len() <= 6, "{written:?}");
    assert!(largest < 300_000, "{largest}");
    assert!(!bed.take_pages().is_empty());
    // Production's secrets, read with a long-term key: noted for the summary. The same notes are the same item.
    let (again, _) = count_writes(&mut function, &recorder, &reads);
    assert!(again.len() == 1 && written.contains(&again[0]), "{again:?}");
    assert_eq!(bed.take_pages().len(), 0);
}
