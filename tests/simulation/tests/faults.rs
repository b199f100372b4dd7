//! Thousands of small worlds in which calls fail, events get lost and functions die: the promises hold in each.
//!
//! `SEEDS=10000` sets how many, `SEEDS=10000..20000` which, `SEED=17` runs one alone and prints its trace.

use std::ops::Range;

use responder_core::time::Span;
use simulation::oracle::WorldPromises;
use simulation::random_world::{make_faulty_conditions, make_lossy_conditions, run_random_world};
use simulation::world::WorldConditions;

/// How many worlds there are without `SEEDS`.
const DEFAULT_SEEDS: u64 = 300;
/// How many bad worlds are printed.
const MAX_PRINTED: usize = 20;

/// Worlds in which a promise was broken once: deployments whose answer, event or end was lost, and that failed or that somebody superseded; a change
/// that the ledger did not know of; and rollbacks that looked like a newer deployment.
const PAST_FAULTS: [u64; 11] =
    [1_026, 2_763, 4_262, 6_010, 6_464, 8_177, 9_419, 18_886, 20_210, 24_006, 29_321];

fn list_seeds() -> Range<u64> {
    match std::env::var("SEEDS") {
        Ok(text) => match text.split_once("..") {
            Some((first, end)) => parse_number(first)..parse_number(end),
            None => 0..parse_number(&text),
        },
        Err(_) => 0..DEFAULT_SEEDS,
    }
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn parse_number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Runs the worlds of some seeds, or the one of `SEED`, and fails if one of them has a violation.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn assert_promises_hold(
    title: &str,
    seeds: impl IntoIterator<Item = u64>,
    make_conditions: fn(u64) -> WorldConditions,
    answered_within: Option<Span>,
) {
    let only = std::env::var("SEED").ok().map(|text| parse_number(&text));
    let seeds: Vec<u64> = match only {
        Some(seed) => vec![seed],
        None => seeds.into_iter().collect(),
    };
    let mut bad = Vec::new();
    for seed in &seeds {
        let conditions = WorldConditions { is_traced: only.is_some(), ..make_conditions(*seed) };
        let promises = WorldPromises { settings: conditions.settings.clone(), answered_within };
        let (world, violations) = run_random_world(conditions, &promises).unwrap();
        if only.is_some() {
            println!("{}", world.trace());
        }
        if !violations.is_empty() {
            bad.push((seed, violations));
        }
    }
    println!("{title}: {} worlds, {} of them bad", seeds.len(), bad.len());
    for (seed, violations) in bad.iter().take(MAX_PRINTED) {
        println!("SEED={seed}:\n  {}", violations.join("\n  "));
    }
    assert!(bad.is_empty(), "{title}: run the first alone with SEED={}", bad[0].0);
}

#[test]
fn every_change_is_answered_with_faults() {
    assert_promises_hold("faults", list_seeds(), make_faulty_conditions, None);
}

#[test]
fn pinned_seeds_of_past_faults_pass() {
    assert_promises_hold("past faults", PAST_FAULTS, make_faulty_conditions, None);
}

#[test]
fn every_change_is_answered_in_time_without_faults() {
    let within = Some(Span::from_secs(900));
    assert_promises_hold("lost events", list_seeds(), make_lossy_conditions, within);
}
