//! Responses that share an incident, preceding events and exceptions: the incidents are a function of the set of events.

// long: the generated events below serve each property of shared incidents, order and exceptions.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use responder_core::detail_kind::DetailKind;
use responder_core::facts::Facts;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::{Plan, PlanStep};
use responder_core::question::Question;
use responder_core::rules::{RuleFile, RuleSet, RulesError, parse_rules};
use responder_core::severity::Severity;
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/execution";
const TASK: &str = "0123456789abcdef0123456789abcdef";

/// Responses to reads and listings of one principal: three that share an incident, one more of them that counts only after a
/// listing, and one with an incident of its own.
fn responses() -> Value {
    let row = |on: &[&str], severity: &str, when: Value| {
        json!({"on": on, "severity": severity, "title": "T", "runbook": "R", "quiet": "1h", "when": when, "incident": "theft",
            "exceptions": ["service", "launch", "tool", "quiet-tool"]})
    };
    let when = |distinct: &str, at_least: u8| json!({"distinct": distinct, "at_least": at_least, "within": "10m", "per": "principal"});
    let mut dump = when("secret", 2);
    dump["after"] = json!("listed");
    let mut single = row(&["read"], "high", when("event", 5));
    single.as_object_mut().unwrap().remove("incident");
    single["exceptions"] = json!([{"id": "own", "where": {"detail": {"userAgent": ["backup"]}}, "effect": "drop", "why": "backups",
        "owner": "storage", "until": "2026-03-01"}]);
    json!({
        "_exceptions": {
            "service": {"where": {"derived": {"caller": {"kind": ["service"]}}}, "effect": "drop", "why": "AWS itself"},
            "launch": {"where": {"derived": {"caller": {"launch": ["yes"]}}}, "effect": "drop", "why": "a task starts"},
            "tool": {"where": {"derived": {"caller": {"tool": [{"exists": true}]}}}, "effect": "lower", "why": "says who it is"},
            "quiet-tool": {"where": {"detail": {"userAgent": ["terraform nightly"]}}, "effect": "info", "why": "nightly"},
        },
        "many": row(&["read"], "medium", when("secret", 3)),
        "places": row(&["read"], "high", when("region", 2)),
        "fast": row(&["read"], "medium", when("event", 4)),
        "dump": row(&["read", "listed"], "medium", dump),
        "single": single,
    })
}

fn load_with(change: impl FnOnce(&mut Value)) -> Result<RuleSet, RulesError> {
    let mut responses = responses();
    change(&mut responses);
    let text = responses.to_string();
    let (read, listed) =
        (r#"{"detail": {"eventName": ["GetSecretValue"]}}"#, r#"{"detail": {"eventName": ["ListSecrets"]}}"#);
    let files =
        [("access/read.json", read), ("access/listed.json", listed), ("responses.json", text.as_str())];
    parse_rules(&files.map(|(path, text)| RuleFile { path: path.to_owned(), text: text.to_owned() }))
}

fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| load_with(|_| ()).unwrap());
    &RULES
}

#[derive(Clone, Debug)]
struct Call {
    second: u32,
    secret: u8,
    region: &'static str,
    lists: bool,
    agent: &'static str,
    session: &'static str,
}

fn call(second: u32, secret: u8) -> Call {
    Call { second, secret, region: "us-west-2", lists: false, agent: "aws-cli", session: "s" }
}

impl Call {
    fn text(&self) -> String {
        let Self { second, secret, region, lists, agent, session } = self;
        let name = if *lists { "ListSecrets" } else { "GetSecretValue" };
        let time = format!("2026-03-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        let requested = if *lists { Value::Null } else { json!({"secretId": format!("s{secret}")}) };
        json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
            "detail": {"eventName": name, "awsRegion": region, "eventTime": time, "userAgent": agent, "requestParameters": requested,
                "eventID": format!("{self:?}"), "recipientAccountId": "111122223333",
                "userIdentity": {"type": "AssumedRole", "accountId": "111122223333",
                    "arn": format!("arn:aws:sts::111122223333:assumed-role/execution/{session}"),
                    "sessionContext": {"sessionIssuer": {"arn": ROLE}}}}})
        .to_string()
    }
}

