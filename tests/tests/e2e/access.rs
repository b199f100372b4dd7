//! Reads that nobody should make page; ordinary ones do not.

use acceptance::{World, events, now};
use jiff::ToSpan;
use serde_json::Value;

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
