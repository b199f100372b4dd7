//! Order, copies and batches change no incident: neither in the replay, nor between it and the functions.
//!
//! `CASES=100000` sets how many permutations the replay gets, `SEEDS=1000` how many stories the functions; `SEED` where both begin. With `SEEDS=1` there is a trace.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::Facts;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::rules::{Handler, MatchedEvent, RuleSet, builtin};
use responder_core::severity::Severity;
use simulation::functions::{ArrivalPlan, DeliveryResult, deliver_events};
use simulation::random::SeededRandom;

use crate::stories::{EventStory, choose, make_ambiguous_story, read_fixtures, slice_corpus};

/// How many slices of the corpus and how many ambiguous stories are permuted.
const MADE_STORIES: usize = 60;

/// The number in an environment variable, or the default.
fn read_number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A story that is decided again and again.
struct KnownStory<'r> {
    story: EventStory,
    cases: Vec<MatchedEvent<'r>>,
    incidents: BTreeMap<String, String>,
}

/// One of two stories, the shorter one: a hundred short ones find more than one that is a hundred times as long.
fn choose_short<'s, 'r>(random: &mut SeededRandom, stories: &'s [KnownStory<'r>]) -> &'s KnownStory<'r> {
    let one = choose(random, stories);
    let other = choose(random, stories);
    if other.cases.len() < one.cases.len() { other } else { one }
}

/// The fixtures, slices of the corpus and ambiguous stories, with their incidents in a replay.
fn make_known_stories<'r>(
    rules: &'r RuleSet,
    random: &mut SeededRandom,
    is_wanted: fn(&MatchedEvent<'_>) -> bool,
) -> Vec<KnownStory<'r>> {
    let mut stories = read_fixtures();
    for _ in 0..MADE_STORIES {
        stories.push(slice_corpus(random, 40));
    }
    for _ in 0..MADE_STORIES {
        stories.push(make_ambiguous_story(random));
    }
    let mut known = Vec::new();
    for story in stories {
        let mut cases = match_events(rules, &story.events);
        cases.retain(is_wanted);
        let incidents = replay(&story.facts, cases.clone());
        known.push(KnownStory { story, cases, incidents });
    }
    known
}

fn match_events<'r>(rules: &'r RuleSet, events: &[String]) -> Vec<MatchedEvent<'r>> {
    let mut cases = Vec::new();
    for event in events {
        cases.extend(rules.match_event(event).unwrap());
    }
    cases
}

/// The keys of the incidents that come of some cases in this order, with the rule that found each.
fn decide_in_order(facts: &Facts, cases: &[MatchedEvent<'_>]) -> BTreeMap<String, String> {
    let mut incidents = BTreeMap::new();
    for incident in decide_all(facts, cases).incidents() {
        incidents.insert(incident.key, incident.rule);
    }
    incidents
}

fn decide_all<'r>(facts: &Facts, cases: &[MatchedEvent<'r>]) -> MemoryStore<'r> {
    let mut store = MemoryStore::new(facts.clone());
    for case in cases {
        store.decide(case);
    }
    store
}

/// The same as the replay decides it: in the order of time, each event once.
fn replay(facts: &Facts, cases: Vec<MatchedEvent<'_>>) -> BTreeMap<String, String> {
    decide_in_order(facts, &order_and_deduplicate(cases).0)
}

/// The same without incidents that only go to the summary, and without those of rotations: these depend on ECS, which is not the same here and there.
fn replay_pages(rules: &RuleSet, story: &EventStory) -> BTreeSet<String> {
    let cases = order_and_deduplicate(match_events(rules, &story.events)).0;
    let mut keys = BTreeSet::new();
    for incident in decide_all(&story.facts, &cases).incidents() {
        if incident.severity > Severity::Info && is_counted(rules.responses[&incident.rule].handler) {
            keys.insert(incident.key);
        }
    }
    keys
}

fn is_counted(handler: Handler) -> bool {
    matches!(handler, Handler::Access | Handler::Failure)
}

