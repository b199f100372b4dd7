//! One incident that many invocations see in the same moment is one page.

use std::sync::{Arc, Barrier};

use acceptance::{Emulator, FunctionProcess, InvocationOutcome, TestBed, events, now, paths};
use serde_json::Value;

/// How many invocations there are, each in a process of its own.
const INVOCATIONS: usize = 64;

/// The emulator is the test's own: with the calls of other tests between those of sixty-four processes, a call may take longer than a function waits for it,
/// and a function that cannot reach its ledger pages once more (P11).
#[test]
fn sixty_four_invocations_with_the_same_incident_are_one_page() {
    let bed = TestBed::in_emulator(Arc::new(Emulator::start()));
    let secret = bed.aws.create_secret("prod/app-db");
    // Copies of one event, and retries of the same rotation: all of them are one incident.
    let mut bodies = Vec::new();
    for _ in 0..INVOCATIONS / 2 {
        let failed = events::rotation_failed(&bed.aws, &secret, now(), "setSecret").to_string();
        bodies.push(failed.clone());
        bodies.push(failed);
    }
    let environment = bed.environment();
    let mut functions = Vec::new();
    for _ in 0..INVOCATIONS {
        functions.push(FunctionProcess::start(&paths::function("failure"), &environment));
    }
    let ready = Barrier::new(INVOCATIONS);
    let kept: usize = std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (function, body) in functions.iter_mut().zip(&bodies) {
            let ready = &ready;
            running.push(scope.spawn(move || {
                ready.wait();
                count_kept(function, std::slice::from_ref(body))
            }));
        }
        running.into_iter().map(|thread| thread.join().expect("the invocation is answered")).sum()
    });
    let pages = bed.wait_for_pages(1);
    assert!(pages[0].message.contains("prod/app-db"), "{pages:#?}");
    // An invocation that meets a held claim asks for another delivery; that finds that the page is out.
    println!("{kept} of {INVOCATIONS} invocations met a held claim");
    assert!(kept < INVOCATIONS, "one invocation paged");
    let mut late = FunctionProcess::start(&paths::function("failure"), &environment);
    assert_eq!(count_kept(&mut late, &bodies), 0, "every message is answered");
    assert_eq!(bed.take_pages().len(), 0, "one incident is one page");
}

/// Invokes a function with a batch, and counts the messages that the queue must keep.
fn count_kept(function: &mut FunctionProcess, bodies: &[String]) -> usize {
    let batch = events::batch("arn:aws:sqs:us-east-1:000000000000:failure", bodies);
    let answer = function.invoke(batch.to_string().as_bytes());
    assert!(matches!(answer.outcome, InvocationOutcome::Response(_)), "not a response: {answer:?}");
    let response: Value = serde_json::from_str(&answer.raw).expect("a response is JSON");
    response["batchItemFailures"].as_array().map(Vec::len).unwrap_or_default()
}
