//! Plans for sequences of events: order and copies change nothing, and a plan that was carried out is not made again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use responder_core::aws::ecs_refusal::DeploymentRefusal;
use responder_core::decide::{group_memberships, notify_refusals, questions, respond};
use responder_core::detail_kind::DetailKind;
use responder_core::facts::Facts;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::Renderer;
use responder_core::plan::{Plan, PlanStep, RefusedDeployment, SkipReason};
use responder_core::question::Question;
use responder_core::rules::{RuleSet, builtin};
use responder_core::text::Untrusted;
use serde_json::{Value, json};

const SECRET: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

fn read(second: u32, principal: u8, secret: u8, region: &str) -> String {
    json!({
        "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
        "account": "111122223333", "region": region, "resources": [],
        "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": region,
            "eventTime": format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
            "eventID": format!("{second}-{principal}-{secret}-{region}"), "recipientAccountId": "111122223333",
            "requestParameters": {"secretId": format!("s{secret}")},
            "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/u{principal}")},
        },
    })
    .to_string()
}

fn rotation(kind: &str, second: u32) -> String {
    let time = format!("2026-03-01T12:00:{second:02}Z");
    if kind == "label" {
        return json!({"id": "n", "detail-type": "Secret Label Updated", "source": "aws.secretsmanager", "time": time,
            "account": "111122223333", "region": "us-west-2", "resources": [SECRET],
            "detail": {"name": "prod/db", "labelUpdated": "AWSCURRENT", "versionId": "v"}})
        .to_string();
    }
    json!({"id": "r", "detail-type": "AWS Service Event via CloudTrail", "source": "aws.secretsmanager", "time": time,
        "account": "111122223333", "region": "us-west-2", "resources": [],
        "detail": {"eventSource": "secretsmanager.amazonaws.com", "eventName": kind, "eventTime": time, "eventID": format!("{kind}{second}"),
            "awsRegion": "us-west-2", "recipientAccountId": "111122223333", "additionalEventData": {"SecretId": SECRET},
            "errorMessage": "Error when executing lambda arn:aws:lambda:us-west-2:111122223333:function:rotate during setSecret step",
            "userIdentity": {"accountId": "111122223333", "invokedBy": "secretsmanager.amazonaws.com"}}})
    .to_string()
}

fn service(name: &str, value_from: &str, more: &Value) -> Value {
    let mut service = json!({
        "arn": format!("arn:aws:ecs:us-west-2:111122223333:service/shop/{name}"),
        "cluster": "arn:aws:ecs:us-west-2:111122223333:cluster/shop", "status": "ACTIVE", "controller": "ECS",
        "primary": {"id": "ecs-svc/1", "created_at": "2026-02-01T00:00:00Z"},
        "references": [{"kind": "container-secret", "value": value_from}],
    });
    if let (Some(service), Some(more)) = (service.as_object_mut(), more.as_object()) {
        service.extend(more.clone());
    }
    service
}

fn facts(services: &[Value]) -> Facts {
    serde_json::from_value(json!({ "services": services })).unwrap()
}

/// The plans and the incidents of a sequence of events.
fn story(rules: &RuleSet, facts: Facts, events: &[String]) -> (Vec<Plan>, Vec<Incident>) {
    let cases = events.iter().flat_map(|event| rules.match_event(event).unwrap()).collect();
    let mut ledger = MemoryStore::new(facts);
    let plans = order_and_deduplicate(cases).0.iter().map(|case| ledger.decide(case)).collect();
    (plans, ledger.incidents())
}

fn redeployed(plans: &[Plan]) -> Vec<&str> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let services = steps.filter_map(|step| match step {
        PlanStep::Redeploy { service, .. } => service.rsplit('/').next(),
        _ => None,
    });
    services.collect()
}

#[test]
fn duplicate_rotation_events_redeploy_each_consumer_once() {
    let rules = builtin().unwrap();
    let services = [
        service("a", SECRET, &json!({})),
        service("b", SECRET, &json!({})),
        service("c", "prod/db", &json!({})),
    ];
    let events = [rotation("label", 1), rotation("RotationSucceeded", 3), rotation("RotationSucceeded", 3)];
    let (plans, incidents) = story(&rules, facts(&services), &events);
    assert_eq!((redeployed(&plans), incidents.len()), (vec!["a", "b"], 0));
}

