//! Order, copies and batches change no incident: neither in the replay, nor between it and the functions.
//!
//! `CASES=100000` sets how many permutations the replay gets, `SEEDS=1000` how many stories the functions; `SEED` where both begin. With `SEEDS=1` there is a trace.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stories;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::Facts;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::rules::{Handler, MatchedEvent, RuleSet, builtin};
use responder_core::severity::Severity;
use simulation::Random;
use simulation::functions::{Arrival, deliver};
use stories::{Story, fixtures, muddle, slice};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn one_of<'a, T>(random: &mut Random, all: &'a [T]) -> &'a T {
    &all[usize::try_from(random.below(all.len() as u64)).unwrap()]
}

/// One of them, more often a short one: a hundred short ones find more than one that is a hundred times as long.
fn shorter<'a, T>(random: &mut Random, all: &'a [T], length: impl Fn(&T) -> usize) -> &'a T {
    let (one, other) = (one_of(random, all), one_of(random, all));
    if length(other) < length(one) { other } else { one }
}

/// A story that is decided again and again.
struct Known<'r> {
    story: Story,
    cases: Vec<MatchedEvent<'r>>,
    incidents: BTreeMap<String, String>,
}

/// The keys of the incidents that come of some cases in this order, with the rule that found each.
fn decided(facts: &Facts, cases: &[MatchedEvent<'_>]) -> BTreeMap<String, String> {
    let mut ledger = MemoryStore::new(facts.clone());
    for case in cases {
        ledger.decide(case);
    }
    ledger.incidents().into_iter().map(|incident| (incident.key, incident.rule)).collect()
}

/// As the replay does it.
fn replayed(facts: &Facts, cases: Vec<MatchedEvent<'_>>) -> BTreeMap<String, String> {
    decided(facts, &order_and_deduplicate(cases).0)
}

/// Without those that only go to the summary.
fn worth_a_page(facts: &Facts, cases: Vec<MatchedEvent<'_>>) -> BTreeMap<String, String> {
    let mut ledger = MemoryStore::new(facts.clone());
    for case in &order_and_deduplicate(cases).0 {
        ledger.decide(case);
    }
    let incidents = ledger.incidents().into_iter().filter(|incident| incident.severity > Severity::Info);
    incidents.map(|incident| (incident.key, incident.rule)).collect()
}

fn cases<'r>(rules: &'r RuleSet, events: &[String]) -> Vec<MatchedEvent<'r>> {
    events.iter().flat_map(|event| rules.match_event(event).unwrap()).collect()
}

/// The cases in any order, each once or more often.
fn shuffled<'r>(cases: &[MatchedEvent<'r>], random: &mut Random) -> Vec<MatchedEvent<'r>> {
    let mut copies = cases.to_vec();
    for case in cases {
        while random.chance(200) {
            copies.push(case.clone());
        }
    }
    for place in (1..copies.len()).rev() {
        copies.swap(place, usize::try_from(random.below(place as u64 + 1)).unwrap());
    }
    copies
}

#[test]
fn any_order_and_any_copies_replay_to_the_same_incidents() {
    let (rules, mut random) = (builtin().unwrap(), Random::new(number("SEED", 1)));
    let mut stories = fixtures();
    stories.extend((0..60).map(|_| slice(&mut random, 40)));
    stories.extend((0..60).map(|_| muddle(&mut random)));
    let known = stories.into_iter().map(|story| {
        let cases = cases(&rules, &story.events);
        Known { incidents: replayed(&story.facts, cases.clone()), story, cases }
    });
    let known: Vec<Known<'_>> = known.collect();
    let (mut events, mut incidents, mut wrong) = (0, 0, Vec::new());
    let count = number("CASES", 2_000);
    for number in 0..count {
        let Known { story, cases, incidents: expected } =
            shorter(&mut random, &known, |known| known.cases.len());
        let arrived = shuffled(cases, &mut random);
        (events, incidents) = (events + arrived.len(), incidents + expected.len());
        let found = replayed(&story.facts, arrived);
        if found != *expected {
            wrong.push(format!("permutation {number}, {}: {found:?}, not {expected:?}", story.name));
        }
    }
    println!("{count} permutations of {} stories: {events} events, {incidents} incidents", known.len());
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(incidents as u64 > count / 4);
}

