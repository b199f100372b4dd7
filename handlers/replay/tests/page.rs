//! `replay page`: the page of every response, of edited rules, and of given events.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use std::fs;

use command::replay;
use folder::Folder;
use responder_core::rules::PLACEHOLDERS;
use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The exit status, the page and the messages.
fn page(args: &[&str]) -> (Option<i32>, String, String) {
    let output = replay(&[&["page"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_response_has_a_page_without_an_event_and_a_mistyped_one_is_answered_with_the_ids() {
    let responses = fs::read_to_string(format!("{ROOT}/rules/responses.json")).unwrap();
    let responses: Value = serde_json::from_str(&responses).unwrap();
    let mut pages = 0;
    for (id, row) in responses.as_object().unwrap() {
        if id.starts_with('_') || row["do"] == "prove" {
            continue;
        }
        let (status, text, messages) = page(&["--response", id]);
        assert_eq!(status, Some(0), "{id}: {messages}");
        assert!(text.contains(row["title"].as_str().unwrap()), "{id}: {text}");
        for placeholder in PLACEHOLDERS {
            assert!(
                !text.contains(&format!("{{{placeholder}}}")),
                "{id}: {placeholder} has no value: {text}"
            );
        }
        pages += 1;
    }
    assert!(pages > 30, "{pages}");
    let (status, text, messages) = page(&["--response", "bulk-raed"]);
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(messages.contains("bulk-raed") && messages.contains("bulk-read, "), "{messages}");
}

/// The pages of fixtures are committed, rendered by the functions' code with one runbook URL.
#[test]
fn the_page_of_a_fixture_is_the_committed_one() {
    let folder = Folder::new("page-of-a-fixture");
    let facts = folder.write("facts.json", r#"{"settings": {"runbooks": "https://runbooks.example/main/"}}"#);
    for (response, case) in [
        ("bulk-read", "access/bulk-read/twenty-reads-of-twenty-secrets-in-four-seconds"),
        ("rotation-failed", "failure/rotation-failed/three-retries-are-one-incident"),
    ] {
        let events = format!("{ROOT}/fixtures/{case}");
        let (status, text, messages) = page(&["--response", response, "--facts", &facts, "--event", &events]);
        assert_eq!((status, messages.as_str()), (Some(0), ""));
        let golden = fs::read_to_string(format!("{ROOT}/fixtures/pages/{response}.txt")).unwrap();
        assert_eq!(text.trim_end(), golden.trim_end());
    }
}

#[test]
fn an_edited_response_is_shown_also_for_events_for_which_it_does_not_fire() {
    let folder = Folder::new("page-edited");
    folder.write("access/read.json", r#"{"source": ["aws.secretsmanager"]}"#);
    folder.write("access/other.json", r#"{"source": ["aws.events"]}"#);
    let when = json!({"distinct": "event", "at_least": 4, "within": "10s", "per": "account"});
    let row = json!({"on": ["read"], "severity": "high", "title": "Four reads", "runbook": "R", "when": when,
        "means": "Somebody read the edited sentence.", "sure": "Certain.",
        "next_steps": ["Ask {principal}.", "Look at {secret}.", "Write it down."]});
    let other = json!({"on": ["other"], "severity": "low", "title": "Other", "runbook": "R"});
    folder.write("responses.json", json!({"four": row, "other": other}).to_string());
    let event = Folder::new("page-edited-event");
    let record = json!({"eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-01T12:00:00Z", "eventID": "e-1",
        "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"secretId": "prod/billing/db"},
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/zoe", "accountId": "111122223333"}});
    let file = event.write("e.json", record.to_string());
    let (status, text, messages) = page(&["--rules", &folder.0, "--response", "four", "--event", &file]);
    assert_eq!(status, Some(0), "{messages}");
    for part in ["Four reads", "Somebody read the edited sentence.", "zoe", "prod/billing/db"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(messages.contains("does not fire"), "{messages}");
    let (status, text, messages) = page(&["--rules", &folder.0, "--response", "other", "--event", &file]);
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(messages.contains("its rules are other"), "{messages}");
}
