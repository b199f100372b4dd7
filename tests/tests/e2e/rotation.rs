//! A changed secret leads to new deployments: of exactly its consumers, and once.

use std::thread::sleep;
use std::time::{Duration, Instant};

use acceptance::{TABLE, World, events, now, paths};
use jiff::ToSpan as _;
use serde_json::{Value, json};

/// The emulator's deployments are dated in whole seconds: a change has to be in a later one.
fn next_second() {
    sleep(Duration::from_millis(1_100));
}

fn injecting(secret: &str) -> Value {
    json!([{
        "name": "app", "image": "app:1", "memory": 64,
        "secrets": [{"name": "PASSWORD", "valueFrom": format!("{secret}:password::")}],
    }])
}

/// One cluster with one service that injects the secret; gives the service's ARN back.
fn one_consumer(world: &World, secret: &str) -> String {
    world.aws.create_cluster("prod");
    let task = world.aws.register_task_definition("web", &injecting(secret));
    world.aws.create_service("prod", "web", &task, &json!({}))
}

#[test]
fn a_changed_value_redeploys_its_consumer() {
    let world = World::new();
    let rotation = world.deploy("rotation");
    world.route_label_updates(&rotation);
    let secret = world.aws.create_secret("prod/app-db");
    let service = one_consumer(&world, &secret);
    let before = world.aws.primary_deployments();
    next_second();
    world.aws.put_secret_value(&secret, "second");
    world.wait_for_redeployments(&before, &[&service]);
    world.settle(&rotation);
    assert!(world.parked(&rotation).is_empty());
}

#[test]
fn a_succeeded_rotation_redeploys_once_however_often_it_is_told() {
    let world = World::new();
    let rotation = world.deploy("rotation");
    world.route_label_updates(&rotation);
    let secret = world.aws.create_secret("prod/app-db");
    let service = one_consumer(&world, &secret);
    let before = world.aws.primary_deployments();
    next_second();
    let event = events::rotation_succeeded(&world.aws, &secret, now());
    world.send(&rotation, std::slice::from_ref(&event));
    world.wait_for_redeployments(&before, &[&service]);
    world.settle(&rotation);

    // The same delivery again, twice in one batch, and much later.
    let after = world.aws.primary_deployments();
    next_second();
    world.send(&rotation, &[event.clone(), event.clone()]);
    world.settle(&rotation);
    next_second();
    world.send(&rotation, &[event]);
    world.settle(&rotation);
    assert_eq!(world.redeployed(&after), Vec::<String>::new());
    assert!(world.parked(&rotation).is_empty());
}

#[test]
fn the_native_event_and_the_cloudtrail_event_of_one_rotation_redeploy_once() {
    let world = World::new();
    let rotation = world.deploy("rotation");
    world.route_label_updates(&rotation);
    let secret = world.aws.create_secret("prod/app-db");
    let service = one_consumer(&world, &secret);
    let before = world.aws.primary_deployments();
    next_second();
    let time = now();
    world.aws.put_secret_value(&secret, "second");
    world.wait_for_redeployments(&before, &[&service]);
    world.settle(&rotation);
    let after = world.aws.primary_deployments();
    next_second();
    world.send(&rotation, &[events::rotation_succeeded(&world.aws, &secret, time)]);
    world.settle(&rotation);
    assert_eq!(world.redeployed(&after), Vec::<String>::new());
}

#[test]
fn a_redeployment_waits_until_the_change_has_settled() {
    let world = World::new();
    let rotation = world.deploy_with(
        "rotation",
        &paths::function("rotation"),
        &[("SETTLE_SECONDS", "3"), ("MARGIN_SECONDS", "1")],
    );
    let secret = world.aws.create_secret("prod/app-db");
    let service = one_consumer(&world, &secret);
    let before = world.aws.primary_deployments();
    next_second();
    // The event is dated in whole seconds: up to one earlier than it is sent.
    let (changed, sent) = (now(), Instant::now());
    // Two tellings of one rotation, a second apart.
    let label = events::rotation_succeeded(&world.aws, &secret, changed);
    let trail = events::rotation_succeeded(&world.aws, &secret, changed + 1.second());
    world.send(&rotation, &[label, trail]);
    world.wait_for_redeployments(&before, &[&service]);
    assert!(sent.elapsed() >= Duration::from_millis(1_900), "too early: {:?}", sent.elapsed());
    world.settle(&rotation);
    let scan = world.aws.scan(TABLE);
    let asked = scan.iter().filter(|item| item.get("asked_at").is_some());
    assert_eq!(asked.count(), 1, "one deployment was asked for");
    assert!(world.parked(&rotation).is_empty());
}

#[test]
fn exactly_the_two_consumers_of_25_services_in_three_clusters_are_redeployed() {
    let world = World::new();
    let rotation = world.deploy("rotation");
    let secret = world.aws.create_secret("prod/app-db");
    let longer = world.aws.create_secret("prod/app-db-replica");
    let other = world.aws.create_secret("prod/other");
    let plain = world
        .aws
        .register_task_definition("plain", &json!([{"name": "app", "image": "app:1", "memory": 64}]));
    let elsewhere = world.aws.register_task_definition("other", &injecting(&other));
    let near = world.aws.register_task_definition("near", &injecting(&longer));
    // An ARN in the environment is not an injected secret: a new deployment would change nothing.
    let environment = json!([{
        "name": "app", "image": "app:1", "memory": 64, "environment": [{"name": "SECRET_ARN", "value": secret}],
    }]);
    let mentions = world.aws.register_task_definition("mentions", &environment);
    let direct = world.aws.register_task_definition("direct", &injecting(&secret));
    let logging = world.aws.register_task_definition(
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
        world.aws.create_cluster(cluster);
        for i in 0..count {
            world.aws.create_service(cluster, &format!("service-{i}"), others[i % others.len()], &json!({}));
        }
    }
    let consumers = [
        world.aws.create_service("one", "consumer", &direct, &json!({})),
        world.aws.create_service("three", "consumer", &logging, &json!({})),
    ];
    let before = world.aws.primary_deployments();
    assert_eq!(before.len(), 25);
    next_second();
    let event = events::rotation_succeeded(&world.aws, &secret, now());
    world.send(&rotation, std::slice::from_ref(&event));
    world.wait_for_redeployments(&before, &[&consumers[0], &consumers[1]]);
    world.settle(&rotation);

    let after = world.aws.primary_deployments();
    next_second();
    world.send(&rotation, &[event]);
    world.settle(&rotation);
    assert_eq!(world.redeployed(&after), Vec::<String>::new(), "a second delivery redeploys none");
}