/// A service whose tasks read the first four secrets when they start.
fn services() -> Facts {
    let reference = |n: u8| {
        json!({"kind": "container-secret",
        "value": format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:s{n}-a1B2c3")})
    };
    serde_json::from_value(json!({"services": [{"arn": "arn:aws:ecs:us-west-2:111122223333:service/shop/web", "cluster": "c",
        "status": "ACTIVE", "controller": "ECS", "roles": [ROLE], "references": (0..4).map(reference).collect::<Vec<_>>()}]}))
    .unwrap()
}

fn story(rules: &RuleSet, facts: Facts, texts: &[String]) -> (Vec<Plan>, Vec<Incident>) {
    let cases = texts.iter().flat_map(|text| rules.match_event(text).unwrap()).collect();
    let mut ledger = MemoryStore::new(facts);
    let plans = order_and_deduplicate(cases).0.iter().map(|case| ledger.decide(case)).collect();
    (plans, ledger.incidents())
}

fn of(calls: &[Call]) -> (Vec<Plan>, Vec<Incident>) {
    story(rules(), services(), &calls.iter().map(Call::text).collect::<Vec<_>>())
}

fn pages(plans: &[Plan]) -> Vec<&Incident> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let pages = steps.filter_map(|step| match step {
        PlanStep::Page { incident, .. } => Some(&**incident),
        _ => None,
    });
    pages.collect()
}

#[test]
fn shared_incident_pages_once_and_again_when_its_severity_rises() {
    let mut calls: Vec<Call> = (0..4).map(|n| call(u32::from(n), n + 9)).collect();
    let (plans, incidents) = of(&calls);
    assert_eq!(pages(&plans).len(), 1, "many at the third, fast at the fourth: one page");
    assert_eq!(
        (incidents[0].rule.as_str(), &incidents[0].also),
        ("fast", &vec!["many".to_owned()]),
        "a tie goes by id"
    );
    calls.push(Call { region: "eu-west-1", ..call(60, 9) });
    calls.push(Call { region: "eu-west-1", ..call(65, 10) });
    let (plans, incidents) = of(&calls);
    let said: Vec<(&str, Severity)> = pages(&plans)
        .iter()
        .filter(|page| page.rule != "single")
        .map(|page| (page.rule.as_str(), page.severity))
        .collect();
    assert_eq!(said, [("many", Severity::Medium), ("places", Severity::High)]);
    let theft: Vec<&Incident> = incidents.iter().filter(|incident| incident.rule != "single").collect();
    let [theft] = theft[..] else { panic!("one incident: {theft:?}") };
    assert_eq!((theft.also.as_slice(), theft.reads), (&["fast".to_owned(), "many".to_owned()][..], 6));
    assert!(pages(&plans).iter().all(|page| page.rule == "single" || page.key == theft.key));
}

#[test]
fn detections_far_apart_are_two_incidents_and_near_ones_are_one() {
    let two = |apart: u32| {
        let first = (0..3).map(|n| call(u32::from(n), n));
        let second = (0..2).map(move |n| Call { region: ["a", "b"][n], ..call(2 + apart, 7) });
        let calls: Vec<Call> = first.chain(second).collect();
        of(&calls).1.len()
    };
    assert_eq!((two(3_600), two(3_601)), (1, 2));
}

#[test]
fn preceding_event_may_arrive_last_and_must_be_near() {
    let list = |second| Call { lists: true, ..call(second, 0) };
    let dumped = |calls: &[Call]| {
        let (plans, incidents) = of(calls);
        let found: Vec<Incident> = incidents.into_iter().filter(|incident| incident.rule == "dump").collect();
        assert_eq!(pages(&plans).iter().filter(|page| page.rule == "dump").count(), found.len());
        found
    };
    let reads = [call(600, 10), call(605, 11)];
    let with = |list: Call| [&reads[..], &[list]].concat();
    assert!(dumped(&reads).is_empty(), "nobody listed");
    assert!(dumped(&with(list(601))).is_empty(), "one read only follows");
    assert!(dumped(&with(list(4))).is_empty(), "too long ago for the second");
    for at in [5, 300, 600] {
        let found = dumped(&with(list(at)));
        assert_eq!(
            (found.len(), found[0].reads, found[0].lists, found[0].distinct_secrets),
            (1, 2, 1, Some(2)),
            "listed at {at}"
        );
    }
    // The reads were decided before the listing was known.
    let rules = rules();
    let mut ledger = MemoryStore::new(Facts::default());
    let mut steps = Vec::new();
    for text in with(list(599)).iter().map(Call::text) {
        for case in rules.match_event(&text).unwrap() {
            steps.extend(ledger.decide(&case).steps);
        }
    }
    let paged = steps
        .iter()
        .filter(|step| matches!(step, PlanStep::Page { incident, .. } if incident.rule == "dump"));
    assert_eq!(paged.count(), 1);
}

#[test]
fn launch_never_counts_and_the_next_incident_says_how_many_did_not() {
    let launch = |n: u8| Call { session: TASK, agent: "Amazon ECS Agent", ..call(u32::from(n), n % 4) };
    let (plans, incidents) = of(&(0..20).map(launch).collect::<Vec<_>>());
    let suppressed = plans
        .iter()
        .flat_map(|plan| &plan.steps)
        .filter(|step| matches!(step, PlanStep::Suppress { .. }))
        .count();
    // The one that has no such exception counts them.
    assert_eq!((suppressed, incidents.len(), incidents[0].rule.as_str()), (20 * 4, 1, "single"));
    // A secret that no task definition refers to, a session that is no task's: reads as any.
    let thief = (0..3).map(|n| Call { session: TASK, ..call(30 + u32::from(n), n + 10) });
    let calls: Vec<Call> = (0..20).map(launch).chain(thief).collect();
    let incidents = of(&calls).1;
    let theft = incidents.iter().find(|incident| incident.rule == "many").unwrap();
    assert_eq!((theft.reads, &theft.suppressed), (3, &BTreeMap::from([("launch".to_owned(), 20)])));
    let paged = of(&calls).0;
    let page = pages(&paged).into_iter().find(|page| page.rule == "many").unwrap();
    assert_eq!(page.suppressed, theft.suppressed);
}

#[test]
fn launch_secrets_are_asked_for_first_and_only_where_they_matter() {
    let rules = rules();
    let questions = |call: &Call, facts: &Facts| {
        responder_core::decide::questions(&rules.match_event(&call.text()).unwrap()[0], facts)
    };
    let counts = |questions: &[Question]| {
        questions.iter().any(|question| matches!(question, Question::Observations { .. }))
    };
    let asks = |questions: &[Question]| {
        questions.iter().any(|question| matches!(question, Question::LaunchSecrets { .. }))
    };
    let (task, other) = (Call { session: TASK, ..call(0, 1) }, call(0, 1));
    let first = questions(&task, &Facts::default());
    assert!(asks(&first) && !counts(&first));
    let unanswered = Facts { launch_secrets: [(ROLE.to_owned(), [].into())].into(), ..Facts::default() };
    let second = questions(&task, &unanswered);
    assert!(!asks(&second) && counts(&second));
    let plain = questions(&other, &Facts::default());
    assert!(!asks(&plain) && counts(&plain));
}

#[test]
fn window_match_is_downgraded_if_it_needs_an_event_that_is() {
    let with = |agents: [&'static str; 3]| {
        let calls: Vec<Call> = agents
            .into_iter()
            .zip(0..)
            .map(|(agent, n)| Call { agent, ..call(u32::from(n), n + 10) })
            .collect();
        let (plans, incidents) = of(&calls);
        (incidents[0].severity, pages(&plans).len())
    };
    let (tool, info) = ("Terraform/1.9", "terraform nightly");
    assert_eq!(with(["aws-cli"; 3]), (Severity::Medium, 1));
    assert_eq!(with([tool; 3]), (Severity::Low, 1));
    assert_eq!(with([tool, info, tool]), (Severity::Low, 1));
    assert_eq!(with([info; 3]), (Severity::Info, 0));
    assert_eq!(with([tool, tool, "aws-cli"]), (Severity::Low, 1));
    assert_eq!(with([info, info, "aws-cli"]), (Severity::Info, 0));
}

#[test]
fn list_by_a_tool_is_downgraded_like_its_reads() {
    let severity = |lists: &'static str| {
        let list = Call { lists: true, agent: lists, ..call(0, 0) };
        let reads = (1..3).map(|n| Call { agent: "terraform nightly", ..call(u32::from(n), n + 10) });
        let calls: Vec<Call> = [list].into_iter().chain(reads).collect();
        let incidents = of(&calls).1;
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        (incidents[0].rule.clone(), incidents[0].severity)
    };
    assert_eq!(severity("terraform nightly"), ("dump".to_owned(), Severity::Info));
    assert_eq!(severity("Terraform/1.9"), ("dump".to_owned(), Severity::Low));
    assert_eq!(severity("aws-cli"), ("dump".to_owned(), Severity::Medium));
}

