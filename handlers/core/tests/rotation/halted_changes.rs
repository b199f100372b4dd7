//! Halted changes: once a rollout of a change failed, its other consumers are held.

use responder_core::facts::Facts;
use responder_core::state::deployment::{DeploymentOutcome, SecretChange};

use crate::vocabulary::*;

/// Services `a` and `b` use `s1`, which changed at noon; the deployment of `a` for that change has this outcome.
fn facts_after_first_wave(outcome: DeploymentOutcome) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"]), ("b", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
    let mut record = request("12:01:00", Some("first"));
    record.changes = vec![versioned_change("12:00:00", Some("v2"))];
    facts.deployments.insert(service_arn("a"), ended(record, outcome));
    facts
}

fn versioned_change(time: &str, version: Option<&str>) -> SecretChange {
    SecretChange { version: version.map(str::to_owned), ..change("s1", time) }
}

/// The decision of the sweep of an instant about service `b`, and how many pages it sends.
fn sweep_second_service(facts: &mut Facts, time: &str) -> (String, usize) {
    let words = steps(facts, &sweep(time));
    let about_second = words.iter().find(|word| word.split(' ').nth(1) == Some("b"));
    let pages = words.iter().filter(|word| word.starts_with("page redeploy-consumers")).count();
    (about_second.cloned().unwrap_or_default(), pages)
}

#[test]
fn a_failed_rollout_holds_the_other_consumers_and_one_page_says_so() {
    for outcome in DeploymentOutcome::ALL {
        let mut facts = facts_after_first_wave(outcome);
        let (decided, _) = sweep_second_service(&mut facts, "12:05:00");
        let expected = if outcome == DeploymentOutcome::Failed { "defer b halted" } else { "redeploy b s1" };
        assert_eq!(decided, expected, "{outcome:?}");
    }
    let mut facts = facts_after_first_wave(DeploymentOutcome::Failed);
    let plan = decide(&mut facts, &sweep("12:05:00"));
    let held: Vec<String> =
        details(&plan).into_iter().filter(|line| line.contains("held: the deployment of")).collect();
    assert_eq!(held.len(), 1, "{held:?}");
    assert!(held[0].contains("= `always`"), "{held:?}");
    assert_eq!(sweep_second_service(&mut facts, "12:06:00"), ("defer b halted".to_owned(), 0));
    assert_eq!(sweep_second_service(&mut facts, "23:00:00"), ("defer b halted".to_owned(), 0));
}

#[test]
fn a_newer_version_or_the_tag_releases_what_is_held() {
    let mut facts = facts_after_first_wave(DeploymentOutcome::Failed);
    let mut newer = metadata("s1", "12:10:00");
    newer.versions = [("v3".to_owned(), ["AWSCURRENT".to_owned()].into())].into();
    facts.secrets.insert(secret("s1").key(), newer);
    assert_eq!(sweep_second_service(&mut facts, "12:15:00").0, "redeploy b s1");
    let mut facts = facts_after_first_wave(DeploymentOutcome::Failed);
    for service in facts.services.iter_mut().flatten() {
        service.tags.insert("secrets-responder:redeploy".to_owned(), "always".to_owned());
    }
    assert_eq!(sweep_second_service(&mut facts, "12:05:00").0, "redeploy b s1");
}

#[test]
fn the_value_is_known_by_its_version_or_else_by_its_time() {
    for (rolled_out, version, is_held) in [
        (("12:00:00", Some("v2")), "v2", true),
        // Two events of one change may differ in their times.
        (("11:59:58", Some("v2")), "v2", true),
        (("12:00:00", Some("v1")), "v2", false),
        (("12:00:00", None), "v2", true),
        (("11:00:00", None), "v2", false),
    ] {
        let mut facts = facts_after_first_wave(DeploymentOutcome::Failed);
        facts.changes.insert(secret("s1").key(), known_change("12:00:00", version, false));
        let record = facts.deployments.get_mut(&service_arn("a")).unwrap();
        record.changes = vec![versioned_change(rolled_out.0, rolled_out.1)];
        let (decided, _) = sweep_second_service(&mut facts, "12:05:00");
        assert_eq!(decided == "defer b halted", is_held, "{rolled_out:?} {version}: {decided}");
    }
}

#[test]
fn consumers_of_other_secrets_go_on() {
    let mut facts = facts_after_first_wave(DeploymentOutcome::Failed);
    facts.services.as_mut().unwrap()[1] = service("b", &[secret_arn("s2")]);
    facts.changes.insert(secret("s2").key(), known_change("12:00:00", "v9", false));
    assert_eq!(sweep_second_service(&mut facts, "12:05:00").0, "redeploy b s2");
}
