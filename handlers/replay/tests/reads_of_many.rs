//! `replay reads` of several secrets by wildcards, and the list of each read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use folder::Folder;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn reads(args: &[&str]) -> (Option<i32>, String) {
    let output = command::replay(&[&["reads"], args].concat());
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn json_of(secret: &str, args: &[&str]) -> Vec<Value> {
    let (status, text) = reads(&[&["--secret", secret, "--format", "json"], args].concat());
    assert_eq!(status, Some(0), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:{name}-a1B2c3")
}

fn call(id: usize, name: &str, parameters: &Value) -> Value {
    json!({
        "eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": name,
        "awsRegion": "us-west-2", "eventTime": format!("2026-03-01T12:{:02}:00Z", id % 60), "eventID": format!("e-{id}"),
        "eventType": "AwsApiCall", "recipientAccountId": ACCOUNT, "requestParameters": parameters,
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT,
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/zoe"),
            "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::{ACCOUNT}:role/app")}}},
    })
}

fn read(id: usize, secret: &str) -> Value {
    call(id, "GetSecretValue", &json!({ "secretId": secret }))
}

fn batch(id: usize, parameters: &Value) -> Value {
    call(id, "BatchGetSecretValue", parameters)
}

fn trail(folder: &Folder, name: &str, records: &[Value]) -> String {
    folder.write(name, json!({ "Records": records }).to_string())
}

/// The secrets of the rows with their counts of reads.
fn counted(lines: &[Value]) -> Vec<(String, u64)> {
    let mut counts = Vec::new();
    for row in of_kind(lines, "reader") {
        counts.push((row["secret"].as_str().unwrap().to_owned(), row["reads"].as_u64().unwrap()));
    }
    counts.sort();
    counts
}

#[test]
fn wildcards_give_a_row_for_each_secret_in_every_spelling() {
    let folder = Folder::new("reads-wildcards");
    let records = [
        read(1, "prod/billing/db"),
        read(2, &arn("prod/billing/db")),
        read(3, &arn("prod/billing/key")),
        read(4, "prod/shop/db"),
        read(5, "prod/billing"),
        call(6, "DescribeSecret", &json!({ "secretId": "prod/billing/unread" })),
    ];
    let file = trail(&folder, "trail.json", &records);
    let row = |name: &str, reads: u64| (name.to_owned(), reads);
    let lines = json_of("prod/billing/*", &[&file]);
    assert_eq!(counted(&lines), [row("prod/billing/db", 2), row("prod/billing/key", 1)]);
    let query = of_kind(&lines, "query")[0];
    let named = json!(["prod/billing/db", "prod/billing/key", "prod/billing/unread"]);
    assert_eq!(
        (&query["secret"], &query["named"], &query["secrets"]),
        (&json!("prod/billing/*"), &json!(true), &named)
    );
    let summary = of_kind(&lines, "summary")[0];
    assert_eq!((&summary["reads"], &summary["secrets"]), (&json!(3), &json!(2)));
    assert!(of_kind(&lines, "may-have-read").is_empty(), "{lines:?}");
    assert_eq!(counted(&json_of("*/db", &[&file])), [row("prod/billing/db", 2), row("prod/shop/db", 1)]);
    assert_eq!(counted(&json_of("prod/????/db", &[&file])), [row("prod/shop/db", 1)]);
    let in_account = format!("arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:prod/*/key");
    assert_eq!(counted(&json_of(&in_account, &[&file])), [row("prod/billing/key", 1)]);
    // The random end of an ARN is no part of a name.
    assert!(counted(&json_of("*a1B2c3", &[&file])).is_empty());
    let (_, text) = reads(&["--secret", "prod/billing/*", &file]);
    let sentence = "Of the secrets that this input names, 3 fit: prod/billing/db, prod/billing/key, prod/billing/unread.";
    assert!(text.contains(sentence), "{text}");
    assert!(
        text.contains("\nprod/billing/db\n\nPRINCIPAL") && text.contains("\nprod/billing/key\n\n"),
        "{text}"
    );
}

