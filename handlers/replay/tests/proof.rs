//! `replay proof` as people use it: from ledger items, from events alone, and from neither.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use folder::Folder;
use serde_json::{Value, json};

const CASE: &str = "one-service-is-proved-one-rollout-fails-and-one-deployment-is-refused";

fn proof(args: &[&str]) -> Output {
    command::replay(&[&["proof"], args].concat())
}

fn lines(args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = proof(&[&["--format", "json"], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.status.code())
}

/// The lines and the exit status without what was looked at, which differs from form to form.
fn answer(args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let (mut found, status) = lines(args);
    found.retain(|line| line["kind"] != "coverage" && line["kind"] != "header");
    (found, status)
}

/// A report without its first line, which names the command.
fn without_header(report: &str) -> &str {
    report.split_once('\n').unwrap().1
}

fn of_kind(lines: &[Value], kind: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["kind"] == kind).cloned().collect()
}

fn fixture(kind: &str, file: &str) -> String {
    format!("{}/../../fixtures/{kind}/{CASE}/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The expected output is committed. `UPDATE_PROOFS=1 cargo test -p responder-replay` writes it.
#[test]
fn proofs_of_the_fixture_are_as_committed() {
    let (events, facts) = (fixture("timelines", "events.jsonl"), fixture("timelines", "facts.json"));
    for (name, args) in [
        ("from-items.txt", &[&*fixture("proofs", "query.json")][..]),
        ("from-items.jsonl", &["--format", "json", &fixture("proofs", "query.json")]),
        ("from-events.txt", &["--facts", &facts, &events]),
        ("from-events.jsonl", &["--format", "json", "--facts", &facts, &events]),
    ] {
        let output = proof(args);
        let file = fixture("proofs", name);
        let mut found = String::from_utf8(output.stdout).unwrap();
        if args.contains(&"json") {
            found = without_header(&found).to_owned();
        }
        if std::env::var_os("UPDATE_PROOFS").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), found, "{name}: UPDATE_PROOFS=1 writes it");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn every_form_and_copy_of_the_items_gives_the_same_proof() {
    let folder = Folder::new("proof-forms");
    let (query, export) = (fixture("proofs", "query.json"), fixture("proofs", "export.jsonl"));
    let expected = answer(&[&query]);
    assert_eq!(of_kind(&expected.0, "proof").len(), 3);
    // As an export to S3 lies in a bucket.
    folder.write("AWSDynamoDB/1/_started", "");
    folder.write("AWSDynamoDB/1/manifest-summary.json", r#"{"version":"2020-06-30"}"#);
    folder.write("AWSDynamoDB/1/manifest-files.json", "{\"itemCount\":4}\n");
    folder.write("AWSDynamoDB/1/manifest-files.md5", "x");
    folder.write("AWSDynamoDB/1/data/a.json.gz", gzip(&fs::read(&export).unwrap()));
    let exported = &folder.0;
    for paths in [&[&*export][..], &[exported], &[&query, &export, exported]] {
        assert_eq!(answer(paths), expected, "{paths:?}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(["proof", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&query).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |output: Output| String::from_utf8(output.stdout).unwrap();
    let from_file = text(proof(&["--format", "json", &query]));
    assert_eq!(without_header(&text(output)), without_header(&from_file));
}

#[test]
fn task_definitions_among_the_events_name_the_same_consumers_as_the_facts() {
    let (events, facts) = (fixture("timelines", "events.jsonl"), fixture("timelines", "facts.json"));
    let (with, without) = (lines(&["--facts", &facts, &events]), lines(&[&events]));
    assert_eq!(of_kind(&with.0, "proof"), of_kind(&without.0, "proof"));
    let partial = |lines: &[Value]| of_kind(lines, "summary")[0]["partial"].clone();
    assert_eq!((partial(&with.0), partial(&without.0)), (json!(false), json!(true)));
}

#[test]
fn cloudtrail_alone_shows_a_read_and_is_no_whole_proof() {
    let folder = Folder::new("proof-trail");
    let text = fs::read_to_string(fixture("timelines", "events.jsonl")).unwrap();
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["detail"].clone())
        .filter(|detail| detail["eventVersion"].is_string())
        .collect();
    let file = folder.write("trail.json.gz", gzip(json!({"Records": records}).to_string().as_bytes()));
    let (found, status) = lines(&[&file]);
    let (web, summary) = (&of_kind(&found, "proof")[1], &of_kind(&found, "summary")[0]);
    // Without the native event the report of the rotation dates the change, two seconds later.
    let known = (&web["state"], &web["changed_at"], &web["to_consume"], &web["completed_at"]);
    assert_eq!(known, (&json!("read"), &json!("2026-06-01T03:00:21Z"), &json!("50s"), &Value::Null));
    assert_eq!((&web["link"], &summary["complete"], status), (&json!("completed"), &json!(0), Some(1)));
    assert!(summary["read"].as_u64() > Some(0), "{summary}");
    let text = String::from_utf8(proof(&[&file]).stdout).unwrap();
    let row = text.lines().find(|line| line.contains("shop/web")).unwrap();
    assert!(row.contains(" ? ") && row.ends_with("READ"), "{text}");
    assert!(text.contains("does not show how a rollout ends") && text.contains("0 of 3 consumers"), "{text}");
}

#[test]
fn a_change_without_consumers_names_the_first_task_that_read_it() {
    let folder = Folder::new("proof-lone");
    let text = fs::read_to_string(fixture("timelines", "events.jsonl")).unwrap();
    let secrets = text.lines().filter(|line| line.contains("\"aws.secretsmanager\"")).collect::<Vec<_>>();
    let file = folder.write("events.jsonl", secrets.join("\n"));
    let (found, status) = lines(&[&file]);
    let lone = &of_kind(&found, "no-consumers")[0];
    assert_eq!(
        (&lone["certain"], &lone["first_read"]["at"]),
        (&json!(false), &json!("2026-06-01T03:00:25Z"))
    );
    assert_eq!((status, of_kind(&found, "proof").len()), (Some(1), 0));
    let text = String::from_utf8(proof(&[&file]).stdout).unwrap();
    assert!(text.contains("its services are unknown") && text.contains("worker-execution"), "{text}");
}

#[test]
fn a_whole_chain_exits_with_zero_and_a_deferred_one_is_open() {
    let folder = Folder::new("proof-whole");
    let query: Value = serde_json::from_slice(&fs::read(fixture("proofs", "query.json")).unwrap()).unwrap();
    let mut web = query["Items"][0].clone();
    let whole = folder.write("whole.json", json!({"Items": [web]}).to_string());
    assert_eq!(lines(&[&whole]).1, Some(0));
    web["decision"] = json!({"S": "deferred"});
    web["why"] = json!({"S": "its window opens at 04:00"});
    web.as_object_mut().unwrap().retain(|name, _| {
        !name.ends_with("_at") || name.starts_with("changed") || name.starts_with("decided")
    });
    let deferred = folder.write("deferred.json", json!({"Items": [web]}).to_string());
    let (found, status) = lines(&[&deferred]);
    assert_eq!(
        (&found[1]["state"], &found[1]["reason"]),
        (&json!("open"), &json!("it is deferred: its window opens at 04:00"))
    );
    assert_eq!(status, Some(1));
}

#[test]
fn hostile_names_neither_move_the_cursor_nor_add_lines() {
    const EVIL: &str = "prod/\u{1b}[2J\r\nshop/web  proved\u{202e}\u{9b}31m<b>$(x)\u{7f}";
    let folder = Folder::new("proof-hostile");
    let secret = json!({"account": "111122223333", "region": "us-west-2", "text": EVIL, "from_arn": false});
    let item = json!({
        "pk": {"S": format!("proof#111122223333/us-west-2/{EVIL}")}, "sk": {"S": "x"}, "secret": {"S": secret.to_string()},
        "service": {"S": format!("arn:aws:ecs:us-west-2:111122223333:service/{EVIL}")}, "why": {"S": EVIL},
        "version": {"S": EVIL}, "deployment": {"S": EVIL}, "decision": {"S": "notified"},
        "changed_at": {"N": "1780282819000"}, "decided_at": {"N": "9223372036854775807"}, "deployed_at": {"N": "-9223372036854775808"},
    });
    let change = json!({"source": "aws.secretsmanager", "detail-type": "Secret Label Updated", "account": "111122223333",
        "region": "us-west-2", "time": "2026-06-01T03:00:19Z", "detail": {"labelUpdated": "AWSCURRENT", "versionId": EVIL,
        "requestParameters": {"secretId": EVIL}}});
    let read = json!({"source": "aws.secretsmanager", "account": "111122223333", "region": "us-west-2", "detail": {
        "eventName": "GetSecretValue", "eventTime": "2026-06-01T03:01:19Z", "requestParameters": {"secretId": EVIL},
        "userIdentity": {"arn": format!("arn:aws:sts::111122223333:assumed-role/{}/{}", EVIL.replace('/', ""), "a".repeat(32))}}});
    let items = folder.write("items.json", json!({"Item": item}).to_string());
    let events = folder.write("events.jsonl", format!("{change}\n{read}"));
    for (file, rows) in [(&items, 12), (&events, 13)] {
        for format in ["text", "json"] {
            let output = proof(&["--format", format, file]);
            let text = String::from_utf8(output.stdout).unwrap();
            let harmless = |c: char| c == '\n' || (' '..='~').contains(&c) || c.is_alphanumeric();
            assert!(text.chars().all(harmless), "{text:?}");
            let rows = if format == "text" { rows } else { 4 };
            assert_eq!(text.lines().count(), rows, "{text}");
            assert_eq!(output.status.code(), Some(1));
        }
    }
    assert_eq!(lines(&[&items]).0[1]["reason"], json!(format!("a person was notified: {EVIL}")));
}

#[test]
fn garbage_is_reported_and_the_items_beside_it_are_proved() {
    let folder = Folder::new("proof-garbage");
    let export = fs::read_to_string(fixture("proofs", "export.jsonl")).unwrap();
    let cut = &export.lines().next().unwrap()[..200];
    let torn =
        folder.write("torn.jsonl", format!("{export}{cut}\n{{\"Item\":{{\"pk\":{{\"S\":\"proof#x\"}}}}}}\n"));
    let (found, status) = lines(&[&torn]);
    assert_eq!((of_kind(&found, "proof").len(), of_kind(&found, "problem").len(), status), (3, 2, Some(3)));
    folder.write("empty.json", "");
    folder.write("random.bin", [0xff, 0xfe, 0, 7, b'{', b'"', 0xc3]);
    folder.write("deep.json", "{\"Items\":[".repeat(10_000));
    folder.write("short.json.gz", &gzip(export.as_bytes())[..60]);
    let missing = proof(&["--format", "json", &folder.0, "missing.json"]);
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(2), 0), "no report");
    let output = proof(&["--format", "json", &folder.0]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3));
    for name in ["torn.jsonl", "empty.json", "random.bin", "deep.json", "short.json.gz"] {
        let notified = |line: &str| line.contains("\"problem\"") && line.contains(name);
        assert!(text.lines().any(notified), "{name}: {text}");
    }
    assert_eq!(text.matches("\"kind\":\"proof\"").count(), 3);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
}

#[test]
fn mixed_items_and_events_are_refused_and_so_are_unusable_facts() {
    let folder = Folder::new("proof-mixed");
    let (items, events) = (fixture("proofs", "query.json"), fixture("timelines", "events.jsonl"));
    let mixed = proof(&[&items, &events]);
    assert_eq!((mixed.status.code(), mixed.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8(mixed.stderr).unwrap().contains("prove from one or the other"));
    let facts = folder.write("facts.json", "[]");
    assert_eq!(proof(&["--facts", &facts, &events]).status.code(), Some(2));
    // A misspelled field is named, however deep it stands.
    let service = json!({"arn": "a", "cluster": "c", "status": "ACTIVE", "controller": "ECS",
        "references": [{"kind": "log-secret", "value": "v", "valu": "w"}]});
    let facts = folder.write("facts.json", json!({"services": [service]}).to_string());
    let output = proof(&["--facts", &facts, &events]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("unknown field `services.0.references.0.valu`"), "{message}");
}

#[test]
fn a_report_without_a_change_says_so() {
    let folder = Folder::new("proof-quiet");
    let other = json!({"eventName": "ListBuckets", "eventSource": "s3.amazonaws.com", "eventTime": "2026-03-01T12:00:00Z"});
    for content in [json!({"Records": [other]}), json!({"Items": [], "Count": 0})] {
        let file = folder.write("quiet.json", content.to_string());
        let output = proof(&[&file]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("No change of a secret in this input.\nLooked at 1 "), "{text}");
        assert_eq!(output.status.code(), Some(0), "{content}");
    }
}
