//! The paging path, explored: in no order of events is a page lost, and none is sent again without a cause. Bugs that are planted are found.
//!
//! `DEATHS`, `FAULTS` and `COPIES` set other bounds for the scenes, `STATES` how many states are too many; with `--nocapture` the figures are printed.
//! Without optimization only a death is explored: use `--profile simulation`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::str::FromStr;

use responder_core::time::Span;
use simulation::explore::{Bounds, Found, Plant, Scene, Timing, explore};

fn number<N: FromStr>(name: &str, usual: N) -> N {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn bounds(deaths: u8, faults: u8, copies: u8) -> Bounds {
    let (deaths, faults) = if cfg!(optimized) { (deaths, faults) } else { (deaths.min(1), 0) };
    Bounds {
        deaths: number("DEATHS", deaths),
        faults: number("FAULTS", faults),
        copies: number("COPIES", copies),
    }
}

fn look(scene: &Scene) -> Found {
    let found = explore(scene).expect("the scene's rules can be loaded");
    println!("{found}\n");
    found
}

/// That an exploration was as large as it is meant to be.
fn enough(states: usize, least: usize) {
    assert!(states >= least || !cfg!(optimized), "{states}");
}

/// Explores a scene within each of some bounds; returns how many states were visited, and which causes of one more page were seen.
fn holds(scene: fn(Bounds) -> Scene, within: &[Bounds]) -> (usize, Vec<&'static str>) {
    let (mut states, mut causes) = (0, Vec::new());
    for bounds in within {
        let scene = scene(*bounds);
        let found = look(&Scene { most: number("STATES", scene.most), ..scene });
        assert_eq!(found.wrong, None, "{bounds:?}");
        assert_eq!(found.keys, 1, "every page of an incident carries the same key");
        states += found.states;
        causes.extend(found.again.iter().filter(|(_, times)| *times > 0).map(|(cause, _)| *cause));
    }
    causes.sort_unstable();
    causes.dedup();
    (states, causes)
}

#[test]
fn one_message_is_one_page_whatever_happens() {
    let (states, causes) = holds(Scene::one, &[bounds(4, 2, 0), bounds(4, 1, 1)]);
    enough(states, 250_000);
    assert!(causes.len() == 4 || !cfg!(optimized), "every cause of one more page occurs: {causes:?}");
}

#[test]
fn two_messages_of_one_incident_are_one_page_whatever_happens() {
    let (states, _) = holds(Scene::two, &[bounds(4, 0, 0), bounds(1, 1, 0)]);
    enough(states, 800_000);
}

#[test]
fn a_severity_that_rises_is_told_whatever_happens() {
    let (states, _) = holds(Scene::rising, &[bounds(4, 0, 0), bounds(1, 1, 0)]);
    enough(states, 1_000_000);
}

#[test]
fn six_deliveries_are_enough_for_four_deaths_and_a_held_claim() {
    let timing = Timing { receives: 6, ..Timing::default() };
    let scene = Scene::rising(bounds(4, 0, 0));
    let found = look(&Scene { timing, despite_deaths: scene.severity, ..scene });
    assert_eq!(found.wrong, None);
}

#[test]
fn a_resolution_is_told_at_most_once_whatever_happens() {
    let (states, _) = holds(Scene::resolved, &[bounds(4, 0, 0), bounds(2, 1, 0)]);
    enough(states, 500_000);
}

#[test]
fn poison_is_one_page_whatever_happens() {
    holds(Scene::quarantined, &[bounds(4, 2, 1)]);
}

/// What is found in a scene, a planted bug or other times given.
fn wrong(scene: &Scene) -> String {
    look(scene).wrong.expect("it is found")
}

const NOTHING: Bounds = Bounds { deaths: 0, faults: 0, copies: 0 };

#[test]
fn a_mark_before_the_page_is_found() {
    let scene = Scene::one(Bounds { deaths: 1, ..NOTHING });
    let wrong = wrong(&Scene { plant: Some(Plant::MarkBeforeSend), ..scene });
    assert!(wrong.contains("a page is lost") && wrong.contains("the process dies"), "{wrong}");
}

#[test]
fn a_claim_for_ever_is_found() {
    let scene = Scene::one(Bounds { deaths: 1, ..NOTHING });
    let wrong = wrong(&Scene { plant: Some(Plant::NoLease), ..scene });
    assert!(wrong.contains("nothing but processes died") && wrong.contains("(delivery 5)"), "{wrong}");
}

#[test]
fn a_held_claim_that_counts_as_done_is_found() {
    // Who holds it may die, or say less than should be said.
    let twice = Scene::one(Bounds { deaths: 1, copies: 1, ..NOTHING });
    for scene in [twice, Scene::rising(NOTHING)] {
        let wrong = wrong(&Scene { plant: Some(Plant::OpenClaim), ..scene });
        assert!(wrong.contains("a page is lost"), "{wrong}");
    }
}

#[test]
fn a_lease_that_is_shorter_than_the_timeout_is_found() {
    let plant = Some(Plant::ShortLease(Span::from_secs(30)));
    let wrong = wrong(&Scene { plant, ..Scene::two(NOTHING) });
    assert!(wrong.contains("a second page is sent"), "{wrong}");
}

#[test]
fn a_timeout_that_is_longer_than_the_lease_changes_nothing() {
    // No invocation works for longer than its claims are held, whatever it is allowed.
    let timing =
        Timing { timeout: Span::from_secs(120), visibility: Span::from_secs(180), ..Timing::default() };
    let found = look(&Scene { timing, ..Scene::two(Bounds { deaths: 1, ..NOTHING }) });
    assert_eq!(found.wrong, None);
}

#[test]
fn a_visibility_that_is_too_short_for_the_lease_is_found() {
    let timing = Timing { visibility: Span::from_secs(60), ..Timing::default() };
    let wrong = wrong(&Scene { timing, ..Scene::one(Bounds { deaths: 4, ..NOTHING }) });
    assert!(wrong.contains("nothing but processes died"), "{wrong}");
}

#[test]
fn four_deliveries_are_too_few_for_four_deaths() {
    let timing = Timing { receives: 4, ..Timing::default() };
    let wrong = wrong(&Scene { timing, ..Scene::one(Bounds { deaths: 4, ..NOTHING }) });
    assert!(wrong.contains("nothing but processes died"), "{wrong}");
}