#[test]
fn a_ledger_that_is_told_in_any_order_knows_the_same_incidents() {
    let (rules, mut random) = (builtin().unwrap(), Random::new(number("SEED", 2)));
    let ours = |case: &MatchedEvent<'_>| matches!(case.handler, Handler::Access | Handler::Failure);
    let mut stories = fixtures();
    stories.extend((0..60).map(|_| slice(&mut random, 40)));
    stories.extend((0..60).map(|_| muddle(&mut random)));
    let stories: Vec<(Story, Vec<MatchedEvent<'_>>)> = stories
        .into_iter()
        .map(|story| {
            let cases = cases(&rules, &story.events).into_iter().filter(ours).collect();
            (story, cases)
        })
        .collect();
    let (count, mut wrong) = (number("CASES", 2_000) / 10, Vec::new());
    for number in 0..count {
        let (story, cases) = shorter(&mut random, &stories, |(_, cases)| cases.len());
        let expected: BTreeSet<String> = replayed(&story.facts, cases.clone()).into_keys().collect();
        let found: BTreeSet<String> =
            decided(&story.facts, &shuffled(cases, &mut random)).into_keys().collect();
        if found != expected {
            wrong.push(format!("permutation {number}, {}: {found:?}, not {expected:?}", story.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_functions_end_with_the_incidents_of_the_replay() {
    let rules = builtin().unwrap();
    let fixtures = fixtures();
    let (first, count) = (number("SEED", 0), number("SEEDS", 300));
    let (mut events, mut incidents, mut wrong) = (0, 0, Vec::new());
    for seed in first..first + count {
        let mut random = Random::new(seed);
        let own = match random.below(3) {
            0 => None,
            1 => Some(slice(&mut random, 120)),
            _ => Some(muddle(&mut random)),
        };
        let story = own.as_ref().unwrap_or_else(|| one_of(&mut random, &fixtures));
        let workers = 1 + usize::try_from(random.below(4)).unwrap();
        let arrival = Arrival { seed, workers, twice: 150, traced: count == 1 };
        let ended = deliver(&story.events, &story.facts, &arrival).unwrap();
        ended.trace.iter().for_each(|line| println!("{line}"));
        // Rotations depend on what ECS says, which is not the same here and there.
        let ours = |handler| matches!(handler, Handler::Access | Handler::Failure);
        let dead: usize =
            ended.dead.iter().filter(|(handler, _)| ours(**handler)).map(|(_, dead)| dead).sum();
        let paged: BTreeMap<&String, &String> =
            ended.pages.iter().map(|(key, page)| (key, &page.attributes["rule"])).collect();
        let of = |rule: &str| ours(rules.responses[rule].handler);
        let found: BTreeSet<&String> =
            paged.iter().filter(|(_, rule)| of(rule)).map(|(key, _)| *key).collect();
        let expected = worth_a_page(&story.facts, cases(&rules, &story.events));
        let expected: BTreeSet<&String> =
            expected.iter().filter(|(_, rule)| of(rule)).map(|(key, _)| key).collect();
        let noted = ended.incidents.iter().collect::<BTreeSet<_>>() == paged.keys().copied().collect();
        if dead > 0 || found != expected || !noted {
            wrong.push(format!(
                "SEED={seed}, {}: {dead} dead, noted as paged: {noted}; the functions {found:?}, the replay {expected:?}",
                story.name
            ));
        }
        (events, incidents) = (events + story.events.len(), incidents + found.len());
    }
    println!("{count} stories, {events} events, {incidents} incidents");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(incidents as u64 > count / 4);
}
