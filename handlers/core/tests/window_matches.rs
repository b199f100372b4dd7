//! Window matches in event time: any order and any copies of the observations give the same matches, and exactly those of
//! the definition.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::group_memberships;
use responder_core::detection::window_match::find_window_matches;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::memory_store::MemoryStore;
use responder_core::rules::{Response, RuleFile, parse_rules};
use responder_core::state::observation::{Observation, ObservationRole};
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A response with this `when` and an hour of quiet.
fn response(when: &str) -> Response {
    let responses = format!(
        r#"{{"r": {{"on": ["p"], "severity": "low", "title": "T", "runbook": "R", "quiet": "1h", "when": {when}}}}}"#
    );
    let files = [("access/p.json", r#"{"source":["s"]}"#), ("responses.json", &responses)];
    let files = files.map(|(path, text)| RuleFile { path: path.to_owned(), text: text.to_owned() });
    parse_rules(&files).unwrap().responses.remove("r").unwrap()
}

fn bulk() -> Response {
    let escalate = r#"[{"at_least": 5, "severity": "high"}]"#;
    response(&format!(
        r#"{{"distinct":"secret","at_least":3,"within":"10m","per":"principal","escalate":{escalate}}}"#
    ))
}

/// An observation at `minute` that reads the secret number `secret`.
fn observation(minute: i64, secret: u8) -> Observation {
    Observation {
        at: Timestamp::from_millis(minute * 60_000),
        key: format!("{minute}-{secret}"),
        resolves: false,
        id: Untrusted::new("id"),
        account: "1".to_owned(),
        region: "r".to_owned(),
        principal: Untrusted::new("p"),
        secrets: vec![SecretRef::from_name_or_arn(&format!("s{secret}"), "1", "r").unwrap()],
        secrets_known: true,
        error: false,
        origins: Vec::new(),
        roles: BTreeMap::from([("r".to_owned(), ObservationRole::Counts)]),
    }
}

#[test]
fn window_fires_at_exactly_the_threshold_within_exactly_its_length() {
    let two = [observation(0, 1), observation(5, 2)];
    assert!(find_window_matches(&bulk(), &two).is_empty());
    let edge = [observation(0, 1), observation(5, 2), observation(10, 3)];
    assert_eq!(find_window_matches(&bulk(), &edge).len(), 1);
    let beyond = [observation(0, 1), observation(5, 2), observation(11, 3)];
    assert!(find_window_matches(&bulk(), &beyond).is_empty());
}

#[test]
fn severity_follows_the_fullest_window_and_not_the_sum() {
    let spread: Vec<Observation> = (0..9).map(|i| observation(i64::from(i) * 4, i)).collect();
    let found = find_window_matches(&bulk(), &spread);
    assert_eq!((found.len(), found[0].severity.as_str(), found[0].observations.len()), (1, "low", 9));
    let dense: Vec<Observation> = (0..5).map(|i| observation(i64::from(i), i)).collect();
    assert_eq!(find_window_matches(&bulk(), &dense)[0].severity.as_str(), "high");
}

#[test]
fn silence_or_a_resolving_event_ends_an_occurrence() {
    let attack = |from: i64| (0..3).map(move |i| observation(from + i64::from(i), i));
    let twice: Vec<Observation> = attack(0).chain(attack(120)).collect();
    assert_eq!(find_window_matches(&bulk(), &twice).len(), 2);
    let close: Vec<Observation> = attack(0).chain(attack(50)).collect();
    assert_eq!(find_window_matches(&bulk(), &close).len(), 1);
    let resolved = Observation { resolves: true, ..observation(20, 9) };
    let split: Vec<Observation> = attack(0).chain([resolved.clone()]).chain(attack(50)).collect();
    let found = find_window_matches(&bulk(), &split);
    assert_eq!(
        found.iter().map(|window_match| window_match.resolved).collect::<Vec<_>>(),
        [Some(resolved.at), None]
    );
}

#[test]
fn copy_of_a_call_that_names_the_caller_is_the_one_that_counts() {
    let copy = |who: &str, id: &str| Observation {
        principal: Untrusted::new(who),
        id: Untrusted::new(id),
        ..observation(0, 1)
    };
    let (owners, callers) = (copy("1:AROAX", "a"), copy("arn:aws:iam::1:role/x", "b"));
    let one = response(r#"{"distinct":"event","at_least":1,"within":"10m","per":"principal"}"#);
    for observations in [[&owners, &callers], [&callers, &owners]] {
        let found = find_window_matches(&one, observations);
        assert_eq!(
            found.iter().flat_map(|window_match| &window_match.observations).collect::<Vec<_>>(),
            [&&callers]
        );
    }
}

#[test]
fn narrowed_response_shares_a_group_and_counts_its_own_events_only() {
    let when = r#""when": {"distinct":"event","at_least":2,"within":"10m","per":"account"}"#;
    let row = format!(
        r#""on": ["p"], "severity": "low", "title": "T", "runbook": "R", "quiet": "1h", "incident": "one", {when}"#
    );
    let responses =
        format!(r#"{{"all": {{{row}}}, "some": {{{row}, "where": {{"detail":{{"x":["1"]}}}}}}}}"#);
    let files = [("access/p.json", r#"{"source":["s"]}"#), ("responses.json", &responses)];
    let files = files.map(|(path, text)| RuleFile { path: path.to_owned(), text: text.to_owned() });
    let rules = parse_rules(&files).unwrap();
    let text = |minute: u8, x: u8| {
        format!(
            r#"{{"source":"s","detail-type":"d","id":"{minute}","account":"1","region":"r","time":"2026-03-01T12:0{minute}:00Z","detail":{{"x":"{x}"}}}}"#
        )
    };
    let fired = |xs: &[u8]| {
        let mut ledger = MemoryStore::default();
        let mut groups = BTreeSet::new();
        for (minute, x) in (0..).zip(xs) {
            let case = rules.match_event(&text(minute, *x)).unwrap().remove(0);
            groups.extend(group_memberships(&case, &Facts::default()).into_iter().map(|watch| watch.group));
            ledger.decide(&case);
        }
        assert_eq!(groups.len(), 1);
        let incidents = ledger.incidents().into_iter();
        incidents.map(|found| [vec![found.rule], found.also].concat()).collect::<Vec<_>>()
    };
    assert_eq!(fired(&[1, 2]), [["all"]]);
    assert_eq!(fired(&[1, 2, 1]), [["all", "some"]]);
}

#[test]
fn observation_is_small_whatever_the_event_says() {
    let long = "x\\u0001".repeat(5_000);
    let ids: Vec<String> = (0..200).map(|n| format!("\"{n}{long}\"")).collect();
    let text = format!(
        r#"{{"source":"{long}","account":"{long}","region":"{long}","detail":{{"eventName":"BatchGetSecretValue","eventID":"{long}",
            "userIdentity":{{"arn":"{long}"}},"requestParameters":{{"secretIdList":[{}]}}}}}}"#,
        ids.join(",")
    );
    let event = Event::parse(&text).unwrap();
    let observation = Observation::from_event(&event);
    assert_eq!((observation.secrets.len(), observation.secrets_known), (32, false));
    let names: BTreeSet<&SecretRef> = observation.secrets.iter().collect();
    assert_eq!(names.len(), 32, "what was cut stays apart");
    let size = serde_json::to_string(&observation).unwrap().len();
    assert!(size < 200_000, "{size}");
}

#[test]
fn flooded_group_keeps_room_for_new_values() {
    let mut facts = Facts::default();
    let kind = |id: &str| BTreeMap::from([(id.to_owned(), ObservationRole::Counts)]);
    for (number, id) in ["a", "b", "c", "d"].iter().enumerate() {
        for n in 0..1_050 {
            let key = format!("{number}-{n}");
            facts.add_observation("s", Observation { key, roles: kind(id), ..observation(0, 1) });
        }
    }
    let flooded = facts.observations["s"].len();
    assert!((3_000..=3_001).contains(&flooded), "{flooded}");
    let taken = (0..250)
        .filter(|n| facts.add_observation("s", Observation { roles: kind("a"), ..observation(1, *n) }))
        .count();
    assert_eq!(taken, 249, "all but the one that is known");
    for n in 0..2_000 {
        let principal = Untrusted::new(format!("p{n}"));
        facts.add_observation(
            "s",
            Observation {
                principal,
                key: format!("p{n}"),
                roles: kind(&(n % 9).to_string()),
                ..observation(2, 1)
            },
        );
    }
    assert_eq!(facts.observations["s"].len(), 5_000, "and it ends");
}

/// The definition, written down without any cleverness: which observations lie in a window that fires.
fn by_definition(response: &Response, observations: &[Observation]) -> BTreeSet<String> {
    let mut inside = BTreeSet::new();
    for end in observations {
        let start = end.at.minus(response.when.within);
        let window: Vec<&Observation> = observations
            .iter()
            .filter(|observation| observation.at >= start && observation.at <= end.at)
            .collect();
        let secrets: BTreeSet<&SecretRef> =
            window.iter().flat_map(|observation| &observation.secrets).collect();
        let principals: BTreeSet<&Untrusted> =
            window.iter().map(|observation| &observation.principal).collect();
        if secrets.len() >= response.when.at_least && principals.len() >= response.when.principals {
            inside.extend(window.iter().map(|observation| observation.key.clone()));
        }
    }
    inside
}

/// The same threshold, by two principals or more.
fn bulk_of_two_principals() -> Response {
    response(r#"{"distinct":"secret","at_least":3,"within":"10m","per":"address","principals":2}"#)
}

fn any_observations() -> impl Strategy<Value = Vec<Observation>> {
    proptest::collection::vec(
        (0i64..200, 0u8..8, 0u8..3).prop_map(|(minute, secret, principal)| Observation {
            principal: Untrusted::new(format!("p{principal}")),
            key: format!("{minute}-{secret}-{principal}"),
            ..observation(minute, secret)
        }),
        0..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn window_matches_hold_exactly_the_observations_of_windows_that_fire(observations in any_observations()) {
        let unique: Vec<Observation> = observations.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        for response in [bulk(), bulk_of_two_principals()] {
            let found = find_window_matches(&response, &unique);
            let inside: BTreeSet<String> = found.iter().flat_map(|window_match| window_match.observations.iter().map(|observation| observation.key.clone())).collect();
            prop_assert_eq!(inside, by_definition(&response, &unique));
            for pair in found.windows(2) {
                prop_assert!(pair[0].last().plus(response.resolve_after) < pair[1].first());
            }
        }
    }

    #[test]
    fn order_and_duplicates_leave_window_matches_unchanged(observations in any_observations(), seed in any::<u64>()) {
        let mut other = observations.clone();
        other.extend(observations.iter().take(7).cloned());
        // A permutation by a hash of the seed and the place.
        let mut keyed: Vec<(u64, Observation)> = other.drain(..).enumerate()
            .map(|(i, observation)| ((i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17), observation)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let other: Vec<Observation> = keyed.into_iter().map(|(_, observation)| observation).collect();
        prop_assert_eq!(find_window_matches(&bulk(), &observations), find_window_matches(&bulk(), &other));
    }
}