#[test]
fn incident_of_severity_info_is_left_to_the_summary_until_it_gets_worse() {
    let nightly = |n: u8| Call { agent: "terraform nightly", ..call(u32::from(n), n + 10) };
    let calls: Vec<Call> = (0..3).map(nightly).collect();
    let (plans, incidents) = of(&calls);
    let digests: Vec<&PlanStep> = plans
        .iter()
        .flat_map(|plan| &plan.steps)
        .filter(|step| matches!(step, PlanStep::Digest { .. }))
        .collect();
    let [PlanStep::Digest { key, incident, .. }] = digests[..] else { panic!("one: {digests:?}") };
    assert_eq!((key, incident.severity), (&incidents[0].key, Severity::Info));
    // One more that no exception applies to changes nothing, and three more are an incident of their own.
    let (plans, _) = of(&[&calls[..], &[call(30, 20)]].concat());
    assert!(pages(&plans).is_empty());
    let (plans, _) = of(&[&calls[..], &[call(30, 20), call(31, 21), call(32, 22)]].concat());
    let mut paged = pages(&plans);
    paged.retain(|page| page.rule != "single");
    let [page] = paged[..] else { panic!("one: {paged:?}") };
    assert_eq!((page.severity, page.reads), (Severity::Medium, 3));
    assert_eq!(page.counted_apart.get("quiet-tool"), Some(&3));
}

