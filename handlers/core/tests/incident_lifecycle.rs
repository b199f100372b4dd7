//! The lifecycle of an incident: it opens once, is auto-resolved after `resolve_after`, and reopens under its key.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use responder_core::decide::{questions, respond};
use responder_core::facts::{Facts, Settings};
use responder_core::incident::{Incident, IncidentStatus};
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::Renderer;
use responder_core::plan::{Plan, PlanStep};
use responder_core::question::Question;
use responder_core::rules::{RuleSet, builtin};
use responder_core::time::{Span, Timestamp};
use serde_json::json;

const START: i64 = 1_772_323_200_000;
const HOUR: i64 = 3_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(START + second * 1_000)
}

fn read(second: i64, secret: i64) -> String {
    json!({
        "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
        "account": "111122223333", "region": "us-west-2", "resources": [],
        "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": "us-west-2",
            "eventTime": at(second).to_string(), "eventID": format!("{second}-{secret}"),
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": format!("s{secret}")},
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/u"},
        },
    })
    .to_string()
}

/// Twenty secrets in twenty seconds.
fn theft(from: i64) -> Vec<String> {
    (0..20).map(|i| read(from + i, i)).collect()
}

fn sweep(second: i64) -> String {
    json!({"id": format!("sweep-{second}"), "source": "aws.events", "detail-type": "Scheduled Event", "account": "111122223333",
        "region": "us-west-2", "time": at(second).to_string(), "resources": [], "detail": {}})
    .to_string()
}

fn story<'r>(rules: &'r RuleSet, events: &[String]) -> (Vec<Plan>, Vec<Incident>, MemoryStore<'r>) {
    let cases = events.iter().flat_map(|event| rules.match_event(event).unwrap()).collect();
    let mut ledger = MemoryStore::new(Facts::default());
    let plans = order_and_deduplicate(cases).0.iter().map(|case| ledger.decide(case)).collect();
    let incidents = ledger.incidents();
    (plans, incidents, ledger)
}

fn pages<'p>(plans: &'p [Plan], rule: &str) -> Vec<&'p Incident> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let pages = steps.filter_map(|step| match step {
        PlanStep::Page { incident, .. } => Some(&**incident),
        _ => None,
    });
    pages.filter(|incident| incident.rule == rule).collect()
}

/// The resolutions of a response: when each was planned, its end, and the body of its notice.
fn ends(plans: &[Plan], rule: &str) -> Vec<(Timestamp, Timestamp, String)> {
    let (rules, settings) = (builtin().unwrap(), Settings::default());
    let renderer = Renderer::new(&rules, &settings);
    let mut ends = Vec::new();
    for plan in plans {
        for step in &plan.steps {
            if let PlanStep::Resolve { rule: of, at, notice: Some(_), .. } = step
                && of == rule
            {
                ends.push((plan.time, *at, renderer.render_step(step).unwrap().body));
            }
        }
    }
    ends
}

#[test]
fn theft_is_auto_resolved_once_and_reopens_under_its_key() {
    let rules = builtin().unwrap();
    let mut events = theft(0);
    events.extend((1..180).map(|minute| sweep(minute * 60)));
    let (plans, incidents, _) = story(&rules, &events);
    let paged = pages(&plans, "bulk-read");
    let key = paged[0].key.clone();
    // The tenth read pages, the twentieth says that it is worse.
    assert_eq!(paged.len(), 2);
    let ended = ends(&plans, "bulk-read");
    let [(notified, over, ref body)] = ended[..] else { panic!("{ended:?}") };
    assert_eq!((notified, over), (at(HOUR + 60), at(HOUR + 19)));
    for part in [
        "It went quiet",
        "What it left behind stays",
        "it was quiet for 1h",
        "20 calls",
        "20 different secrets",
        "us-west-2",
        "user/u",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let closed = incidents.iter().find(|incident| incident.rule == "bulk-read").unwrap();
    assert!(!body.contains("nothing needs to be done"), "{body}");
    // Twenty secrets stay known: the pager keeps its alert.
    assert_eq!((closed.state, closed.resolved_at), (IncidentStatus::Quiet, Some(at(HOUR + 19))));

    events.extend(theft(3 * HOUR));
    events.extend((181..260).map(|minute| sweep(minute * 60)));
    let (plans, incidents, _) = story(&rules, &events);
    assert!(pages(&plans, "bulk-read").iter().all(|incident| incident.key == key));
    assert_eq!((pages(&plans, "bulk-read").len(), ends(&plans, "bulk-read").len()), (4, 2));
    assert_eq!(incidents.iter().filter(|incident| incident.rule == "bulk-read").count(), 2);
}

#[test]
fn ongoing_incident_is_not_auto_resolved() {
    let rules = builtin().unwrap();
    let mut events: Vec<String> = (0..4).flat_map(|i| theft(i * 50 * 60)).collect();
    events.extend((1..200).map(|minute| sweep(minute * 60)));
    let (plans, ..) = story(&rules, &events);
    assert_eq!(pages(&plans, "bulk-read").len(), 2);
    assert_eq!(ends(&plans, "bulk-read"), []);
}

#[test]
fn late_events_reopen_an_auto_resolved_incident_and_copies_do_not() {
    let rules = builtin().unwrap();
    let mut ledger = MemoryStore::new(Facts::default());
    let mut tell = |event: &String| {
        let plans: Vec<Plan> =
            rules.match_event(event).unwrap().iter().map(|case| ledger.decide(case)).collect();
        plans
    };
    for event in theft(0) {
        tell(&event);
    }
    assert_eq!(ends(&tell(&sweep(HOUR + 60)), "bulk-read").len(), 1);
    // A copy of what is known.
    assert!(pages(&tell(&read(19, 19)), "bulk-read").is_empty());
    // Twenty more, dated ten minutes after the first twenty and told of an hour later.
    let late: Vec<Plan> = theft(600).iter().flat_map(&mut tell).collect();
    assert!(!pages(&late, "bulk-read").is_empty());
    assert_eq!(ends(&tell(&sweep(HOUR + 120)), "bulk-read"), []);
    assert_eq!(ends(&tell(&sweep(HOUR + 700)), "bulk-read").len(), 1);
}

#[test]
fn retries_of_a_rotation_are_one_incident_that_ends_after_a_silent_week() {
    let rules = builtin().unwrap();
    let secret = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
    let failed = |second: i64| {
        json!({"id": "r", "detail-type": "AWS Service Event via CloudTrail", "source": "aws.secretsmanager",
            "time": at(second).to_string(), "account": "111122223333", "region": "us-west-2", "resources": [],
            "detail": {"eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed",
                "eventTime": at(second).to_string(), "eventID": format!("{second}"), "awsRegion": "us-west-2",
                "recipientAccountId": "111122223333", "additionalEventData": {"SecretId": secret},
                "userIdentity": {"accountId": "111122223333", "invokedBy": "secretsmanager.amazonaws.com"}}})
        .to_string()
    };
    let mut events: Vec<String> = [0, 300, 900, 86_400].into_iter().map(failed).collect();
    events.extend((1..24 * 9).map(|hour| sweep(hour * HOUR)));
    let (plans, incidents, _) = story(&rules, &events);
    let failures = incidents.iter().filter(|incident| incident.rule == "rotation-failed").count();
    // The second page is the reminder after a day.
    assert_eq!((pages(&plans, "rotation-failed").len(), failures), (2, 1));
    let ended = ends(&plans, "rotation-failed");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].1, at(86_400).plus("7d".parse::<Span>().unwrap()));
    assert!(ended[0].2.contains("4 events"), "{}", ended[0].2);
}

