//! Changes: what counts as one and since when, by events, by Secrets Manager, and by the sweep.

use std::collections::BTreeSet;

use responder_core::aws::ecs_refusal::DeploymentRefusal;
use responder_core::aws::location::Location;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::respond;
use responder_core::facts::{Facts, LEDGER_GAP};
use responder_core::plan::RefusedDeployment;
use responder_core::question::Question;
use responder_core::settings::{DeploymentRisk, RiskPolicy};
use responder_core::state::deployment::{DeploymentOutcome, KnownChange};
use responder_core::text::Untrusted;

use crate::vocabulary::*;

fn labels(of: &[(&str, &str)]) -> std::collections::BTreeMap<String, BTreeSet<String>> {
    of.iter().map(|(id, label)| ((*id).to_owned(), BTreeSet::from([(*label).to_owned()]))).collect()
}

/// One service and a secret with these versions, modified at.
fn with(versions: &[(&str, &str)], modified: &str) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    let metadata = SecretMetadata { versions: labels(versions), ..metadata("s1", modified) };
    facts.secrets.insert(secret("s1").key(), metadata);
    facts
}

#[test]
fn a_change_has_the_time_of_secrets_manager() {
    let mut facts = with(&[("v2", "AWSCURRENT")], "12:00:03");
    assert_eq!(
        steps(&mut facts, &label_moved("s1", "12:00:00", "v2")),
        ["record s1 12:00:03", "redeploy a s1"]
    );
    let arn = Some("arn:aws:secretsmanager:us-west-2:111122223333:secret:s1-a1B2c3".to_owned());
    let expected = KnownChange { arn, ..known_change("12:00:03", "v2", false) };
    assert_eq!(facts.changes[&secret("s1").key()], expected);
    // Never before the event that tells of it.
    let mut facts = with(&[("v2", "AWSCURRENT")], "11:59:58");
    assert_eq!(
        steps(&mut facts, &label_moved("s1", "12:00:00", "v2")),
        ["record s1 12:00:00", "redeploy a s1"]
    );
}

#[test]
fn a_version_that_is_not_current_yet_is_retried() {
    let old = [("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")];
    let pending = [("v2", "AWSCURRENT"), ("v3", "AWSPENDING")];
    for (versions, modified) in
        [(old, "10:00:00"), (old, "12:00:05"), (pending, "10:00:00"), (pending, "12:09:00")]
    {
        let mut facts = with(&versions, modified);
        let plan = decide(&mut facts, &label_moved("s1", "12:00:00", "v3"));
        assert_eq!((describe(&plan), plan.retry.is_some()), (vec!["unknown".to_owned()], true), "{modified}");
        assert!(facts.changes.is_empty());
    }
}

#[test]
fn an_event_about_a_superseded_version_is_about_its_successor() {
    let mut facts = with(&[("v4", "AWSCURRENT"), ("v3", "AWSPREVIOUS")], "12:01:00");
    let plan = decide(&mut facts, &label_moved("s1", "12:00:00", "v3"));
    assert_eq!(describe(&plan), ["record s1 12:01:00", "defer a settle-delay 12:01:15"]);
    assert_eq!(facts.changes[&secret("s1").key()].version.as_deref(), Some("v4"));
    assert!(plan.retry.is_none());
}

#[test]
fn a_rotation_counts_while_secrets_manager_shows_the_time_before_it() {
    let mut facts = with(&[("v1", "AWSCURRENT")], "10:00:00");
    let plan = decide(&mut facts, &rotation_succeeded("s1", "12:00:00"));
    assert_eq!(describe(&plan), ["record s1 12:00:00", "redeploy a s1"]);
    let mut careful = with(&[("v1", "AWSCURRENT")], "10:00:00");
    careful.settings.deployment_risks.insert(DeploymentRisk::Unconfirmed, RiskPolicy::Notify);
    let plan = decide(&mut careful, &rotation_succeeded("s1", "12:00:00"));
    assert_eq!(describe(&plan), ["record s1 12:00:00", "skip a finding", "page redeploy-consumers"]);
    // Recent enough to be it.
    let mut near = with(&[("v2", "AWSCURRENT")], "11:59:00");
    near.settings.deployment_risks.insert(DeploymentRisk::Unconfirmed, RiskPolicy::Notify);
    assert_eq!(
        steps(&mut near, &rotation_succeeded("s1", "12:00:00")),
        ["record s1 12:00:00", "redeploy a s1"]
    );
}

