//! The oracles can fail: each planted bug is found within a hundred worlds.

use responder_core::time::Span;
use simulation::cloud::CloudBug;
use simulation::oracle::WorldPromises;
use simulation::random_world::{make_faulty_conditions, make_lossy_conditions, run_random_world};
use simulation::world::WorldConditions;

/// Within how many worlds each must be found.
const MAX_SEEDS: u64 = 100;

/// The violations of the first world that has any.
#[expect(clippy::panic, clippy::unwrap_used, reason = "a test's helper")]
fn find_violations(
    make_conditions: fn(u64) -> WorldConditions,
    plant_bug: impl Fn(&mut WorldConditions),
    answered_within: Option<Span>,
) -> String {
    for seed in 0..MAX_SEEDS {
        let mut conditions = make_conditions(seed);
        let promises = WorldPromises { settings: conditions.settings.clone(), answered_within };
        plant_bug(&mut conditions);
        let (_, violations) = run_random_world(conditions, &promises).unwrap();
        if !violations.is_empty() {
            println!("SEED={seed}: {}", violations.join("\n  "));
            return violations.join("\n");
        }
    }
    panic!("not found in {MAX_SEEDS} worlds");
}

#[test]
fn without_the_sweep_a_change_whose_events_are_lost_is_not_answered() {
    let violations =
        find_violations(make_faulty_conditions, |conditions| conditions.sweep_every = None, None);
    let is_found = violations.contains("nobody was notified") || violations.contains("0 incidents");
    assert!(is_found, "{violations}");
}

#[test]
fn without_the_cooldown_a_service_is_deployed_twice() {
    for make_conditions in [make_lossy_conditions, make_faulty_conditions] {
        let violations = find_violations(
            make_conditions,
            |conditions| conditions.settings.cooldown = Span::default(),
            None,
        );
        assert!(violations.contains("was deployed at"), "{violations}");
    }
}

#[test]
fn slots_that_are_never_given_back_make_changes_wait() {
    let plant_bug = |conditions: &mut WorldConditions| {
        conditions.bug = Some(CloudBug::KeepsSlots);
        conditions.settings.rollout_limit = 1;
        // Otherwise people would be notified in time.
        conditions.settings.answer_deadline = Span::from_secs(86_400);
    };
    let violations = find_violations(make_lossy_conditions, plant_bug, Some(Span::from_secs(900)));
    assert!(violations.contains("was answered"), "{violations}");
}

#[test]
fn settings_that_allow_more_deployments_at_once_are_noticed() {
    let violations =
        find_violations(make_lossy_conditions, |conditions| conditions.settings.rollout_limit = 9, None);
    assert!(violations.contains("were under way"), "{violations}");
}

#[test]
fn a_newer_deployment_that_is_not_complete_leaves_old_tasks() {
    let plant_bug = |conditions: &mut WorldConditions| conditions.bug = Some(CloudBug::ShowsNewerAsCompleted);
    let violations = find_violations(make_lossy_conditions, plant_bug, None);
    assert!(violations.contains("a task of"), "{violations}");
}

#[test]
fn a_forced_deployment_ruins_one_that_waits_for_approval() {
    let plant_bug = |conditions: &mut WorldConditions| conditions.bug = Some(CloudBug::HidesApprovals);
    let violations = find_violations(make_lossy_conditions, plant_bug, None);
    assert!(violations.contains("lost its approval"), "{violations}");
}
