//! The paging path, explored: in no order of events is a page lost, and none is sent again without a cause. Planted bugs are found.
//!
//! `DEATHS`, `FAULTS` and `COPIES` set other bounds for the scenes, `STATES` how many states are too many; with `--nocapture` the figures are printed.
//! Without optimization only a death is explored: use `--profile simulation`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::str::FromStr;

use responder_core::time::Span;
use simulation::explore::{
    ExplorationBounds, ExplorationResult, ExploredScene, FunctionTiming, ProtocolBug, explore_scene,
};

/// The number in an environment variable, or the default.
fn read_number<N: FromStr>(name: &str, default: N) -> N {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or(default)
}

fn bounds(deaths: u8, faults: u8, copies: u8) -> ExplorationBounds {
    let (deaths, faults) = if cfg!(optimized) { (deaths, faults) } else { (deaths.min(1), 0) };
    ExplorationBounds {
        deaths: read_number("DEATHS", deaths),
        faults: read_number("FAULTS", faults),
        copies: read_number("COPIES", copies),
    }
}

fn explore(scene: &ExploredScene) -> ExplorationResult {
    let result = explore_scene(scene).expect("the scene's rules can be loaded");
    println!("{result}\n");
    result
}

/// The sums of the explorations of a scene.
#[derive(Default)]
struct ExplorationSums {
    states: usize,
    /// The causes of one more page that occurred.
    causes: BTreeSet<&'static str>,
}

impl ExplorationSums {
    /// Asserts that the explorations were as large as they are meant to be.
    fn assert_states(&self, least: usize) {
        assert!(self.states >= least || !cfg!(optimized), "{}", self.states);
    }
}

/// Explores a scene within each of some bounds, and asserts that it has no violation.
fn assert_holds(
    make_scene: fn(ExplorationBounds) -> ExploredScene,
    within: &[ExplorationBounds],
) -> ExplorationSums {
    let mut sums = ExplorationSums::default();
    for bounds in within {
        let mut scene = make_scene(*bounds);
        scene.max_states = read_number("STATES", scene.max_states);
        let result = explore(&scene);
        assert_eq!(result.violation, None, "{bounds:?}");
        assert_eq!(result.incident_keys, 1, "every page of an incident carries the same key");
        sums.states += result.states;
        for (cause, times) in result.repeats {
            if times > 0 {
                sums.causes.insert(cause);
            }
        }
    }
    sums
}

#[test]
fn one_message_is_one_page_whatever_happens() {
    let sums = assert_holds(ExploredScene::one_failure, &[bounds(4, 2, 0), bounds(4, 1, 1)]);
    sums.assert_states(250_000);
    let causes = sums.causes;
    assert!(causes.len() == 4 || !cfg!(optimized), "every cause of one more page occurs: {causes:?}");
}

#[test]
fn two_messages_of_one_incident_are_one_page_whatever_happens() {
    let sums = assert_holds(ExploredScene::two_failures, &[bounds(4, 0, 0), bounds(1, 1, 0)]);
    sums.assert_states(800_000);
}

#[test]
fn a_severity_that_rises_is_paged_whatever_happens() {
    let sums = assert_holds(ExploredScene::rising_severity, &[bounds(4, 0, 0), bounds(1, 1, 0)]);
    sums.assert_states(1_000_000);
}

#[test]
fn an_incident_that_grows_is_paged_once_for_each_step_whatever_happens() {
    let sums = assert_holds(ExploredScene::growing_incident, &[bounds(4, 0, 0), bounds(1, 1, 0)]);
    sums.assert_states(1_000_000);
}

#[test]
fn a_growing_incident_survives_copies() {
    assert_holds(ExploredScene::growing_incident, &[bounds(0, 0, 1), bounds(1, 0, 1)]);
}

#[test]
fn six_deliveries_are_enough_for_four_deaths_and_a_held_claim() {
    let mut scene = ExploredScene::rising_severity(bounds(4, 0, 0));
    scene.timing.receives = 6;
    scene.despite_deaths = scene.severity;
    assert_eq!(explore(&scene).violation, None);
}

