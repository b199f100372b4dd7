//! What is known of our deployments only in part, and what corrects it: lost answers, lost ends, events that come late.

use responder_core::aws::ecs_service::RolloutState;
use responder_core::plan::PlanStep;
use responder_core::state::deployment::DeploymentRecord;

use crate::rollouts::{OLDER, OURS, ROLLBACK, Words as _, asking};
use crate::world::*;

#[test]
fn what_failed_before_somebody_else_deployed_stays_failed() {
    // The event comes after the sweep, or its page went out and its end could not be noted.
    let failed = rollout("a", "12:05:00", "FAILED", OURS, "");
    let after_the_sweep = ["end a superseded", "page rollout-failed", "end a failed"];
    let before_it = ["page rollout-failed", "end a failed", "join rollout-failed", "end a failed"];
    for (late, expected) in [(true, &after_the_sweep[..]), (false, &before_it)] {
        let mut facts = asking(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
        facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", false));
        let mut words =
            if late { notified(&mut facts, &sweep("12:07:00")) } else { notified(&mut facts, &failed) };
        if !late {
            facts.deployments.insert(service_arn("a"), requested("12:00:15", Some(OURS)));
        }
        let then = if late { failed.clone() } else { sweep("12:07:00") };
        words.extend(notified(&mut facts, &then));
        words.retain(|word| !word.starts_with("skip") && !word.starts_with("settle"));
        assert_eq!(words, expected.map_words(), "late: {late}");
        // Theirs fails too: people know, and the same is not tried again.
        first(&mut facts).primary = deployed(OLDER, "09:00:00", Some(RolloutState::Completed));
        let next = notified(&mut facts, &sweep("12:30:00"));
        assert!(
            !next.iter().any(|word| word.starts_with("redeploy") || word.starts_with("page")),
            "{next:?}"
        );
    }
}

#[test]
fn what_was_about_to_be_told_is_told_also_after_somebody_else_deployed() {
    let mut facts = asking(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
    let mut who = facts.clone();
    notified(&mut who, &rollout("a", "12:05:00", "FAILED", OURS, ""));
    facts.open_incidents = who.open_incidents;
    assert_eq!(notified(&mut facts, &sweep("12:07:00")), ["page rollout-failed", "end a failed"]);
}

#[test]
fn a_rollback_before_somebody_else_deployed_is_of_ours() {
    for (time, id, expected) in [
        ("12:05:59", OLDER, &["page rollout-failed", "end a failed"][..]),
        // Theirs goes back, or one goes back to ours.
        ("12:06:00", OLDER, &["ignore"]),
        ("12:05:59", OURS, &["ignore"]),
    ] {
        let mut facts = asking(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
        assert_eq!(notified(&mut facts, &sweep("12:07:00")), ["end a superseded"]);
        let back = rollout("a", time, "IN_PROGRESS", id, &ROLLBACK.replace(OLDER, id));
        assert_eq!(notified(&mut facts, &back), expected.map_words(), "{time} {id}");
    }
}

#[test]
fn what_begins_after_the_caller_is_dead_is_somebody_elses() {
    // Asked at 12:00:15 by somebody who may have lived until 12:01:15; the answer is lost.
    let unknown = |primary: &str| {
        let mut facts = asking(None, ("ecs-svc/3", primary, Some(RolloutState::InProgress)));
        let lease_until = Some(at("12:01:15"));
        facts
            .deployments
            .insert(service_arn("a"), DeploymentRecord { lease_until, ..requested("12:00:15", None) });
        facts
    };
    let begun = |time| rollout("a", time, "IN_PROGRESS", "ecs-svc/3", "in progress");
    assert_eq!(notified(&mut unknown("12:01:20"), &begun("12:01:20")), ["adopt a ecs-svc/3"]);
    assert_eq!(notified(&mut unknown("12:01:20"), &sweep("12:02:15")), ["adopt a ecs-svc/3"]);
    let mut facts = unknown("12:01:21");
    assert_eq!(notified(&mut facts, &begun("12:01:21")), ["ignore"]);
    assert_eq!(notified(&mut facts, &sweep("12:02:15")), ["end a superseded"]);
    // Theirs may fail; ours, which failed before, is told of when its event comes.
    assert_eq!(notified(&mut facts, &rollout("a", "12:09:00", "FAILED", "ecs-svc/3", "")), ["ignore"]);
    let late = rollout("a", "12:01:00", "FAILED", OURS, "");
    assert_eq!(notified(&mut facts, &late), ["page rollout-failed", "end a failed"]);
}

#[test]
fn what_is_corrected_gives_no_place_back_again() {
    let mut facts = asking(Some(OURS), ("ecs-svc/3", "12:06:00", Some(RolloutState::InProgress)));
    facts
        .deployments
        .insert(service_arn("a"), DeploymentRecord { slot: Some(3), ..requested("12:00:15", Some(OURS)) });
    let failed = rollout("a", "12:05:00", "FAILED", OURS, "");
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
fn what_begins_in_the_second_in_which_we_asked_is_ours() {
    let asking_late = || {
        let mut facts = asking(None, (OLDER, "09:00:00", None));
        facts.deployments.insert(
            service_arn("a"),
            DeploymentRecord { requested_at: at("12:00:15.58"), ..requested("12:00:15", None) },
        );
        facts
    };
    let begun = rollout("a", "12:00:15", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(notified(&mut asking_late(), &begun), ["adopt a ecs-svc/2222222222222222222"]);
    // The second before; and what ends or is rolled back that soon.
    for (time, kind, reason) in
        [("12:00:14", "IN_PROGRESS", ""), ("12:00:15", "FAILED", ""), ("12:00:15", "IN_PROGRESS", ROLLBACK)]
    {
        let report = rollout("a", time, kind, OURS, reason);
        assert_eq!(notified(&mut asking_late(), &report), ["ignore"], "{time} {kind} {reason}");
    }
}

#[test]
fn what_somebody_saw_fail_is_not_taken_for_unseen() {
    for marked in [false, true] {
        // Who told of it could not note its end, or not even that it was told.
        let mut facts = asking(None, (OLDER, "09:00:00", Some(RolloutState::Completed)));
        let mut who = facts.clone();
        notified(&mut who, &rollout("a", "12:05:00", "FAILED", OURS, ""));
        facts.open_incidents = who.open_incidents;
        facts.incidents.extend(marked.then_some(who.incidents).into_iter().flatten());
        let page = if marked { "join rollout-failed" } else { "page rollout-failed" };
        assert_eq!(notified(&mut facts, &sweep("12:06:00")), [page, "end a failed"]);
        assert!(notified(&mut facts, &sweep("12:12:00")).is_empty());
    }
}