#[test]
fn a_change_keeps_its_time_when_a_tag_is_edited() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    steps(&mut facts, &sweep("12:01:00"));
    steps(&mut facts, &deployment_event("a", "12:03:00", "COMPLETED", "ecs-svc/1", ""));
    facts.secrets.insert(secret("s1").key(), metadata("s1", "13:00:00"));
    let event = label_moved("s1", "12:00:00", "v2");
    assert_eq!(steps(&mut facts, &event)[0], "skip a already-newer");
    assert_eq!(steps(&mut facts, &rotation_succeeded("s1", "13:00:01"))[0], "skip a already-newer");
    assert!(steps(&mut facts, &sweep("13:01:00")).is_empty());
}

fn abroad() -> SecretRef {
    SecretRef { region: "eu-west-1".to_owned(), ..secret("s1") }
}

#[test]
fn a_region_without_a_sweep_is_notified_where_services_use_the_replica() {
    let page = "page redeploy-consumers".to_owned();
    for (home, regions, used, expected) in [
        (Some(HOME), &[][..], true, true),
        (Some(HOME), &["eu-west-1"], true, false),
        (Some("eu-west-1"), &[HOME], true, false),
        (Some("eu-west-1"), &[], true, true),
        (Some(HOME), &[], false, false),
        (None, &[], true, false),
    ] {
        let mut facts = replicated(Some("v2"));
        facts.settings.home_region = home.map(str::to_owned);
        facts.settings.further_regions = regions.iter().map(|region| (*region).to_owned()).collect();
        if !used {
            facts.services.as_mut().unwrap().truncate(1);
        }
        let first = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
        assert_eq!(first.contains(&page), expected, "{home:?} {regions:?} {used}: {first:?}");
        let again = steps(&mut facts, &label_moved("s1", "12:05:00", "v3"));
        assert!(!again.contains(&page), "{again:?}");
    }
}

#[test]
fn a_change_that_secrets_manager_does_not_confirm_is_a_risk() {
    for (policy, expected) in [(None, "redeploy a s1"), (Some(RiskPolicy::Notify), "skip a finding")] {
        let mut facts = facts_with(&[("a", &["s1"])]);
        facts.secrets.insert(secret("s1").key(), SecretMetadata::default());
        facts.settings.deployment_risks.extend(policy.map(|policy| (DeploymentRisk::Unconfirmed, policy)));
        let words = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
        assert!(words.contains(&expected.to_owned()), "{words:?}");
    }
}

#[test]
fn a_later_modification_is_no_time_of_a_change_without_the_ledger() {
    // The next rotation has begun when the event comes again, and `LastChangedDate` moved with its new version.
    let again = label_moved("s1", "12:00:00", "v2");
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.secrets.insert(secret("s1").key(), metadata("s1", "12:04:00"));
    first_service(&mut facts).primary = primary("ecs-svc/3", "12:01:00", None);
    let mut mute = facts.clone();
    mute.discovery_failures.insert(Location::new(ACCOUNT, HOME), [LEDGER_GAP.to_owned()].into());
    let plan = decide(&mut mute, &again);
    assert_eq!((describe(&plan), plan.retry.is_some()), (vec!["defer a in-progress".to_owned()], true));
    assert!(mute.changes.is_empty());
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
    assert_eq!(steps(&mut facts, &again), ["skip a already-newer", "resolve-change s1"]);
}

/// A secret with a replica that has this version, and a service beside each.
fn replicated(version: Option<&str>) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"]), ("e", &["s1"])]);
    let there = |text: &str| text.replace(HOME, "eu-west-1");
    let service = &mut facts.services.as_mut().unwrap()[1];
    (service.arn, service.cluster) = (there(&service.arn).into(), there(&service.cluster).into());
    service.references[0].value = responder_core::text::Untrusted::new(there(&secret_arn("s1")));
    facts.secrets.get_mut(&secret("s1").key()).unwrap().replicas.insert("eu-west-1".to_owned());
    if let Some(version) = version {
        let metadata = SecretMetadata {
            arn: there(&secret_arn("s1")),
            versions: labels(&[(version, "AWSCURRENT")]),
            modified_at: Some(if version == "v2" { at("12:00:01") } else { at("09:00:00") }),
            primary_region: Some(HOME.to_owned()),
            ..SecretMetadata::default()
        };
        facts.secrets.insert(abroad().key(), metadata);
    }
    facts
}

#[test]
fn a_replica_is_a_change_of_its_own_once_it_has_the_version() {
    for event in [label_moved("s1", "12:00:00", "v2"), rotation_succeeded("s1", "12:00:00")] {
        let mut facts = replicated(Some("v2"));
        let plan = decide(&mut facts, &event);
        let expected = ["record s1 12:00:01", "record s1 12:00:00", "redeploy e s1", "redeploy a s1"];
        let mut found = describe(&plan);
        found.sort();
        let mut sorted = expected.map(str::to_owned);
        sorted.sort();
        assert_eq!((found, plan.retry), (sorted.to_vec(), None));
    }
}

