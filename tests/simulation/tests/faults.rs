//! Thousands of small worlds in which calls fail, events get lost and functions die: what is promised holds in each.
//!
//! `SEEDS=10000` sets how many, `SEEDS=10000..20000` which, `SEED=17` runs one alone and prints what happened in it.

use std::ops::Range;

use responder_core::time::Span;
use simulation::oracle::Promised;
use simulation::random_world::{faulty, live, lossy};
use simulation::world::Conditions;

#[expect(clippy::expect_used, reason = "a test's helper")]
fn seeds() -> Range<u64> {
    let number = |text: &str| text.parse().expect("a number");
    match std::env::var("SEEDS") {
        Ok(text) => {
            text.split_once("..").map_or_else(|| 0..number(&text), |(first, end)| number(first)..number(end))
        }
        Err(_) => 0..300,
    }
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn run(
    what: &str,
    seeds: impl IntoIterator<Item = u64>,
    conditions: impl Fn(u64) -> Conditions,
    within: Option<Span>,
) {
    let one: Option<u64> = std::env::var("SEED").ok().map(|text| text.parse().unwrap());
    let seeds: Vec<u64> = one.map_or_else(|| seeds.into_iter().collect(), |seed| vec![seed]);
    let (mut bad, mut count) = (Vec::new(), 0);
    for seed in seeds {
        let conditions = Conditions { traced: one.is_some(), ..conditions(seed) };
        let promised = Promised { settings: conditions.settings.clone(), within };
        let (world, wrong) = live(conditions, &promised).unwrap();
        count += 1;
        if one.is_some() {
            println!("{}", world.trace());
        }
        if !wrong.is_empty() {
            bad.push((seed, wrong));
        }
    }
    println!("{what}: {count} worlds, {} of them bad", bad.len());
    for (seed, wrong) in bad.iter().take(20) {
        println!("SEED={seed}:\n  {}", wrong.join("\n  "));
    }
    assert!(bad.is_empty(), "{what}: run the first alone with SEED={}", bad[0].0);
}

#[test]
fn with_faults_every_change_is_answered() {
    run("faults", seeds(), faulty, None);
}

#[test]
fn what_went_wrong_once_is_right() {
    // Deployments whose answer, event or end was lost, and that failed or that somebody superseded; and a change of which the
    // ledger did not say that it was known.
    run("faults that were found", [6_010, 6_464, 8_177, 9_419, 18_886, 20_210, 24_006, 29_321], faulty, None);
}

#[test]
fn without_faults_every_change_is_answered_in_time() {
    run("lost events", seeds(), lossy, Some(Span::from_secs(900)));
}
