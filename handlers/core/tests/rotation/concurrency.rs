//! Many services and many secrets: bounded in a cluster, one deployment for all changes of a service.

use responder_core::facts::Facts;
use responder_core::notify::Renderer;
use responder_core::rules::builtin;
use responder_core::settings::ResponseMode;
use responder_core::state::deployment::{ConcurrencySlot, DeploymentOutcome};
use responder_core::text::Untrusted;

use crate::vocabulary::*;

const SEVEN: [(&str, &[&str]); 7] = [
    ("a", &["s1"]),
    ("b", &["s1"]),
    ("c", &["s1"]),
    ("d", &["s1"]),
    ("e", &["s1"]),
    ("f", &["s1"]),
    ("g", &["s1"]),
];

fn count(words: &[String], start: &str) -> usize {
    words.iter().filter(|word| word.starts_with(start)).count()
}

fn seven() -> Facts {
    let mut facts = facts_with(&SEVEN);
    facts.settings.rollout_limit = 3;
    facts
}

#[test]
fn a_cluster_is_redeployed_up_to_the_rollout_limit() {
    let mut facts = seven();
    let first = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert_eq!((count(&first, "redeploy"), count(&first, "defer")), (3, 4), "{first:?}");
    assert_eq!((count(&first, "page"), count(&first, "resolve-change")), (0, 0));
    let again = steps(&mut facts, &sweep("12:01:00"));
    assert_eq!((count(&again, "redeploy"), count(&again, "defer")), (0, 4), "{again:?}");
    // One of the three ends: one place is free.
    let done = facts.deployments.keys().next().unwrap().rsplit('/').next().unwrap().to_owned();
    steps(&mut facts, &deployment_event(&done, "12:02:00", "COMPLETED", "ecs-svc/1", ""));
    let next = steps(&mut facts, &sweep("12:03:00"));
    assert_eq!((count(&next, "redeploy"), count(&next, "defer")), (1, 3), "{next:?}");
}

#[test]
fn a_slot_is_free_again_after_the_rollout_timeout() {
    let slots = |until: &str| {
        let slot = |number: u32| {
            (number, ConcurrencySlot { service: format!("other{number}").into(), until: at(until) })
        };
        let mut facts = seven();
        facts.concurrency_slots.insert(CLUSTER.into(), (0..3).map(slot).collect());
        let words = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
        (count(&words, "redeploy"), count(&words, "defer"))
    };
    assert_eq!(slots("12:00:01"), (0, 7));
    assert_eq!(slots("12:00:00"), (3, 4));
}

#[test]
fn each_cluster_has_slots_of_its_own() {
    let mut facts = seven();
    for service in facts.services.iter_mut().flatten().skip(3) {
        service.cluster = CLUSTER.replace("shop", "office").into();
    }
    let words = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert_eq!((count(&words, "redeploy"), count(&words, "defer")), (6, 1), "{words:?}");
}

#[test]
fn a_service_that_waits_past_the_answer_deadline_is_notified_once() {
    let mut facts = seven();
    let slot = |number: u32| {
        (number, ConcurrencySlot { service: format!("other{number}").into(), until: at("18:00:00") })
    };
    facts.concurrency_slots.insert(CLUSTER.into(), (0..3).map(slot).collect());
    assert_eq!(count(&steps(&mut facts, &label_moved("s1", "12:00:00", "v2")), "page"), 0);
    assert_eq!(count(&steps(&mut facts, &sweep("12:13:59")), "page"), 0);
    let plan = decide(&mut facts, &sweep("12:14:00"));
    assert_eq!((count(&describe(&plan), "page"), details(&plan).len()), (1, 7), "one page names all");
    for later in ["12:16:00", "13:00:00", "17:00:00"] {
        assert_eq!(count(&steps(&mut facts, &sweep(later)), "page"), 0, "{later}");
    }
}