/// The cases in any order, each once or more often.
fn shuffle<'r>(cases: &[MatchedEvent<'r>], random: &mut SeededRandom) -> Vec<MatchedEvent<'r>> {
    let mut copies = cases.to_vec();
    for case in cases {
        while random.chance(200) {
            copies.push(case.clone());
        }
    }
    for index in (1..copies.len()).rev() {
        copies.swap(index, random.index(index + 1));
    }
    copies
}

#[test]
fn any_order_and_any_copies_replay_to_the_same_incidents() {
    let rules = builtin().unwrap();
    let mut random = SeededRandom::new(read_number("SEED", 1));
    let stories = make_known_stories(&rules, &mut random, |_| true);
    let count = read_number("CASES", 2_000);
    let mut events = 0;
    let mut incidents = 0;
    let mut wrong = Vec::new();
    for number in 0..count {
        let KnownStory { story, cases, incidents: expected } = choose_short(&mut random, &stories);
        let arrived = shuffle(cases, &mut random);
        events += arrived.len();
        incidents += expected.len();
        let found = replay(&story.facts, arrived);
        if found != *expected {
            wrong.push(format!("permutation {number}, {}: {found:?}, not {expected:?}", story.name));
        }
    }
    println!("{count} permutations of {} stories: {events} events, {incidents} incidents", stories.len());
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(incidents as u64 > count / 4);
}

#[test]
fn a_store_that_gets_events_in_any_order_knows_the_same_incidents() {
    let rules = builtin().unwrap();
    let mut random = SeededRandom::new(read_number("SEED", 2));
    let stories = make_known_stories(&rules, &mut random, |case| is_counted(case.handler));
    let count = read_number("CASES", 2_000) / 10;
    let mut wrong = Vec::new();
    for number in 0..count {
        let KnownStory { story, cases, incidents } = choose_short(&mut random, &stories);
        let expected: Vec<&String> = incidents.keys().collect();
        let decided = decide_in_order(&story.facts, &shuffle(cases, &mut random));
        let found: Vec<&String> = decided.keys().collect();
        if found != expected {
            wrong.push(format!("permutation {number}, {}: {found:?}, not {expected:?}", story.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// How the incidents of the functions differ from those of the replay; `None` if they do not.
fn compare_with_replay(
    rules: &RuleSet,
    expected: &BTreeSet<String>,
    delivered: &DeliveryResult,
) -> Option<String> {
    let mut found = BTreeSet::new();
    let mut paged = BTreeSet::new();
    for (key, page) in &delivered.pages {
        paged.insert(key.clone());
        if is_counted(rules.responses[&page.attributes["rule"]].handler) {
            found.insert(key.clone());
        }
    }
    let mut dead_letters = 0;
    for (handler, count) in &delivered.dead_letters {
        if is_counted(*handler) {
            dead_letters += count;
        }
    }
    let is_recorded = delivered.incidents == paged;
    if dead_letters == 0 && found == *expected && is_recorded {
        return None;
    }
    Some(format!(
        "{dead_letters} dead letters, recorded as paged: {is_recorded}; the functions {found:?}, the replay {expected:?}"
    ))
}

#[test]
fn the_functions_end_with_the_incidents_of_the_replay() {
    let rules = builtin().unwrap();
    let fixtures = read_fixtures();
    let first = read_number("SEED", 0);
    let count = read_number("SEEDS", 300);
    let mut events = 0;
    let mut incidents = 0;
    let mut wrong = Vec::new();
    for seed in first..first + count {
        let mut random = SeededRandom::new(seed);
        let story = match random.below(3) {
            0 => choose(&mut random, &fixtures).clone(),
            1 => slice_corpus(&mut random, 120),
            _ => make_ambiguous_story(&mut random),
        };
        let workers = 1 + random.index(4);
        let arrival = ArrivalPlan { seed, workers, repeated: 150, is_traced: count == 1 };
        let delivered = deliver_events(&story.events, &story.facts, &arrival).unwrap();
        for line in &delivered.trace {
            println!("{line}");
        }
        let expected = replay_pages(&rules, &story);
        if let Some(difference) = compare_with_replay(&rules, &expected, &delivered) {
            wrong.push(format!("SEED={seed}, {}: {difference}", story.name));
        }
        events += story.events.len();
        incidents += expected.len();
    }
    println!("{count} stories, {events} events, {incidents} incidents");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(incidents as u64 > count / 4);
}