#[test]
fn service_that_cannot_be_redeployed_is_paged_once_with_its_reason() {
    let rules = builtin().unwrap();
    let tagged = |value: &str| json!({"tags": {"secrets-responder:redeploy": value}});
    let primary = |at: &str| json!({"primary": {"id": "d", "created_at": at}});
    let cases: [(&str, Value, SkipReason, bool); 9] = [
        (SECRET, primary("2026-03-01T12:00:07Z"), SkipReason::AlreadyNewer, false),
        (SECRET, json!({"controller": "CODE_DEPLOY"}), SkipReason::CodeDeploy, true),
        (SECRET, json!({"controller": "EXTERNAL"}), SkipReason::External, true),
        (SECRET, json!({"status": "DRAINING"}), SkipReason::Inactive, false),
        (&format!("{SECRET}:::v1"), json!({}), SkipReason::PinnedVersion, true),
        (&format!("{SECRET}::BLUE:"), json!({}), SkipReason::OtherLabel, true),
        (SECRET, tagged("off"), SkipReason::OptedOut, false),
        (SECRET, tagged("notify"), SkipReason::NotifyOnly, true),
        (SECRET, tagged("yes please"), SkipReason::UnclearTag, true),
    ];
    for (value_from, more, expected, notified) in cases {
        let events = [rotation("label", 1), rotation("RotationSucceeded", 2)];
        let (plans, incidents) = story(&rules, facts(&[service("a", value_from, &more)]), &events);
        let reasons: Vec<SkipReason> = plans
            .iter()
            .flat_map(|plan| &plan.steps)
            .filter_map(|step| match step {
                PlanStep::Skip { reason, .. } => Some(*reason),
                _ => None,
            })
            .collect();
        assert_eq!(
            (reasons, incidents.len()),
            (vec![expected, expected], usize::from(notified)),
            "{expected:?}"
        );
        let pages = plans
            .iter()
            .flat_map(|plan| &plan.steps)
            .filter(|step| matches!(step, PlanStep::Page { .. }))
            .count();
        assert_eq!(pages, usize::from(notified), "{expected:?}");
    }
}

#[test]
fn retries_of_a_failed_rotation_are_one_incident_until_the_next_success() {
    let rules = builtin().unwrap();
    let failures = [10, 20, 30].map(|second| rotation("RotationFailed", second));
    let (plans, incidents) =
        story(&rules, Facts::default(), &[&failures[..], &[rotation("RotationSucceeded", 40)]].concat());
    assert_eq!((incidents.len(), incidents[0].reads), (1, 3));
    assert_eq!(incidents[0].resolved_at, Some("2026-03-01T12:00:40Z".parse().unwrap()));
    let detail = |kind| incidents[0].detail(kind).map(Untrusted::raw);
    assert_eq!(detail(DetailKind::FailedStep), Some("setSecret"));
    assert_eq!(
        detail(DetailKind::RotationFunction),
        Some("arn:aws:lambda:us-west-2:111122223333:function:rotate")
    );
    let pages = plans
        .iter()
        .flat_map(|plan| &plan.steps)
        .filter(|step| matches!(step, PlanStep::Page { .. }))
        .count();
    let resolved = plans
        .iter()
        .flat_map(|plan| &plan.steps)
        .filter(|step| matches!(step, PlanStep::Resolve { .. }))
        .count();
    assert_eq!((pages, resolved), (1, 1));
}

#[test]
fn success_resolves_an_incident_however_long_ago_it_began() {
    let rules = builtin().unwrap();
    let later = rotation("RotationSucceeded", 1).replace("2026-03-01", "2026-04-10");
    let second = rotation("RotationFailed", 2).replace("2026-03-01", "2026-03-20");
    let (plans, incidents) = story(&rules, Facts::default(), &[rotation("RotationFailed", 1), second, later]);
    let steps = || plans.iter().flat_map(|plan| &plan.steps);
    assert_eq!(
        steps().filter(|step| matches!(step, PlanStep::Page { .. })).count(),
        2,
        "nineteen days apart"
    );
    assert_eq!(steps().filter(|step| matches!(step, PlanStep::Resolve { notice: Some(_), .. })).count(), 1);
    assert!(incidents.len() == 2 && incidents.iter().all(|incident| incident.resolved_at.is_some()));
}

#[test]
fn each_change_that_needs_a_human_is_an_incident() {
    let rules = builtin().unwrap();
    let services = [service("a", SECRET, &json!({"controller": "EXTERNAL"}))];
    let later = rotation("RotationSucceeded", 2).replace("T12:00", "T12:40");
    let (_, incidents) = story(&rules, facts(&services), &[rotation("RotationSucceeded", 1), later]);
    assert_eq!(incidents.len(), 2);
}

