//! The life of an incident over the ledger's protocol: whatever fails and wherever the process dies.

use responder_core::facts::Settings;
use responder_core::rules::{Handler, builtin};
use responder_core::time::{Span, Timestamp};
use serde_json::json;

use crate::fake::{Fake, Trouble, run_or_die};
use crate::port::{Key, Value};
use crate::{Engine, Turn};

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
struct Functions {
    engine: Engine<Fake>,
    invocations: usize,
}

impl Functions {
    fn new() -> Self {
        let aws = Fake::default();
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
        let turn = Turn {
            until: self.engine.aws.clock.get().plus(Span::from_secs(60)),
            owner: format!("{}", self.invocations),
            account: "111122223333".to_owned(),
            keeps_facts: false,
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        run_or_die(self.engine.run(&turn, &texts))
            .is_some_and(|(ended, _)| ended.iter().all(|one| !one.is_kept()))
    }

    /// Delivers a batch again and again, as the queue does, until it is done.
    fn deliver_all(&mut self, second: i64, texts: &[String]) {
        let done = (0..5).any(|again| self.deliver(Handler::Access, second + again * 90, texts));
        assert!(done, "the batch is never done");
    }

    fn told(&self, state: &str) -> usize {
        self.engine.aws.states.borrow().iter().filter(|told| *told == state).count()
    }

    /// Whether every entry of the index has ended, and says the same as the incident.
    fn is_over(&self) -> bool {
        let table = self.engine.aws.table.borrow();
        let entries = table.iter().filter(|(key, _)| key.pk == "open#incidents");
        entries.clone().count() > 0
            && entries.into_iter().all(|(key, entry)| {
                let state = Key { pk: format!("incident#{}", key.sk), sk: "state".to_owned() };
                let resolved = table.get(&state).and_then(|item| item.values.get("resolved").cloned());
                matches!(resolved, Some(Value::Number(_))) && entry.values.contains_key("ended")
            })
    }
}

/// A theft, an hour of silence, and sweeps; with a trouble at one call. Returns what was told, and how many calls it took.
fn life(trouble: Option<(usize, Trouble)>) -> (usize, usize, usize) {
    let mut world = Functions::new();
    world.engine.aws.trouble.set(trouble);
    let theft: Vec<String> = (0..12).map(|i| read(i, i)).collect();
    world.deliver_all(60, &theft);
    for minute in [30, 59, 62, 64, 66, 68] {
        world.deliver(Handler::Sweep, minute * 60, &[sweep(minute * 60)]);
    }
    assert!(world.is_over(), "{trouble:?}");
    let calls = world.engine.aws.turns.get();
    let (opened, resolved) = (world.told("open"), world.told("resolved"));
    world.deliver(Handler::Sweep, 70 * 60, &[sweep(70 * 60)]);
    assert_eq!((opened, resolved), (world.told("open"), world.told("resolved")), "{trouble:?}: told again");
    // It comes back, and is told of again.
    let again: Vec<String> = (0..12).map(|i| read(7_200 + i, i)).collect();
    world.deliver_all(7_260, &again);
    assert!(world.told("open") > opened, "{trouble:?}");
    (opened, resolved, calls)
}

#[test]
fn a_quiet_incident_is_closed_once_whatever_fails() {
    let (opened, resolved, calls) = life(None);
    assert_eq!((opened, resolved), (1, 1));
    let mut twice = 0;
    for turn in 0..calls {
        for trouble in [Trouble::Refused, Trouble::Unanswered, Trouble::DiesBefore, Trouble::DiesAfter] {
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
    let mut world = Functions::new();
    let theft: Vec<String> = (0..12).map(|i| read(i, i)).collect();
    world.deliver_all(60, &theft);
    // It goes on, and the event that says so is late.
    let late: Vec<String> = (0..12).map(|i| read(3_000 + i, i)).collect();
    world.deliver(Handler::Sweep, 3_590, &[sweep(3_590)]);
    world.deliver_all(3_605, &late);
    world.deliver(Handler::Sweep, 3_700, &[sweep(3_700)]);
    assert_eq!((world.told("resolved"), world.is_over()), (0, false));
    world.deliver(Handler::Sweep, 6_700, &[sweep(6_700)]);
    assert_eq!((world.told("open"), world.told("resolved"), world.is_over()), (1, 1, true));
}
