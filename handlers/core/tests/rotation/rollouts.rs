//! What became of the deployments that we asked for, of rotations that are due, and the proof.

use responder_core::aws::ecs_service::RolloutState;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::facts::Facts;
use responder_core::plan::PlanStep;
use responder_core::state::deployment::{
    DeploymentOutcome, DeploymentRecord, PendingReadEvidence, read_evidence_key,
};
use responder_core::text::Untrusted;

use crate::world::*;

pub(crate) const OURS: &str = "ecs-svc/2222222222222222222";
pub(crate) const OLDER: &str = "ecs-svc/1111111111111111111";
pub(crate) const ROLLBACK: &str =
    "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1111111111111111111.";

/// Service `a`, for which we asked for a deployment at 12:00:15, and what is PRIMARY.
pub(crate) fn asking(ours: Option<&str>, primary: (&str, &str, Option<RolloutState>)) -> Facts {
    let mut facts = world(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", true));
    facts.deployments.insert(service_arn("a"), requested("12:00:15", ours));
    first(&mut facts).primary = deployed(primary.0, primary.1, primary.2);
    facts
}

fn followed() -> Facts {
    asking(Some(OURS), (OURS, "12:00:16", Some(RolloutState::InProgress)))
}

fn how(facts: &Facts) -> Option<DeploymentOutcome> {
    facts.deployments[&service_arn("a")].end.map(|ended| ended.outcome)
}

#[test]
fn events_tell_the_end_of_our_deployment() {
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
        let found = notified(&mut facts, &rollout("a", "12:05:00", kind, id, reason));
        assert_eq!((&found[..], how(&facts)), (&expected.map_words()[..], end), "{kind} {id} {reason}");
    }
    let mut facts = followed();
    assert_eq!(notified(&mut facts, &rollout("b", "12:05:00", "FAILED", OURS, "")), ["ignore"]);
    let before = rollout("a", "12:00:14", "FAILED", OURS, "");
    assert_eq!(notified(&mut facts, &before), ["ignore"], "before we asked");
}

pub(crate) trait Words {
    fn map_words(&self) -> Vec<String>;
}

