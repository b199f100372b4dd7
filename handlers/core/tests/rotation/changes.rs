//! What counts as a change and since when: events, Secrets Manager's word, and what the sweep finds.

use std::collections::BTreeSet;

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::respond;
use responder_core::facts::{Facts, LEDGER_GAP, place};
use responder_core::question::Question;
use responder_core::settings::{DeploymentRisk, RiskPolicy};
use responder_core::state::deployment::DeploymentOutcome;

use crate::world::*;

fn labels(of: &[(&str, &str)]) -> std::collections::BTreeMap<String, BTreeSet<String>> {
    of.iter().map(|(id, label)| ((*id).to_owned(), BTreeSet::from([(*label).to_owned()]))).collect()
}

/// One service and a secret with these versions, modified at.
fn with(versions: &[(&str, &str)], modified: &str) -> Facts {
    let mut facts = world(&[("a", &["s1"])]);
    let metadata = SecretMetadata { versions: labels(versions), ..metadata("s1", modified) };
    facts.secrets.insert(secret("s1").key(), metadata);
    facts
}

#[test]
fn the_time_of_a_change_is_secrets_managers() {
    let mut facts = with(&[("v2", "AWSCURRENT")], "12:00:03");
    assert_eq!(notified(&mut facts, &label("s1", "12:00:00", "v2")), ["note s1 12:00:03", "redeploy a s1"]);
    assert_eq!(facts.changes[&secret("s1").key()], known("12:00:03", "v2", false));
    // Never before the event that tells of it.
    let mut facts = with(&[("v2", "AWSCURRENT")], "11:59:58");
    assert_eq!(notified(&mut facts, &label("s1", "12:00:00", "v2")), ["note s1 12:00:00", "redeploy a s1"]);
}

#[test]
fn a_version_that_is_not_current_yet_is_looked_at_again() {
    let old = [("v2", "AWSCURRENT"), ("v1", "AWSPREVIOUS")];
    let pending = [("v2", "AWSCURRENT"), ("v3", "AWSPENDING")];
    for (versions, modified) in
        [(old, "10:00:00"), (old, "12:00:05"), (pending, "10:00:00"), (pending, "12:09:00")]
    {
        let mut facts = with(&versions, modified);
        let plan = decide(&mut facts, &label("s1", "12:00:00", "v3"));
        assert_eq!((words(&plan), plan.retry.is_some()), (vec!["unknown".to_owned()], true), "{modified}");
        assert!(facts.changes.is_empty());
    }
}

#[test]
fn an_event_of_a_version_that_another_one_followed_is_about_that_one() {
    let mut facts = with(&[("v4", "AWSCURRENT"), ("v3", "AWSPREVIOUS")], "12:01:00");
    let plan = decide(&mut facts, &label("s1", "12:00:00", "v3"));
    assert_eq!(words(&plan), ["note s1 12:01:00", "hold a settle-delay 12:01:15"]);
    assert_eq!(facts.changes[&secret("s1").key()].version.as_deref(), Some("v4"));
    assert!(plan.retry.is_none());
}

#[test]
fn a_rotation_counts_though_secrets_manager_still_shows_the_time_before() {
    let mut facts = with(&[("v1", "AWSCURRENT")], "10:00:00");
    let plan = decide(&mut facts, &rotated("s1", "12:00:00"));
    assert_eq!(words(&plan), ["note s1 12:00:00", "redeploy a s1"]);
    let mut careful = with(&[("v1", "AWSCURRENT")], "10:00:00");
    careful.settings.deployment_risks.insert(DeploymentRisk::Unconfirmed, RiskPolicy::Notify);
    let plan = decide(&mut careful, &rotated("s1", "12:00:00"));
    assert_eq!(words(&plan), ["note s1 12:00:00", "skip a finding", "page redeploy-consumers"]);
    // Recent enough to be it.
    let mut near = with(&[("v2", "AWSCURRENT")], "11:59:00");
    near.settings.deployment_risks.insert(DeploymentRisk::Unconfirmed, RiskPolicy::Notify);
    assert_eq!(notified(&mut near, &rotated("s1", "12:00:00")), ["note s1 12:00:00", "redeploy a s1"]);
}

