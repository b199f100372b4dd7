//! One service and one change: each reason to leave it or to wait, beside the near miss that is redeployed.

use responder_core::aws::ecs_service::RolloutState;
use responder_core::facts::{Facts, Settings};
use responder_core::settings::{DeploymentRisk, ResponseMode, RiskPolicy};
use responder_core::state::deployment::DeploymentOutcome;
use responder_core::text::Untrusted;

use crate::world::*;

const GO: &[&str] = &["note s1 12:00:00", "redeploy a s1"];

/// What is decided at noon about service `a`, which uses `s1`.
fn noon(tweak: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = world(&[("a", &["s1"])]);
    tweak(&mut facts);
    notified(&mut facts, &label("s1", "12:00:00", "v2"))
}

fn skip(reason: &str, is_told: bool) -> Vec<String> {
    let mut words = vec!["note s1 12:00:00".to_owned(), format!("skip a {reason}")];
    words.extend(is_told.then(|| "page redeploy-consumers".to_owned()));
    words
}

fn hold(what: &str, is_told: bool) -> Vec<String> {
    let mut words = vec!["note s1 12:00:00".to_owned(), format!("hold a {what}")];
    words.extend(is_told.then(|| "page redeploy-consumers".to_owned()));
    words
}

fn reference(facts: &mut Facts, suffix: &str) {
    first(facts).references[0].value = Untrusted::new(format!("{}{suffix}", secret_arn("s1")));
}

#[test]
fn a_service_that_is_older_than_the_change_is_redeployed() {
    assert_eq!(noon(|_| ()), GO);
    assert_eq!(noon(|facts| first(facts).primary = None), GO);
}

#[test]
fn newer_means_newer_by_the_margin() {
    let primary = |time: &'static str| noon(move |facts| first(facts).primary = deployed("d", time, None));
    assert_eq!(primary("12:00:05"), skip("already-newer", false));
    assert_eq!(primary("12:00:04.999"), GO);
}

#[test]
fn what_a_deployment_cannot_help_is_told() {
    for (suffix, reason) in [
        (":::v1", "pinned-version"),
        ("::AWSPREVIOUS:", "other-label"),
        ("::AWSPENDING:", "other-label"),
        (":password::v1", "pinned-version"),
    ] {
        assert_eq!(noon(|facts| reference(facts, suffix)), skip(reason, true), "{suffix}");
    }
    for suffix in [":::", ":password::", "::AWSCURRENT:"] {
        assert_eq!(noon(|facts| reference(facts, suffix)), GO, "{suffix}");
    }
}

#[test]
fn who_else_deploys_it_is_told() {
    assert_eq!(noon(|facts| first(facts).controller = "CODE_DEPLOY".to_owned()), skip("code-deploy", true));
    assert_eq!(noon(|facts| first(facts).controller = "EXTERNAL".to_owned()), skip("external", true));
    assert_eq!(noon(|facts| first(facts).managed = true), skip("managed", true));
    for status in ["DRAINING", "INACTIVE"] {
        assert_eq!(noon(|facts| first(facts).status = status.to_owned()), skip("inactive", false));
    }
}

#[test]
fn tags_say_whether() {
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
fn a_deployment_that_was_asked_for_is_waited_for() {
    let of = |requested: responder_core::state::deployment::DeploymentRecord, now: Option<&'static str>| {
        noon(|facts| {
            facts.deployments.insert(service_arn("a"), requested);
            facts.now = now.map(at);
        })
    };
    assert_eq!(of(requested("12:00:06", Some("d")), None), skip("already-requested", false));
    assert_eq!(of(requested("12:00:06", Some("d")), Some("12:30:00")), skip("already-requested", false));
    assert_eq!(of(requested("12:00:06", None), Some("12:02:05")), skip("already-requested", false));
    // Its effect would have shown by now.
    assert_eq!(of(requested("12:00:06", None), Some("12:02:06")), hold("in-progress", false));
    assert_eq!(
        of(requested("12:00:06", None), Some("12:45:05")),
        hold("in-progress", true),
        "the sweep ends it first"
    );
    assert_eq!(of(requested("12:00:06", None), Some("12:45:06")), GO);
    // Before the change: it answers another one, and what became of it is not known.
    assert_eq!(of(requested("12:00:04", Some("d")), None), hold("in-progress", false));
}

