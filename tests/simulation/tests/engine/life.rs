//! The life of an incident over the ledger's protocol: whatever fails and wherever the process dies.

mod daily;

use proptest::prelude::*;
use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use responder_engine::EventOutcome;
use responder_engine::port::{AttributeValue, ItemKey};
use serde_json::json;
use simulation::cloud::{CallFault, CloudBuilder};

use crate::functions::{CloudView as _, FunctionSet, sweep_event};

/// What may go wrong with a call.
const FAULTS: [CallFault; 4] =
    [CallFault::Throttled, CallFault::Internal { late: true }, CallFault::DiesBefore, CallFault::DiesAfter];

fn start() -> Timestamp {
    "2026-05-04T03:00:00Z".parse().unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    start().plus(Span::from_secs(second))
}

pub(crate) fn read(second: i64, secret: i64) -> String {
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

/// The same read, refused: what leaves nothing behind when it goes quiet.
fn refused(second: i64, secret: i64) -> String {
    let event = read(second, secret);
    event.replacen("\"detail\":{", "\"detail\":{\"errorCode\":\"AccessDenied\",", 1)
}

fn sweep(second: i64) -> String {
    sweep_event(at(second))
}

/// The functions over a cloud in which one call goes wrong.
fn functions(fault: Option<(u64, CallFault)>, settings: Settings) -> FunctionSet {
    let mut builder = CloudBuilder::new(start()).journal();
    if let Some((call, fault)) = fault {
        builder = builder.fault_at(call, fault);
    }
    FunctionSet::new(&builder.build(), Handler::Access, settings)
}

fn deliver_all(functions: &mut FunctionSet, second: i64, texts: &[String]) {
    functions.deliver_until_done(Handler::Access, at(second), texts);
}

fn run_sweep(functions: &mut FunctionSet, second: i64) {
    functions.deliver(Handler::Sweep, at(second), &[sweep(second)]);
}

/// The key of the incident that was paged first: the reads. A fault of ECS may be an incident of its own.
fn incident_key(functions: &FunctionSet) -> Option<String> {
    functions.cloud.pages().into_iter().next().map(|page| page.key)
}

/// How many pages of the reads have this state.
fn count_pages(functions: &FunctionSet, state: &str) -> usize {
    let key = incident_key(functions);
    let mut count = 0;
    for page in functions.cloud.pages() {
        count += usize::from(key.as_ref() == Some(&page.key) && page.attribute("state") == state);
    }
    count
}

/// Whether the incident's entry in the index has ended, and says the same as the incident.
fn is_over(functions: &FunctionSet) -> bool {
    let Some(key) = incident_key(functions) else { return false };
    let entry = ItemKey { pk: "open#incidents".to_owned(), sk: key.clone() };
    let state = ItemKey { pk: format!("incident#{key}"), sk: "state".to_owned() };
    let resolved = functions.cloud.item(&state).and_then(|item| item.values.get("resolved").cloned());
    let is_entry_over =
        functions.cloud.item(&entry).is_some_and(|entry| entry.values.contains_key("resolved"));
    matches!(resolved, Some(AttributeValue::Number(_))) && is_entry_over
}

/// Refused reads, an hour of silence, and sweeps; one call goes wrong. Returns how often it was paged and resolved, and how many
/// calls that took.
fn life(fault: Option<(u64, CallFault)>) -> (usize, usize, u64) {
    let mut functions = functions(fault, Settings::default());
    let probing: Vec<String> = (0..12).map(|i| refused(i, i)).collect();
    deliver_all(&mut functions, 60, &probing);
    for minute in [30, 59, 62, 64, 66, 68] {
        run_sweep(&mut functions, minute * 60);
    }
    assert!(is_over(&functions), "{fault:?}");
    let calls = functions.cloud.count_all_calls();
    let (opened, resolved) = (count_pages(&functions, "open"), count_pages(&functions, "resolved"));
    run_sweep(&mut functions, 70 * 60);
    let after = (count_pages(&functions, "open"), count_pages(&functions, "resolved"));
    assert_eq!((opened, resolved), after, "{fault:?}: notified again");
    // It comes back, and is paged again.
    let again: Vec<String> = (0..12).map(|i| refused(7_200 + i, i)).collect();
    deliver_all(&mut functions, 7_260, &again);
    assert!(count_pages(&functions, "open") > opened, "{fault:?}");
    (opened, resolved, calls)
}

#[test]
fn a_quiet_incident_is_closed_once_whatever_fails() {
    let (opened, resolved, calls) = life(None);
    assert_eq!((opened, resolved), (1, 1));
    let mut twice = 0;
    for call in 0..calls {
        for fault in FAULTS {
            let (opened, resolved, _) = life(Some((call, fault)));
            // Once more where no invocation can know that it was sent.
            assert!((1..=2).contains(&opened) && (1..=2).contains(&resolved), "{call} {fault:?}");
            twice += u64::from(opened + resolved > 2);
        }
    }
    assert!(twice * 5 < calls, "{twice} of {} lives send a page twice", calls * 4);
}

#[test]
fn a_theft_that_goes_quiet_is_closed_and_its_alert_is_not() {
    let mut functions = functions(None, Settings::default());
    let theft: Vec<String> = (0..12).map(|i| read(i, i)).collect();
    deliver_all(&mut functions, 60, &theft);
    run_sweep(&mut functions, 3_700);
    assert!(is_over(&functions));
    let states: Vec<String> =
        functions.cloud.pages().iter().map(|page| page.attribute("state").to_owned()).collect();
    assert_eq!(states, ["open"], "what was read stays known");
}

#[test]
fn what_happens_while_the_sweep_decides_keeps_the_incident_open() {
    let mut functions = functions(None, Settings::default());
    let probing: Vec<String> = (0..12).map(|i| refused(i, i)).collect();
    deliver_all(&mut functions, 60, &probing);
    // It goes on, and the event that says so is late.
    let late: Vec<String> = (0..12).map(|i| refused(3_000 + i, i)).collect();
    run_sweep(&mut functions, 3_590);
    deliver_all(&mut functions, 3_605, &late);
    run_sweep(&mut functions, 3_700);
    assert_eq!((count_pages(&functions, "resolved"), is_over(&functions)), (0, false));
    run_sweep(&mut functions, 6_700);
    let pages = (count_pages(&functions, "open"), count_pages(&functions, "resolved"));
    assert_eq!((pages, is_over(&functions)), ((1, 1), true));
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
        fault in prop::option::of((0..40_u64, prop::sample::select(FAULTS[..2].to_vec()))),
    ) {
        let mut functions = functions(fault, Settings { first_reads: true, ..Settings::default() });
        functions.engine.handler = handler;
        for batch in &batches {
            let texts: Vec<String> = batch.iter().map(|which| anything(*which)).collect();
            functions.cloud.take_journal();
            let (ended, counters) = functions.invoke(&texts).unwrap();
            let count = |end: EventOutcome| ended.iter().filter(|ended| ended.outcome == end).count();
            let ends = [
                (counters.answered, count(EventOutcome::Answered)), (counters.coalesced, count(EventOutcome::Coalesced)),
                (counters.ignored, count(EventOutcome::Ignored)), (counters.quarantined, count(EventOutcome::Quarantined)),
                (counters.failed, count(EventOutcome::Failed)),
            ];
            prop_assert!(ends.iter().all(|(counted, found)| counted == found), "{:?}", ends);
            prop_assert_eq!(counters.received, texts.len());
            prop_assert_eq!(ends.iter().map(|(counted, _)| counted).sum::<usize>(), texts.len());
            let lines = functions.cloud.take_journal().log_lines;
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
