//! What a report says about the input itself: silence of the input never passes for an all-clear.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use folder::Folder;
use serde_json::{Value, json};

/// The exit status, standard output and standard error of a command.
fn replay(args: &[&str]) -> (Option<i32>, String, String) {
    let output = command::replay(args);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn of_kind(text: &str, kind: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

fn read(account: &str, region: &str, time: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "awsRegion": region, "eventTime": time, "eventID": format!("{account}-{region}-{time}"), "eventType": "AwsApiCall",
        "recipientAccountId": account, "requestParameters": {"secretId": "prod/billing/db"},
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "AssumedRole", "accountId": account,
            "arn": format!("arn:aws:sts::{account}:assumed-role/app/s"),
            "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::{account}:role/app")}}},
    })
}

fn rotation(account: &str, region: &str) -> Value {
    json!({
        "eventVersion": "1.08", "userIdentity": {"accountId": account, "invokedBy": "secretsmanager.amazonaws.com"},
        "eventTime": "2026-03-01T12:00:00Z", "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationSucceeded",
        "awsRegion": region, "eventID": format!("{account}-{region}"), "eventType": "AwsServiceEvent",
        "recipientAccountId": account, "requestParameters": null, "responseElements": null,
        "additionalEventData": {"SecretId": format!("arn:aws:secretsmanager:{region}:{account}:secret:prod/key-a1b2c3")},
    })
}

fn trail(folder: &Folder, name: &str, records: &[Value]) -> String {
    folder.write(name, json!({ "Records": records }).to_string())
}

#[test]
fn an_input_without_events_is_no_all_clear_and_a_path_that_is_not_there_is_no_report() {
    let folder = Folder::new("nothing-read");
    let empty = trail(&folder, "empty.json", &[]);
    let digest = folder.write("CloudTrail-Digest/2026/d.json", "{}");
    for command in [&["run"][..], &["reads", "--secret", "prod/db"]] {
        for path in [&empty, &folder.0, &digest] {
            let (status, text, _) = replay(&[command, &[path]].concat());
            assert_eq!(status, Some(3), "{command:?} {path}");
            assert!(text.starts_with("NOTHING WAS READ"), "{text}");
        }
        let missing = format!("{}/missing", folder.0);
        let (status, text, error) = replay(&[command, &[&empty, &missing]].concat());
        assert_eq!((status, text.as_str()), (Some(2), ""), "{command:?}");
        assert!(error.contains("missing"), "{error}");
    }
    let (_, text, _) = replay(&["run", &folder.0]);
    assert!(text.contains("Beside the events: 1 digests."), "{text}");
}

#[test]
fn reads_without_a_time_are_a_problem_that_is_told_once() {
    let folder = Folder::new("undated");
    let records: Vec<Value> = (0..12).map(|_| read("111122223333", "us-east-1", "never")).collect();
    let file = trail(&folder, "undated.json", &records);
    let (status, text, errors) = replay(&["run", &file]);
    assert_eq!((status, errors.lines().count()), (Some(3), 1), "{errors}");
    assert!(errors.contains("no time") && errors.contains("11 more like it"), "{errors}");
    assert!(text.contains("Events without a time that can be read: 12."), "{text}");
}

#[test]
fn a_missing_month_and_a_missing_region_are_told_by_every_report() {
    let folder = Folder::new("gaps");
    let mut records = Vec::new();
    for (month, days) in [(8, 31), (9, 30), (11, 30)] {
        for day in 1..=days {
            for (account, region) in
                [("111122223333", "us-east-1"), ("111122223333", "eu-west-1"), ("444455556666", "us-east-1")]
            {
                records.push(read(account, region, &format!("2026-{month:02}-{day:02}T01:00:00Z")));
            }
        }
    }
    let file = trail(&folder, "trail.json", &records);
    for command in [&["run"][..], &["reads", "--secret", "prod/billing/db"]] {
        let (status, text, _) = replay(&[command, &[&file]].concat());
        assert_eq!(status, Some(0));
        let month = "GAP: account 444455556666, us-east-1: no events from 2026-10-01 to 2026-10-31 (31 days), but before and after.";
        assert!(text.contains(month), "{text}");
        assert!(text.contains("GAP: account 444455556666 has no events of eu-west-1"), "{text}");
        let (_, lines, _) = replay(&[command, &["--format", "json", &file]].concat());
        let coverage = &of_kind(&lines, "coverage")[0];
        assert_eq!((coverage["gaps"].as_array().map(Vec::len), &coverage["events"]), (Some(4), &json!(273)));
        assert_eq!((&coverage["from"], &coverage["to"]), (&json!("2026-08-01"), &json!("2026-11-30")));
    }
}

