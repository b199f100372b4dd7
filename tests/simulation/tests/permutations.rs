//! Order, copies and batches change no incident: neither in the replay, nor between it and the functions.
//!
//! `CASES=100000` sets how many permutations the replay gets, `SEEDS=1000` how many stories the functions.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use responder_core::event::read;
use responder_core::facts::{Facts, Settings};
use responder_core::ledger::{Ledger, in_order};
use responder_core::rules::{Handler, Rules, builtin};
use simulation::Random;
use simulation::corpus::{facts, samples};
use simulation::functions::{Arrival, deliver};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Events that belong together, and what is known of the world.
struct Story {
    name: String,
    events: Vec<String>,
    facts: Facts,
}

/// Every timeline, and every case of access and failure.
fn fixtures() -> Vec<Story> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut open: Vec<PathBuf> = ["timelines", "access", "failure"].map(|name| root.join(name)).into();
    let mut stories = Vec::new();
    while let Some(folder) = open.pop() {
        let paths: BTreeSet<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let is_case = paths.iter().any(|path| path.ends_with("about.json"));
        if is_case {
            stories.push(story(&folder, &paths));
        } else {
            open.extend(paths.into_iter().filter(|path| path.is_dir()));
        }
    }
    stories.sort_by(|a, b| a.name.cmp(&b.name));
    stories.retain(|story| !story.events.is_empty());
    assert!(stories.len() > 50);
    stories
}

fn story(folder: &Path, paths: &BTreeSet<PathBuf>) -> Story {
    let companion = |path: &&PathBuf| {
        ["about.json", "facts.json", "expected.json"].iter().any(|name| path.ends_with(name))
    };
    let mut events = Vec::new();
    for path in paths.iter().filter(|path| !companion(path)) {
        read(&fs::read(path).unwrap(), &mut |found| {
            events.extend(found.ok().map(|found| found.text.into_owned()))
        });
    }
    let facts = fs::read_to_string(folder.join("facts.json"))
        .map_or_else(|_| Facts::default(), |text| serde_json::from_str(&text).unwrap());
    Story { name: folder.file_name().unwrap().to_string_lossy().into_owned(), events, facts }
}

/// At most `most` events of one or two samples of the corpus that follow each other.
fn slice(random: &mut Random, most: u64) -> Story {
    let samples = samples(random.next_u64());
    let mut story = Story { name: String::new(), events: Vec::new(), facts: facts(&samples) };
    for _ in 0..=random.below(2) {
        let sample = &samples[usize::try_from(random.below(samples.len() as u64)).unwrap()];
        let count = usize::try_from(most.min(sample.events.len() as u64)).unwrap();
        let from = usize::try_from(random.below((sample.events.len() - count) as u64 + 1)).unwrap();
        story.events.extend(sample.events[from..from + count].iter().map(|(_, event)| event.to_string()));
        story.name = format!("{} {}", story.name, sample.class.name);
    }
    story
}

/// The events in any order, each once or more often.
fn shuffled(events: &[String], random: &mut Random) -> Vec<String> {
    let mut copies: Vec<String> = events.to_vec();
    for event in events {
        while random.chance(200) {
            copies.push(event.clone());
        }
    }
    for place in (1..copies.len()).rev() {
        copies.swap(place, usize::try_from(random.below(place as u64 + 1)).unwrap());
    }
    copies
}

/// The keys of the incidents that the replay finds, by the rule that found them.
fn replayed(rules: &Rules, facts: &Facts, events: &[String]) -> BTreeMap<String, String> {
    let mut cases = Vec::new();
    // As the replay reads them: one text.
    read(events.join("\n").as_bytes(), &mut |found| {
        cases.extend(found.ok().into_iter().flat_map(|found| rules.cases(&found.text).unwrap()))
    });
    let mut ledger = Ledger::new(facts.clone());
    for case in in_order(cases).0 {
        ledger.decide(&case);
    }
    ledger.incidents().into_iter().map(|incident| (incident.key, incident.rule)).collect()
}

#[test]
fn any_order_and_any_copies_replay_to_the_same_incidents() {
    let (rules, mut random) = (builtin().unwrap(), Random::new(number("SEED", 1)));
    let mut stories = fixtures();
    stories.extend((0..100).map(|_| slice(&mut random, 60)));
    let expected: Vec<_> =
        stories.iter().map(|story| replayed(&rules, &story.facts, &story.events)).collect();
    assert!(expected.iter().filter(|keys| !keys.is_empty()).count() > 20, "many stories have incidents");
    let cases = number("CASES", 2_000);
    for case in 0..cases {
        let chosen = usize::try_from(random.below(stories.len() as u64)).unwrap();
        let (story, expected) = (&stories[chosen], &expected[chosen]);
        let events = shuffled(&story.events, &mut random);
        let found = replayed(&rules, &story.facts, &events);
        assert_eq!(&found, expected, "case {case}, {}: {}", story.name, events.join("\n"));
    }
    println!("{cases} permutations of {} stories", stories.len());
}

#[test]
fn the_functions_end_with_the_incidents_of_the_replay() {
    let rules = builtin().unwrap();
    let fixtures = fixtures();
    let seeds = number("SEEDS", 300);
    let (mut events, mut incidents) = (0, 0);
    let first = number("SEED", 0);
    for seed in first..first + seeds {
        let mut random = Random::new(seed);
        let own;
        let story = if random.chance(500) {
            &fixtures[usize::try_from(random.below(fixtures.len() as u64)).unwrap()]
        } else {
            own = slice(&mut random, 120);
            &own
        };
        let arrival = Arrival { seed, workers: 1 + usize::try_from(random.below(4)).unwrap(), twice: 150 };
        let ended = deliver(&story.events, &story.facts.settings, &arrival).unwrap();
        assert_eq!(ended.dead, 0, "SEED={seed}, {}", story.name);
        let paged: BTreeSet<String> = ended.pages.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(ended.incidents, paged, "SEED={seed}, {}: what the ledger and the topic say", story.name);
        // Rotations depend on what ECS says, which is not the same here and there.
        let ours = |rule: &str| matches!(rules.responses[rule].handler, Handler::Access | Handler::Failure);
        let of = |key: &String| {
            ended
                .pages
                .iter()
                .find(|(paged, _)| paged == key)
                .map(|(_, page)| page.attributes["rule"].clone())
        };
        let found: BTreeSet<String> = paged.into_iter().filter(|key| ours(&of(key).unwrap())).collect();
        let expected = replayed(
            &rules,
            &Facts { settings: story.facts.settings.clone(), ..Facts::default() },
            &story.events,
        );
        let expected: BTreeSet<String> =
            expected.into_iter().filter(|(_, rule)| ours(rule)).map(|(key, _)| key).collect();
        if found != expected {
            panic!("SEED={seed}, {}: the functions {found:?}, the replay {expected:?}", story.name);
        }
        (events, incidents) = (events + story.events.len(), incidents + found.len());
    }
    println!("{seeds} stories, {events} events, {incidents} incidents");
    assert!(incidents as u64 > seeds / 10);
}
