//! Newer deployments: a change is answered by one that is newer and completed, whoever began it.

use responder_core::aws::ecs_service::{DeploymentController, EcsDeployment, RolloutState};
use responder_core::aws::rollout_configuration::{RolloutConfiguration, RolloutStrategy, TrafficSteps};
use responder_core::facts::Facts;
use responder_core::state::deployment::DeploymentOutcome;
use responder_core::text::Untrusted;
use responder_core::time::Span;

use crate::vocabulary::*;

const HOUR: Span = Span::from_secs(3_600);
const ROLLING_BACK: &str = "ECS deployment circuit breaker: rolling back to deploymentId old.";
const STRATEGIES: [RolloutStrategy; 5] = [
    RolloutStrategy::Rolling,
    RolloutStrategy::BlueGreen,
    RolloutStrategy::Linear,
    RolloutStrategy::Canary,
    RolloutStrategy::Other,
];

/// Service `a` uses `s1`, which changed at noon, and has a PRIMARY deployment of 12:01.
fn facts_with_primary(state: Option<RolloutState>, is_own: bool) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
    first_service(&mut facts).primary = primary("new", "12:01:00", state);
    first_service(&mut facts).other_deployments = Some(Vec::new());
    if is_own {
        facts.deployments.insert(service_arn("a"), request("12:00:59", Some("new")));
    }
    facts
}

fn old_deployment(running: u32) -> EcsDeployment {
    let state = Some(RolloutState::Completed);
    EcsDeployment { running_count: Some(running), ..primary("old", "09:00:00", state).unwrap() }
}

fn failed_deployment(time: &str) -> EcsDeployment {
    primary("failed", time, Some(RolloutState::Failed)).unwrap()
}

/// The decisions of the sweep of an instant about the service, and its pages.
fn sweep_words(facts: &mut Facts, time: &str) -> Vec<String> {
    let mut words = steps(facts, &sweep(time));
    words.retain(|word| !word.starts_with("end") && !word.starts_with("resolve "));
    words
}

#[test]
fn only_a_completed_deployment_answers_whatever_the_strategy_and_whoever_began_it() {
    for strategy in STRATEGIES {
        for is_own in [false, true] {
            for (state, expected) in [
                (Some(RolloutState::Completed), &["skip a already-newer", "resolve-change s1"][..]),
                (Some(RolloutState::InProgress), &["defer a in-progress"]),
            ] {
                let mut facts = facts_with_primary(state, is_own);
                first_service(&mut facts).deployment_configuration.strategy = strategy;
                let mut words = sweep_words(&mut facts, "12:05:00");
                if is_own {
                    // This sweep records the end of our own, and the next one resolves the change.
                    words.extend(sweep_words(&mut facts, "12:06:00").split_off(words.len()));
                }
                assert_eq!(words, expected, "{strategy:?} {state:?} {is_own}");
            }
            let mut facts = facts_with_primary(Some(RolloutState::Failed), is_own);
            first_service(&mut facts).deployment_configuration.strategy = strategy;
            let words = sweep_words(&mut facts, "12:05:00");
            let skipped = if is_own { "skip a already-requested" } else { "skip a rollout-failed" };
            let paged = if is_own { "page rollout-failed" } else { "page redeploy-consumers" };
            assert!(words.contains(&skipped.to_owned()) && words.contains(&paged.to_owned()), "{words:?}");
        }
    }
}

#[test]
fn old_tasks_beside_a_completed_deployment_keep_the_change_open() {
    let mut facts = facts_with_primary(Some(RolloutState::Completed), false);
    first_service(&mut facts).other_deployments = Some(vec![old_deployment(1)]);
    assert_eq!(sweep_words(&mut facts, "12:05:00"), ["defer a in-progress"]);
    first_service(&mut facts).other_deployments = Some(vec![old_deployment(0)]);
    assert_eq!(sweep_words(&mut facts, "12:05:00"), ["skip a already-newer", "resolve-change s1"]);
}

#[test]
fn without_a_rollout_state_a_service_is_complete_when_it_is_stable() {
    for (desired, running, others, expected) in [
        (2, 2, vec![], "skip a already-newer"),
        (2, 1, vec![], "defer a in-progress"),
        (2, 2, vec![old_deployment(0)], "defer a in-progress"),
        (0, 0, vec![], "skip a scaled-to-zero"),
    ] {
        let mut facts = facts_with_primary(None, false);
        let service = first_service(&mut facts);
        service.desired_count = Some(desired);
        service.running_count = Some(running);
        service.other_deployments = Some(others);
        assert_eq!(sweep_words(&mut facts, "12:05:00")[0], expected, "{desired} {running}");
    }
}