#[test]
fn rotations_of_secrets_with_one_name_are_told_apart_by_account_and_region() {
    let folder = Folder::new("identical-rows");
    let mut records = Vec::new();
    for account in ["111122223333", "444455556666"] {
        for region in ["us-east-1", "eu-west-1"] {
            records.push(rotation(account, region));
        }
    }
    let file = trail(&folder, "trail.json", &records);
    let (_, text, _) = replay(&["run", &file]);
    for account in ["111122223333", "444455556666"] {
        for region in ["us-east-1", "eu-west-1"] {
            let row = format!("2026-03-01T12:00:00Z  {account}  {region}  RotationSucceeded");
            assert_eq!(text.matches(&row).count(), 1, "{row}: {text}");
        }
    }
    let (_, lines, _) = replay(&["run", "--format", "json", &file]);
    let decision = &of_kind(&lines, "decision")[0];
    assert!(decision["account"].is_string() && decision["region"].is_string(), "{decision}");
    assert!(decision["principal"].is_string(), "{decision}");
    let (_, text, _) = replay(&["proof", &file]);
    for account in ["111122223333", "444455556666"] {
        for region in ["us-east-1", "eu-west-1"] {
            let sentence =
                format!("prod/key ({account}, {region}) of 2026-03-01T12:00:00Z: its services are unknown");
            assert_eq!(text.matches(&sentence).count(), 1, "{sentence}: {text}");
        }
    }
}

#[test]
fn a_mistyped_secret_or_window_is_not_answered_with_nobody() {
    let folder = Folder::new("typing-errors");
    let file = trail(&folder, "trail.json", &[read("111122223333", "us-east-1", "2026-10-10T00:00:00Z")]);
    let reads = |args: &[&str]| replay(&[&["reads"], args, &[&*file]].concat());
    let (_, text, _) = reads(&["--secret", "PROD/billing/db"]);
    assert!(text.contains("NO EVENT OF THIS INPUT NAMES PROD/billing/db"), "{text}");
    assert!(text.contains("Did you mean: prod/billing/db?"), "{text}");
    let (_, lines, _) = reads(&["--secret", "prod/biling/db", "--format", "json"]);
    let query = &of_kind(&lines, "query")[0];
    assert_eq!((&query["named"], &query["nearest"]), (&json!(false), &json!(["prod/billing/db"])));
    for (since, until) in [("2026-10-20", "2026-10-01"), ("2026-10-01", "2026-10-01")] {
        let args = ["--secret", "prod/billing/db", "--since", since, "--until", until];
        let (status, text, errors) = reads(&args);
        assert_eq!((status, text.as_str()), (Some(2), ""), "{since}");
        assert!(errors.contains("the window is empty"), "{errors}");
    }
    let (_, text, _) = reads(&["--secret", "prod/biling/*"]);
    assert!(text.contains("NO EVENT OF THIS INPUT NAMES prod/biling/*"), "{text}");
    assert!(text.contains("Did you mean: prod/billing/db?"), "{text}");
    let (_, text, _) = reads(&["--secret", "prod/billing/db", "--since", "2028-01-01"]);
    assert!(
        text.starts_with("Reads of prod/billing/db, from 2028-01-01T00:00:00Z to the last event."),
        "{text}"
    );
    assert!(text.contains("The window ends after the input, whose last event is of 2026-10-10"), "{text}");
    let (_, text, _) = reads(&["--secret", "prod/billing/db", "--since", "2026-10-01"]);
    assert!(text.contains("The window begins before the input"), "{text}");
}