#[test]
fn a_replica_without_the_version_is_retried() {
    for version in [Some("v1"), None] {
        for event in [label_moved("s1", "12:00:00", "v2"), rotation_succeeded("s1", "12:00:00")] {
            let mut facts = replicated(version);
            let plan = decide(&mut facts, &event);
            assert_eq!(describe(&plan), ["unknown", "record s1 12:00:00", "redeploy a s1"], "{version:?}");
            assert!(plan.retry.is_some(), "no sweep looks there");
            let mut swept = replicated(version);
            swept.settings.further_regions.push("eu-west-1".to_owned());
            assert!(decide(&mut swept, &event).retry.is_none(), "the sweep does");
        }
    }
}

#[test]
fn a_discovery_failure_in_the_region_of_a_replica_is_notified_and_retried() {
    let mut facts = replicated(Some("v2"));
    facts.add_discovery_failure(ACCOUNT, "eu-west-1", "a cluster could not be listed");
    let plan = decide(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert!(plan.retry.is_some() && describe(&plan).contains(&"page redeploy-consumers".to_owned()));
}

#[test]
fn replicas_are_asked_about_once_they_are_known() {
    let event = label_moved("s1", "12:00:00", "v2");
    let places = |facts: &Facts| {
        let questions = list_questions(facts, &event);
        let regions = questions.iter().filter_map(|question| match question {
            Question::Consumers { secret, .. } => Some(secret.region.clone()),
            _ => None,
        });
        regions.collect::<Vec<_>>()
    };
    assert_eq!(places(&Facts::default()), [HOME]);
    assert_eq!(places(&replicated(None)), ["eu-west-1", HOME]);
}

/// A version without an event, and the time of the known change before it.
fn lost(known_at: Option<&str>) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.changes.extend(known_at.map(|time| (secret("s1").key(), known_change(time, "v1", true))));
    facts
}

#[test]
fn the_sweep_finds_a_change_without_an_event() {
    let mut facts = lost(Some("10:00:00"));
    assert_eq!(steps(&mut facts, &sweep("12:05:00")), ["record s1 12:00:00", "redeploy a s1"]);
    assert_eq!(steps(&mut facts, &sweep("12:06:00")), ["skip a already-newer"], "it may yet be rolled back");
    steps(&mut facts, &deployment_event("a", "12:08:00", "COMPLETED", "ecs-svc/1", ""));
    assert_eq!(steps(&mut facts, &sweep("12:09:00")), ["skip a already-newer", "resolve-change s1"]);
    assert!(steps(&mut facts, &sweep("12:10:00")).is_empty());
}

#[test]
fn a_secret_seen_for_the_first_time_changed_at_its_rotation_or_creation() {
    let first_sight = |rotated: Option<&str>, created: &str| {
        let mut facts = lost(None);
        first_service(&mut facts).primary = primary("d", "10:00:00", None);
        let metadata = facts.secrets.values_mut().next().unwrap();
        (metadata.rotated_at, metadata.created_at) = (rotated.map(at), Some(at(created)));
        steps(&mut facts, &sweep("12:05:00"))
    };
    // `LastChangedDate` is noon in all of them.
    let old = "2025-01-01T00:00:00Z";
    assert_eq!(
        first_sight(Some("09:00:00"), old),
        ["record s1 09:00:00", "skip a already-newer", "resolve-change s1"]
    );
    assert_eq!(first_sight(Some("10:30:00"), old), ["record s1 10:30:00", "redeploy a s1"]);
    assert_eq!(
        first_sight(None, old),
        [&format!("record s1 {}", &old[..19]), "skip a already-newer", "resolve-change s1"]
    );
    assert_eq!(first_sight(None, "11:00:00"), ["record s1 11:00:00", "redeploy a s1"]);
}

fn consumers(facts: &Facts) -> usize {
    let questions = list_questions(facts, &sweep("12:05:00"));
    questions.iter().filter(|question| matches!(question, Question::Consumers { .. })).count()
}

#[test]
fn a_resolved_change_asks_for_no_consumers() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", true));
    assert_eq!(consumers(&facts), 0);
    assert!(steps(&mut facts, &sweep("12:05:00")).is_empty());
    for open in [known_change("12:00:00", "v2", false), known_change("11:00:00", "v1", true)] {
        facts.changes.insert(secret("s1").key(), open);
        assert_eq!(consumers(&facts), 1);
    }
}