#[test]
fn expired_exception_has_no_effect_and_the_page_names_its_owner() {
    let backups =
        |from: u32| -> Vec<Call> { (0..5).map(|n| Call { agent: "backup", ..call(from + n, 1) }).collect() };
    let single = |calls: &[Call]| {
        let plans = of(calls).0;
        pages(&plans).into_iter().find(|page| page.rule == "single").cloned()
    };
    assert!(single(&backups(86_394)).is_none(), "the last day still counts");
    let later = |call: Call| call.text().replace("2026-03-01", "2026-03-02");
    let texts: Vec<String> = backups(0).into_iter().map(later).collect();
    let plans = story(rules(), Facts::default(), &texts).0;
    let page = pages(&plans).into_iter().find(|page| page.rule == "single").unwrap();
    let notified = page.details.iter().find(|detail| detail.kind == DetailKind::ExpiredException).unwrap();
    assert_eq!(notified.value.raw(), "own of single, which storage answers for, ended on 2026-03-01");
}

#[test]
fn problems_of_shared_incidents_and_exceptions_are_reported_together() {
    let own = |more: &Value| {
        let mut own = json!({"id": "x", "where": {"account": ["1"]}, "effect": "drop", "why": "w"});
        own.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([own])
    };
    let cases: [(&str, Value, &str); 13] = [
        ("/many/incident", json!("Theft"), "`many`.incident: an id is"),
        ("/many/quiet", json!("2h"), "shares an incident with"),
        ("/many/when/per", json!("account"), "shares an incident with"),
        ("/dump/when/after", json!("unheard"), "`dump`.when.after: must be a rule of `on`"),
        ("/dump/on", json!(["listed"]), "which must name another one beside it"),
        ("/many/exceptions", json!(["nobody"]), "`many`.exceptions[0]: there is no exception `nobody`"),
        (
            "/many/exceptions",
            json!(["tool", "tool"]),
            "`many`.exceptions[1]: an exception of this name stands here twice",
        ),
        ("/many/exceptions", own(&json!({"owner": "o"})), "`owner` and `until`"),
        ("/many/exceptions", own(&json!({"until": "2027-01-31"})), "`owner` and `until`"),
        ("/many/exceptions", own(&json!({"owner": "o", "until": "soon"})), "a day is written like"),
        ("/many/exceptions", own(&json!({"why": " "})), "`why`: say why"),
        ("/many/exceptions", own(&json!({"where": {"account": "1"}})), "`where`:"),
        ("/many/exceptions", own(&json!({"id": "tool"})), "and no name in `_exceptions`"),
    ];
    for (place, value, expected) in cases {
        let set = |responses: &mut Value| *responses.pointer_mut(place).unwrap() = value.clone();
        let problems = load_with(set).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(problems.contains(expected), "{place} {value}: {problems}");
    }
    let many = |responses: &mut Value| {
        responses["_exceptions"]["tool"]["why"] = json!("");
        responses["_exceptions"]["Bad"] =
            json!({"id": "b", "where": {"account": ["1"]}, "effect": "drop", "why": "w"});
        responses["many"]["do"] = json!("park");
    };
    let problems = load_with(many).unwrap_err();
    assert!(problems.0.len() >= 4, "{problems}");
}

