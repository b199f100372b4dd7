//! Every labelled attack is found, once; everyday work pages nobody. So it is for the recorded attacks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "slices and muddles are for the permutations")]
mod stories;

use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::builtin;
use responder_core::severity::Severity;
use simulation::corpus::{judge, samples};
use stories::{Story, fixtures};

#[test]
fn every_attack_is_found_and_everyday_work_pages_nobody() {
    let rules = builtin().unwrap();
    let seeds = std::env::var("CORPORA").map_or(20, |text| text.parse().unwrap());
    let mut wrong = Vec::new();
    let (mut attacks, mut others, mut pages) = (0, 0, 0);
    for seed in 1..=seeds {
        for row in judge(&rules, &samples(seed)).unwrap() {
            // One page, and one more for each time that it becomes worse.
            if row.wrong > 0 || row.pages > 3 {
                wrong.push(format!("seed {seed}, {}: {} pages by {:?}", row.class, row.pages, row.paged_by));
            }
            (attacks, others) = (attacks + usize::from(row.is_attack), others + usize::from(!row.is_attack));
            pages += row.pages;
        }
    }
    println!("{attacks} attacks with {pages} pages, {others} samples of everyday work");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The incidents that somebody should see at once, and how often somebody was paged.
fn decided(story: &Story) -> (Vec<Incident>, usize) {
    let rules = builtin().unwrap();
    let mut ledger = MemoryStore::new(story.facts.clone());
    let cases = story.events.iter().flat_map(|event| rules.match_event(event).unwrap()).collect();
    let plans: Vec<_> = order_and_deduplicate(cases).0.iter().map(|case| ledger.decide(case)).collect();
    let pages =
        plans.iter().flat_map(|plan| &plan.steps).filter(|step| matches!(step, PlanStep::Page { .. }));
    let mut incidents = ledger.incidents();
    incidents.retain(|incident| incident.severity > Severity::Info);
    (incidents, pages.count())
}

/// A recorded attack: at home, and where nothing of ours runs.
fn recorded(name: &str) -> [(Vec<Incident>, usize); 2] {
    let home = fixtures().into_iter().find(|story| story.name == name).unwrap();
    let events = home.events.iter().map(|event| event.replace("us-west-2", "ap-south-2")).collect();
    let away = Story { events, ..home.clone() };
    assert_ne!(home.events, away.events);
    [home, away].map(|story| decided(&story))
}

#[test]
fn the_recorded_attacks_are_one_incident_and_one_page_each() {
    for (incidents, pages) in recorded("a-list-and-then-twenty-reads-in-four-seconds") {
        assert_eq!((incidents.len(), pages), (1, 1), "{incidents:#?}");
        assert_eq!((incidents[0].severity, incidents[0].distinct_secrets), (Severity::High, Some(20)));
    }
    for (incidents, pages) in recorded("five-batch-reads-by-a-tag-and-no-read-of-a-secret") {
        assert_eq!((incidents.len(), pages), (1, 1), "{incidents:#?}");
        // At most twenty a call, and nobody knows how many: neither none nor five.
        assert_eq!((incidents[0].reads, incidents[0].distinct_secrets), (5, None));
    }
}
