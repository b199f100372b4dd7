//! Rollouts: the ends of the deployments that we requested, by events and by the sweep; overdue rotations; read evidence.

use responder_core::aws::ecs_service::{RolloutState, ServiceStatus};
use responder_core::facts::Facts;
use responder_core::state::deployment::{DeploymentOutcome, DeploymentRecord};

use crate::vocabulary::*;

pub(crate) const OURS: &str = "ecs-svc/2222222222222222222";
pub(crate) const OLDER: &str = "ecs-svc/1111111111111111111";
pub(crate) const ROLLBACK: &str =
    "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1111111111111111111.";

/// Service `a`, for which we requested a deployment at 12:00:15, and its PRIMARY deployment.
pub(crate) fn facts_after_request(
    ours: Option<&str>,
    (id, created, state): (&str, &str, Option<RolloutState>),
) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", true));
    facts.deployments.insert(service_arn("a"), request("12:00:15", ours));
    first_service(&mut facts).primary = primary(id, created, state);
    facts
}

fn followed() -> Facts {
    facts_after_request(Some(OURS), (OURS, "12:00:16", Some(RolloutState::InProgress)))
}

fn how(facts: &Facts) -> Option<DeploymentOutcome> {
    facts.deployments[&service_arn("a")].end.map(|ended| ended.outcome)
}

#[test]
fn an_event_reports_the_end_of_our_deployment() {
    for (kind, id, reason, expected, end) in [
        ("COMPLETED", OURS, "", &["end a completed"][..], Some(DeploymentOutcome::Completed)),
        ("FAILED", OURS, "alarm", &["page rollout-failed", "end a failed"], Some(DeploymentOutcome::Failed)),
        (
            "IN_PROGRESS",
            OLDER,
            ROLLBACK,
            &["page rollout-failed", "end a failed"],
            Some(DeploymentOutcome::Failed),
        ),
        (
            "IN_PROGRESS",
            OURS,
            ROLLBACK,
            &["page rollout-failed", "end a failed"],
            Some(DeploymentOutcome::Failed),
        ),
        ("IN_PROGRESS", OURS, "in progress", &["nothing"], None),
        // Somebody else's, and a rollback of theirs to ours.
        ("COMPLETED", OLDER, "", &["ignore"], None),
        ("FAILED", OLDER, "", &["ignore"], None),
        ("IN_PROGRESS", "ecs-svc/3", &ROLLBACK.replace(OLDER, OURS), &["ignore"], None),
    ] {
        let mut facts = followed();
        let found = steps(&mut facts, &deployment_event("a", "12:05:00", kind, id, reason));
        assert_eq!((&found[..], how(&facts)), (&expected.to_words()[..], end), "{kind} {id} {reason}");
    }
    let mut facts = followed();
    assert_eq!(steps(&mut facts, &deployment_event("b", "12:05:00", "FAILED", OURS, "")), ["ignore"]);
    let before = deployment_event("a", "12:00:14", "FAILED", OURS, "");
    assert_eq!(steps(&mut facts, &before), ["ignore"], "before our request");
}

pub(crate) trait Words {
    fn to_words(&self) -> Vec<String>;
}