fn any_call() -> impl Strategy<Value = Call> {
    let agents =
        proptest::sample::select(vec!["aws-cli", "aws-cli", "Terraform/1.9", "terraform nightly", "backup"]);
    let regions = proptest::sample::select(vec!["us-west-2", "us-west-2", "us-west-2", "eu-west-1"]);
    let sessions = proptest::sample::select(vec!["s", TASK]);
    (0..12_000_u32, 0..9_u8, regions, proptest::bool::weighted(0.1), agents, sessions).prop_map(
        |(second, secret, region, lists, agent, session)| Call {
            second,
            secret,
            region,
            lists,
            agent,
            session,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_and_copies_of_events_change_no_plan_and_no_incident(
        calls in proptest::collection::vec(any_call(), 1..70),
        seed in any::<u64>(),
    ) {
        let rules = rules();
        let texts: Vec<String> = calls.iter().map(Call::text).collect();
        let mut other: Vec<(u64, &String)> = texts.iter().chain(texts.iter().take(9)).enumerate()
            .map(|(i, text)| ((i as u64 + 1).wrapping_mul(seed | 1).rotate_left(23), text)).collect();
        other.sort();
        let other: Vec<String> = other.into_iter().map(|(_, text)| text.clone()).collect();
        prop_assert_eq!(story(rules, services(), &texts), story(rules, services(), &other));
    }

    /// The incidents are the same where events are decided as they arrive; only the pages differ.
    #[test]
    fn incidents_do_not_depend_on_the_order_of_decisions(
        calls in proptest::collection::vec(any_call(), 1..70),
        turn in any::<usize>(),
    ) {
        let rules = rules();
        let texts: Vec<String> = calls.iter().map(Call::text).collect();
        let decided = |texts: &mut dyn Iterator<Item = &String>| {
            let mut ledger = MemoryStore::new(services());
            for text in texts {
                for case in rules.match_event(text).unwrap() {
                    ledger.decide(&case);
                }
            }
            let bare = |incident: Incident| Incident { details: Vec::new(), ..incident };
            let paged = ledger.facts().incidents.clone();
            (ledger.incidents().into_iter().map(bare).collect::<Vec<_>>(), paged)
        };
        let middle = turn % texts.len();
        let (forth, _) = decided(&mut texts.iter());
        let (turned, paged) = decided(&mut texts[middle..].iter().chain(&texts[..middle]).chain(&texts[..middle / 2]));
        prop_assert_eq!(&forth, &turned);
        // Whatever came last: of what pages at all, somebody was told, and nothing else was told.
        let worth = turned.iter().filter(|incident| incident.severity > Severity::Info);
        let worth: BTreeSet<&String> = worth.map(|incident| &incident.key).collect();
        prop_assert_eq!(worth, paged.keys().collect(), "{:?}", turned);
    }

    /// By the definition: a shared incident holds each incident that one of its responses finds alone. This is without
    /// exceptions that lower: the events that they lower are counted apart where the others are as severe.
    #[test]
    fn shared_incident_holds_each_detection_of_its_responses(calls in proptest::collection::vec(any_call(), 1..50)) {
        let texts: Vec<String> = calls.into_iter().map(|call| Call { agent: "aws-cli", ..call }.text()).collect();
        let together = story(rules(), services(), &texts).1;
        let alone = load_with(|responses| {
            for row in responses.as_object_mut().unwrap().values_mut() {
                row.as_object_mut().unwrap().remove("incident");
            }
        }).unwrap();
        let family = ["many", "places", "fast", "dump"];
        for single in story(&alone, services(), &texts).1.iter().filter(|one| family.contains(&one.rule.as_str())) {
            let holds = |all: &&Incident| all.first <= single.first && single.last <= all.last
                && (all.rule == single.rule || all.also.contains(&single.rule));
            let found: Vec<&Incident> = together.iter().filter(holds).collect();
            prop_assert_eq!(found.len(), 1, "{:?}", single);
            prop_assert!(found[0].severity >= single.severity && found[0].reads >= single.reads);
        }
    }
}