#[test]
fn a_resolution_is_sent_at_most_once_whatever_happens() {
    let sums = assert_holds(ExploredScene::failure_and_success, &[bounds(4, 0, 0), bounds(2, 1, 0)]);
    sums.assert_states(500_000);
}

#[test]
fn poison_is_one_page_whatever_happens() {
    assert_holds(ExploredScene::poison, &[bounds(4, 2, 1)]);
}

/// The violation of a scene with a planted bug, or with other times.
fn find_violation(scene: &ExploredScene) -> String {
    explore(scene).violation.expect("it is found")
}

const NOTHING_GOES_WRONG: ExplorationBounds = ExplorationBounds { deaths: 0, faults: 0, copies: 0 };
const ONE_DEATH: ExplorationBounds = ExplorationBounds { deaths: 1, faults: 0, copies: 0 };
const FOUR_DEATHS: ExplorationBounds = ExplorationBounds { deaths: 4, faults: 0, copies: 0 };

fn with_bug(scene: ExploredScene, bug: ProtocolBug) -> ExploredScene {
    ExploredScene { bug: Some(bug), ..scene }
}

#[test]
fn a_mark_before_the_page_is_found() {
    let scene = with_bug(ExploredScene::one_failure(ONE_DEATH), ProtocolBug::MarksBeforeSending);
    let violation = find_violation(&scene);
    assert!(violation.contains("a page is lost") && violation.contains("the process dies"), "{violation}");
}

#[test]
fn a_claim_for_ever_is_found() {
    let scene = with_bug(ExploredScene::one_failure(ONE_DEATH), ProtocolBug::HoldsClaimsForEver);
    let violation = find_violation(&scene);
    assert!(
        violation.contains("nothing but processes died") && violation.contains("(delivery 5)"),
        "{violation}"
    );
}

#[test]
fn a_held_claim_that_counts_as_done_is_found() {
    // The holder may die, or page less urgently than it should.
    let copied = ExplorationBounds { copies: 1, ..ONE_DEATH };
    for scene in [ExploredScene::one_failure(copied), ExploredScene::rising_severity(NOTHING_GOES_WRONG)] {
        let violation = find_violation(&with_bug(scene, ProtocolBug::TakesHeldForDone));
        assert!(violation.contains("a page is lost"), "{violation}");
    }
}

#[test]
fn a_lease_that_is_shorter_than_the_timeout_is_found() {
    let bug = ProtocolBug::HoldsClaimsFor(Span::from_secs(30));
    let violation = find_violation(&with_bug(ExploredScene::two_failures(NOTHING_GOES_WRONG), bug));
    assert!(violation.contains("a second page is sent"), "{violation}");
}

#[test]
fn a_timeout_that_is_longer_than_the_lease_changes_nothing() {
    // No invocation works for longer than its claims are held, whatever it is allowed.
    let timing = FunctionTiming {
        timeout: Span::from_secs(120),
        visibility: Span::from_secs(180),
        ..FunctionTiming::default()
    };
    let scene = ExploredScene { timing, ..ExploredScene::two_failures(ONE_DEATH) };
    assert_eq!(explore(&scene).violation, None);
}

#[test]
fn a_visibility_that_is_too_short_for_the_lease_is_found() {
    let timing = FunctionTiming { visibility: Span::from_secs(60), ..FunctionTiming::default() };
    let scene = ExploredScene { timing, ..ExploredScene::one_failure(FOUR_DEATHS) };
    let violation = find_violation(&scene);
    assert!(violation.contains("nothing but processes died"), "{violation}");
}

#[test]
fn four_deliveries_are_too_few_for_four_deaths() {
    let timing = FunctionTiming { receives: 4, ..FunctionTiming::default() };
    let scene = ExploredScene { timing, ..ExploredScene::one_failure(FOUR_DEATHS) };
    let violation = find_violation(&scene);
    assert!(violation.contains("nothing but processes died"), "{violation}");
}