#[test]
fn service_that_also_pins_a_version_is_redeployed_and_paged() {
    let rules = builtin().unwrap();
    let both = json!({"references": [
        {"kind": "container-secret", "value": SECRET}, {"kind": "log-secret", "value": format!("{SECRET}:::v1")}]});
    let (plans, incidents) = story(&rules, facts(&[service("a", SECRET, &both)]), &[rotation("label", 1)]);
    assert_eq!((redeployed(&plans), incidents.len()), (vec!["a"], 1));
}

#[test]
fn rotation_event_without_time_or_secret_pages() {
    let rules = builtin().unwrap();
    let timeless = rotation("RotationSucceeded", 1).replace("2026-03-01T12:00:01Z", "then");
    let nameless = rotation("RotationSucceeded", 1).replace(SECRET, "x");
    for event in [timeless, nameless] {
        let (plans, incidents) = story(&rules, facts(&[service("a", SECRET, &json!({}))]), &[event]);
        assert_eq!((redeployed(&plans), incidents.len()), (vec![], 1));
        assert!(matches!(plans[0].steps[0], PlanStep::Unknown { .. }));
    }
}

#[test]
fn discovery_failures_bring_the_event_back_and_missing_facts_do_not() {
    let rules = builtin().unwrap();
    let case = &rules.match_event(&rotation("label", 1)).unwrap()[0];
    let plan = respond(case, &Facts::default());
    assert!(matches!(plan.steps[..], [PlanStep::Unknown { .. }]) && plan.retry.is_none());
    let mut gaps = facts(&[service("a", SECRET, &json!({}))]);
    gaps.add_discovery_failure(
        "111122223333",
        "us-west-2",
        "the services of one cluster could not be listed",
    );
    let plan = respond(case, &gaps);
    assert_eq!(redeployed(std::slice::from_ref(&plan)), ["a"]);
    assert!(plan.retry.is_some() && plan.steps.iter().any(|step| matches!(step, PlanStep::Page { .. })));
}

#[test]
fn discovery_limits_page_and_are_not_retried() {
    let rules = builtin().unwrap();
    let case = &rules.match_event(&rotation("label", 1)).unwrap()[0];
    let mut facts = Facts::default();
    facts
        .discovery_limits
        .insert("111122223333/us-west-2".into(), ["the secret is another account's".to_owned()].into());
    let plan = respond(case, &facts);
    assert!(plan.retry.is_none() && plan.steps.iter().any(|step| matches!(step, PlanStep::Page { .. })));
}

#[test]
fn refused_redeployment_pages_and_pages_come_before_redeployments() {
    let rules = builtin().unwrap();
    let case = &rules.match_event(&rotation("label", 1)).unwrap()[0];
    let external = service("b", SECRET, &json!({"controller": "EXTERNAL"}));
    let facts = facts(&[service("a", SECRET, &json!({})), external]);
    let plan = respond(case, &facts);
    let places: Vec<bool> = plan.steps.iter().map(|step| matches!(step, PlanStep::Redeploy { .. })).collect();
    assert_eq!(places, [false, false, false, true], "note, skip, page, redeploy");
    for (refusal, is_repeated) in [(DeploymentRefusal::Final, false), (DeploymentRefusal::Passing, true)] {
        let step = plan.steps.last().unwrap().clone();
        let refused = RefusedDeployment { step, refusal, why: Untrusted::new("AccessDenied") };
        let steps = notify_refusals(case, &facts, &[refused]);
        let [step @ PlanStep::Page { .. }] = &steps[..] else { panic!("one page: {steps:?}") };
        let page = Renderer::new(&rules, &facts.settings).render_step(step).unwrap();
        assert!(page.body.contains("service/shop/a: AccessDenied"), "{}", page.body);
        assert_eq!(page.body.contains("repeated after the cooldown"), is_repeated, "{}", page.body);
    }
}

#[test]
fn page_stays_small_with_thousands_of_discovery_failures() {
    let rules = builtin().unwrap();
    let case = &rules.match_event(&rotation("label", 1)).unwrap()[0];
    let mut facts = Facts::default();
    (0..5_000).for_each(|i| {
        facts.add_discovery_failure(
            "111122223333",
            "us-west-2",
            format!("{} could not be described ({i})", "x".repeat(500)),
        );
    });
    let plan = respond(case, &facts);
    let renderer = Renderer::new(&rules, &facts.settings);
    let bodies = plan.steps.iter().filter_map(|step| Some(renderer.render_step(step)?.body.len()));
    assert!(bodies.max().is_some_and(|size| size < 20_000));
}

