//! Eligibility: one service and one change, each gate beside a near miss that is redeployed.

use responder_core::aws::ecs_service::{DeploymentController, RolloutState, ServiceStatus};
use responder_core::facts::{Facts, Settings};
use responder_core::settings::{DeploymentRisk, ResponseMode, RiskPolicy};
use responder_core::state::deployment::DeploymentOutcome;
use responder_core::text::Untrusted;

use crate::vocabulary::*;

const GO: &[&str] = &["record s1 12:00:00", "redeploy a s1"];

/// What is decided at noon about service `a`, which uses `s1`.
fn noon(tweak: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = facts_with(&[("a", &["s1"])]);
    tweak(&mut facts);
    steps(&mut facts, &label_moved("s1", "12:00:00", "v2"))
}

fn skip(reason: &str, is_notified: bool) -> Vec<String> {
    let mut words = vec!["record s1 12:00:00".to_owned(), format!("skip a {reason}")];
    words.extend(is_notified.then(|| "page redeploy-consumers".to_owned()));
    words
}

fn defer(what: &str, is_notified: bool) -> Vec<String> {
    let mut words = vec!["record s1 12:00:00".to_owned(), format!("defer a {what}")];
    words.extend(is_notified.then(|| "page redeploy-consumers".to_owned()));
    words
}

fn reference(facts: &mut Facts, suffix: &str) {
    first_service(facts).references[0].value = Untrusted::new(format!("{}{suffix}", secret_arn("s1")));
}

#[test]
fn a_service_that_is_older_than_the_change_is_redeployed() {
    assert_eq!(noon(|_| ()), GO);
    assert_eq!(noon(|facts| first_service(facts).primary = None), GO);
}

#[test]
fn a_deployment_is_newer_by_the_propagation_margin() {
    let primary =
        |time: &'static str| noon(move |facts| first_service(facts).primary = primary("d", time, None));
    assert_eq!(primary("12:00:05"), skip("already-newer", false));
    assert_eq!(primary("12:00:04.999"), GO);
}

#[test]
fn a_reference_that_a_deployment_does_not_help_is_notified() {
    for (suffix, reason) in [
        (":::v1", "pinned-version"),
        ("::AWSPENDING:", "other-label"),
        ("::BLUE:", "other-label"),
        (":password::v1", "pinned-version"),
    ] {
        assert_eq!(noon(|facts| reference(facts, suffix)), skip(reason, true), "{suffix}");
    }
    for suffix in [":::", ":password::", "::AWSCURRENT:", "::AWSPREVIOUS:"] {
        assert_eq!(noon(|facts| reference(facts, suffix)), GO, "{suffix}");
    }
}

#[test]
fn a_label_that_moved_with_the_current_version_is_redeployed() {
    for (labelled, suffix, is_redeployed) in [
        ("v2", "::BLUE:", true),
        ("v1", "::BLUE:", false),
        ("v2", "::GREEN:", false),
        ("v1", "::AWSPREVIOUS:", true),
    ] {
        let decision = noon(|facts| {
            reference(facts, suffix);
            for metadata in facts.secrets.values_mut() {
                metadata.versions.entry(labelled.to_owned()).or_default().insert("BLUE".to_owned());
            }
        });
        if is_redeployed {
            assert_eq!(decision, GO, "{labelled} {suffix}");
        } else {
            assert_eq!(decision, skip("other-label", true), "{labelled} {suffix}");
        }
    }
}

#[test]
fn a_service_that_something_else_deploys_is_notified() {
    assert_eq!(
        noon(|facts| first_service(facts).controller = DeploymentController::CodeDeploy),
        skip("code-deploy", true)
    );
    assert_eq!(
        noon(|facts| first_service(facts).controller = DeploymentController::External),
        skip("external", true)
    );
    assert_eq!(noon(|facts| first_service(facts).managed = true), skip("managed", true));
    for status in [ServiceStatus::Draining, ServiceStatus::Inactive] {
        assert_eq!(noon(|facts| first_service(facts).status = status.clone()), skip("inactive", false));
    }
}

#[test]
fn the_redeploy_tag_decides() {
    let redeploy = |value: &'static str| noon(move |facts| tag(facts, "redeploy", value));
    assert_eq!(redeploy("auto"), GO);
    assert_eq!(redeploy("off"), skip("opted-out", false));
    assert_eq!(redeploy("notify"), skip("notify-only", true));
    assert_eq!(redeploy("on"), skip("unclear-tag", true));
    for (name, value) in
        [("windows", "daily 00:00-24:00 UTC"), ("window", "always"), ("cooldown", "25h"), ("secrets", "")]
    {
        assert_eq!(noon(|facts| tag(facts, name, value)), skip("unclear-tag", true), "{name}");
    }
    // Whoever asks for nothing and writes something else beside it means something.
    let both = noon(|facts| {
        tag(facts, "redeploy", "off");
        tag(facts, "cooldown", "soon");
    });
    assert_eq!(both, skip("unclear-tag", true));
}

