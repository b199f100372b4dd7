//! `explain` and `match` as people use them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use folder::Folder;
use record::read;
use serde_json::{Value, json};

fn replay(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn explain_gives_a_reason_for_every_rule() {
    let folder = Folder::new("explain");
    let file = folder.write("e.json", read(1, 1).to_string());
    let output = replay(&["explain", &file]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.lines().any(|line| line.contains("secret-read") && line.contains("matches")), "{text}");
    assert!(
        text.lines().any(|line| line.contains("rotation-failed") && line.contains("detail-type")),
        "{text}"
    );
    assert!(!text.contains("198.51.100.7") && !text.contains("aws-cli"), "no value of the event: {text}");
}

/// The reasons of the responses by id, for these files and options.
fn reasons(args: &[&str]) -> BTreeMap<String, String> {
    let output = replay(&[&["explain"], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, responses) = text.split_once("\nresponses\n").unwrap();
    let mut reasons = BTreeMap::new();
    for line in responses.lines() {
        let mut words = line.split_once(' ').unwrap().1.trim_start().splitn(2, ' ');
        reasons.insert(words.next().unwrap().to_owned(), words.next().unwrap().trim_start().to_owned());
    }
    reasons
}

#[test]
fn every_response_has_a_reason_and_the_count_is_that_of_all_events_together() {
    let folder = Folder::new("explain-responses");
    let one = folder.write("one.json", read(1, 1).to_string());
    let more: Vec<Value> = (2..10).map(|secret| read(secret, secret)).collect();
    let more = folder.write("more.json", json!({"Records": more}).to_string());
    let tenth = folder.write("tenth.json", read(10, 10).to_string());
    let all: Value = serde_json::from_str(
        &fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/responses.json")).unwrap(),
    )
    .unwrap();
    let ids: Vec<&String> = all.as_object().unwrap().keys().filter(|id| !id.starts_with('_')).collect();
    let found = reasons(&[&one]);
    assert_eq!(found.len(), ids.len(), "{found:?}");
    assert!(ids.into_iter().all(|id| found.contains_key(id)), "{found:?}");
    for (id, part) in [
        ("bulk-read", "1 of 10 different secrets of one principal within 10m"),
        ("read-rate", "1 of 60 events of one principal within 1m"),
        ("list-then-dump", "no event of secrets-listed came first"),
        ("denied-probing", "its rules match no event (read-denied)"),
        ("decoy-touched", "`settings.decoys` of --facts decides it"),
        ("first-read", "the setting `first_reads` is off"),
        ("event-parked", "every part of the input could be read"),
    ] {
        assert!(found[id].starts_with("did not fire: ") && found[id].contains(part), "{id}: {}", found[id]);
    }
    assert!(reasons(&[&one, &more])["bulk-read"].contains("9 of 10"));
    let fired = reasons(&[&one, &more, &tenth]);
    assert!(
        fired["bulk-read"].starts_with("fires: 1 incident of severity medium, 10 events; high from 20 on")
    );
    // The tenth read belongs to an incident of several responses, which does not keep it from being counted.
    assert!(fired["read-rate"].contains("10 of 60"), "{}", fired["read-rate"]);
}

#[test]
fn exceptions_settings_unless_and_severity_are_reasons() {
    let folder = Folder::new("explain-narrowing");
    let file = folder.write("e.json", read(1, 1).to_string());
    let facts = folder.write(
        "facts.json",
        r#"{"settings": {"decoys": ["s1"], "first_reads": true, "production": {"secrets": ["s*"]}}}"#,
    );
    let found = reasons(&["--facts", &facts, &file]);
    assert!(found["decoy-touched"].starts_with("fires: 1 incident of severity critical"), "{found:?}");
    assert!(found["first-read"].contains("severity info") && found["first-read"].contains("pages nobody"));
    let rules = Folder::new("explain-narrowing-rules");
    rules.write("access/read.json", r#"{"source": ["aws.secretsmanager"]}"#);
    let pattern = json!({"detail": {"userAgent": [{"prefix": "aws-cli"}]}});
    let row = |more: Value| {
        let mut row = json!({"on": ["read"], "severity": "high", "title": "T", "runbook": "R"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let exception =
        |effect: &str| json!([{"id": "cli", "where": pattern, "effect": effect, "why": "It is ours."}]);
    let responses = json!({
        "excluded": row(json!({"unless": pattern})),
        "dropped": row(json!({"exceptions": exception("drop")})),
        "lowered": row(json!({"exceptions": exception("lower")})),
        "narrowed": row(json!({"where": {"detail": {"userAgent": ["other"]}}})),
    });
    rules.write("responses.json", responses.to_string());
    let found = reasons(&["--rules", &rules.0, &file]);
    for (id, reason) in [
        ("excluded", "did not fire: of 1 event that its rules match: `unless` excludes 1"),
        (
            "dropped",
            "did not fire: of 1 event that its rules match: exception cli leaves 1 uncounted: It is ours.",
        ),
        ("lowered", "fires: 1 incident of severity medium, 1 event; an exception lowers it from high"),
        (
            "narrowed",
            "did not fire: of 1 event that its rules match: `where` excludes 1: detail.userAgent: expected \"other\", found string",
        ),
    ] {
        assert_eq!(found[id], reason, "{id}");
    }
}

#[test]
fn the_exit_status_of_match_is_its_result() {
    let folder = Folder::new("match");
    let pattern = folder.write("p.json", r#"{"detail":{"eventName":["GetSecretValue"]}}"#);
    let yes = folder.write("yes.json", r#"{"detail":{"eventName":"GetSecretValue"}}"#);
    let no = folder.write("no.json", r#"{"detail":{"eventName":"ListSecrets"}}"#);
    let bad = folder.write("bad.json", r#"{"detail":{"eventName":"GetSecretValue"}"#);
    let verdict = |event: &str| replay(&["match", "--pattern", &pattern, "--event", event]).status.code();
    assert_eq!((verdict(&yes), verdict(&no), verdict(&bad)), (Some(0), Some(1), Some(2)));
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../eventbridge-pattern/vectors/events.jsonl");
    let output = replay(&["match", "--vectors", vectors]);
    let expected = fs::read_to_string(vectors).unwrap();
    for (found, expected) in lines(&output).iter().zip(expected.lines()) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!((&found["id"], &found["result"]), (&expected["id"], &expected["expected"]));
    }
}

#[test]
fn match_puts_a_bare_record_into_its_envelope_and_leaves_every_other_text_as_it_is() {
    let folder = Folder::new("match-bare-records");
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/access/secret-read.json");
    let detail_alone = folder.write("detail.json", r#"{"detail":{"eventName":["GetSecretValue"]}}"#);
    let bare_name = folder.write("bare.json", r#"{"eventName":["GetSecretValue"]}"#);
    let mut other_call = read(1, 1);
    other_call["eventSource"] = json!("s3.amazonaws.com");
    let record = folder.write("record.json", read(1, 1).to_string());
    let other = folder.write("other.json", other_call.to_string());
    let one = folder.write("one.json", json!({"Records": [read(1, 1)]}).to_string());
    let two = folder.write("two.json", json!({"Records": [read(1, 1), read(2, 2)]}).to_string());
    // A part of an event, with a whole record in it, has a part of an envelope.
    let part = folder.write("part.json", json!({"detail": read(1, 1)}).to_string());
    let plain = folder.write("plain.json", r#"{"eventName":"GetSecretValue"}"#);
    let broken = folder.write("broken.json", "{\"eventName\":");
    let verdict = |pattern: &str, event: &str| {
        let output = replay(&["match", "--pattern", pattern, "--event", event]);
        let notice = String::from_utf8(output.stderr).unwrap().contains("in its EventBridge envelope");
        (output.status.code(), notice)
    };
    assert_eq!(verdict(shipped, &record), (Some(0), true));
    assert_eq!(verdict(shipped, &one), (Some(0), true));
    assert_eq!(verdict(shipped, &other), (Some(1), true));
    assert_eq!(verdict(&bare_name, &record), (Some(1), true), "the envelope holds the name in `detail`");
    assert_eq!(verdict(shipped, &two), (Some(2), false));
    assert_eq!(verdict(&detail_alone, &part), (Some(0), false));
    assert_eq!(verdict(shipped, &part), (Some(1), false), "no `source`");
    assert_eq!(verdict(&bare_name, &plain), (Some(0), false), "an object that is no record");
    assert_eq!(verdict(shipped, &broken), (Some(2), false));
}