#[test]
fn a_rollback_is_no_answer_in_any_of_its_shapes() {
    let reason = Some(Untrusted::new(ROLLING_BACK));
    for (what, id, reason, others) in [
        ("old id, new time, by its reason", "old", reason.clone(), vec![]),
        ("new id, new time, by its reason", "new", reason, vec![]),
        ("by the failed deployment beside it", "old", None, vec![failed_deployment("12:00:30")]),
    ] {
        for state in [RolloutState::InProgress, RolloutState::Completed] {
            if id == "old" && what.starts_with("by") && state == RolloutState::InProgress {
                // It may still complete.
                continue;
            }
            let mut facts = facts_with_primary(Some(state), false);
            let service = first_service(&mut facts);
            service.primary.as_mut().unwrap().id = id.to_owned();
            service.primary.as_mut().unwrap().rollout_state_reason = reason.clone();
            service.other_deployments = Some(others.clone());
            let words = sweep_words(&mut facts, "12:05:00");
            let expected = ["skip a rollout-failed", "page redeploy-consumers", "resolve-change s1"];
            assert_eq!(words, expected, "{what} {state:?}");
        }
    }
    // With its old creation time it is older than the change: it is redeployed once ECS has gone back.
    let mut facts = facts_with_primary(Some(RolloutState::Completed), false);
    first_service(&mut facts).primary = primary("old", "09:00:00", Some(RolloutState::Completed));
    assert_eq!(sweep_words(&mut facts, "12:05:00"), ["redeploy a s1"]);
}

#[test]
fn a_rollback_of_our_deployment_for_an_older_change_is_no_answer() {
    // Ours of 11:58 failed at 12:01, when ECS went back. `s1` changed meanwhile, at noon.
    for (created_at, expected) in
        [("12:01:00", "skip a rollout-failed"), ("12:03:00", "skip a already-newer")]
    {
        let mut facts = facts_with_primary(Some(RolloutState::Completed), false);
        first_service(&mut facts).primary = primary("back", created_at, Some(RolloutState::Completed));
        let mut failed = ended(request("11:58:00", Some("ours")), DeploymentOutcome::Failed);
        failed.changes = vec![change("s9", "11:57:00")];
        failed.end.as_mut().unwrap().at = at("12:01:00");
        facts.deployments.insert(service_arn("a"), failed);
        assert_eq!(sweep_words(&mut facts, "12:05:00")[0], expected, "{created_at}");
    }
}

#[test]
fn a_rollback_is_not_taken_for_our_deployment_whose_id_nobody_learned() {
    let mut facts = facts_with_primary(Some(RolloutState::InProgress), false);
    let back = first_service(&mut facts).primary.as_mut().unwrap();
    back.rollout_state_reason = Some(Untrusted::new(ROLLING_BACK));
    facts.deployments.insert(service_arn("a"), request("12:00:30", None));
    let words = steps(&mut facts, &sweep("12:05:00"));
    assert!(words.contains(&"page rollout-failed".to_owned()), "{words:?}");
}

#[test]
fn a_rollback_to_tasks_that_are_new_is_an_answer() {
    // ECS goes back to our deployment, which had completed.
    let mut facts = facts_with_primary(Some(RolloutState::InProgress), true);
    let done = ended(request("12:00:59", Some("new")), DeploymentOutcome::Completed);
    facts.deployments.insert(service_arn("a"), done);
    first_service(&mut facts).primary.as_mut().unwrap().rollout_state_reason =
        Some(Untrusted::new(ROLLING_BACK));
    assert_eq!(sweep_words(&mut facts, "12:05:00"), ["skip a already-newer", "resolve-change s1"]);
    // The failed deployment is newer than PRIMARY, which has kept its creation time.
    let mut facts = facts_with_primary(Some(RolloutState::Completed), false);
    first_service(&mut facts).other_deployments = Some(vec![failed_deployment("12:03:00")]);
    assert_eq!(sweep_words(&mut facts, "12:05:00"), ["skip a already-newer", "resolve-change s1"]);
}

