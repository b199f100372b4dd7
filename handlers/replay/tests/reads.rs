//! `replay reads` as people use it: spellings, batches, replicas, launches, copies, and calls for other secrets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use folder::Folder;
use serde_json::{Value, json};

const NAME: &str = "prod/db";
const HOME: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
const REPLICA: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3";
const TASK: &str = "0123456789abcdef0123456789abcdef";

fn reads(args: &[&str]) -> Output {
    command::replay(&[&["reads"], args].concat())
}

fn json_of(secret: &str, args: &[&str]) -> Vec<Value> {
    let output = reads(&[&["--secret", secret, "--format", "json"], args].concat());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// Calls in all, and the principals by row.
fn counted(lines: &[Value]) -> (u64, Vec<&str>) {
    let rows = of_kind(lines, "reader");
    let calls = rows.iter().map(|row| row["reads"].as_u64().unwrap() + row["refused"].as_u64().unwrap());
    (calls.sum(), rows.iter().map(|row| row["principal"].as_str().unwrap()).collect())
}

/// A record of a read by a role of the account.
fn read(id: usize, secret: &str) -> Value {
    json!({
        "eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "awsRegion": "us-west-2", "eventTime": format!("2026-03-01T12:{:02}:00Z", id % 60), "eventID": format!("e-{id}"),
        "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "requestParameters": {"secretId": secret},
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "AssumedRole", "accountId": "111122223333",
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "arn": "arn:aws:sts::111122223333:assumed-role/app/s",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/app"}}},
    })
}

fn by(role: &str, session: &str, mut record: Value) -> Value {
    let identity = &mut record["userIdentity"];
    identity["arn"] = json!(format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"));
    identity["sessionContext"]["sessionIssuer"]["arn"] =
        json!(format!("arn:aws:iam::111122223333:role/{role}"));
    record
}

fn batch(id: usize, request: Value) -> Value {
    let mut record = read(id, NAME);
    (record["eventName"], record["requestParameters"]) = (json!("BatchGetSecretValue"), request);
    record
}

fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

fn trail(folder: &Folder, records: &[Value]) -> String {
    folder.write("trail.json", json!({ "Records": records }).to_string())
}

#[test]
fn every_spelling_and_replica_counts_and_neighbours_do_not() {
    let folder = Folder::new("reads-spellings");
    let partial = HOME.strip_suffix("-a1B2c3").unwrap();
    let in_europe = with(read(4, NAME), "awsRegion", json!("eu-west-1"));
    let own = [read(1, NAME), read(2, HOME), read(3, partial), in_europe, read(5, REPLICA)];
    let near = [
        read(10, "prod/db2"),
        read(11, "prod/db-replica"),
        read(12, "prod/d"),
        read(13, "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db2-a1B2c3"),
        with(read(14, HOME), "eventName", json!("DescribeSecret")),
        with(read(15, HOME), "eventSource", json!("ssm.amazonaws.com")),
    ];
    let other = read(16, "arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/db-zZ9yY8");
    let records: Vec<Value> = own.iter().chain(&near).chain([&other]).cloned().collect();
    let file = trail(&folder, &records);
    for (requested, count) in [(NAME, 6), (HOME, 5), (REPLICA, 5), (partial, 5)] {
        let lines = json_of(requested, &[&file]);
        assert_eq!(counted(&lines).0, count, "{requested}: {lines:?}");
        assert!(of_kind(&lines, "may-have-read").is_empty(), "{requested}: {lines:?}");
    }
    let lines = json_of(HOME, &[&file]);
    let regions: Vec<&Value> = of_kind(&lines, "reader").iter().map(|row| &row["region"]).collect();
    assert_eq!(regions, [&json!("us-west-2"), &json!("eu-west-1")]);
    let other = json_of("arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/db-zZ9yY8", &[&file]);
    assert_eq!(counted(&other).0, 1);
}

#[test]
fn a_name_that_ends_like_a_random_suffix_is_another_secret() {
    let folder = Folder::new("reads-suffix");
    let arn = |tail: &str| format!("arn:aws:secretsmanager:us-west-2:111122223333:secret:{tail}");
    // Vouched for by its own full ARN, the partial one is not a secret named `stripe`.
    let file = trail(&folder, &[read(1, &arn("stripe-apikey")), read(2, &arn("stripe-apikey-a1B2c3"))]);
    assert_eq!(counted(&json_of("stripe-apikey", &[&file])).0, 2);
    let lines = json_of("stripe", &[&file]);
    assert_eq!((counted(&lines).0, of_kind(&lines, "may-have-read").len()), (0, 1), "{lines:?}");
    assert_eq!(of_kind(&lines, "may-have-read")[0]["doubt"], "spelling");
}

#[test]
fn a_batch_and_its_read_are_one_call_and_a_filter_alone_is_a_doubt() {
    let folder = Folder::new("reads-batches");
    let at = |second: &str, record: Value| with(record, "eventTime", json!(format!("2026-03-01T{second}Z")));
    let list = json!({"secretIdList": [HOME, "other"]});
    let filter = json!({"filters": [{"key": "tag-key", "values": ["team"]}]});
    let records = [
        // One call by list, its two children, and a read of its own in the same second.
        at("12:00:00", batch(1, list.clone())),
        at("12:00:00", read(2, HOME)),
        at("12:00:01", read(3, "other")),
        at("12:00:00", read(4, NAME)),
        // One by list whose child is missing, and one by filter whose child is there.
        at("13:00:00", batch(5, list)),
        at("14:00:00", batch(6, filter.clone())),
        at("14:00:02", read(7, HOME)),
        // A batch by filter of which nothing is known, near the read of another role, and one that was refused.
        at("15:00:00", batch(8, filter.clone())),
        at("15:00:00", by("other", "s", read(9, HOME))),
        at("16:00:00", with(batch(10, filter), "errorCode", json!("AccessDenied"))),
        // A batch by list of other secrets.
        at("17:00:00", batch(11, json!({"secretIdList": ["other"]}))),
    ];
    let file = trail(&folder, &records);
    let lines = json_of(HOME, &[&file]);
    let rows = of_kind(&lines, "reader");
    let counts: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["reads"], &row["batches"])).collect();
    assert_eq!(counts, [(&json!(4), &json!(3)), (&json!(1), &json!(0))], "{lines:?}");
    let may = of_kind(&lines, "may-have-read");
    assert_eq!(may.len(), 1);
    assert_eq!(
        (&may[0]["reads"], &may[0]["refused"], &may[0]["doubt"]),
        (&json!(1), &json!(1), &json!("filter"))
    );
    // A batch by filter reads secrets of its own account only.
    let other = json_of("arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/db-zZ9yY8", &[&file]);
    assert!(of_kind(&other, "may-have-read").is_empty());
}