#[test]
fn open_incident_with_an_unknown_or_older_state_is_left_alone() {
    let rules = builtin().unwrap();
    let events = theft(0);
    let (_, _, ledger) = story(&rules, &events);
    let late = sweep(2 * HOUR);
    let case = rules.match_event(&late).unwrap().remove(0);
    let mut facts = ledger.facts().clone();
    assert_eq!(respond(&case, &facts).steps.len(), 1);
    let requested = questions(&case, &facts);
    assert!(requested.iter().any(|question| matches!(question, Question::GroupWindow { .. })));
    // A page that is under way is known to the index first.
    for opened in facts.open_incidents.values_mut() {
        opened.last = at(HOUR / 2);
    }
    assert_eq!(respond(&case, &facts).steps, []);
    let mut facts = ledger.facts().clone();
    facts.incidents.clear();
    assert_eq!(respond(&case, &facts).steps, []);
    // Without the marks there would be nothing to say.
    let mut facts = ledger.facts().clone();
    facts.observations.clear();
    assert_eq!(respond(&case, &facts).steps, []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Each occurrence is paged, and the first sweep after `resolve_after` resolves it, once.
    #[test]
    fn each_occurrence_is_auto_resolved_once(starts in prop::collection::vec(0..20_000_i64, 1..5), every in 1..20_i64) {
        // A page and a look of one instant have no order.
        prop_assume!(starts.iter().all(|start| (start + 9) % 60 != 0));
        let rules = builtin().unwrap();
        let mut events: Vec<String> = starts.iter().flat_map(|start| theft(*start)).collect();
        events.extend((1..=30_000 / (every * 60)).map(|n| sweep(n * every * 60)));
        let (plans, incidents, ledger) = story(&rules, &events);
        let occurrences: Vec<&Incident> = incidents.iter().filter(|incident| incident.rule == "bulk-read").collect();
        let mut ended: Vec<Timestamp> = ends(&plans, "bulk-read").iter().map(|(_, over, _)| *over).collect();
        ended.sort();
        // What comes back before anybody looked goes on: its next page follows the last one.
        let back = |over: Timestamp| {
            let next = occurrences.iter().map(|incident| incident.first.plus(Span::from_secs(9)));
            next.filter(|page| *page > over).min()
        };
        let first_look = |over: Timestamp| {
            (1..=1_000).map(|n| at(n * every * 60)).find(|look| *look > over).unwrap()
        };
        let overs = occurrences.iter().map(|incident| incident.last.plus(Span::from_secs(HOUR)));
        let mut expected: Vec<Timestamp> =
            overs.filter(|over| back(*over).is_none_or(|back| back > first_look(*over))).collect();
        expected.sort();
        prop_assert_eq!(ended, expected);
        let closed = occurrences.iter().filter(|incident| incident.state == IncidentStatus::Quiet).count();
        prop_assert_eq!(closed, ends(&plans, "bulk-read").len());
        prop_assert!(ledger.facts().open_incidents.values().all(|opened| opened.resolved.is_some()));
        for (notified, over, _) in ends(&plans, "bulk-read") {
            prop_assert!(notified > over && notified <= over.plus(Span::from_secs(every * 60)));
        }
    }
}