impl Words for &[&str] {
    fn to_words(&self) -> Vec<String> {
        self.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[test]
fn a_failure_and_its_rollback_and_the_sweep_are_one_page() {
    let failed = deployment_event("a", "12:05:00", "FAILED", OURS, "");
    let back = deployment_event("a", "12:05:01", "IN_PROGRESS", OLDER, ROLLBACK);
    for events in [[failed.clone(), back.clone()], [back.clone(), failed.clone()], [failed.clone(), failed]] {
        let mut facts = followed();
        let mut words: Vec<String> = events.iter().flat_map(|event| steps(&mut facts, event)).collect();
        words.extend(steps(&mut facts, &deployment_event("a", "12:08:00", "COMPLETED", OLDER, "")));
        first_service(&mut facts).primary = primary(OLDER, "2026-02-01T00:00:00Z", None);
        words.extend(steps(&mut facts, &sweep("12:40:00")));
        let pages = words.iter().filter(|word| word.starts_with("page")).count();
        assert_eq!((pages, how(&facts)), (1, Some(DeploymentOutcome::Failed)), "{words:?}");
        assert!(!words.contains(&"resolve rollout-failed".to_owned()));
    }
}

#[test]
fn a_deployment_late_then_failed_then_completed_is_one_page_and_one_resolution() {
    let mut facts = followed();
    assert!(steps(&mut facts, &sweep("12:30:15")).is_empty());
    assert_eq!(steps(&mut facts, &sweep("12:30:16")), ["page rollout-failed", "end a failed"]);
    assert!(steps(&mut facts, &sweep("12:31:00")).is_empty());
    assert!(steps(&mut facts, &sweep("17:31:00")).is_empty(), "hours later too");
    let failed = deployment_event("a", "17:40:00", "FAILED", OURS, "");
    assert_eq!(steps(&mut facts, &failed), ["extend rollout-failed", "end a failed"]);
    let completed = deployment_event("a", "17:50:00", "COMPLETED", OURS, "");
    assert_eq!(steps(&mut facts, &completed), ["end a completed", "resolve rollout-failed"]);
    // Once more for the proof, which may lack it.
    assert_eq!(steps(&mut facts, &completed), ["end a completed"]);
    assert_eq!(steps(&mut facts, &failed), ["extend rollout-failed", "nothing"]);
}

#[test]
fn the_next_deployment_that_fails_is_another_page() {
    let mut facts = followed();
    steps(&mut facts, &deployment_event("a", "12:05:00", "FAILED", OURS, ""));
    facts.deployments.insert(service_arn("a"), request("12:10:00", Some("ecs-svc/3")));
    let again = steps(&mut facts, &deployment_event("a", "12:15:00", "FAILED", "ecs-svc/3", ""));
    assert_eq!(again, ["page rollout-failed", "end a failed"]);
}

#[test]
fn the_sweep_finds_the_end_that_no_event_reported() {
    let (completed, failed, going) =
        (Some(RolloutState::Completed), Some(RolloutState::Failed), Some(RolloutState::InProgress));
    for (ours, primary, expected) in [
        (Some(OURS), (OURS, "12:00:16", completed), &["end a completed"][..]),
        (Some(OURS), (OURS, "12:00:16", failed), &["page rollout-failed", "end a failed"]),
        (Some(OURS), (OURS, "12:00:16", going), &[]),
        (Some(OURS), (OURS, "12:00:16", None), &[]),
        // Rolled back, or superseded.
        (Some(OURS), (OLDER, "09:00:00", completed), &["page rollout-failed", "end a failed"]),
        (Some(OURS), ("ecs-svc/3", "12:01:00", going), &["end a superseded"]),
        // We never learned its id: it is there, or never was.
        (None, (OURS, "12:00:16", going), &["reconcile a ecs-svc/2222222222222222222"]),
        (
            None,
            (OURS, "12:00:16", completed),
            &["reconcile a ecs-svc/2222222222222222222", "end a completed"],
        ),
        (None, (OLDER, "12:00:09", completed), &["end a unseen"]),
        (None, (OLDER, "12:00:10", going), &["reconcile a ecs-svc/1111111111111111111"]),
    ] {
        let mut facts = facts_after_request(ours, primary);
        assert_eq!(steps(&mut facts, &sweep("12:05:00")), expected.to_words(), "{ours:?} {primary:?}");
        assert!(steps(&mut facts, &sweep("12:05:01")).len() <= 1, "{ours:?} {primary:?}");
    }
}

#[test]
fn the_sweep_leaves_a_recent_request_alone() {
    let fresh = |lease: Option<&str>, now: &str| {
        let mut facts = facts_after_request(None, (OLDER, "09:00:00", None));
        let lease_until = lease.map(at);
        facts
            .deployments
            .insert(service_arn("a"), DeploymentRecord { lease_until, ..request("12:00:15", None) });
        steps(&mut facts, &sweep(now))
    };
    assert!(fresh(None, "12:01:14").is_empty());
    assert_eq!(fresh(None, "12:01:15"), ["end a unseen"]);
    assert!(fresh(Some("12:05:00"), "12:05:00").is_empty());
    assert_eq!(fresh(Some("12:05:00"), "12:05:01"), ["end a unseen"]);
}

#[test]
fn a_call_without_effect_is_repeated() {
    let mut facts = facts_after_request(None, (OLDER, "09:00:00", None));
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
    assert_eq!(steps(&mut facts, &sweep("12:00:45")), ["skip a already-requested"]);
    assert_eq!(steps(&mut facts, &sweep("12:01:45")), ["skip a already-requested", "end a unseen"]);
    // Whether it had an effect is not certain: the cooldown counts.
    assert_eq!(steps(&mut facts, &sweep("12:02:45")), ["defer a cooldown 12:05:15"]);
    assert_eq!(steps(&mut facts, &sweep("12:05:15")), ["redeploy a s1"]);
}

#[test]
fn a_deployment_answers_the_changes_of_the_one_that_it_supersedes() {
    let mut facts = facts_with(&[("a", &["s1", "s2"])]);
    facts.deployments.insert(service_arn("a"), request("11:50:00", Some(OLDER)));
    first_service(&mut facts).primary = primary(OLDER, "11:50:00", None);
    steps(&mut facts, &label_moved("s2", "12:00:00", "v2"));
    let failed = deployment_event("a", "12:05:00", "FAILED", OURS, "");
    decide(&mut facts, &failed);
    let notified = &facts.notified[&service_arn("a")];
    assert_eq!(notified.len(), 2, "a page about both: {notified:?}");
}

#[test]
fn a_change_without_an_event_before_a_rollback_is_notified() {
    let mut facts = facts_with(&[("a", &["s1", "s2"])]);
    facts.changes.insert(secret("s1").key(), known_change("11:00:00", "v1", true));
    facts.changes.insert(secret("s2").key(), known_change("11:00:00", "v1", true));
    // Of `s1` no event tells; the sweep sees a deployment that is newer, and that is then rolled back.
    steps(&mut facts, &label_moved("s2", "12:00:00", "v2"));
    assert!(!steps(&mut facts, &sweep("12:02:00")).contains(&"resolve-change s1".to_owned()));
    steps(&mut facts, &deployment_event("a", "12:05:00", "FAILED", OURS, ""));
    first_service(&mut facts).primary = primary(OLDER, "2026-02-01T00:00:00Z", None);
    let words = steps(&mut facts, &sweep("12:06:00"));
    assert!(words.contains(&"page redeploy-consumers".to_owned()), "{words:?}");
    assert_eq!(facts.notified[&service_arn("a")].len(), 2);
    assert!(steps(&mut facts, &sweep("12:07:00")).is_empty());
}

#[test]
fn a_service_that_is_gone_or_cannot_be_seen() {
    let mut gone = followed();
    first_service(&mut gone).status = ServiceStatus::Inactive;
    assert_eq!(steps(&mut gone, &sweep("12:05:00")), ["end a gone"]);
    let mut unseen = followed();
    unseen.services = Some(Vec::new());
    assert!(steps(&mut unseen, &sweep("12:30:15")).is_empty());
    assert_eq!(steps(&mut unseen, &sweep("12:31:00")), ["page rollout-failed"]);
    assert_eq!(steps(&mut unseen, &sweep("12:32:00")), ["extend rollout-failed"]);
}

#[test]
fn an_event_reports_the_id_that_a_lost_answer_had() {
    let mut facts = facts_after_request(None, (OLDER, "09:00:00", None));
    let begun = deployment_event("a", "12:00:17", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(steps(&mut facts, &begun), ["reconcile a ecs-svc/2222222222222222222"]);
    assert_eq!(steps(&mut facts, &deployment_event("a", "12:01:00", "FAILED", OLDER, "")), ["ignore"]);
    assert_eq!(
        steps(&mut facts, &deployment_event("a", "12:04:00", "COMPLETED", OURS, "")),
        ["end a completed"]
    );
}

#[test]
fn a_replay_follows_the_deployments_that_it_planned() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    // The sweep must not take the replay's own invention for an id of ECS.
    assert_eq!(steps(&mut facts, &sweep("12:02:00")), ["skip a already-newer"]);
    let begun = deployment_event("a", "12:02:01", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(steps(&mut facts, &begun), ["reconcile a ecs-svc/2222222222222222222"]);
    assert_eq!(
        steps(&mut facts, &sweep("12:03:00")),
        ["skip a already-newer"],
        "it is not superseded by itself"
    );
    let failed = deployment_event("a", "12:04:00", "FAILED", OURS, "");
    assert_eq!(steps(&mut facts, &failed), ["page rollout-failed", "end a failed"]);
}