#[test]
fn a_change_keeps_its_time_when_a_tag_is_edited() {
    let mut facts = world(&[("a", &["s1"])]);
    notified(&mut facts, &label("s1", "12:00:00", "v2"));
    notified(&mut facts, &sweep("12:01:00"));
    notified(&mut facts, &rollout("a", "12:03:00", "COMPLETED", "ecs-svc/1", ""));
    facts.secrets.insert(secret("s1").key(), metadata("s1", "13:00:00"));
    let event = label("s1", "12:00:00", "v2");
    assert_eq!(notified(&mut facts, &event)[0], "skip a already-newer");
    assert_eq!(notified(&mut facts, &rotated("s1", "13:00:01"))[0], "skip a already-newer");
    assert!(notified(&mut facts, &sweep("13:01:00")).is_empty());
}

fn abroad() -> SecretRef {
    SecretRef { region: "eu-west-1".to_owned(), ..secret("s1") }
}

#[test]
fn a_region_that_no_sweep_looks_at_is_told_where_services_use_the_replica() {
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
        facts.settings.home = home.map(str::to_owned);
        facts.settings.regions = regions.iter().map(|region| (*region).to_owned()).collect();
        if !used {
            facts.services.as_mut().unwrap().truncate(1);
        }
        let first = notified(&mut facts, &label("s1", "12:00:00", "v2"));
        assert_eq!(first.contains(&page), expected, "{home:?} {regions:?} {used}: {first:?}");
        let again = notified(&mut facts, &label("s1", "12:05:00", "v3"));
        assert!(!again.contains(&page), "{again:?}");
    }
}

#[test]
fn what_secrets_manager_did_not_say_is_a_finding() {
    for (policy, expected) in [(None, "redeploy a s1"), (Some(RiskPolicy::Notify), "skip a finding")] {
        let mut facts = world(&[("a", &["s1"])]);
        facts.secrets.insert(secret("s1").key(), SecretMetadata::default());
        facts.settings.deployment_risks.extend(policy.map(|policy| (DeploymentRisk::Unconfirmed, policy)));
        let words = notified(&mut facts, &label("s1", "12:00:00", "v2"));
        assert!(words.contains(&expected.to_owned()), "{words:?}");
    }
}

#[test]
fn what_moved_since_is_no_time_of_a_change_that_nobody_remembers() {
    // The next rotation has begun when the event comes again, and `LastChangedDate` moved with its new version.
    let again = label("s1", "12:00:00", "v2");
    let mut facts = world(&[("a", &["s1"])]);
    facts.secrets.insert(secret("s1").key(), metadata("s1", "12:04:00"));
    first(&mut facts).primary = deployed("ecs-svc/3", "12:01:00", None);
    let mut mute = facts.clone();
    mute.discovery_failures.insert(place(ACCOUNT, HOME), [LEDGER_GAP.to_owned()].into());
    let plan = decide(&mut mute, &again);
    assert_eq!((words(&plan), plan.retry.is_some()), (vec!["hold a in-progress".to_owned()], true));
    assert!(mute.changes.is_empty());
    facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", false));
    assert_eq!(notified(&mut facts, &again), ["skip a already-newer", "settle s1"]);
}

/// A secret with a replica that has this version, and a service beside each.
fn replicated(version: Option<&str>) -> Facts {
    let mut facts = world(&[("a", &["s1"]), ("e", &["s1"])]);
    let there = |text: &str| text.replace(HOME, "eu-west-1");
    let service = &mut facts.services.as_mut().unwrap()[1];
    (service.arn, service.cluster) = (there(&service.arn), there(&service.cluster));
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
    for event in [label("s1", "12:00:00", "v2"), rotated("s1", "12:00:00")] {
        let mut facts = replicated(Some("v2"));
        let plan = decide(&mut facts, &event);
        let expected = ["note s1 12:00:01", "note s1 12:00:00", "redeploy e s1", "redeploy a s1"];
        let mut found = words(&plan);
        found.sort();
        let mut sorted = expected.map(str::to_owned);
        sorted.sort();
        assert_eq!((found, plan.retry), (sorted.to_vec(), None));
    }
}

