//! Corrected outcomes: lost answers, lost ends and late events of our deployments.

use responder_core::aws::ecs_service::RolloutState;
use responder_core::plan::PlanStep;
use responder_core::state::deployment::DeploymentRecord;

use crate::rollouts::{OLDER, OURS, ROLLBACK, Words as _, facts_after_request};
use crate::vocabulary::*;

#[test]
fn a_deployment_that_failed_before_somebody_else_deployed_stays_failed() {
    // The event comes after the sweep, or its page went out and its end could not be noted.
    let failed = deployment_event("a", "12:05:00", "FAILED", OURS, "");
    let after_the_sweep = ["end a superseded", "page rollout-failed", "end a failed"];
    let before_it = ["page rollout-failed", "end a failed", "extend rollout-failed", "end a failed"];
    for (late, expected) in [(true, &after_the_sweep[..]), (false, &before_it)] {
        let mut facts =
            facts_after_request(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
        facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
        let mut words = if late { steps(&mut facts, &sweep("12:07:00")) } else { steps(&mut facts, &failed) };
        if !late {
            facts.deployments.insert(service_arn("a"), request("12:00:15", Some(OURS)));
        }
        let then = if late { failed.clone() } else { sweep("12:07:00") };
        words.extend(steps(&mut facts, &then));
        words.retain(|word| !["skip", "defer", "resolve-change"].iter().any(|start| word.starts_with(start)));
        assert_eq!(words, expected.to_words(), "late: {late}");
        // Theirs fails too: people know, and the same is not tried again.
        first_service(&mut facts).primary = primary(OLDER, "09:00:00", Some(RolloutState::Completed));
        let next = steps(&mut facts, &sweep("12:30:00"));
        assert!(
            !next.iter().any(|word| word.starts_with("redeploy") || word.starts_with("page")),
            "{next:?}"
        );
    }
}

#[test]
fn an_unsent_notification_is_sent_after_somebody_else_deployed() {
    let mut facts =
        facts_after_request(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
    let mut notifier = facts.clone();
    steps(&mut notifier, &deployment_event("a", "12:05:00", "FAILED", OURS, ""));
    facts.open_incidents = notifier.open_incidents;
    assert_eq!(steps(&mut facts, &sweep("12:07:00")), ["page rollout-failed", "end a failed"]);
}

#[test]
fn a_rollback_before_somebody_else_deployed_is_about_our_deployment() {
    for (time, id, expected) in [
        ("12:05:59", OLDER, &["page rollout-failed", "end a failed"][..]),
        // Theirs goes back, or one goes back to ours.
        ("12:06:00", OLDER, &["ignore"]),
        ("12:05:59", OURS, &["ignore"]),
    ] {
        let mut facts =
            facts_after_request(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
        assert_eq!(steps(&mut facts, &sweep("12:07:00")), ["end a superseded"]);
        let back = deployment_event("a", time, "IN_PROGRESS", id, &ROLLBACK.replace(OLDER, id));
        assert_eq!(steps(&mut facts, &back), expected.to_words(), "{time} {id}");
    }
}

#[test]
fn a_deployment_that_begins_after_the_lease_is_somebody_elses() {
    // Requested at 12:00:15 with a lease until 12:01:15; the answer is lost.
    let unknown = |primary: &str| {
        let mut facts = facts_after_request(None, ("ecs-svc/3", primary, Some(RolloutState::InProgress)));
        let lease_until = Some(at("12:01:15"));
        facts
            .deployments
            .insert(service_arn("a"), DeploymentRecord { lease_until, ..request("12:00:15", None) });
        facts
    };
    let begun = |time| deployment_event("a", time, "IN_PROGRESS", "ecs-svc/3", "in progress");
    assert_eq!(steps(&mut unknown("12:01:20"), &begun("12:01:20")), ["reconcile a ecs-svc/3"]);
    assert_eq!(steps(&mut unknown("12:01:20"), &sweep("12:02:15")), ["reconcile a ecs-svc/3"]);
    let mut facts = unknown("12:01:21");
    assert_eq!(steps(&mut facts, &begun("12:01:21")), ["ignore"]);
    assert_eq!(steps(&mut facts, &sweep("12:02:15")), ["end a superseded"]);
    // The failure of theirs is not ours; an event about the failure of ours comes late.
    assert_eq!(steps(&mut facts, &deployment_event("a", "12:09:00", "FAILED", "ecs-svc/3", "")), ["ignore"]);
    let late = deployment_event("a", "12:01:00", "FAILED", OURS, "");
    assert_eq!(steps(&mut facts, &late), ["page rollout-failed", "end a failed"]);
}

#[test]
fn a_corrected_outcome_does_not_release_the_slot_again() {
    let mut facts =
        facts_after_request(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
    facts
        .deployments
        .insert(service_arn("a"), DeploymentRecord { slot: Some(3), ..request("12:00:15", Some(OURS)) });
    let failed = deployment_event("a", "12:05:00", "FAILED", OURS, "");
    let places = [sweep("12:07:00"), failed].map(|event| {
        let steps = decide(&mut facts, &event).steps;
        steps.iter().find_map(|step| match step {
            PlanStep::EndDeployment { slot, .. } => Some(*slot),
            _ => None,
        })
    });
    assert_eq!(places, [Some(Some(3)), Some(None)]);
}

#[test]
fn a_deployment_that_begins_in_the_second_of_the_request_is_ours() {
    let facts_after_late_request = || {
        let mut facts = facts_after_request(None, (OLDER, "09:00:00", None));
        facts.deployments.insert(
            service_arn("a"),
            DeploymentRecord { requested_at: at("12:00:15.58"), ..request("12:00:15", None) },
        );
        facts
    };
    let begun = deployment_event("a", "12:00:15", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(steps(&mut facts_after_late_request(), &begun), ["reconcile a ecs-svc/2222222222222222222"]);
    // The second before; and what ends or is rolled back that soon.
    for (time, kind, reason) in
        [("12:00:14", "IN_PROGRESS", ""), ("12:00:15", "FAILED", ""), ("12:00:15", "IN_PROGRESS", ROLLBACK)]
    {
        let report = deployment_event("a", time, kind, OURS, reason);
        assert_eq!(steps(&mut facts_after_late_request(), &report), ["ignore"], "{time} {kind} {reason}");
    }
}

#[test]
fn a_deployment_that_was_seen_failing_is_not_unseen() {
    for marked in [false, true] {
        // The function that notified of it could not record its end, or not even the notification.
        let mut facts = facts_after_request(None, (OLDER, "09:00:00", Some(RolloutState::Completed)));
        let mut notifier = facts.clone();
        steps(&mut notifier, &deployment_event("a", "12:05:00", "FAILED", OURS, ""));
        facts.open_incidents = notifier.open_incidents;
        facts.incidents.extend(marked.then_some(notifier.incidents).into_iter().flatten());
        let page = if marked { "extend rollout-failed" } else { "page rollout-failed" };
        assert_eq!(steps(&mut facts, &sweep("12:06:00")), [page, "end a failed"]);
        assert!(steps(&mut facts, &sweep("12:12:00")).is_empty());
    }
}