impl Words for &[&str] {
    fn map_words(&self) -> Vec<String> {
        self.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[test]
fn a_failure_its_rollback_and_the_sweep_are_one_page() {
    let failed = rollout("a", "12:05:00", "FAILED", OURS, "");
    let back = rollout("a", "12:05:01", "IN_PROGRESS", OLDER, ROLLBACK);
    for events in [[failed.clone(), back.clone()], [back.clone(), failed.clone()], [failed.clone(), failed]] {
        let mut facts = followed();
        let mut words: Vec<String> = events.iter().flat_map(|event| notified(&mut facts, event)).collect();
        words.extend(notified(&mut facts, &rollout("a", "12:08:00", "COMPLETED", OLDER, "")));
        first(&mut facts).primary = deployed(OLDER, "2026-02-01T00:00:00Z", None);
        words.extend(notified(&mut facts, &sweep("12:40:00")));
        let pages = words.iter().filter(|word| word.starts_with("page")).count();
        assert_eq!((pages, how(&facts)), (1, Some(DeploymentOutcome::Failed)), "{words:?}");
        assert!(!words.contains(&"resolve rollout-failed".to_owned()));
    }
}

#[test]
fn late_then_failed_then_completed_is_one_page_and_one_notice() {
    let mut facts = followed();
    assert!(notified(&mut facts, &sweep("12:30:15")).is_empty());
    assert_eq!(notified(&mut facts, &sweep("12:30:16")), ["page rollout-failed", "end a failed"]);
    assert!(notified(&mut facts, &sweep("12:31:00")).is_empty());
    assert!(notified(&mut facts, &sweep("17:31:00")).is_empty(), "hours later too");
    let failed = rollout("a", "17:40:00", "FAILED", OURS, "");
    assert_eq!(notified(&mut facts, &failed), ["join rollout-failed", "end a failed"]);
    let completed = rollout("a", "17:50:00", "COMPLETED", OURS, "");
    assert_eq!(notified(&mut facts, &completed), ["end a completed", "resolve rollout-failed"]);
    // Once more for the proof, which may lack it.
    assert_eq!(notified(&mut facts, &completed), ["end a completed"]);
    assert_eq!(notified(&mut facts, &failed), ["join rollout-failed", "nothing"]);
}

#[test]
fn the_next_deployment_that_fails_is_news() {
    let mut facts = followed();
    notified(&mut facts, &rollout("a", "12:05:00", "FAILED", OURS, ""));
    facts.deployments.insert(service_arn("a"), requested("12:10:00", Some("ecs-svc/3")));
    let again = notified(&mut facts, &rollout("a", "12:15:00", "FAILED", "ecs-svc/3", ""));
    assert_eq!(again, ["page rollout-failed", "end a failed"]);
}

#[test]
fn the_sweep_finds_what_no_event_told() {
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
        (None, (OURS, "12:00:16", going), &["adopt a ecs-svc/2222222222222222222"]),
        (None, (OURS, "12:00:16", completed), &["adopt a ecs-svc/2222222222222222222", "end a completed"]),
        (None, (OLDER, "12:00:09", completed), &["end a unseen"]),
        (None, (OLDER, "12:00:10", going), &["adopt a ecs-svc/1111111111111111111"]),
    ] {
        let mut facts = asking(ours, primary);
        assert_eq!(notified(&mut facts, &sweep("12:05:00")), expected.map_words(), "{ours:?} {primary:?}");
        assert!(notified(&mut facts, &sweep("12:05:01")).len() <= 1, "{ours:?} {primary:?}");
    }
}

#[test]
fn the_sweep_leaves_alone_what_is_hardly_asked_for() {
    let fresh = |lease: Option<&str>, now: &str| {
        let mut facts = asking(None, (OLDER, "09:00:00", None));
        let lease_until = lease.map(at);
        facts
            .deployments
            .insert(service_arn("a"), DeploymentRecord { lease_until, ..requested("12:00:15", None) });
        notified(&mut facts, &sweep(now))
    };
    assert!(fresh(None, "12:01:14").is_empty());
    assert_eq!(fresh(None, "12:01:15"), ["end a unseen"]);
    assert!(fresh(Some("12:05:00"), "12:05:00").is_empty());
    assert_eq!(fresh(Some("12:05:00"), "12:05:01"), ["end a unseen"]);
}

#[test]
fn a_call_without_effect_is_repeated() {
    let mut facts = asking(None, (OLDER, "09:00:00", None));
    facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", false));
    assert_eq!(notified(&mut facts, &sweep("12:00:45")), ["skip a already-requested"]);
    assert_eq!(notified(&mut facts, &sweep("12:01:45")), ["skip a already-requested", "end a unseen"]);
    // Whether it had an effect is not certain: the cooldown counts.
    assert_eq!(notified(&mut facts, &sweep("12:02:45")), ["hold a cooldown 12:05:15"]);
    assert_eq!(notified(&mut facts, &sweep("12:05:15")), ["redeploy a s1"]);
}

#[test]
fn a_deployment_that_supersedes_ours_answers_for_its_changes_too() {
    let mut facts = world(&[("a", &["s1", "s2"])]);
    facts.deployments.insert(service_arn("a"), requested("11:50:00", Some(OLDER)));
    first(&mut facts).primary = deployed(OLDER, "11:50:00", None);
    notified(&mut facts, &label("s2", "12:00:00", "v2"));
    let failed = rollout("a", "12:05:00", "FAILED", OURS, "");
    decide(&mut facts, &failed);
    let notified = &facts.notified[&service_arn("a")];
    assert_eq!(notified.len(), 2, "a page about both: {notified:?}");
}

#[test]
fn what_changed_unseen_before_a_rollback_is_told_too() {
    let mut facts = world(&[("a", &["s1", "s2"])]);
    facts.changes.insert(secret("s1").key(), known("11:00:00", "v1", true));
    facts.changes.insert(secret("s2").key(), known("11:00:00", "v1", true));
    // Of `s1` no event tells; the sweep sees a deployment that is newer, and that is then rolled back.
    notified(&mut facts, &label("s2", "12:00:00", "v2"));
    assert!(!notified(&mut facts, &sweep("12:02:00")).contains(&"settle s1".to_owned()));
    notified(&mut facts, &rollout("a", "12:05:00", "FAILED", OURS, ""));
    first(&mut facts).primary = deployed(OLDER, "2026-02-01T00:00:00Z", None);
    let words = notified(&mut facts, &sweep("12:06:00"));
    assert!(words.contains(&"page redeploy-consumers".to_owned()), "{words:?}");
    assert_eq!(facts.notified[&service_arn("a")].len(), 2);
    assert!(notified(&mut facts, &sweep("12:07:00")).is_empty());
}

#[test]
fn a_service_that_is_gone_or_cannot_be_seen() {
    let mut gone = followed();
    first(&mut gone).status = "INACTIVE".to_owned();
    assert_eq!(notified(&mut gone, &sweep("12:05:00")), ["end a gone"]);
    let mut unseen = followed();
    unseen.services = Some(Vec::new());
    assert!(notified(&mut unseen, &sweep("12:30:15")).is_empty());
    assert_eq!(notified(&mut unseen, &sweep("12:31:00")), ["page rollout-failed"]);
    assert_eq!(notified(&mut unseen, &sweep("12:32:00")), ["join rollout-failed"]);
}

#[test]
fn an_event_tells_the_id_that_the_answer_did_not() {
    let mut facts = asking(None, (OLDER, "09:00:00", None));
    let begun = rollout("a", "12:00:17", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(notified(&mut facts, &begun), ["adopt a ecs-svc/2222222222222222222"]);
    assert_eq!(notified(&mut facts, &rollout("a", "12:01:00", "FAILED", OLDER, "")), ["ignore"]);
    assert_eq!(notified(&mut facts, &rollout("a", "12:04:00", "COMPLETED", OURS, "")), ["end a completed"]);
}

#[test]
fn a_replay_follows_what_it_planned_itself() {
    let mut facts = world(&[("a", &["s1"])]);
    notified(&mut facts, &label("s1", "12:00:00", "v2"));
    // The sweep must not take the replay's own invention for an id of ECS.
    assert_eq!(notified(&mut facts, &sweep("12:02:00")), ["skip a already-newer"]);
    let begun = rollout("a", "12:02:01", "IN_PROGRESS", OURS, "in progress");
    assert_eq!(notified(&mut facts, &begun), ["adopt a ecs-svc/2222222222222222222"]);
    assert_eq!(
        notified(&mut facts, &sweep("12:03:00")),
        ["skip a already-newer"],
        "it is not superseded by itself"
    );
    let failed = rollout("a", "12:04:00", "FAILED", OURS, "");
    assert_eq!(notified(&mut facts, &failed), ["page rollout-failed", "end a failed"]);
}

fn rotating(tweak: impl FnOnce(&mut SecretMetadata)) -> Facts {
    let mut facts = world(&[("a", &["s1"])]);
    let mut metadata = metadata("s1", "2026-02-01T00:00:00Z");
    (metadata.rotates, metadata.next_rotation) = (true, Some(at("12:00:00")));
    tweak(&mut metadata);
    facts.changes.insert(secret("s1").key(), known("2026-02-01T00:00:00Z", "v2", true));
    facts.secrets.insert(secret("s1").key(), metadata);
    facts
}

#[test]
fn a_rotation_that_is_overdue_is_told() {
    let overdue = |time: &str, tweak: fn(&mut SecretMetadata)| notified(&mut rotating(tweak), &sweep(time));
    let page = ["page rotation-overdue"];
    assert!(overdue("14:00:00", |_| ()).is_empty());
    assert_eq!(overdue("14:00:01", |_| ()), page);
    assert!(overdue("18:00:00", |metadata| metadata.rotates = false).is_empty());
    assert!(overdue("18:00:00", |metadata| metadata.deleted_at = Some(at("11:00:00"))).is_empty());
    assert!(
        overdue("18:00:00", |metadata| metadata.primary_region = Some("eu-west-1".to_owned())).is_empty()
    );
    assert_eq!(overdue("18:00:00", |metadata| metadata.primary_region = Some(HOME.to_owned())), page);
}

#[test]
fn a_rotation_that_is_stuck_is_told() {
    let stuck = |time: &str, label: &str| {
        let mut facts = rotating(|metadata| {
            (metadata.rotates, metadata.modified_at) = (false, Some(at("12:00:00")));
            metadata.versions.insert("v3".to_owned(), [label.to_owned()].into());
        });
        facts.changes.clear();
        facts.changes.insert(secret("s1").key(), known("2026-02-01T00:00:00Z", "v2", true));
        notified(&mut facts, &sweep(time))
    };
    assert!(stuck("14:00:00", "AWSPENDING").is_empty());
    assert_eq!(stuck("14:00:01", "AWSPENDING"), ["page rotation-overdue"]);
    assert!(stuck("18:00:00", "AWSPREVIOUS").is_empty());
    // A pending label on the current version is what a rotation leaves.
    let mut done = rotating(|metadata| {
        metadata.rotates = false;
        metadata.versions.get_mut("v2").unwrap().insert("AWSPENDING".to_owned());
    });
    assert!(notified(&mut done, &sweep("18:00:00")).is_empty());
}

#[test]
fn an_overdue_rotation_is_told_once_until_one_succeeds() {
    let mut facts = rotating(|metadata| {
        metadata.versions.insert("v3".to_owned(), ["AWSPENDING".to_owned()].into());
        metadata.modified_at = Some(at("2026-03-01T01:00:00Z"));
    });
    facts.services = Some(Vec::new());
    let page = ["page rotation-overdue"];
    let join = ["join rotation-overdue"];
    assert_eq!(notified(&mut facts, &sweep("03:00:01")), page, "stuck since yesterday");
    let summed = ["page daily-summary", "join rotation-overdue"];
    assert_eq!(notified(&mut facts, &sweep("18:00:00")), summed, "and due at noon");
    let metadata = facts.secrets.values_mut().next().unwrap();
    metadata.modified_at = Some(at("2026-03-03T12:00:00Z"));
    assert_eq!(notified(&mut facts, &sweep("2026-03-05T12:00:00Z")), join, "a tag was edited");
    // It happens at last, and the next one does not.
    let metadata = facts.secrets.values_mut().next().unwrap();
    metadata.versions = [("v3".to_owned(), ["AWSCURRENT".to_owned()].into())].into();
    metadata.modified_at = Some(at("2026-03-05T13:00:00Z"));
    metadata.rotated_at = metadata.modified_at;
    metadata.next_rotation = Some(at("2026-03-05T17:00:00Z"));
    let words = notified(&mut facts, &rotated("s1", "2026-03-05T13:00:00Z"));
    assert!(words.contains(&"resolve rotation-overdue".to_owned()), "{words:?}");
    notified(&mut facts, &sweep("2026-03-05T13:05:00Z"));
    notified(&mut facts, &sweep("2026-03-05T13:06:00Z"));
    assert_eq!(notified(&mut facts, &sweep("2026-03-05T19:00:01Z")), page);
}

#[test]
fn a_read_by_a_new_task_proves_the_new_value_once() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/exec";
    const TASK: &str = "0123456789abcdef0123456789abcdef";
    let awaiting = || {
        let mut facts = Facts::default();
        let evidence = PendingReadEvidence {
            service: service_arn("a"),
            change: changed("s1", "12:00:00"),
            since: at("12:00:15"),
        };
        facts
            .pending_evidence
            .insert(read_evidence_key(&Untrusted::new(ROLE), &secret("s1")), [evidence].into());
        facts
    };
    let proves = |facts: &mut Facts, event: &str| {
        let plan = decide(facts, event);
        plan.steps.iter().filter(|step| matches!(step, PlanStep::Prove { .. })).count()
    };
    let proof = read("s1", "12:01:00", ROLE, TASK);
    let mut facts = awaiting();
    assert_eq!((proves(&mut facts, &proof), proves(&mut facts, &proof)), (1, 0));
    for other in [
        read("s1", "12:00:14", ROLE, TASK),
        read("s2", "12:01:00", ROLE, TASK),
        read("s1", "12:01:00", "arn:aws:iam::111122223333:role/other", TASK),
        read("s1", "12:01:00", ROLE, "dana@example.com"),
        read("s1", "12:01:00", ROLE, &TASK[1..]),
    ] {
        assert_eq!(proves(&mut awaiting(), &other), 0, "{other}");
    }
    assert_eq!(proves(&mut awaiting(), &read("s1", "12:00:15", ROLE, TASK)), 1);
}