#[test]
fn a_secret_of_another_place_or_deleted_is_not_swept() {
    let tweaks: [fn(&mut SecretMetadata); 4] = [
        |metadata| metadata.arn = metadata.arn.replace(HOME, "eu-west-1"),
        |metadata| metadata.arn = metadata.arn.replace(ACCOUNT, "444455556666"),
        |metadata| metadata.deleted_at = Some(at("12:01:00")),
        |metadata| metadata.versions.clear(),
    ];
    for tweak in tweaks {
        let mut facts = lost(Some("10:00:00"));
        facts.secrets.values_mut().for_each(tweak);
        assert!(steps(&mut facts, &sweep("12:05:00")).is_empty());
    }
}

#[test]
fn a_change_is_resolved_when_no_consumer_waits_and_nothing_is_unknown() {
    let settles = |tweak: &dyn Fn(&mut Facts)| {
        let mut facts = lost(None);
        facts.changes.insert(secret("s1").key(), known_change("12:00:00", "v2", false));
        first_service(&mut facts).primary = primary("d", "12:01:00", None);
        tweak(&mut facts);
        steps(&mut facts, &sweep("12:05:00")).contains(&"resolve-change s1".to_owned())
    };
    let stale = |facts: &mut Facts| first_service(facts).primary = primary("d", "11:00:00", None);
    assert!(settles(&|_| ()));
    assert!(settles(&|facts| first_service(facts).references.clear()), "nobody uses it");
    assert!(!settles(&stale), "redeployed in this very look");
    assert!(settles(&|facts| {
        stale(facts);
        tag(facts, "redeploy", "notify");
    }));
    assert!(!settles(&|facts| {
        stale(facts);
        tag(facts, "window", "Tue 00:00-24:00 UTC");
    }));
    assert!(!settles(&|facts| facts.add_discovery_failure(ACCOUNT, HOME, "a cluster could not be listed")));
    assert!(!settles(&|facts| facts.services = None), "unknown consumers are no consumers answered for");
    for (requested, settled) in [
        // Its call may yet turn out to have had no effect.
        (request("12:04:30", None), false),
        (request("12:04:30", Some("d")), false),
        (ended(request("12:04:30", Some("d")), DeploymentOutcome::Failed), true),
    ] {
        let found = settles(&|facts| {
            stale(facts);
            facts.deployments.insert(service_arn("a"), requested.clone());
        });
        assert_eq!(found, settled, "{requested:?}");
    }
}

#[test]
fn a_sweep_without_the_services_says_that_they_are_unknown() {
    let mut facts = lost(Some("10:00:00"));
    facts.services = None;
    assert_eq!(steps(&mut facts, &sweep("12:05:00")), ["record s1 12:00:00", "unknown"]);
}

#[test]
fn a_refusal_is_notified_after_another_notice_about_the_service() {
    let mut facts = facts_with(&[("a", &["s1"])]);
    tag(&mut facts, "window", "Mon 12:16-13:00 UTC");
    let first_steps = steps(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    assert!(first_steps.contains(&"page redeploy-consumers".to_owned()));
    let event = sweep("12:16:00");
    let plan = respond(&matched(&event), &facts);
    let redeploy =
        plan.steps.iter().find(|step| matches!(step, responder_core::plan::PlanStep::Redeploy { .. }));
    let refused = [RefusedDeployment {
        step: redeploy.unwrap().clone(),
        refusal: DeploymentRefusal::Final,
        why: Untrusted::new("AccessDenied"),
    }];
    let mut steps = responder_core::decide::notify_refusals(&matched(&event), &facts, &refused);
    assert!(matches!(steps[..], [responder_core::plan::PlanStep::Page { .. }]), "{steps:?}");
    // And the next refusal is the same news.
    let plan = responder_core::plan::Plan { steps: std::mem::take(&mut steps), ..plan };
    responder_core::decide::apply(&plan, &mut facts);
    let steps = responder_core::decide::notify_refusals(&matched(&sweep("12:17:00")), &facts, &refused);
    assert!(matches!(steps[..], [responder_core::plan::PlanStep::ExtendIncident { .. }]), "{steps:?}");
}

#[test]
fn an_event_from_the_future_is_not_believed_and_a_human_is_notified() {
    let decide_at_noon = |time: &str| {
        let mut facts = facts_with(&[("a", &["s1"])]);
        facts.secrets.clear();
        facts.now = Some(at("12:00:00"));
        steps(&mut facts, &label_moved("s1", time, "v2"))
    };
    assert_eq!(decide_at_noon("2099-01-01T00:00:00Z"), ["unknown", "page redeploy-consumers"]);
    assert_eq!(decide_at_noon("12:05:01"), ["unknown", "page redeploy-consumers"]);
    // Clocks differ a little.
    assert_eq!(decide_at_noon("12:05:00")[0], "record s1 12:05:00");
}
