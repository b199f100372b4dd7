//! Bugs that are planted are found: the oracles can fail.

use responder_core::time::Span;
use simulation::oracle::Promised;
use simulation::random_world::{faulty, live, lossy};
use simulation::world::Conditions;

/// Within how many worlds each must be found.
const SEEDS: u64 = 100;

/// What the first world says in which something is wrong.
#[expect(clippy::panic, clippy::unwrap_used, reason = "a test's helper")]
fn found(
    conditions: impl Fn(u64) -> Conditions,
    planted: impl Fn(&mut Conditions),
    within: Option<Span>,
) -> String {
    for seed in 0..SEEDS {
        let mut conditions = conditions(seed);
        let promised = Promised { settings: conditions.settings.clone(), within };
        planted(&mut conditions);
        let (_, wrong) = live(conditions, &promised).unwrap();
        if !wrong.is_empty() {
            println!("SEED={seed}: {}", wrong.join("\n  "));
            return wrong.join("\n");
        }
    }
    panic!("not found in {SEEDS} worlds");
}

#[test]
fn without_the_sweep_a_change_of_which_no_event_told_is_not_answered() {
    let wrong = found(faulty, |conditions| conditions.sweep_every = None, None);
    assert!(wrong.contains("nobody was told") || wrong.contains("0 incidents"), "{wrong}");
}

#[test]
fn without_the_cooldown_a_service_is_deployed_twice() {
    for conditions in [lossy, faulty] {
        let wrong = found(conditions, |conditions| conditions.settings.cooldown = Span::default(), None);
        assert!(wrong.contains("was deployed at"), "{wrong}");
    }
}

#[test]
fn places_that_are_never_given_back_make_changes_wait() {
    let within = Some(Span::from_secs(900));
    let planted = |conditions: &mut Conditions| {
        conditions.keeps_places = true;
        conditions.settings.rollout_limit = 1;
        // People would be told in time.
        conditions.settings.answer_deadline = Span::from_secs(86_400);
    };
    let wrong = found(lossy, planted, within);
    assert!(wrong.contains("was answered"), "{wrong}");
}

#[test]
fn settings_that_allow_more_at_once_are_noticed() {
    let wrong = found(lossy, |conditions| conditions.settings.rollout_limit = 9, None);
    assert!(wrong.contains("were under way"), "{wrong}");
}