#[test]
fn a_requested_deployment_is_waited_for() {
    let of = |requested: responder_core::state::deployment::DeploymentRecord, now: Option<&'static str>| {
        noon(|facts| {
            facts.deployments.insert(service_arn("a"), requested);
            facts.now = now.map(at);
        })
    };
    assert_eq!(of(request("12:00:06", Some("d")), None), skip("already-requested", false));
    assert_eq!(of(request("12:00:06", Some("d")), Some("12:30:00")), skip("already-requested", false));
    assert_eq!(of(request("12:00:06", None), Some("12:02:05")), skip("already-requested", false));
    // Its effect would have shown by now.
    assert_eq!(of(request("12:00:06", None), Some("12:02:06")), defer("in-progress", false));
    assert_eq!(
        of(request("12:00:06", None), Some("12:45:05")),
        defer("in-progress", true),
        "the sweep ends it first"
    );
    assert_eq!(of(request("12:00:06", None), Some("12:45:06")), GO);
    // Before the change: it answers another one, and what became of it is not known.
    assert_eq!(of(request("12:00:04", Some("d")), None), defer("in-progress", false));
}

#[test]
fn a_deployment_that_failed_is_not_repeated_for_the_same_change() {
    let of = |time: &str, how: DeploymentOutcome| {
        noon(|facts| {
            facts.deployments.insert(service_arn("a"), ended(request(time, Some("d")), how));
        })
    };
    assert_eq!(
        of("12:00:06", DeploymentOutcome::Failed),
        skip("rollout-failed", true),
        "nobody was notified of this change"
    );
    let known = noon(|facts| {
        facts
            .deployments
            .insert(service_arn("a"), ended(request("12:00:06", Some("d")), DeploymentOutcome::Failed));
        facts.notified.insert(service_arn("a"), [(secret("s1").key(), at("12:00:00"))].into());
    });
    assert_eq!(known, skip("rollout-failed", false));
    assert_eq!(of("11:00:00", DeploymentOutcome::Failed), GO);
    assert_eq!(of("12:00:06", DeploymentOutcome::Superseded), defer("cooldown 12:05:06", false));
}

#[test]
fn a_refused_call_neither_cools_down_nor_counts_as_requested() {
    for time in ["11:59:00", "12:00:06"] {
        let refused = noon(|facts| {
            facts
                .deployments
                .insert(service_arn("a"), ended(request(time, None), DeploymentOutcome::Refused));
        });
        assert_eq!(refused, GO, "{time}");
    }
}

#[test]
fn a_deleted_secret_lets_no_task_start() {
    let of = |tweak: fn(&mut responder_core::aws::secret_metadata::SecretMetadata)| {
        noon(|facts| facts.secrets.values_mut().for_each(tweak))
    };
    assert_eq!(of(|metadata| metadata.deleted_at = Some(at("12:00:01"))), skip("secret-gone", true));
    assert_eq!(of(|metadata| metadata.missing = true), skip("secret-gone", true));
}

#[test]
fn risks_follow_the_settings() {
    let found = |finding: DeploymentRisk, policy: Option<RiskPolicy>| {
        noon(|facts| {
            first_service(facts).risks.insert(finding);
            facts.settings.deployment_risks.extend(policy.map(|policy| (finding, policy)));
        })
    };
    for finding in
        [DeploymentRisk::MutableImage, DeploymentRisk::LatestPlatform, DeploymentRisk::NoCircuitBreaker]
    {
        assert_eq!(found(finding, None), GO, "{finding:?}");
        assert_eq!(found(finding, Some(RiskPolicy::Go)), GO, "{finding:?}");
        assert_eq!(found(finding, Some(RiskPolicy::Notify)), skip("finding", true), "{finding:?}");
        // It is never over by itself.
        assert_eq!(found(finding, Some(RiskPolicy::Wait)), skip("finding", true), "{finding:?}");
    }
    let other = noon(|facts| {
        facts.settings.deployment_risks.insert(DeploymentRisk::MutableImage, RiskPolicy::Notify);
        first_service(facts).risks.insert(DeploymentRisk::LatestPlatform);
    });
    assert_eq!(other, GO);
}

#[test]
fn a_deployment_in_progress_may_finish() {
    let going = |created: &'static str, state: RolloutState, policy: Option<RiskPolicy>| {
        noon(move |facts| {
            first_service(facts).primary = primary("theirs", created, Some(state));
            facts.settings.deployment_risks.extend(policy.map(|policy| (DeploymentRisk::InProgress, policy)));
        })
    };
    let state = RolloutState::InProgress;
    assert_eq!(going("11:50:00", state, None), defer("in-progress", false));
    assert_eq!(going("11:50:00", state, Some(RiskPolicy::Go)), GO);
    assert_eq!(going("11:50:00", state, Some(RiskPolicy::Notify)), skip("finding", true));
    assert_eq!(going("11:30:00", state, None), GO, "nothing rolls out for so long");
    assert_eq!(going("11:50:00", RolloutState::Completed, None), GO);
    assert_eq!(going("11:50:00", RolloutState::Failed, None), GO);
}