#[test]
fn the_configuration_of_a_service_says_from_when_on_it_is_late() {
    let steps = Some(TrafficSteps { percent: 10, bake_time: HOUR });
    let canary = RolloutConfiguration { strategy: RolloutStrategy::Canary, steps, ..Default::default() };
    let hook = RolloutConfiguration { pause_hook_timeout: Some(HOUR), ..Default::default() };
    for (configuration, tag_value, is_own, in_time, late) in [
        // `answer` is 14 minutes, `rollout` half an hour.
        (RolloutConfiguration::default(), None, false, "12:13:00", "12:14:00"),
        (RolloutConfiguration::default(), None, true, "12:30:00", "12:31:01"),
        (canary.clone(), None, false, "13:30:00", "13:31:00"),
        (canary.clone(), None, true, "13:30:00", "13:31:01"),
        (canary, Some("10m"), true, "12:10:00", "12:11:01"),
        // It may wait for a person: that is notified long before the hook's time is over.
        (hook.clone(), None, true, "12:45:59", "12:46:00"),
        (hook, None, false, "12:13:00", "12:14:00"),
        (RolloutConfiguration::default(), Some("2h"), false, "14:00:00", "14:01:00"),
    ] {
        let mut facts = facts_with_primary(Some(RolloutState::InProgress), is_own);
        first_service(&mut facts).deployment_configuration = configuration.clone();
        if let Some(value) = tag_value {
            tag(&mut facts, "rollout", value);
        }
        let what = format!("{configuration:?} {tag_value:?} {is_own}");
        assert_eq!(sweep_words(&mut facts, in_time), ["defer a in-progress"], "{what}");
        let words = sweep_words(&mut facts, late);
        assert_eq!(words.iter().filter(|word| word.starts_with("page")).count(), 1, "{what} {words:?}");
        let again = sweep_words(&mut facts, late);
        assert!(!again.iter().any(|word| word.starts_with("page")), "{what} {again:?}");
    }
}

#[test]
fn a_change_stays_open_until_its_newer_deployment_is_complete() {
    for (state, expected) in
        [(RolloutState::InProgress, &["s1", "s2"][..]), (RolloutState::Completed, &["s2"][..])]
    {
        let mut facts = facts_with(&[("a", &["s1", "s2"])]);
        facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
        facts.changes.insert(secret("s2").key(), known_change("12:10:00", "v2", false));
        let service = first_service(&mut facts);
        service.primary = primary("new", "12:01:00", Some(state));
        service.other_deployments = Some(Vec::new());
        service.controller = DeploymentController::CodeDeploy;
        decide(&mut facts, &sweep("12:30:00"));
        let notified: Vec<&String> = facts.notified[&service_arn("a")].keys().collect();
        let expected: Vec<String> = expected.iter().map(|name| secret(name).key()).collect();
        assert_eq!(notified, expected.iter().collect::<Vec<_>>(), "{state:?}");
    }
}

#[test]
fn the_page_says_what_a_deployment_is_doing() {
    let steps = Some(TrafficSteps { percent: 10, bake_time: Span::default() });
    let canary = RolloutConfiguration { strategy: RolloutStrategy::Canary, steps, ..Default::default() };
    for (reason, failed, configuration, words) in [
        ("in progress", 0, canary, "canary at 10 %; 0 of 2 new tasks run"),
        (
            "paused at hook X",
            0,
            RolloutConfiguration::default(),
            "paused at a hook: paused at hook X; aws ecs continue-service-deployment",
        ),
        ("in progress", 3, RolloutConfiguration::default(), "its tasks do not start: 3 failed"),
    ] {
        let mut facts = facts_with_primary(Some(RolloutState::InProgress), false);
        let service = first_service(&mut facts);
        service.deployment_configuration = configuration;
        let primary = service.primary.as_mut().unwrap();
        primary.rollout_state_reason = Some(Untrusted::new(reason));
        primary.failed_tasks = Some(failed);
        primary.running_count = Some(0);
        primary.desired_count = Some(2);
        let plan = decide(&mut facts, &sweep("12:20:00"));
        assert!(details(&plan)[0].contains(words), "{:?}", details(&plan));
    }
}

#[test]
fn a_forced_deployment_never_replaces_one_that_waits() {
    let going = |strategy, reason: &str, is_own: bool| {
        let mut facts = facts_with_primary(Some(RolloutState::InProgress), false);
        let service = first_service(&mut facts);
        service.primary = primary("theirs", "2026-03-01T09:00:00Z", Some(RolloutState::InProgress));
        service.primary.as_mut().unwrap().rollout_state_reason = Some(Untrusted::new(reason));
        service.deployment_configuration.strategy = strategy;
        if is_own {
            facts.deployments.insert(
                service_arn("a"),
                ended(request("2026-03-01T09:00:00Z", Some("theirs")), DeploymentOutcome::Failed),
            );
        }
        sweep_words(&mut facts, "12:05:00")[0].clone()
    };
    for strategy in STRATEGIES {
        let expected =
            if strategy == RolloutStrategy::Rolling { "redeploy a s1" } else { "defer a in-progress" };
        assert_eq!(going(strategy, "in progress", false), expected, "{strategy:?}");
        assert_eq!(going(strategy, "paused at hook X", false), "defer a in-progress", "{strategy:?}");
        assert_eq!(going(strategy, "paused at hook X", true), "redeploy a s1", "{strategy:?}");
    }
}
