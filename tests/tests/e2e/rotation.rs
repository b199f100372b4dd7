//! A changed secret leads to new deployments: of exactly its consumers, and once.

use std::time::{Duration, Instant};

use acceptance::{LEDGER_TABLE, RedeliveryPolicy, TestBed, events, now, paths, wait_for_next_second};
use jiff::ToSpan as _;
use serde_json::{Value, json};

/// Containers with a secret in their environment. The emulator dates deployments in whole seconds, so a change has to be in a later one: the tests wait for it.
fn injecting(secret: &str) -> Value {
    json!([{
        "name": "app", "image": "app:1", "memory": 64,
        "secrets": [{"name": "PASSWORD", "valueFrom": format!("{secret}:password::")}],
    }])
}

/// One cluster with one service that injects the secret; gives the service's ARN back.
fn one_consumer(bed: &TestBed, secret: &str) -> String {
    bed.aws.create_cluster("prod");
    let task = bed.aws.register_task_definition("web", &injecting(secret));
    bed.aws.create_service("prod", "web", &task, &json!({}))
}

#[test]
fn a_changed_value_redeploys_its_consumer() {
    let bed = TestBed::new();
    let rotation = bed.deploy("rotation");
    bed.route_label_updates(&rotation);
    let secret = bed.aws.create_secret("prod/app-db");
    let service = one_consumer(&bed, &secret);
    let before = bed.aws.primary_deployments();
    wait_for_next_second();
    bed.aws.put_secret_value(&secret, "second");
    bed.wait_for_redeployments(&before, &[&service]);
    bed.wait_until_answered(&rotation);
    assert!(bed.take_parked(&rotation).is_empty());
}

#[test]
fn a_succeeded_rotation_and_its_copies_redeploy_once() {
    let bed = TestBed::new();
    let rotation = bed.deploy("rotation");
    bed.route_label_updates(&rotation);
    let secret = bed.aws.create_secret("prod/app-db");
    let service = one_consumer(&bed, &secret);
    let before = bed.aws.primary_deployments();
    wait_for_next_second();
    let event = events::rotation_succeeded(&bed.aws, &secret, now());
    bed.send(&rotation, std::slice::from_ref(&event));
    bed.wait_for_redeployments(&before, &[&service]);
    bed.wait_until_answered(&rotation);

    // The same delivery again, twice in one batch, and much later.
    let after = bed.aws.primary_deployments();
    wait_for_next_second();
    bed.send(&rotation, &[event.clone(), event.clone()]);
    bed.wait_until_answered(&rotation);
    wait_for_next_second();
    bed.send(&rotation, &[event]);
    bed.wait_until_answered(&rotation);
    assert_eq!(bed.redeployed(&after), Vec::<String>::new());
    assert!(bed.take_parked(&rotation).is_empty());
}

#[test]
fn the_native_event_and_the_cloudtrail_event_of_one_rotation_redeploy_once() {
    let bed = TestBed::new();
    let rotation = bed.deploy("rotation");
    bed.route_label_updates(&rotation);
    let secret = bed.aws.create_secret("prod/app-db");
    let service = one_consumer(&bed, &secret);
    let before = bed.aws.primary_deployments();
    wait_for_next_second();
    let time = now();
    bed.aws.put_secret_value(&secret, "second");
    bed.wait_for_redeployments(&before, &[&service]);
    bed.wait_until_answered(&rotation);
    let after = bed.aws.primary_deployments();
    wait_for_next_second();
    bed.send(&rotation, &[events::rotation_succeeded(&bed.aws, &secret, time)]);
    bed.wait_until_answered(&rotation);
    assert_eq!(bed.redeployed(&after), Vec::<String>::new());
}

#[test]
fn a_redeployment_waits_until_the_change_has_settled() {
    let bed = TestBed::new();
    let rotation = bed.deploy_binary(
        "rotation",
        &paths::function("rotation"),
        &[("SETTLE_SECONDS", "3"), ("MARGIN_SECONDS", "1")],
        RedeliveryPolicy::TOLERANT,
    );
    let secret = bed.aws.create_secret("prod/app-db");
    let service = one_consumer(&bed, &secret);
    let before = bed.aws.primary_deployments();
    wait_for_next_second();
    // The event is dated in whole seconds: up to one earlier than it is sent.
    let changed = now();
    let sent = Instant::now();
    // Two reports of one rotation, a second apart.
    let label = events::rotation_succeeded(&bed.aws, &secret, changed);
    let trail = events::rotation_succeeded(&bed.aws, &secret, changed + 1.second());
    bed.send(&rotation, &[label, trail]);
    bed.wait_for_redeployments(&before, &[&service]);
    assert!(sent.elapsed() >= Duration::from_millis(1_900), "too early: {:?}", sent.elapsed());
    bed.wait_until_answered(&rotation);
    let scan = bed.aws.scan(LEDGER_TABLE);
    let requested = scan.iter().filter(|item| item.get("requested_at").is_some());
    assert_eq!(requested.count(), 1, "one deployment was requested");
    assert!(bed.take_parked(&rotation).is_empty());
}

#[test]
fn exactly_the_two_consumers_of_25_services_in_three_clusters_are_redeployed() {
    let bed = TestBed::new();
    let rotation = bed.deploy("rotation");
    let secret = bed.aws.create_secret("prod/app-db");
    let longer = bed.aws.create_secret("prod/app-db-replica");
    let other = bed.aws.create_secret("prod/other");
    let plain =
        bed.aws.register_task_definition("plain", &json!([{"name": "app", "image": "app:1", "memory": 64}]));
    let elsewhere = bed.aws.register_task_definition("other", &injecting(&other));
    let near = bed.aws.register_task_definition("near", &injecting(&longer));
    // An ARN in the environment is not an injected secret: a new deployment would change nothing.
    let environment = json!([{
        "name": "app", "image": "app:1", "memory": 64, "environment": [{"name": "SECRET_ARN", "value": secret}],
    }]);
    let mentions = bed.aws.register_task_definition("mentions", &environment);
    let direct = bed.aws.register_task_definition("direct", &injecting(&secret));
    let logging = bed.aws.register_task_definition(
        "logging",
        &json!([{
            "name": "app", "image": "app:1", "memory": 64,
            "logConfiguration": {
                "logDriver": "awsfirelens", "secretOptions": [{"name": "token", "valueFrom": secret}],
            },
        }]),
    );
    let others = [&plain, &elsewhere, &near, &mentions];
    for (cluster, count) in [("one", 8), ("two", 7), ("three", 8)] {
        bed.aws.create_cluster(cluster);
        for i in 0..count {
            bed.aws.create_service(cluster, &format!("service-{i}"), others[i % others.len()], &json!({}));
        }
    }
    let consumers = [
        bed.aws.create_service("one", "consumer", &direct, &json!({})),
        bed.aws.create_service("three", "consumer", &logging, &json!({})),
    ];
    let before = bed.aws.primary_deployments();
    assert_eq!(before.len(), 25);
    wait_for_next_second();
    let event = events::rotation_succeeded(&bed.aws, &secret, now());
    bed.send(&rotation, std::slice::from_ref(&event));
    bed.wait_for_redeployments(&before, &[&consumers[0], &consumers[1]]);
    bed.wait_until_answered(&rotation);

    let after = bed.aws.primary_deployments();
    wait_for_next_second();
    bed.send(&rotation, &[event]);
    bed.wait_until_answered(&rotation);
    assert_eq!(bed.redeployed(&after), Vec::<String>::new(), "a second delivery redeploys none");
}