#[test]
fn a_deployment_that_failed_is_not_repeated_for_the_same_change() {
    let of = |time: &str, how: DeploymentOutcome| {
        noon(|facts| {
            facts.deployments.insert(service_arn("a"), ended(requested(time, Some("d")), how));
        })
    };
    assert_eq!(
        of("12:00:06", DeploymentOutcome::Failed),
        skip("rollout-failed", true),
        "of this change nobody was told"
    );
    let known = noon(|facts| {
        facts
            .deployments
            .insert(service_arn("a"), ended(requested("12:00:06", Some("d")), DeploymentOutcome::Failed));
        facts.notified.insert(service_arn("a"), [(secret("s1").key(), at("12:00:00"))].into());
    });
    assert_eq!(known, skip("rollout-failed", false));
    assert_eq!(of("11:00:00", DeploymentOutcome::Failed), GO);
    assert_eq!(of("12:00:06", DeploymentOutcome::Superseded), hold("cooldown 12:05:06", false));
}

#[test]
fn a_refused_call_neither_cools_down_nor_counts_as_asked() {
    for time in ["11:59:00", "12:00:06"] {
        let refused = noon(|facts| {
            facts
                .deployments
                .insert(service_arn("a"), ended(requested(time, None), DeploymentOutcome::Refused));
        });
        assert_eq!(refused, GO, "{time}");
    }
}

#[test]
fn a_secret_that_is_gone_lets_no_task_start() {
    let of = |tweak: fn(&mut responder_core::aws::secret_metadata::SecretMetadata)| {
        noon(|facts| facts.secrets.values_mut().for_each(tweak))
    };
    assert_eq!(of(|metadata| metadata.deleted_at = Some(at("12:00:01"))), skip("secret-gone", true));
    assert_eq!(of(|metadata| metadata.missing = true), skip("secret-gone", true));
}

#[test]
fn findings_follow_the_settings() {
    let found = |finding: DeploymentRisk, policy: Option<RiskPolicy>| {
        noon(|facts| {
            first(facts).risks.insert(finding);
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
        first(facts).risks.insert(DeploymentRisk::LatestPlatform);
    });
    assert_eq!(other, GO);
}

#[test]
fn a_deployment_in_progress_is_let_finish() {
    let going = |created: &'static str, state: RolloutState, policy: Option<RiskPolicy>| {
        noon(move |facts| {
            first(facts).primary = deployed("theirs", created, Some(state));
            facts.settings.deployment_risks.extend(policy.map(|policy| (DeploymentRisk::InProgress, policy)));
        })
    };
    let state = RolloutState::InProgress;
    assert_eq!(going("11:50:00", state, None), hold("in-progress", false));
    assert_eq!(going("11:50:00", state, Some(RiskPolicy::Go)), GO);
    assert_eq!(going("11:50:00", state, Some(RiskPolicy::Notify)), skip("finding", true));
    assert_eq!(going("11:30:00", state, None), GO, "nothing rolls out for so long");
    assert_eq!(going("11:50:00", RolloutState::Completed, None), GO);
    assert_eq!(going("11:50:00", RolloutState::Failed, None), GO);
}

#[test]
fn a_change_settles_first() {
    let settling = |time: &'static str| {
        noon(move |facts| {
            facts.secrets.values_mut().for_each(|metadata| metadata.modified_at = Some(at(time)));
        })
    };
    // The shell waits for twenty seconds itself.
    assert_eq!(settling("12:00:05"), ["note s1 12:00:05", "redeploy a s1"]);
    assert_eq!(settling("12:00:06"), ["note s1 12:00:06", "hold a settle-delay 12:00:21"]);
}