#[test]
fn a_batch_counts_once_for_each_secret_that_it_read() {
    let folder = Folder::new("reads-wildcard-batches");
    let names = ["prod/a", "prod/b", "dev/c"];
    let mut records = vec![batch(1, &json!({ "secretIdList": names }))];
    for (index, name) in names.iter().enumerate() {
        let mut child = read(1, &arn(name));
        child["eventID"] = json!(format!("child-{index}"));
        records.push(child);
    }
    let file = trail(&folder, "by-name.json", &records);
    let lines = json_of("prod/*", &[&file, "--each"]);
    assert_eq!(counted(&lines), [("prod/a".to_owned(), 1), ("prod/b".to_owned(), 1)]);
    let ids: Vec<&Value> =
        of_kind(&lines, "read").iter().map(|read| &read["records"][1]["event_id"]).collect();
    assert_eq!(ids, ["child-0", "child-1"], "each with the record of its own read");
    // By filter, the records alone show what was read.
    records[0] = batch(1, &json!({"filters": [{"key": "name", "values": ["prod"]}]}));
    let file = trail(&folder, "by-filter.json", &records);
    let lines = json_of("prod/*", &[&file]);
    assert_eq!(counted(&lines), [("prod/a".to_owned(), 1), ("prod/b".to_owned(), 1)]);
    assert!(of_kind(&lines, "may-have-read").is_empty());
}

#[test]
fn each_read_is_listed_with_time_event_and_file_and_copies_once() {
    let folder = Folder::new("reads-each");
    let mut denied = read(2, &arn("prod/db"));
    denied["errorCode"] = json!("AccessDenied");
    let filter = batch(3, &json!({"filters": [{"key": "tag-key", "values": ["team"]}]}));
    let first = trail(&folder, "a.json", &[read(9, "prod/db"), read(1, "prod/db")]);
    let second = trail(&folder, "b.json", &[denied, filter, read(1, "prod/db"), read(4, "dev/x")]);
    for paths in [[&first, &second], [&second, &first]] {
        let lines = json_of("prod/db", &["--each", paths[0], paths[1]]);
        let mut listed = Vec::new();
        for read in of_kind(&lines, "read") {
            let record = &read["records"][0];
            let file = record["file"].as_str().unwrap().rsplit('/').next().unwrap();
            listed.push(format!("{} {} {}", record["event_id"].as_str().unwrap(), file, read["refused"]));
        }
        assert_eq!(listed, ["e-1 a.json false", "e-2 b.json true", "e-3 b.json false", "e-9 a.json false"]);
        assert_eq!(of_kind(&lines, "read")[2]["doubt"], "filter");
    }
    assert!(of_kind(&json_of("prod/db", &[&first]), "read").is_empty());
    let (_, text) = reads(&["--secret", "prod/db", "--each", &first, &second]);
    for (result, id, file) in
        [("read", "e-1", &first), ("refused", "e-2", &second), ("maybe: filter", "e-3", &second)]
    {
        let row = text.lines().find(|line| line.contains(id)).unwrap_or_default();
        assert!(row.contains(result) && row.ends_with(file.as_str()), "{id}: {text}");
    }
}

#[test]
fn wildcards_that_fit_no_name_are_said_and_the_nearest_names_are_offered() {
    let folder = Folder::new("reads-wildcard-miss");
    let file = trail(&folder, "trail.json", &[read(1, "prod/billing/db")]);
    let (_, text) = reads(&["--secret", "prod/biling/*", &file]);
    assert!(text.contains("NO EVENT OF THIS INPUT NAMES prod/biling/*"), "{text}");
    assert!(text.contains("Did you mean: prod/billing/db?"), "{text}");
    assert!(text.contains("No read of these secrets in this input."), "{text}");
}