#[test]
fn a_change_waits_for_its_settle_delay() {
    let settling = |time: &'static str| {
        noon(move |facts| {
            facts.secrets.values_mut().for_each(|metadata| metadata.modified_at = Some(at(time)));
        })
    };
    // The shell waits for twenty seconds itself.
    assert_eq!(settling("12:00:05"), ["record s1 12:00:05", "redeploy a s1"]);
    assert_eq!(settling("12:00:06"), ["record s1 12:00:06", "defer a settle-delay 12:00:21"]);
}

#[test]
fn a_cooldown_begins_at_the_request() {
    let cooling = |time: &'static str, cooldown: Option<&'static str>| {
        noon(move |facts| {
            facts
                .deployments
                .insert(service_arn("a"), ended(request(time, Some("d")), DeploymentOutcome::Completed));
            if let Some(value) = cooldown {
                tag(facts, "cooldown", value);
            }
        })
    };
    // The deployment would begin at 12:00:15.
    assert_eq!(cooling("11:55:15", None), GO);
    assert_eq!(cooling("11:55:16", None), defer("cooldown 12:00:16", false));
    assert_eq!(cooling("11:59:59", Some("0s")), GO);
    assert_eq!(cooling("11:50:15", Some("10m")), GO);
    assert_eq!(cooling("11:50:16", Some("10m")), defer("cooldown 12:00:16", false));
    assert_eq!(cooling("11:58:00", Some("16m")), defer("cooldown 12:14:00", false));
    assert_eq!(cooling("11:58:01", Some("16m")), defer("cooldown 12:14:01", true), "longer than `answer`");
}

#[test]
fn a_closed_window_is_waited_for_and_notified_if_it_opens_too_late() {
    let window = |value: &'static str| noon(move |facts| tag(facts, "window", value));
    assert_eq!(window("Mon 12:00-13:00 UTC"), GO);
    assert_eq!(window("Mon 13:00-14:00 Europe/Berlin"), GO);
    assert_eq!(window("Mon 11:00-12:00 UTC"), defer("window 2026-03-09T11:00:00", true), "closed in 15 s");
    assert_eq!(window("Mon 12:14-13:00 UTC"), defer("window 12:14:00", false));
    assert_eq!(window("Mon 12:15-13:00 UTC"), defer("window 12:15:00", true));
    assert_eq!(window("Tue 00:00-24:00 UTC + Mon 12:10-12:11 UTC"), defer("window 12:10:00", false));
}

#[test]
fn mode_notify_notifies_once() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.settings = Settings { mode: ResponseMode::Notify, ..Settings::default() };
    assert_eq!(steps(&mut facts, &label_moved("s1", "12:00:00", "v2")), skip("notify-mode", true));
    assert_eq!(
        steps(&mut facts, &rotation_succeeded("s1", "12:00:02")),
        ["skip a notify-mode", "resolve-change s1"]
    );
    assert!(steps(&mut facts, &sweep("12:01:00")).is_empty());
    facts.changes.values_mut().for_each(|change| change.resolved = false);
    assert_eq!(steps(&mut facts, &sweep("12:02:00")), ["skip a notify-mode", "resolve-change s1"]);
    // Another change is other news.
    facts.secrets.insert(secret("s1").key(), {
        let mut metadata = metadata("s1", "13:00:00");
        metadata.versions = [("v3".to_owned(), ["AWSCURRENT".to_owned()].into())].into();
        metadata
    });
    let again = ["record s1 13:00:00", "skip a notify-mode", "page redeploy-consumers"];
    assert_eq!(steps(&mut facts, &sweep("13:01:00")), again);
}

#[test]
fn declared_secrets_count_like_references() {
    let declared = |tweak: fn(&mut Facts)| {
        noon(|facts| {
            first_service(facts).references.clear();
            tweak(facts);
        })
    };
    assert_eq!(declared(|_| ()), ["record s1 12:00:00", "nothing"]);
    assert_eq!(declared(|facts| tag(facts, "secrets", "s1 s9")), GO);
    assert_eq!(declared(|facts| tag(facts, "secrets", &secret_arn("s1"))), GO);
    assert_eq!(declared(|facts| tag(facts, "secrets", "s2")), ["record s1 12:00:00", "nothing"]);
    let readers = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), Untrusted::new(value));
        noon(|facts| {
            first_service(facts).references.clear();
            facts.settings.declared_secrets.insert(name, vec![value]);
        })
    };
    assert_eq!(readers("shop/a", "s1"), GO);
    assert_eq!(readers(&service_arn("a"), &secret_arn("s1")), GO);
    assert_eq!(readers("shop/b", "s1"), ["record s1 12:00:00", "nothing"]);
}
