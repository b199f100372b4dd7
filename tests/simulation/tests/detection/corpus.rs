//! Every labelled attack is found, once; everyday work pages nobody. The same holds for the recorded attacks.

use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::builtin;
use responder_core::severity::Severity;
use simulation::corpus::{judge_samples, make_samples};

use crate::stories::{EventStory, read_fixtures};

/// How many corpora are judged without `CORPORA`.
const DEFAULT_CORPORA: u64 = 20;
/// One page, and one more for each time that an attack becomes worse or grows by a step.
const MAX_PAGES: usize = 7;

#[test]
fn every_attack_is_found_and_everyday_work_pages_nobody() {
    let rules = builtin().unwrap();
    let corpora = std::env::var("CORPORA").map_or(DEFAULT_CORPORA, |text| text.parse().unwrap());
    let mut wrong = Vec::new();
    let mut attacks = 0;
    let mut others = 0;
    let mut pages = 0;
    for seed in 1..=corpora {
        for verdict in judge_samples(&rules, &make_samples(seed)).unwrap() {
            if verdict.wrong > 0 || verdict.pages > MAX_PAGES {
                let class = verdict.class;
                wrong
                    .push(format!("seed {seed}, {class}: {} pages by {:?}", verdict.pages, verdict.paged_by));
            }
            if verdict.is_attack {
                attacks += 1;
            } else {
                others += 1;
            }
            pages += verdict.pages;
        }
    }
    println!("{attacks} attacks with {pages} pages, {others} samples of everyday work");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The incidents of a story that somebody should see at once, and how often somebody was paged.
fn decide_story(story: &EventStory) -> (Vec<Incident>, usize) {
    let rules = builtin().unwrap();
    let mut memory = MemoryStore::new(story.facts.clone());
    let mut matched = Vec::new();
    for event in &story.events {
        matched.extend(rules.match_event(event).unwrap());
    }
    let mut pages = 0;
    for case in &order_and_deduplicate(matched).0 {
        for step in &memory.decide(case).steps {
            pages += usize::from(matches!(step, PlanStep::Page { .. }));
        }
    }
    let mut incidents = memory.incidents();
    incidents.retain(|incident| incident.severity > Severity::Info);
    (incidents, pages)
}

/// A recorded attack: at home, and in a Region where nothing of ours runs.
fn decide_recorded(name: &str) -> [(Vec<Incident>, usize); 2] {
    let home = read_fixtures().into_iter().find(|story| story.name == name).unwrap();
    let mut away = home.clone();
    for event in &mut away.events {
        *event = event.replace("us-west-2", "ap-south-2");
    }
    assert_ne!(home.events, away.events);
    [decide_story(&home), decide_story(&away)]
}

#[test]
fn the_recorded_attacks_are_one_incident_each_with_a_page_for_each_step() {
    for (incidents, pages) in decide_recorded("a-list-and-then-twenty-reads-in-four-seconds") {
        // The fifth read after the list, the tenth, and the twentieth.
        assert_eq!((incidents.len(), pages), (1, 3), "{incidents:#?}");
        assert_eq!((incidents[0].severity, incidents[0].distinct_secrets), (Severity::High, Some(20)));
        assert_eq!((incidents[0].reads, incidents[0].lists), (20, 1));
    }
    for (incidents, pages) in decide_recorded("five-batch-reads-by-a-tag-and-no-read-of-a-secret") {
        assert_eq!((incidents.len(), pages), (1, 1), "{incidents:#?}");
        // At most twenty a call, and nobody knows how many: neither none nor five.
        assert_eq!((incidents[0].reads, incidents[0].distinct_secrets), (5, None));
    }
}
