//! A poison message goes to the dead-letter queue alone, and its neighbours are answered.

use acceptance::{World, events, now};
use serde_json::Value;

/// Bodies that no parser should get through, and that must not end the process.
fn poisons() -> Vec<String> {
    vec![
        "not JSON".to_owned(),
        "[".repeat(10_000),
        "[1]".to_owned(),
        r#"{"detail-type": 7, "source": [], "detail": "x"}"#.to_owned(),
    ]
}

#[test]
fn poison_is_parked_alone() {
    for function in ["failure", "access", "rotation"] {
        let world = World::new();
        let handler = world.deploy(function);
        let secret = world.aws.create_secret("prod/app-db");
        let good = match function {
            "failure" => events::rotation_failed(&world.aws, &secret, now(), "setSecret"),
            "access" => events::secret_read(&world.aws, "alice", &secret, now()),
            _ => events::rotation_succeeded(&world.aws, &secret, now()),
        };
        let mut bodies = poisons();
        bodies.insert(1, good.to_string());
        bodies.push(good.to_string());
        world.aws.send(&handler.queue, &bodies);
        world.settle(&handler);
        let mut parked: Vec<String> =
            world.parked(&handler).into_iter().map(|message| message.body).collect();
        parked.sort_unstable();
        let mut expected = poisons();
        expected.sort_unstable();
        let sizes = |bodies: &[String]| bodies.iter().map(String::len).collect::<Vec<_>>();
        assert!(
            parked == expected,
            "{function}: parked bodies of {:?}, not {:?}",
            sizes(&parked),
            sizes(&expected)
        );
        let pages = world.pages();
        let rule = |page: &acceptance::Page| page.envelope["MessageAttributes"]["rule"]["Value"].clone();
        let told = pages.iter().filter(|page| rule(page) == "event-parked").count();
        assert_eq!(told, 1, "{function}: one page, however much poison and however often: {pages:#?}");
        if function == "failure" {
            assert!(pages.iter().any(|page| page.message.contains("prod/app-db")), "{pages:#?}");
        }
    }
}

#[test]
fn an_event_that_no_rule_matches_is_dropped_and_not_parked() {
    let world = World::new();
    let access = world.deploy("access");
    let mut event = events::secret_read(&world.aws, "alice", "prod/app-db", now());
    event["detail"]["eventName"] = Value::from("DescribeSecret");
    world.send(&access, &[event]);
    world.settle(&access);
    assert!(world.parked(&access).is_empty());
    assert!(world.pages().is_empty());
}
