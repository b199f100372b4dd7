//! Counting over the ledger as functions do it, many at once and out of order: what it finds, and what it costs.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::rules::{Handler, RuleSet};
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use serde_json::json;
use simulation::builtin_rules::load_builtin_rules;
use simulation::cloud::{CallLatency, CloudBug, CloudBuilder};
use simulation::invocations::{InvocationConfig, InvocationPool, InvocationTurn, ReceivedMessage};
use simulation::random::SeededRandom;

use crate::functions::{ACCOUNT, CloudView as _, FunctionSet, LEASE};

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

fn functions() -> FunctionSet {
    let cloud = CloudBuilder::new(at(3_600)).journal().build();
    FunctionSet::new(&cloud, Handler::Access, Settings::default())
}

/// Events in batches, and the seed that decides which invocation goes on.
type Story = (Vec<Vec<String>>, u64);

/// Runs one invocation for each batch, all at the same time. Then, one at a time, what the queue has to deliver again.
/// Returns the keys of the incidents that were paged.
fn run(rules: &Arc<RuleSet>, (batches, seed): &Story, bug: Option<CloudBug>) -> BTreeSet<String> {
    let mut random = SeededRandom::new(*seed);
    let builder = CloudBuilder::from_random(at(3_600), &mut random);
    let cloud = builder.latency(CallLatency::Typical).bug(bug).build();
    let config = InvocationConfig {
        rules: Arc::clone(rules),
        settings: Settings::default(),
        account: ACCOUNT.to_owned(),
        timeout: LEASE,
        lease: LEASE,
    };
    let mut invocations = InvocationPool::new(&cloud, config);
    let texts: Vec<Rc<str>> = batches.iter().flatten().map(|text| Rc::from(text.as_str())).collect();
    let mut numbers = 0..;
    for batch in batches {
        let numbers = numbers.by_ref().take(batch.len());
        let received = numbers.map(|number: usize| (number as u64, Rc::clone(&texts[number])));
        invocations.start(Handler::Access, received.collect(), None);
    }
    for _ in 0..10 {
        let mut again: Vec<ReceivedMessage> = Vec::new();
        loop {
            match invocations.run_one_turn(&mut random) {
                Some(InvocationTurn::Finished(finished)) => {
                    for (message, result) in finished.messages.iter().zip(&finished.results) {
                        if result.is_kept() {
                            again.push((*message, Rc::clone(&texts[usize::try_from(*message).unwrap()])));
                        }
                    }
                }
                Some(_) => {}
                None => match cloud.clock.next_due() {
                    Some(due) => cloud.clock.advance_to(due),
                    None => break,
                },
            }
        }
        if again.is_empty() {
            return cloud.pages().into_iter().map(|page| page.key).collect();
        }
        invocations.start(Handler::Access, again, None);
    }
    panic!("the queue delivers for ever");
}

/// The incidents that the replay finds in the same events.
fn replayed(rules: &RuleSet, (batches, _): &Story) -> BTreeSet<String> {
    let mut events = Vec::new();
    for text in batches.iter().flatten() {
        events.push(rules.match_event_for(Handler::Access, text).unwrap().unwrap());
    }
    let mut replay = MemoryStore::default();
    for event in &order_and_deduplicate(events).0 {
        replay.decide(event);
    }
    replay.incidents().into_iter().map(|incident| incident.key).collect()
}

/// A theft near the thresholds, delivered late, out of order, several times and by both accounts, over some functions.
fn any_story() -> impl Strategy<Value = Story> {
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
        (batches, any::<u64>())
    })
}

/// How many stories there are.
const CASES: u32 = 50;

#[test]
fn functions_that_count_at_once_find_what_the_replay_finds() {
    let rules = load_builtin_rules().unwrap();
    let found = std::cell::Cell::new(0u32);
    let property = |story: Story| {
        let expected = replayed(&rules, &story);
        found.set(found.get() + u32::from(!expected.is_empty()));
        prop_assert_eq!(run(&rules, &story, None), expected);
        Ok(())
    };
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
    TestRunner::new(config).run(&any_story(), property).unwrap();
    assert!(found.get() > CASES / 4, "{} stories have an incident", found.get());
}

#[test]
fn to_read_first_and_then_write_loses_thefts() {
    let rules = load_builtin_rules().unwrap();
    let property = |story: Story| {
        prop_assert_eq!(run(&rules, &story, Some(CloudBug::CountsBeforeWriting)), replayed(&rules, &story));
        Ok(())
    };
    let config =
        ProptestConfig { max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::with_cases(300) };
    assert!(TestRunner::new(config).run(&any_story(), property).is_err(), "the planted bug is found");
}

/// Runs one batch alone; returns the partitions and sizes of what was written, refused or not.
fn batch(functions: &mut FunctionSet, texts: &[String]) -> Vec<(String, u64)> {
    functions.cloud.take_journal();
    let (ended, counters) = functions.invoke(texts).unwrap();
    assert!(ended.iter().all(|ended| ended.errors.is_empty()), "{counters:?}");
    let writes = functions.cloud.take_journal().writes;
    writes.into_iter().map(|(key, bytes)| (key.pk, bytes)).collect()
}