#[test]
fn a_replica_without_the_version_is_looked_at_again() {
    for version in [Some("v1"), None] {
        for event in [label("s1", "12:00:00", "v2"), rotated("s1", "12:00:00")] {
            let mut facts = replicated(version);
            let plan = decide(&mut facts, &event);
            assert_eq!(words(&plan), ["unknown", "note s1 12:00:00", "redeploy a s1"], "{version:?}");
            assert!(plan.retry.is_some(), "no sweep looks there");
            let mut swept = replicated(version);
            swept.settings.regions.push("eu-west-1".to_owned());
            assert!(decide(&mut swept, &event).retry.is_none(), "the sweep does");
        }
    }
}

#[test]
fn what_could_not_be_learned_beside_a_replica_is_told_and_looked_at_again() {
    let mut facts = replicated(Some("v2"));
    facts.add_discovery_failure(ACCOUNT, "eu-west-1", "a cluster could not be listed");
    let plan = decide(&mut facts, &label("s1", "12:00:00", "v2"));
    assert!(plan.retry.is_some() && words(&plan).contains(&"page redeploy-consumers".to_owned()));
}

#[test]
fn replicas_are_asked_about_once_they_are_known() {
    let event = label("s1", "12:00:00", "v2");
    let places = |facts: &Facts| {
        let questions = asks(facts, &event);
        let regions = questions.iter().filter_map(|question| match question {
            Question::Consumers { secret, .. } => Some(secret.region.clone()),
            _ => None,
        });
        regions.collect::<Vec<_>>()
    };
    assert_eq!(places(&Facts::default()), [HOME]);
    assert_eq!(places(&replicated(None)), ["eu-west-1", HOME]);
}

/// A version that no event told of, and when the change before is known to have been.
fn lost(known_at: Option<&str>) -> Facts {
    let mut facts = world(&[("a", &["s1"])]);
    facts.changes.extend(known_at.map(|time| (secret("s1").key(), known(time, "v1", true))));
    facts
}

#[test]
fn the_sweep_finds_a_change_that_no_event_told_of() {
    let mut facts = lost(Some("10:00:00"));
    assert_eq!(notified(&mut facts, &sweep("12:05:00")), ["note s1 12:00:00", "redeploy a s1"]);
    assert_eq!(
        notified(&mut facts, &sweep("12:06:00")),
        ["skip a already-newer"],
        "it may yet be rolled back"
    );
    notified(&mut facts, &rollout("a", "12:08:00", "COMPLETED", "ecs-svc/1", ""));
    assert_eq!(notified(&mut facts, &sweep("12:09:00")), ["skip a already-newer", "settle s1"]);
    assert!(notified(&mut facts, &sweep("12:10:00")).is_empty());
}

#[test]
fn a_secret_that_is_seen_first_changed_when_it_was_rotated_or_created() {
    let first_sight = |rotated: Option<&str>, created: &str| {
        let mut facts = lost(None);
        first(&mut facts).primary = deployed("d", "10:00:00", None);
        let metadata = facts.secrets.values_mut().next().unwrap();
        (metadata.rotated_at, metadata.created_at) = (rotated.map(at), Some(at(created)));
        notified(&mut facts, &sweep("12:05:00"))
    };
    // `LastChangedDate` is noon in all of them.
    let old = "2025-01-01T00:00:00Z";
    assert_eq!(first_sight(Some("09:00:00"), old), ["note s1 09:00:00", "skip a already-newer", "settle s1"]);
    assert_eq!(first_sight(Some("10:30:00"), old), ["note s1 10:30:00", "redeploy a s1"]);
    assert_eq!(
        first_sight(None, old),
        [&format!("note s1 {}", &old[..19]), "skip a already-newer", "settle s1"]
    );
    assert_eq!(first_sight(None, "11:00:00"), ["note s1 11:00:00", "redeploy a s1"]);
}

