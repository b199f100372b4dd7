//! Counting over the ledger as functions do it, many at once and out of order: what it finds, and what it costs.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::memory_store::{MemoryStore as Replay, order_and_deduplicate};
use responder_core::rules::{Handler, builtin};
use responder_core::settings::Settings;
use responder_core::state::deployment::{PendingReadEvidence, SecretChange, read_evidence_key};
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};
use serde_json::json;

use crate::deadline::Deadline;
use crate::fake::{EngineFake, block_on};
use crate::metrics::Counters;
use crate::process_batch::{Engine, EventResult, Invocation};
use crate::store::Ledger;

/// One read, as one of the two records that there may be of it.
#[derive(Clone, Debug)]
struct ReadRecord {
    second: u32,
    secret: usize,
    region: &'static str,
    /// Whether it is the secret's owner's record of the call.
    owners: bool,
    session: &'static str,
}

fn at(second: u32) -> Timestamp {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    start.plus(Span::from_secs(second.into()))
}

fn read(second: u32, secret: usize) -> ReadRecord {
    ReadRecord { second, secret, region: "us-west-2", owners: false, session: "s" }
}

fn text(read: &ReadRecord) -> String {
    let ReadRecord { second, secret, region, owners, session } = read;
    let identity = if *owners {
        json!({"type": "AWSAccount", "principalId": format!("AROALZGXO4NCAS4JN7C7X:{session}"), "accountId": "111122223333"})
    } else {
        json!({"type": "AssumedRole", "principalId": format!("AROALZGXO4NCAS4JN7C7X:{session}"), "accountId": "111122223333",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/sync/{session}"),
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/sync"}}})
    };
    let account = if *owners { "444455556666" } else { "111122223333" };
    let time = at(*second).to_string();
    let id = responder_core::hash::hash_parts(&[&time, &secret.to_string(), region]);
    let uuid = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
    json!({"id": "e", "source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": account,
        "region": region, "time": time, "resources": [], "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "awsRegion": region,
            "eventTime": time, "eventID": uuid, "sharedEventID": uuid, "recipientAccountId": account,
            "requestParameters": {
                "secretId": format!("arn:aws:secretsmanager:{region}:444455556666:secret:prod/team-a/db-{secret:04}-a1B2c3")},
            "userIdentity": identity}})
    .to_string()
}

fn engine(fake: EngineFake) -> Engine<EngineFake> {
    fake.clock.set(at(3_600));
    Engine::new(fake, Handler::Access, builtin().unwrap(), Settings::default(), Span::from_secs(60))
}

fn turn(engine: &Engine<EngineFake>, owner: usize) -> Invocation {
    Invocation {
        until: engine.aws.now_plus(60),
        owner: format!("invocation {owner}"),
        account: "111122223333".to_owned(),
        keeps_facts: false,
    }
}

impl EngineFake {
    fn now_plus(&self, seconds: i64) -> Timestamp {
        self.clock.get().plus(Span::from_secs(seconds))
    }

    /// Forgets everything, for the next case.
    fn wipe(&self) {
        self.table.borrow_mut().clear();
        self.pages.borrow_mut().clear();
        self.lines.borrow_mut().clear();
        self.written.borrow_mut().clear();
        if let Some(early) = &self.early {
            early.borrow_mut().clear();
        }
    }
}

/// What an invocation gives back, when it is done.
type RunningInvocation<'e> = Pin<Box<dyn Future<Output = (Vec<EventResult>, Counters)> + 'e>>;

/// Runs one invocation for each batch, all at the same time: each byte says who goes on. Then, one at a time, what the
/// queue has to deliver again. Returns the keys of the incidents that were paged.
fn run(engine: &Engine<EngineFake>, batches: &[Vec<String>], schedule: &[u8]) -> BTreeSet<String> {
    let turns: Vec<Invocation> = (0..batches.len()).map(|index| turn(engine, index)).collect();
    let texts: Vec<Vec<&str>> =
        batches.iter().map(|batch| batch.iter().map(String::as_str).collect()).collect();
    let mut going: Vec<(usize, RunningInvocation<'_>)> = Vec::new();
    for (index, (turn, texts)) in turns.iter().zip(&texts).enumerate() {
        going.push((index, Box::pin(engine.process_batch(turn, texts))));
    }
    let mut again: Vec<&str> = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    let mut choices = schedule.iter().copied().cycle();
    while !going.is_empty() {
        let place = usize::from(choices.next().unwrap()) % going.len();
        let (index, invocation) = &mut going[place];
        engine.aws.running.set(*index);
        if let Poll::Ready((ended, _)) = invocation.as_mut().poll(&mut context) {
            again.extend(
                texts[*index].iter().zip(&ended).filter(|(_, ended)| ended.is_kept()).map(|(text, _)| *text),
            );
            drop(going.remove(place));
        }
    }
    for owner in 0..10 {
        engine.aws.running.set(batches.len() + owner);
        let turn = turn(engine, batches.len() + owner);
        let (ended, _) = block_on(engine.process_batch(&turn, &again));
        again = again
            .into_iter()
            .zip(&ended)
            .filter(|(_, ended)| ended.is_kept())
            .map(|(text, _)| text)
            .collect();
    }
    assert!(again.is_empty(), "{again:?}");
    engine.aws.pages.borrow().iter().cloned().collect()
}

/// The incidents that the replay finds in the same events.
fn replayed(engine: &Engine<EngineFake>, batches: &[Vec<String>]) -> BTreeSet<String> {
    let cases = batches
        .iter()
        .flatten()
        .map(|text| engine.rules.match_event_for(Handler::Access, text).unwrap().unwrap());
    let mut replay = Replay::default();
    for case in &order_and_deduplicate(cases.collect()).0 {
        replay.decide(case);
    }
    replay.incidents().into_iter().map(|incident| incident.key).collect()
}

/// A theft near the thresholds, told late, out of order, several times and by both accounts, over some functions.
fn any_story() -> impl Strategy<Value = (Vec<Vec<String>>, Vec<u8>)> {
    let regions =
        prop::sample::select(&["us-west-2", "us-west-2", "us-west-2", "eu-west-1", "us-east-1"][..]);
    // A theft of a minute, or over chunks.
    let reads =
        (prop::sample::select(&[50u32, 660, 1_500][..]), 8usize..24).prop_flat_map(move |(long, count)| {
            let one = (0..long, 0..count + 3, regions.clone(), any::<bool>());
            let one = one.prop_map(|(second, secret, region, owners)| ReadRecord {
                region,
                owners,
                ..read(second, secret)
            });
            prop::collection::vec(one, count)
        });
    (reads, 2usize..6).prop_flat_map(|(reads, functions)| {
        let copies = prop::collection::vec((0..reads.len(), any::<bool>()), 0..6);
        let all = copies.prop_map(move |copies| {
            let copies =
                copies.into_iter().map(|(index, owners)| ReadRecord { owners, ..reads[index].clone() });
            reads.iter().cloned().chain(copies.collect::<Vec<_>>()).collect::<Vec<ReadRecord>>()
        });
        let batches = all.prop_shuffle().prop_flat_map(move |reads| {
            prop::collection::vec(0..functions, reads.len()).prop_map(move |places| {
                let mut batches = vec![Vec::new(); functions];
                for (place, read) in places.into_iter().zip(&reads) {
                    batches[place].push(text(read));
                }
                batches
            })
        });
        (batches, prop::collection::vec(any::<u8>(), 40..200))
    })
}

/// How many stories are told.
const CASES: u32 = 50;

#[test]
fn functions_that_count_at_once_find_what_the_replay_finds() {
    let engine = engine(EngineFake { shared: true, ..EngineFake::default() });
    let found = std::cell::Cell::new(0u32);
    let property = |(batches, schedule): (Vec<Vec<String>>, Vec<u8>)| {
        engine.aws.wipe();
        let expected = replayed(&engine, &batches);
        found.set(found.get() + u32::from(!expected.is_empty()));
        prop_assert_eq!(run(&engine, &batches, &schedule), expected);
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(CASES)).run(&any_story(), property).unwrap();
    assert!(found.get() > CASES / 4, "{} stories have an incident", found.get());
}

#[test]
fn to_read_first_and_then_write_loses_thefts() {
    let planted =
        EngineFake { shared: true, early: Some(std::cell::RefCell::default()), ..EngineFake::default() };
    let engine = engine(planted);
    let property = |(batches, schedule): (Vec<Vec<String>>, Vec<u8>)| {
        engine.aws.wipe();
        prop_assert_eq!(run(&engine, &batches, &schedule), replayed(&engine, &batches));
        Ok(())
    };
    let config =
        ProptestConfig { max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::with_cases(300) };
    assert!(TestRunner::new(config).run(&any_story(), property).is_err(), "the planted bug is found");
}

/// Runs one batch alone; returns the keys and sizes of what was written, refused or not.
fn batch(engine: &Engine<EngineFake>, owner: usize, texts: &[String]) -> Vec<(String, usize)> {
    engine.aws.written.borrow_mut().clear();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (ended, counters) = block_on(engine.process_batch(&turn(engine, owner), &texts));
    assert!(ended.iter().all(|ended| ended.errors.is_empty()), "{counters:?}");
    engine.aws.written.borrow().iter().map(|(key, bytes)| (key.pk.clone(), *bytes)).collect()
}

fn observations(written: &[(String, usize)]) -> Vec<usize> {
    written.iter().filter(|(pk, _)| pk.starts_with("observations#")).map(|(_, bytes)| *bytes).collect()
}

#[test]
fn a_thousand_reads_of_one_principal_are_four_writes_and_copies_of_them_none() {
    let engine = engine(EngineFake { shared: true, ..EngineFake::default() });
    let texts: Vec<String> = (0..1_000).map(|n| text(&read(n / 2, usize::try_from(n).unwrap()))).collect();
    let written = batch(&engine, 0, &texts);
    // One item of marks; a claim, the index of what is open, and the mark of the page.
    assert_eq!(written.len(), 4, "{written:?}");
    assert_eq!(observations(&written).len(), 1, "{written:?}");
    assert!(observations(&written)[0] < 200_000, "{written:?}");
    assert_eq!(batch(&engine, 1, &texts), [], "the same batch again");
    // The incident goes on: it is stretched one time.
    let texts: Vec<String> = (0..500).map(|n| text(&read(600 + n, 7))).collect();
    let written = batch(&engine, 2, &texts);
    assert_eq!(written.len(), 2, "{written:?}");
    let few = batch(&engine, 3, &[text(&read(1_400, 7))]);
    assert!(few.len() == 2 && observations(&few)[0] < 700, "{few:?}");
}

#[test]
fn ten_minutes_of_a_stream_are_bounded_however_much_is_read() {
    let engine = engine(EngineFake { shared: true, ..EngineFake::default() });
    let mut items = Vec::new();
    for number in 0..9usize {
        // Others each time, of the same three secrets.
        let reads = (0..250u32).map(|n| text(&read(n, 3 + number % 3 * 1_000)));
        let others =
            reads.map(|text| text.replace(r#""sharedEventID":""#, &format!(r#""sharedEventID":"{number}-"#)));
        items.extend(observations(&batch(&engine, number, &others.collect::<Vec<_>>())));
    }
    assert_eq!(items.len(), 4, "the chunk is full after 1,000 marks: {items:?}");
    // What is new still counts: the theft is found in the noise, which is an incident of its own, and less severe.
    engine.aws.pages.borrow_mut().clear();
    let theft: Vec<String> =
        (0..20).map(|n| text(&read(300 + n, 9_000 + usize::try_from(n).unwrap()))).collect();
    batch(&engine, 99, &theft);
    assert_eq!(engine.aws.pages.borrow().len(), 1, "a bulk read");
}

#[test]
fn a_flood_of_reads_keeps_no_batch_read_from_counting() {
    let engine = engine(EngineFake { shared: true, ..EngineFake::default() });
    for number in 0..6 {
        let others =
            |text: String| text.replace(r#""sharedEventID":""#, &format!(r#""sharedEventID":"{number}-"#));
        batch(&engine, number, &(0..250).map(|n| others(text(&read(n, 3)))).collect::<Vec<_>>());
    }
    engine.aws.bodies.borrow_mut().clear();
    // In three invocations, each of which has to see the marks of those before.
    for second in 301..304 {
        let mut event: serde_json::Value = serde_json::from_str(&text(&read(second, 3))).unwrap();
        event["detail"]["eventName"] = json!("BatchGetSecretValue");
        event["detail"]["requestParameters"] = json!({"secretIdList": ["prod/team-a/db-0003"]});
        batch(&engine, 100 + usize::try_from(second).unwrap(), &[event.to_string()]);
    }
    let paged = engine.aws.bodies.borrow();
    assert!(matches!(&paged[..], [body] if body.contains("Severity: high")), "{paged:?}");
}

#[test]
fn a_proof_costs_the_same_however_many_reads_there_are() {
    const TASK: &str = "0123456789abcdef0123456789abcdef";
    let count = |reads: u32| {
        let engine = engine(EngineFake { shared: true, ..EngineFake::default() });
        let secret = "arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/team-a/db-0001-a1B2c3";
        let secret = SecretRef::from_arn(secret).unwrap();
        let key = read_evidence_key(&Untrusted::new("arn:aws:iam::111122223333:role/sync"), &secret);
        let evidence = PendingReadEvidence {
            service: "arn:aws:ecs:us-west-2:111122223333:service/shop/web".into(),
            change: SecretChange { secret, at: at(0), version: None },
            since: at(1),
        };
        let lease = Span::from_secs(60);
        let deadline = Deadline::from_invocation(engine.aws.now_plus(60), lease, engine.aws.clock.get());
        block_on(Ledger::new(&engine.aws, "rotation", lease, deadline).add_pending_evidence(&key, &evidence))
            .unwrap();
        let texts: Vec<String> =
            (0..reads).map(|n| text(&ReadRecord { session: TASK, ..read(60 + 12 * n, 1) })).collect();
        let written = batch(&engine, 0, &texts);
        assert!(written.iter().any(|(pk, _)| pk.starts_with("proof#")), "{written:?}");
        written.len()
    };
    assert_eq!(count(2), count(45));
}