fn observations(written: &[(String, u64)]) -> Vec<u64> {
    written.iter().filter(|(pk, _)| pk.starts_with("observations#")).map(|(_, bytes)| *bytes).collect()
}

#[test]
fn a_thousand_reads_of_one_principal_are_four_writes_and_copies_of_them_none() {
    let mut functions = functions();
    let texts: Vec<String> = (0..1_000).map(|n| text(&read(n / 2, usize::try_from(n).unwrap()))).collect();
    let written = batch(&mut functions, &texts);
    // One item of marks; a claim, the index of what is open, and the mark of the page.
    assert_eq!(written.len(), 4, "{written:?}");
    assert_eq!(observations(&written).len(), 1, "{written:?}");
    assert!(observations(&written)[0] < 200_000, "{written:?}");
    assert_eq!(batch(&mut functions, &texts), [], "the same batch again");
    // The incident goes on: it is stretched one time.
    let texts: Vec<String> = (0..500).map(|n| text(&read(600 + n, 7))).collect();
    let written = batch(&mut functions, &texts);
    assert_eq!(written.len(), 2, "{written:?}");
    let few = batch(&mut functions, &[text(&read(1_400, 7))]);
    assert!(few.len() == 2 && observations(&few)[0] < 700, "{few:?}");
}

#[test]
fn ten_minutes_of_a_stream_are_bounded_however_much_is_read() {
    let mut functions = functions();
    let mut items = Vec::new();
    for number in 0..9usize {
        // Others each time, of the same three secrets.
        let reads = (0..250u32).map(|n| text(&read(n, 3 + number % 3 * 1_000)));
        let others =
            reads.map(|text| text.replace(r#""sharedEventID":""#, &format!(r#""sharedEventID":"{number}-"#)));
        items.extend(observations(&batch(&mut functions, &others.collect::<Vec<_>>())));
    }
    assert_eq!(items.len(), 4, "the chunk is full after 1,000 marks: {items:?}");
    // What is new still counts: the theft is found in the noise, which is an incident of its own, and less severe.
    let paged = functions.cloud.pages().len();
    let theft: Vec<String> =
        (0..20).map(|n| text(&read(300 + n, 9_000 + usize::try_from(n).unwrap()))).collect();
    batch(&mut functions, &theft);
    assert_eq!(functions.cloud.pages().len(), paged + 1, "a bulk read");
}

#[test]
fn a_flood_of_reads_keeps_no_batch_read_from_counting() {
    let mut functions = functions();
    for number in 0..6 {
        let others =
            |text: String| text.replace(r#""sharedEventID":""#, &format!(r#""sharedEventID":"{number}-"#));
        batch(&mut functions, &(0..250).map(|n| others(text(&read(n, 3)))).collect::<Vec<_>>());
    }
    let paged = functions.cloud.pages().len();
    // In three invocations, each of which has to see the marks of those before.
    for second in 301..304 {
        let mut event: serde_json::Value = serde_json::from_str(&text(&read(second, 3))).unwrap();
        event["detail"]["eventName"] = json!("BatchGetSecretValue");
        event["detail"]["requestParameters"] = json!({"secretIdList": ["prod/team-a/db-0003"]});
        batch(&mut functions, &[event.to_string()]);
    }
    let later = functions.cloud.pages().split_off(paged);
    assert!(matches!(&later[..], [sent] if sent.page.body.contains("Severity: high")), "{later:?}");
}

#[test]
fn a_proof_costs_the_same_however_many_reads_there_are() {
    assert_eq!(count_writes_of_proof(2), count_writes_of_proof(45));
}

/// How much is written for a batch with so many reads of a task that a rotation deployed.
fn count_writes_of_proof(reads: u32) -> usize {
    const TASK: &str = "0123456789abcdef0123456789abcdef";
    const SECRET: &str = "prod/team-a/db-0001";
    let arn = format!("arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:{SECRET}-a1B2c3");
    let cloud = CloudBuilder::new(at(0)).journal().secret(SECRET).service("shop", "web", &[&arn]).build();
    let rotation = json!({"source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail",
        "account": ACCOUNT, "region": "us-west-2", "time": at(0).to_string(), "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationSucceeded", "awsRegion": "us-west-2",
            "eventTime": at(0).to_string(), "eventType": "AwsServiceEvent", "recipientAccountId": ACCOUNT,
            "additionalEventData": {"SecretId": arn}}});
    let mut functions = FunctionSet::new(&cloud, Handler::Rotation, Settings::default());
    assert_eq!(functions.process(&[rotation.to_string()]).1.deployments_forced, 1);
    functions.engine.handler = Handler::Access;
    cloud.clock.advance_to(at(3_600));
    let mut texts = Vec::new();
    for number in 0..reads {
        let text = text(&ReadRecord { session: TASK, ..read(60 + 12 * number, 1) });
        texts.push(text.replace("444455556666", ACCOUNT).replace("sync", "execution-web"));
    }
    let written = batch(&mut functions, &texts);
    assert!(written.iter().any(|(pk, _)| pk.starts_with("proof#")), "{written:?}");
    written.len()
}