fn consumers(facts: &Facts) -> usize {
    let questions = asks(facts, &sweep("12:05:00"));
    questions.iter().filter(|question| matches!(question, Question::Consumers { .. })).count()
}

#[test]
fn a_change_that_is_answered_for_asks_for_nobody() {
    let mut facts = world(&[("a", &["s1"])]);
    facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", true));
    assert_eq!(consumers(&facts), 0);
    assert!(notified(&mut facts, &sweep("12:05:00")).is_empty());
    for open in [known("12:00:00", "v2", false), known("11:00:00", "v1", true)] {
        facts.changes.insert(secret("s1").key(), open);
        assert_eq!(consumers(&facts), 1);
    }
}

#[test]
fn a_secret_of_elsewhere_or_gone_is_not_swept() {
    let tweaks: [fn(&mut SecretMetadata); 4] = [
        |metadata| metadata.arn = metadata.arn.replace(HOME, "eu-west-1"),
        |metadata| metadata.arn = metadata.arn.replace(ACCOUNT, "444455556666"),
        |metadata| metadata.deleted_at = Some(at("12:01:00")),
        |metadata| metadata.versions.clear(),
    ];
    for tweak in tweaks {
        let mut facts = lost(Some("10:00:00"));
        facts.secrets.values_mut().for_each(tweak);
        assert!(notified(&mut facts, &sweep("12:05:00")).is_empty());
    }
}

#[test]
fn a_change_is_answered_for_when_nobody_waits_and_nothing_is_unknown() {
    let settles = |tweak: &dyn Fn(&mut Facts)| {
        let mut facts = lost(None);
        facts.changes.insert(secret("s1").key(), known("12:00:00", "v2", false));
        first(&mut facts).primary = deployed("d", "12:01:00", None);
        tweak(&mut facts);
        notified(&mut facts, &sweep("12:05:00")).contains(&"settle s1".to_owned())
    };
    let stale = |facts: &mut Facts| first(facts).primary = deployed("d", "11:00:00", None);
    assert!(settles(&|_| ()));
    assert!(settles(&|facts| first(facts).references.clear()), "nobody uses it");
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
        (requested("12:04:30", None), false),
        (requested("12:04:30", Some("d")), false),
        (ended(requested("12:04:30", Some("d")), DeploymentOutcome::Failed), true),
    ] {
        let found = settles(&|facts| {
            stale(facts);
            facts.deployments.insert(service_arn("a"), requested.clone());
        });
        assert_eq!(found, settled, "{requested:?}");
    }
}

#[test]
fn a_sweep_that_does_not_know_the_services_says_so() {
    let mut facts = lost(Some("10:00:00"));
    facts.services = None;
    assert_eq!(notified(&mut facts, &sweep("12:05:00")), ["note s1 12:00:00", "unknown"]);
}

#[test]
fn a_refusal_is_told_also_of_whom_a_human_was_told_something_else() {
    let mut facts = world(&[("a", &["s1"])]);
    tag(&mut facts, "window", "Mon 12:16-13:00 UTC");
    let told_of = notified(&mut facts, &label("s1", "12:00:00", "v2"));
    assert!(told_of.contains(&"page redeploy-consumers".to_owned()));
    let event = sweep("12:16:00");
    let plan = respond(&case(&event), &facts);
    let redeploy =
        plan.steps.iter().find(|step| matches!(step, responder_core::plan::PlanStep::Redeploy { .. }));
    let refused = [(redeploy.unwrap().clone(), "AccessDenied".to_owned())];
    let mut steps = responder_core::decide::notify_refusals(&case(&event), &facts, &refused);
    assert!(matches!(steps[..], [responder_core::plan::PlanStep::Page { .. }]), "{steps:?}");
    // And the next refusal is the same news.
    let plan = responder_core::plan::Plan { steps: std::mem::take(&mut steps), ..plan };
    responder_core::decide::apply(&plan, &mut facts);
    let steps = responder_core::decide::notify_refusals(&case(&sweep("12:17:00")), &facts, &refused);
    assert!(matches!(steps[..], [responder_core::plan::PlanStep::ExtendIncident { .. }]), "{steps:?}");
}