#[test]
fn a_slot_that_another_service_got_is_not_taken_back() {
    // The rollout of `a` goes on for longer than its place is kept; `b` has the place by now.
    let mut facts = facts_with(&[("a", &["s1"]), ("b", &["s2"])]);
    facts.settings.rollout_limit = 1;
    facts.deployments.insert(service_arn("a"), request("11:00:00", Some("ecs-svc/1")));
    let slot = ConcurrencySlot { service: service_arn("b"), until: at("12:20:00") };
    facts.concurrency_slots.insert(CLUSTER.into(), [(0, slot.clone())].into());
    facts.deployments.insert(service_arn("b"), request("11:50:00", Some("ecs-svc/2")));
    let words = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert_eq!(words, ["record s1 12:00:00", "defer a rollout-limit"]);
    // And when it ends at last, it frees nothing that is not its own.
    steps(&mut facts, &deployment_event("a", "12:01:00", "COMPLETED", "ecs-svc/1", ""));
    assert_eq!(
        facts.deployments[&service_arn("a")].end.map(|ended| ended.outcome),
        Some(DeploymentOutcome::Completed)
    );
    assert_eq!(facts.concurrency_slots[CLUSTER].get(&0), Some(&slot));
}

#[test]
fn a_service_that_is_redeployed_again_keeps_its_slot() {
    let mut facts = facts_with(&[("a", &["s1"]), ("b", &["s1"])]);
    facts.settings.rollout_limit = 1;
    facts.services.as_mut().unwrap()[0].primary = primary("ecs-svc/1", "11:50:00", None);
    facts.deployments.insert(service_arn("a"), request("11:50:00", Some("ecs-svc/1")));
    let slot = ConcurrencySlot { service: service_arn("a"), until: at("12:20:00") };
    facts.concurrency_slots.insert(CLUSTER.into(), [(0, slot)].into());
    let words = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert_eq!((count(&words, "redeploy"), count(&words, "defer")), (1, 1));
    assert_eq!(in_flight(&facts, at("12:01:00")), [service_arn("a")]);
}

#[test]
fn all_secrets_of_a_service_are_one_deployment() {
    let mut facts = facts_with(&[("a", &["s1", "s2", "s3"]), ("b", &["s3"])]);
    let words = steps(&mut facts, &sweep("12:01:00"));
    // First sight of old secrets is no change.
    assert_eq!(count(&words, "redeploy"), 0, "{words:?}");
    for name in ["s1", "s2", "s3"] {
        facts.changes.insert(secret(name).key(), known_change("11:00:00", "v1", true));
    }
    let words = steps(&mut facts, &sweep("12:01:00"));
    assert!(words.contains(&"redeploy a s1+s2+s3".to_owned()), "{words:?}");
    assert_eq!(count(&words, "redeploy"), 2, "{words:?}");
}

#[test]
fn a_deployment_answers_deferred_changes_too() {
    let mut facts = facts_with(&[("a", &["s1", "s2", "s3", "s4"])]);
    facts.secrets.clear();
    facts.changes.insert(secret("s1").key(), known_change("11:58:00", "v2", false));
    facts.changes.insert(secret("s2").key(), known_change("11:58:00", "v2", true));
    facts.changes.insert(secret("s9").key(), known_change("11:58:00", "v2", false));
    first_service(&mut facts).references[3].value = Untrusted::new(format!("{}:::v1", secret_arn("s4")));
    facts.changes.insert(secret("s4").key(), known_change("11:58:00", "v2", false));
    let words = steps(&mut facts, &label_moved("s3", "12:00:00", "v2"));
    assert_eq!(words, ["record s3 12:00:00", "redeploy a s3+s1"]);
}

#[test]
fn a_pinned_secret_is_notified_beside_another_that_is_redeployed() {
    let mut facts = facts_with(&[("a", &["s1", "s2"])]);
    first_service(&mut facts).references[1].value = Untrusted::new(format!("{}:::v1", secret_arn("s2")));
    for name in ["s1", "s2"] {
        facts.changes.insert(secret(name).key(), known_change("11:00:00", "v1", true));
    }
    let plan = decide(&mut facts, &sweep("12:01:00"));
    let words = describe(&plan);
    assert!(words.contains(&"redeploy a s1".to_owned()), "{words:?}");
    assert!(words.contains(&"skip a pinned-version".to_owned()), "{words:?}");
    assert_eq!(count(&words, "page"), 1);
    let notified = &facts.notified[&service_arn("a")];
    assert_eq!(notified.keys().collect::<Vec<_>>(), [&secret("s2").key()], "not of s1");
}