#[test]
fn questions_name_what_the_plan_depends_on() {
    let rules = builtin().unwrap();
    let rotation_case = &rules.match_event(&rotation("RotationSucceeded", 1)).unwrap()[0];
    assert!(
        questions(rotation_case, &Facts::default())
            .iter()
            .any(|question| matches!(question, Question::Consumers { .. }))
    );
    let read_case = &rules.match_event(&read(1, 1, 1, "us-west-2")).unwrap()[0];
    let requested = questions(read_case, &Facts::default());
    let observations = requested.iter().filter_map(|question| match question {
        Question::Observations { group, observation, .. } => Some((group, observation)),
        _ => None,
    });
    let observations: Vec<_> = observations.collect();
    // Bulk, drip, rate, sweep and what follows a list: one stream and one mark, in five lengths.
    assert_eq!((observations.len(), observations.iter().collect::<BTreeSet<_>>().len()), (5, 1));
}

#[test]
fn event_within_an_incident_of_one_secret_at_its_highest_severity_needs_no_observations() {
    let rules = builtin().unwrap();
    let requested = |event: &str, severity: &str, first: &str, last: &str| {
        let case = &rules.match_event(event).unwrap()[0];
        let memberships = group_memberships(case, &Facts::default());
        let state = json!({"severity": severity, "first": first, "last": last});
        let states = memberships.into_iter().map(|membership| (membership.incident_key, state.clone()));
        let incidents = states.collect::<serde_json::Map<_, _>>();
        let facts: Facts = serde_json::from_value(json!({"incidents": incidents})).unwrap();
        let questions = questions(case, &facts);
        questions.iter().filter(|question| matches!(question, Question::Observations { .. })).count()
    };
    let (first, last) = ("2026-02-27T22:00:00Z", "2026-03-04T03:00:00Z");
    let failed = rotation("ReplicationFailed", 1);
    assert_eq!(requested(&failed, "medium", first, last), 0);
    // It may become more severe, or a window may reach beyond what is known of it.
    assert_eq!(requested(&failed, "low", first, last), 1);
    assert_eq!(requested(&failed, "medium", "2026-02-28T12:00:02Z", last), 1);
    assert_eq!(requested(&failed, "medium", first, "2026-03-02T12:00:00Z"), 1);
    // An incident of a principal may grow.
    assert!(requested(&read(1_800, 1, 1, "us-west-2"), "critical", first, last) > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn order_and_copies_of_reads_change_no_plan(
        reads in proptest::collection::vec((0u32..2_000, 0u8..2, 0u8..16, 0usize..4), 1..60),
        seed in any::<u64>(),
    ) {
        let rules = builtin().unwrap();
        let regions = ["us-west-2", "eu-west-1", "us-east-1", "ap-south-2"];
        let events: Vec<String> = reads.iter().map(|(at, who, what, place)| read(*at, *who, *what, regions[*place])).collect();
        let mut other: Vec<(u64, String)> = events.iter().chain(events.iter().take(9)).enumerate()
            .map(|(i, event)| ((i as u64 + 1).wrapping_mul(seed | 1).rotate_left(23), event.clone())).collect();
        other.sort();
        let other: Vec<String> = other.into_iter().map(|(_, event)| event).collect();
        prop_assert_eq!(story(&rules, Facts::default(), &events), story(&rules, Facts::default(), &other));
    }

    #[test]
    fn deciding_again_over_the_resulting_facts_plans_nothing(
        reads in proptest::collection::vec((0u32..900, 0u8..2, 0u8..16, 0usize..4), 1..60),
    ) {
        let rules = builtin().unwrap();
        let regions = ["us-west-2", "eu-west-1", "us-east-1", "ap-south-2"];
        let mut events: Vec<String> = reads.iter().map(|(at, who, what, place)| read(*at, *who, *what, regions[*place])).collect();
        events.extend([rotation("label", 1), rotation("RotationFailed", 5), rotation("RotationSucceeded", 9)]);
        let services = [service("a", SECRET, &json!({})), service("b", SECRET, &json!({"controller": "EXTERNAL"}))];
        let cases = order_and_deduplicate(events.iter().flat_map(|event| rules.match_event(event).unwrap()).collect()).0;
        let mut ledger = MemoryStore::new(facts(&services));
        for case in &cases {
            ledger.decide(case);
        }
        for case in &cases {
            let again = ledger.decide(case);
            let acts = again.steps.iter().find(|step| matches!(step, PlanStep::Redeploy { .. } | PlanStep::Page { .. } | PlanStep::Resolve { .. }));
            prop_assert!(acts.is_none(), "{:?}", acts);
        }
    }
}
