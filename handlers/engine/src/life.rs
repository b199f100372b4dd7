//! The life of an incident over the ledger's protocol: whatever fails and wherever the process dies.

mod daily;

use proptest::prelude::*;
use responder_core::facts::Settings;
use responder_core::rules::{Handler, builtin};
use responder_core::time::{Span, Timestamp};
use serde_json::json;

use crate::fake::{EngineFake, PlannedFault, run_or_die};
use crate::port::{AttributeValue, ItemKey};
use crate::{Engine, EventOutcome, Invocation};

fn start() -> Timestamp {
    "2026-05-04T03:00:00Z".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    start().plus(Span::from_secs(second))
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

fn sweep(second: i64) -> String {
    json!({"id": format!("sweep-{second}"), "source": "aws.events", "detail-type": "Scheduled Event",
        "account": "111122223333", "region": "us-west-2", "time": at(second).to_string(), "resources": [],
        "detail": {}})
    .to_string()
}

/// The functions over one world.
struct FunctionSet {
    engine: Engine<EngineFake>,
    invocations: usize,
}

impl FunctionSet {
    fn new() -> Self {
        let aws = EngineFake::default();
        aws.clock.set(start());
        let engine =
            Engine::new(aws, Handler::Access, builtin().unwrap(), Settings::default(), Span::from_secs(60));
        Self { engine, invocations: 0 }
    }

    /// Delivers a batch at an instant; whether the queue must keep nothing of it. A process that dies is replaced.
    fn deliver(&mut self, handler: Handler, second: i64, texts: &[String]) -> bool {
        self.engine.handler = handler;
        self.engine.aws.clock.set(self.engine.aws.clock.get().max(at(second)));
        self.invocations += 1;
        let turn = Invocation {
            until: self.engine.aws.clock.get().plus(Span::from_secs(60)),
            owner: format!("{}", self.invocations),
            account: "111122223333".to_owned(),
            keeps_facts: false,
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        run_or_die(self.engine.process_batch(&turn, &texts))
            .is_some_and(|(ended, _)| ended.iter().all(|one| !one.is_kept()))
    }

    /// Delivers a batch again and again, as the queue does, until it is done.
    fn deliver_all(&mut self, second: i64, texts: &[String]) {
        let done = (0..5).any(|again| self.deliver(Handler::Access, second + again * 90, texts));
        assert!(done, "the batch is never done");
    }

    fn notified(&self, state: &str) -> usize {
        self.engine.aws.states.borrow().iter().filter(|notified| *notified == state).count()
    }

    /// Whether every entry of the index has ended, and says the same as the incident.
    fn is_over(&self) -> bool {
        let table = self.engine.aws.table.borrow();
        let entries = table.iter().filter(|(key, _)| key.pk == "open#incidents");
        entries.clone().count() > 0
            && entries.into_iter().all(|(key, entry)| {
                let state = ItemKey { pk: format!("incident#{}", key.sk), sk: "state".to_owned() };
                let resolved = table.get(&state).and_then(|item| item.values.get("resolved").cloned());
                matches!(resolved, Some(AttributeValue::Number(_))) && entry.values.contains_key("resolved")
            })
    }
}

/// A theft, an hour of silence, and sweeps; with a trouble at one call. Returns what was told, and how many calls it took.
fn life(trouble: Option<(usize, PlannedFault)>) -> (usize, usize, usize) {
    let mut world = FunctionSet::new();
    world.engine.aws.trouble.set(trouble);
    let theft: Vec<String> = (0..12).map(|i| read(i, i)).collect();
    world.deliver_all(60, &theft);
    for minute in [30, 59, 62, 64, 66, 68] {
        world.deliver(Handler::Sweep, minute * 60, &[sweep(minute * 60)]);
    }
    assert!(world.is_over(), "{trouble:?}");
    let calls = world.engine.aws.turns.get();
    let (opened, resolved) = (world.notified("open"), world.notified("resolved"));
    world.deliver(Handler::Sweep, 70 * 60, &[sweep(70 * 60)]);
    assert_eq!(
        (opened, resolved),
        (world.notified("open"), world.notified("resolved")),
        "{trouble:?}: told again"
    );
    // It comes back, and is told of again.
    let again: Vec<String> = (0..12).map(|i| read(7_200 + i, i)).collect();
    world.deliver_all(7_260, &again);
    assert!(world.notified("open") > opened, "{trouble:?}");
    (opened, resolved, calls)
}

#[test]
fn a_quiet_incident_is_closed_once_whatever_fails() {
    let (opened, resolved, calls) = life(None);
    assert_eq!((opened, resolved), (1, 1));
    let mut twice = 0;
    for turn in 0..calls {
        for trouble in [
            PlannedFault::Refused,
            PlannedFault::Unanswered,
            PlannedFault::DiesBefore,
            PlannedFault::DiesAfter,
        ] {
            let (opened, resolved, _) = life(Some((turn, trouble)));
            // Once more where nobody can know that it was told.
            assert!((1..=2).contains(&opened) && (1..=2).contains(&resolved), "{turn} {trouble:?}");
            twice += usize::from(opened + resolved > 2);
        }
    }
    assert!(twice * 5 < calls, "{twice} of {} lives tell twice", calls * 4);
}

#[test]
fn what_happens_while_the_sweep_decides_keeps_the_incident_open() {
    let mut world = FunctionSet::new();
    let theft: Vec<String> = (0..12).map(|i| read(i, i)).collect();
    world.deliver_all(60, &theft);
    // It goes on, and the event that says so is late.
    let late: Vec<String> = (0..12).map(|i| read(3_000 + i, i)).collect();
    world.deliver(Handler::Sweep, 3_590, &[sweep(3_590)]);
    world.deliver_all(3_605, &late);
    world.deliver(Handler::Sweep, 3_700, &[sweep(3_700)]);
    assert_eq!((world.notified("resolved"), world.is_over()), (0, false));
    world.deliver(Handler::Sweep, 6_700, &[sweep(6_700)]);
    assert_eq!((world.notified("open"), world.notified("resolved"), world.is_over()), (1, 1, true));
}

/// What may arrive: reads, one of them told twice, a failed rotation, what no rule matches, what is no event.
fn anything(which: usize) -> String {
    match which {
        0..20 => read(i64::try_from(which).unwrap(), i64::try_from(which).unwrap()),
        20 => "{".to_owned(),
        21 => r#"{"source":"aws.s3","detail-type":"x","time":"2026-05-04T03:00:00Z"}"#.to_owned(),
        22 => sweep(60),
        _ => json!({"id": "r", "detail-type": "AWS Service Event via CloudTrail", "source": "aws.secretsmanager",
            "time": at(5).to_string(), "account": "111122223333", "region": "us-west-2", "resources": [],
            "detail": {"eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed",
                "eventTime": at(5).to_string(), "eventID": format!("{which}"), "awsRegion": "us-west-2",
                "recipientAccountId": "111122223333", "userIdentity": {"invokedBy": "secretsmanager.amazonaws.com"},
                "additionalEventData": {"SecretId": "arn:aws:secretsmanager:us-west-2:111122223333:secret:db-a1B2c3"}}})
        .to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Whatever arrives and whatever fails: every text ends in one way, is counted so once, and the line that is printed
    /// says the same.
    #[test]
    fn the_counters_balance_whatever_arrives_and_whatever_fails(
        batches in prop::collection::vec(prop::collection::vec(0..26_usize, 0..25), 1..4),
        handler in prop::sample::select(Handler::ALL.to_vec()),
        trouble in prop::option::of((0..40_usize, prop::sample::select(vec![PlannedFault::Refused, PlannedFault::Unanswered]))),
    ) {
        let mut world = FunctionSet::new();
        world.engine.settings.first_reads = true;
        world.engine.handler = handler;
        world.engine.aws.trouble.set(trouble);
        for (number, batch) in batches.iter().enumerate() {
            let texts: Vec<String> = batch.iter().map(|which| anything(*which)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let until = world.engine.aws.clock.get().plus(Span::from_secs(60));
            let (owner, account) = (format!("{number}"), "111122223333".to_owned());
            let turn = Invocation { until, owner, account, keeps_facts: false };
            world.engine.aws.lines.borrow_mut().clear();
            let (ended, counters) = run_or_die(world.engine.process_batch(&turn, &texts)).unwrap();
            let count = |end: EventOutcome| ended.iter().filter(|ended| ended.outcome == end).count();
            let ends = [
                (counters.answered, count(EventOutcome::Answered)), (counters.coalesced, count(EventOutcome::Coalesced)),
                (counters.ignored, count(EventOutcome::Ignored)), (counters.quarantined, count(EventOutcome::Quarantined)),
                (counters.failed, count(EventOutcome::Failed)),
            ];
            prop_assert!(ends.iter().all(|(counted, found)| counted == found), "{:?}", ends);
            prop_assert_eq!(counters.received, texts.len());
            prop_assert_eq!(ends.iter().map(|(counted, _)| counted).sum::<usize>(), texts.len());
            let lines = world.engine.aws.lines.borrow();
            let values = lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            let own = values.into_iter().find(|value| value["EventsReceived"].is_u64()).unwrap();
            let printed = |name: &str| own[name].as_u64().unwrap();
            let sum: u64 = ["Answered", "Coalesced", "Ignored", "Quarantined", "Failed"]
                .iter()
                .map(|end| printed(&format!("Events{end}")))
                .sum();
            prop_assert_eq!((printed("EventsReceived"), sum), (texts.len() as u64, texts.len() as u64));
            // The metrics balance as the line does: what is not among them is zero, and the heartbeat always is.
            let declared = own["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
            let declared: Vec<&str> = declared.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
            prop_assert!(declared.contains(&"EventsReceived"));
            let zeros = own.as_object().unwrap().iter().filter(|(_, value)| **value == 0);
            for (name, _) in zeros {
                prop_assert!(name == "EventsReceived" || !declared.contains(&name.as_str()), "{}", name);
            }
            let ends = declared.iter().filter(|name| name.starts_with("Events") && **name != "EventsReceived");
            let metrics: u64 = ends.map(|name| printed(name)).sum();
            prop_assert_eq!(metrics, texts.len() as u64);
        }
    }
}
