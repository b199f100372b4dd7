//! A poison message goes to the dead-letter queue alone, and its neighbours are answered.

use acceptance::{RedeliveryPolicy, TestBed, events, now, paths};
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
    let mut beds = Vec::new();
    for function in ["failure", "access", "rotation"] {
        let bed = TestBed::new();
        let binary = paths::function(function);
        let handler = bed.deploy_binary(function, &binary, &[], RedeliveryPolicy::PARKS_EARLY);
        let secret = bed.aws.create_secret("prod/app-db");
        let good = match function {
            "failure" => events::rotation_failed(&bed.aws, &secret, now(), "setSecret"),
            "access" => events::secret_read(&bed.aws, "alice", &secret, now()),
            _ => events::rotation_succeeded(&bed.aws, &secret, now()),
        };
        let mut bodies = poisons();
        bodies.insert(1, good.to_string());
        bodies.push(good.to_string());
        bed.aws.send(&handler.queue, &bodies);
        beds.push((function, bed, handler));
    }
    // Each queue takes its time until it parks: they do so together.
    for (function, bed, handler) in beds {
        bed.wait_until_answered(&handler);
        let mut parked: Vec<String> =
            bed.take_parked(&handler).into_iter().map(|message| message.body).collect();
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
        let pages = bed.take_pages();
        let about_poison = pages.iter().filter(|page| page.attribute("rule") == "event-parked").count();
        assert_eq!(
            about_poison, 1,
            "{function}: one page, however much poison and however often: {pages:#?}"
        );
        if function == "failure" {
            assert!(pages.iter().any(|page| page.message.contains("prod/app-db")), "{pages:#?}");
        }
    }
}

#[test]
fn an_event_that_no_rule_matches_is_dropped_and_not_parked() {
    let bed = TestBed::new();
    let access = bed.deploy("access");
    let mut event = events::secret_read(&bed.aws, "alice", "prod/app-db", now());
    event["detail"]["eventName"] = Value::from("DescribeSecret");
    bed.send(&access, &[event]);
    bed.wait_until_answered(&access);
    assert!(bed.take_parked(&access).is_empty());
    assert!(bed.take_pages().is_empty());
}
