//! One incident, told to many invocations in the same moment, is one page.

use std::sync::Barrier;

use acceptance::{Function, Outcome, World, events, now, paths};
use serde_json::Value;

/// How many invocations there are, each in a process of its own.
const INVOCATIONS: usize = 64;

#[test]
fn sixty_four_invocations_with_the_same_incident_are_one_page() {
    let world = World::new();
    let secret = world.aws.create_secret("prod/app-db");
    // Copies of one event, and retries of the same rotation: all of them are one incident.
    let failed: Vec<Value> = (0..INVOCATIONS / 2)
        .map(|_| events::rotation_failed(&world.aws, &secret, now(), "setSecret"))
        .collect();
    let bodies: Vec<String> = failed.iter().chain(&failed).map(Value::to_string).collect();
    let environment = world.environment();
    let ready = Barrier::new(INVOCATIONS);
    let kept: usize = std::thread::scope(|scope| {
        let invoke = |body: &String| {
            let mut function = Function::start(&paths::function("failure"), &environment);
            let batch =
                events::batch("arn:aws:sqs:us-east-1:000000000000:failure", std::slice::from_ref(body));
            ready.wait();
            kept(&mut function, &batch)
        };
        let running: Vec<_> = bodies.iter().map(|body| scope.spawn(move || invoke(body))).collect();
        running.into_iter().map(|thread| thread.join().expect("the invocation is answered")).sum()
    });
    let pages = world.wait_for_pages(1);
    assert!(pages[0].message.contains("prod/app-db"), "{pages:#?}");
    // Whoever met a claim that was held asks for another delivery; it finds that the page is out.
    println!("{kept} of {INVOCATIONS} invocations met a held claim");
    assert!(kept < INVOCATIONS, "somebody paged");
    let mut late = Function::start(&paths::function("failure"), &environment);
    let again = events::batch("arn:aws:sqs:us-east-1:000000000000:failure", &bodies);
    assert_eq!(self::kept(&mut late, &again), 0, "every message is done");
    assert_eq!(world.pages().len(), 0, "one incident is one page");
}

/// Invokes a function with a batch; how many of its messages the queue must keep.
fn kept(function: &mut Function, batch: &Value) -> usize {
    let answer = function.invoke(batch.to_string().as_bytes());
    assert!(matches!(answer.outcome, Outcome::Response(_)), "not a response: {answer:?}");
    let response: Value = serde_json::from_str(&answer.raw).expect("a response is JSON");
    response["batchItemFailures"].as_array().map(Vec::len).unwrap_or_default()
}