#[test]
fn launches_services_persons_and_refusals_have_rows_of_their_own() {
    let folder = Folder::new("reads-callers");
    let service = with(read(1, HOME), "sourceIPAddress", json!("kafka.amazonaws.com"));
    let service =
        with(service, "userIdentity", json!({"type": "AWSService", "invokedBy": "kafka.amazonaws.com"}));
    let denied = json!({"errorCode": "AccessDenied", "requestParameters": null, "errorMessage":
        format!("User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: {HOME} because no")});
    let mut refused = by("curious", "s", read(2, HOME));
    for (field, value) in denied.as_object().unwrap() {
        refused[field] = value.clone();
    }
    let address = |id: usize, record: Value| with(record, "sourceIPAddress", json!(format!("10.0.0.{id}")));
    let records = [
        service,
        refused,
        by("AWSReservedSSO_Admin_0a1b", "zoe", read(3, HOME)),
        address(4, by("exec", TASK, read(4, HOME))),
        address(5, by("exec", &TASK.replace('0', "f"), read(5, HOME))),
        address(6, by("exec", "debugging", read(6, HOME))),
    ];
    let file = trail(&folder, &records);
    let callers = |facts: &[&str]| -> Vec<(String, u64)> {
        let lines = json_of(HOME, &[&[&*file], facts].concat());
        let rows = of_kind(&lines, "reader").into_iter();
        rows.map(|row| (row["caller"].as_str().unwrap().to_owned(), row["reads"].as_u64().unwrap())).collect()
    };
    let notified = |rows: &[(&str, u64)]| {
        rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
    };
    let unknown =
        notified(&[("human", 1), ("workload", 0), ("workload", 1), ("task", 1), ("task", 1), ("service", 1)]);
    assert_eq!(callers(&[]), unknown);
    let facts = json!({"services": [{
        "arn": "arn:aws:ecs:us-west-2:111122223333:service/c/app", "status": "ACTIVE", "controller": "ECS",
        "cluster": "arn:aws:ecs:us-west-2:111122223333:cluster/c", "roles": ["arn:aws:iam::111122223333:role/exec"],
        "references": [{"kind": "container-secret", "value": HOME}],
    }]});
    let facts = folder.write("services.facts", facts.to_string());
    let known = notified(&[("human", 1), ("workload", 0), ("workload", 1), ("launch", 2), ("service", 1)]);
    assert_eq!(callers(&["--facts", &facts]), known);
}