#[test]
fn a_call_that_ecs_throttles_for_long_is_notified_once_and_repeated() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
    let refused = |facts: &mut Facts, time| {
        first_service(facts).primary = primary("ecs-svc/1", "09:00:00", None);
        facts.concurrency_slots.clear();
        facts.deployments.insert(service_arn("a"), ended(request(time, None), DeploymentOutcome::Refused));
    };
    for (now, expected) in [
        ("12:13:59", &["redeploy a s1"][..]),
        ("12:14:00", &["page redeploy-consumers", "redeploy a s1"]),
        ("12:15:00", &["redeploy a s1"]),
    ] {
        refused(&mut facts, "12:13:00");
        assert_eq!(steps(&mut facts, &sweep(now)), expected, "{now}");
    }
    // What was refused before the change, and a change that is found late.
    facts.notified.clear();
    refused(&mut facts, "11:59:00");
    assert_eq!(steps(&mut facts, &sweep("12:20:00")), ["redeploy a s1"]);
}

#[test]
fn changes_right_after_a_page_are_one_page_of_the_sweep() {
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let secrets: Vec<&str> = names.iter().map(String::as_str).collect();
    for home in [None, Some("eu-west-1"), Some(HOME)] {
        let mut facts = facts_with(&[("a", &secrets)]);
        (facts.settings.mode, facts.settings.home_region) = (ResponseMode::Notify, home.map(str::to_owned));
        let mut words = Vec::new();
        for name in &secrets {
            words.extend(steps(&mut facts, &label_moved(name, "12:00:00", "v2")));
        }
        let count = |words: &[String], what| words.iter().filter(|word| word.starts_with(what)).count();
        let (pages, holds) =
            (count(&words, "page redeploy-consumers"), count(&words, "defer a left-to-sweep"));
        if home != Some(HOME) {
            // No sweep would notify later; a Region without a sweep is notified too.
            assert_eq!((pages, holds), (20 + usize::from(home.is_some()), 0), "{home:?}");
            continue;
        }
        assert_eq!((pages, holds), (1, 19));
        let swept = steps(&mut facts, &sweep("12:01:00"));
        assert_eq!(count(&swept, "page"), 1, "{swept:?}");
        assert_eq!(facts.notified[&service_arn("a")].len(), 20);
        assert_eq!(count(&steps(&mut facts, &sweep("12:02:00")), "page"), 0);
        assert_eq!(count(&steps(&mut facts, &sweep("12:03:00")), ""), 0);
    }
}

#[test]
fn invalid_tags_are_notified_once_also_of_services_without_secrets() {
    let mut facts = facts_with(&[("a", &["s1"]), ("b", &[]), ("c", &[]), ("d", &[])]);
    let tag = |facts: &mut Facts, number: usize, name: &str, value: &str| {
        facts.services.as_mut().unwrap()[number].tags.insert(name.to_owned(), value.to_owned());
    };
    tag(&mut facts, 1, "secrets-responder:secret", "s1");
    tag(&mut facts, 2, "secrets-responder:secrets", "s1 s2:password");
    tag(&mut facts, 3, "team", "shop");
    let plan = decide(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    let rules = builtin().unwrap();
    let renderer = Renderer::new(&rules, &facts.settings);
    let mut pages: Vec<String> = Vec::new();
    for step in &plan.steps {
        pages.extend(renderer.render_step(step).map(|notification| notification.body));
    }
    assert_eq!(pages.len(), 1);
    for named in ["shop/b: its tag `secrets-responder:secret`", "shop/c: its tag `secrets-responder:secrets`"]
    {
        assert!(pages[0].contains(named), "{}", pages[0]);
    }
    assert!(!pages[0].contains("shop/a:") && !pages[0].contains("shop/d:"), "{}", pages[0]);
    // The same at the next change is no news; other tags are.
    facts.secrets.insert(secret("s1").key(), metadata("s1", "18:00:00"));
    let later = label_moved("s1", "18:00:00", "v2");
    assert!(!steps(&mut facts, &later).iter().any(|word| word.starts_with("page")));
    tag(&mut facts, 3, "secrets-responder:windows", "nights");
    assert!(steps(&mut facts, &later).contains(&"page redeploy-consumers".to_owned()));
}