#[test]
fn a_cooldown_begins_when_we_asked() {
    let cooling = |time: &'static str, cooldown: Option<&'static str>| {
        noon(move |facts| {
            facts
                .deployments
                .insert(service_arn("a"), ended(requested(time, Some("d")), DeploymentOutcome::Completed));
            if let Some(value) = cooldown {
                tag(facts, "cooldown", value);
            }
        })
    };
    // The deployment would begin at 12:00:15.
    assert_eq!(cooling("11:55:15", None), GO);
    assert_eq!(cooling("11:55:16", None), hold("cooldown 12:00:16", false));
    assert_eq!(cooling("11:59:59", Some("0s")), GO);
    assert_eq!(cooling("11:50:15", Some("10m")), GO);
    assert_eq!(cooling("11:50:16", Some("10m")), hold("cooldown 12:00:16", false));
    assert_eq!(cooling("11:58:00", Some("16m")), hold("cooldown 12:14:00", false));
    assert_eq!(cooling("11:58:01", Some("16m")), hold("cooldown 12:14:01", true), "longer than `answer`");
}

#[test]
fn a_closed_window_is_waited_for_and_told_if_that_takes_too_long() {
    let window = |value: &'static str| noon(move |facts| tag(facts, "window", value));
    assert_eq!(window("Mon 12:00-13:00 UTC"), GO);
    assert_eq!(window("Mon 13:00-14:00 Europe/Berlin"), GO);
    assert_eq!(window("Mon 11:00-12:00 UTC"), hold("window 2026-03-09T11:00:00", true), "closed in 15 s");
    assert_eq!(window("Mon 12:14-13:00 UTC"), hold("window 12:14:00", false));
    assert_eq!(window("Mon 12:15-13:00 UTC"), hold("window 12:15:00", true));
    assert_eq!(window("Tue 00:00-24:00 UTC + Mon 12:10-12:11 UTC"), hold("window 12:10:00", false));
}

#[test]
fn mode_notify_tells_once_whoever_looks() {
    let mut facts = world(&[("a", &["s1"])]);
    facts.settings = Settings { mode: ResponseMode::Notify, ..Settings::default() };
    assert_eq!(notified(&mut facts, &label("s1", "12:00:00", "v2")), skip("notify-mode", true));
    assert_eq!(notified(&mut facts, &rotated("s1", "12:00:02")), ["skip a notify-mode", "settle s1"]);
    assert!(notified(&mut facts, &sweep("12:01:00")).is_empty());
    facts.changes.values_mut().for_each(|change| change.resolved = false);
    assert_eq!(notified(&mut facts, &sweep("12:02:00")), ["skip a notify-mode", "settle s1"]);
    // Another change is other news.
    facts.secrets.insert(secret("s1").key(), {
        let mut metadata = metadata("s1", "13:00:00");
        metadata.versions = [("v3".to_owned(), ["AWSCURRENT".to_owned()].into())].into();
        metadata
    });
    let again = ["note s1 13:00:00", "skip a notify-mode", "page redeploy-consumers"];
    assert_eq!(notified(&mut facts, &sweep("13:01:00")), again);
}

#[test]
fn secrets_that_are_declared_count_like_those_that_are_written_in_the_service() {
    let declared = |tweak: fn(&mut Facts)| {
        noon(|facts| {
            first(facts).references.clear();
            tweak(facts);
        })
    };
    assert_eq!(declared(|_| ()), ["note s1 12:00:00", "nothing"]);
    assert_eq!(declared(|facts| tag(facts, "secrets", "s1 s9")), GO);
    assert_eq!(declared(|facts| tag(facts, "secrets", &secret_arn("s1"))), GO);
    assert_eq!(declared(|facts| tag(facts, "secrets", "s2")), ["note s1 12:00:00", "nothing"]);
    let readers = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), Untrusted::new(value));
        noon(|facts| {
            first(facts).references.clear();
            facts.settings.readers.insert(name, vec![value]);
        })
    };
    assert_eq!(readers("shop/a", "s1"), GO);
    assert_eq!(readers(&service_arn("a"), &secret_arn("s1")), GO);
    assert_eq!(readers("shop/b", "s1"), ["note s1 12:00:00", "nothing"]);
}