#[test]
fn order_copies_and_form_change_no_row_and_copies_are_counted() {
    let folder = Folder::new("reads-forms");
    let spelled = |i: usize| match i % 4 {
        0 => read(i, NAME),
        1 => by(if i.is_multiple_of(3) { "a" } else { "b" }, "s", read(i, HOME)),
        2 => read(i, &format!("{NAME}{}", i % 3)),
        _ => batch(i, json!({"secretIdList": [HOME]})),
    };
    let records: Vec<Value> = (0..60).map(spelled).collect();
    let plain = folder.write("plain.json", json!({ "Records": records }).to_string());
    let expected = json_of(NAME, &[&plain]);
    let rows = |lines: &[Value]| of_kind(lines, "reader").into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(counted(&expected).0, 45);
    for step in [7, 11, 59] {
        let shuffled: Vec<String> = (0..60).map(|i| records[i * step % 60].to_string()).collect();
        let copies = [&shuffled[..], &shuffled[..9]].concat();
        let ndjson = folder.write("copies.jsonl", copies.join("\n"));
        let looked_up: Vec<Value> =
            shuffled.iter().map(|record| json!({"CloudTrailEvent": record})).collect();
        let looked_up = folder.write("lookup.json", json!({"Events": looked_up}).to_string());
        let found = json_of(NAME, &[&ndjson, &looked_up, &plain]);
        assert_eq!(rows(&found), rows(&expected), "{step}");
        let copies = of_kind(&found, "summary")[0]["copies"].as_u64().unwrap();
        assert!(copies > 2 * 45 - 1, "{copies}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(["reads", "--secret", NAME, "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&plain).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let from_input = String::from_utf8(output.stdout).unwrap();
    let from_file = String::from_utf8(reads(&["--secret", NAME, "--format", "json", &plain]).stdout).unwrap();
    assert_eq!(from_input.split_once('\n').unwrap().1, from_file.split_once('\n').unwrap().1);
}

#[test]
fn a_period_includes_its_start_and_excludes_its_end() {
    let folder = Folder::new("reads-period");
    let at = |id: usize, time: &str| with(read(id, NAME), "eventTime", json!(time));
    let records =
        [at(1, "2026-02-28T23:59:59Z"), at(2, "2026-03-01T00:00:00Z"), at(3, "2026-03-02T00:00:00Z")];
    let file = trail(&folder, &records);
    let count = |args: &[&str]| counted(&json_of(NAME, &[args, &[&*file]].concat())).0;
    assert_eq!(count(&["--since", "2026-03-01"]), 2);
    assert_eq!(count(&["--since", "2026-03-01", "--until", "2026-03-02T00:00:00Z"]), 1);
    let lines = json_of(NAME, &["--since", "2027-01-01", &file]);
    let summary = of_kind(&lines, "summary")[0];
    assert_eq!((&summary["reads"], &summary["from"]), (&json!(0), &json!("2026-02-28T23:59:59Z")));
    for bad in [["--since", "soon"], ["--until", "2026-13-01"]] {
        assert_eq!(reads(&[&["--secret", NAME], &bad[..], &[&file]].concat()).status.code(), Some(2));
    }
    assert_eq!(reads(&["--secret", "arn:aws:iam::111122223333:role/x", &file]).status.code(), Some(2));
    assert_eq!(reads(&[&*file]).status.code(), Some(2));
}

#[test]
fn hostile_strings_are_harmless_and_an_undated_read_is_a_problem() {
    let folder = Folder::new("reads-hostile");
    let mut evil = read(1, NAME);
    evil["sourceIPAddress"] = json!("\u{1b}[2J\u{202e}<b>");
    evil["userIdentity"]["accessKeyId"] = json!("AKIA\r\nforged  row");
    evil["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!("https://evil.example/\u{9b}31m");
    let undated = with(read(2, NAME), "eventTime", json!("never"));
    let elsewhere = with(read(3, "other"), "eventTime", json!("never"));
    let file = trail(&folder, &[evil, undated, elsewhere]);
    let output = reads(&["--secret", NAME, &file]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text}");
    assert!(
        !text.contains("://") && text.contains("\\u{1b}[2J") && text.contains("AKIA\\u{d}\\u{a}forged"),
        "{text}"
    );
    let notified = String::from_utf8(output.stderr).unwrap();
    assert_eq!(notified.matches("a read without a time").count(), 1, "{notified}");
    let output = reads(&["--secret", NAME, "--format", "json", &file]);
    assert!(output.stdout.iter().all(|byte| *byte == b'\n' || (b' '..=b'~').contains(byte)));
}

/// The expected table is committed. `UPDATE_READS=1 cargo test -p responder-replay` writes it.
#[test]
fn the_table_of_the_fixture_is_as_committed() {
    let stories = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/timelines");
    let launches = format!("{stories}/one-service-is-proved-one-rollout-fails-and-one-deployment-is-refused");
    let batches = format!("{stories}/five-batch-reads-by-a-tag-and-no-read-of-a-secret/events.jsonl");
    let (facts, events) = (format!("{launches}/facts.json"), format!("{launches}/events.jsonl"));
    let output = reads(&["--secret", "prod/billing/db", "--facts", &facts, &events, &batches]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reads.txt");
    let found = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("UPDATE_READS").is_some() {
        fs::write(&file, &found).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), found, "UPDATE_READS=1 writes it");
}
