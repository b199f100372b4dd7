//! `explain` and `match` as people use them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;

use std::fs;
use std::process::{Command, Output, Stdio};

use folder::Folder;
use serde_json::{Value, json};

fn replay(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A record in the shape that CloudTrail gives a read by a user.
fn read(second: usize, secret: usize) -> Value {
    json!({
        "eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "awsRegion": "us-west-2", "eventTime": format!("2026-03-01T12:00:{second:02}Z"), "eventID": format!("e-{secret}"),
        "eventType": "AwsApiCall", "managementEvent": true, "readOnly": true, "recipientAccountId": "111122223333",
        "requestParameters": {"secretId": format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:s{secret}-a1B2c3")},
        "responseElements": null, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/c", "accountId": "111122223333"},
    })
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
