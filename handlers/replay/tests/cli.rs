//! The command line as people use it: its output, its exit status, and the broken inputs that it survives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod record;
mod schema_check;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use command::replay;
use flate2::Compression;
use flate2::write::GzEncoder;
use folder::Folder;
use record::read;
use serde_json::{Value, json};

fn run(format: &str, paths: &[&str]) -> Output {
    replay(&[&["run", "--format", format], paths].concat())
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind(output: &Output, kind: &str) -> Vec<Value> {
    lines(output).into_iter().filter(|line| line["kind"] == kind).collect()
}

fn theft() -> Vec<Value> {
    (0..20).map(|i| read(i / 5, i)).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_theft_is_one_incident_whatever_the_form_order_and_copies_of_its_records() {
    let folder = Folder::new("forms");
    let records = theft();
    let file = json!({"Records": records}).to_string();
    let plain = folder.write("plain.json", &file);
    let zipped = folder.write("zipped.json.gz", gzip(file.as_bytes()));
    let shuffled: Vec<&Value> = (0..20).map(|i| &records[i * 7 % 20]).collect();
    let copies: Vec<String> = shuffled.iter().chain(&shuffled[..9]).map(ToString::to_string).collect();
    let ndjson = copies.join("\n");
    let ndjson = folder.write("copies.jsonl", ndjson);
    let looked_up: Vec<Value> = records
        .iter()
        .rev()
        .map(|record| json!({"EventId": record["eventID"], "CloudTrailEvent": record.to_string()}))
        .collect();
    let looked_up = folder.write("lookup.json", json!({"Events": looked_up, "NextToken": "t"}).to_string());
    let expected = of_kind(&run("json", &[&plain]), "incident");
    assert_eq!(expected.len(), 1);
    let incident = &expected[0];
    assert_eq!((&incident["rule"], &incident["severity"]), (&json!("bulk-read"), &json!("high")));
    assert_eq!(
        (&incident["reads"], &incident["distinct_secrets"], &incident["errors"]),
        (&json!(20), &json!(20), &json!(0))
    );
    assert_eq!(incident["event_ids"].as_array().map(Vec::len), Some(20));
    for paths in [&[&*zipped][..], &[&ndjson], &[&looked_up], &[&zipped, &ndjson, &looked_up, &plain]] {
        let output = run("json", paths);
        assert_eq!(
            (of_kind(&output, "incident"), output.status.code()),
            (expected.clone(), Some(0)),
            "{paths:?}"
        );
    }
    let all = run("json", &[&folder.0]);
    let again = run("json", &[&looked_up, &plain, &ndjson, &zipped]);
    assert_eq!(lines(&all)[1..], lines(&again)[1..], "the order of files changes nothing but the header");
}

#[test]
fn a_batch_theft_has_an_unknown_number_of_secrets() {
    let folder = Folder::new("batch");
    let batch = |i: usize| {
        let mut record = read(i, i);
        record["eventName"] = json!("BatchGetSecretValue");
        record["requestParameters"] = json!({"filters": [{"key": "tag-key", "values": ["team"]}]});
        record
    };
    let file = folder.write("b.json", json!({"Records": (0..5).map(batch).collect::<Vec<_>>()}).to_string());
    let incidents = of_kind(&run("json", &[&file]), "incident");
    assert_eq!(incidents.len(), 1);
    assert_eq!((&incidents[0]["reads"], &incidents[0]["distinct_secrets"]), (&json!(5), &Value::Null));
    let text = String::from_utf8(run("text", &[&file]).stdout).unwrap();
    assert!(text.contains("5 events; an unknown number of secrets"), "{text}");
}

#[test]
fn garbage_is_reported_and_costs_nothing_beside_it() {
    let folder = Folder::new("garbage");
    let good = json!({"Records": theft()}).to_string();
    folder.write("good.json", &good);
    folder.write("empty.json", "");
    folder.write("random.bin", [0xff, 0xfe, 0, 7, b'{', b'"', 0xc3]);
    folder.write("truncated.json.gz", &gzip(good.as_bytes())[..300]);
    folder.write(
        "deep.json",
        format!("{{\"detail-type\":\"x\",\"detail\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)),
    );
    folder.write("open.json", "{\"a\":".repeat(10_000));
    let mut mixed = format!("{}\n", read(30, 77)).into_bytes();
    mixed.extend_from_slice(b"{\"detail-type\":\"\xff\"}\n{\"eventName\":\n");
    mixed.extend_from_slice(read(31, 78).to_string().as_bytes());
    folder.write("mixed.jsonl", mixed);
    let output = run("json", &[&folder.0]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(of_kind(&output, "incident").len(), 1);
    let summary = &of_kind(&output, "summary")[0];
    assert!(summary["events"].as_u64() >= Some(22), "{summary}");
    let problems = of_kind(&output, "problem");
    assert_eq!(summary["quarantined"], json!(problems.len()));
    for name in ["empty.json", "random.bin", "truncated.json.gz", "deep.json", "open.json", "mixed.jsonl"] {
        assert!(
            problems.iter().any(|problem| problem["file"].as_str().unwrap().ends_with(name)),
            "{name}: {problems:?}"
        );
    }
    assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
}

#[test]
#[cfg(unix)]
fn a_folder_skips_digests_and_fixture_companions_and_reads_a_file_once() {
    let folder = Folder::new("walk");
    let named_twice = folder.write("trail/b.json", read(1, 1).to_string());
    folder.write("trail/CloudTrail-Digest/d.json", "{}");
    folder.write("case/about.json", "{}");
    folder.write("case/facts.json", "{}");
    folder.write("case/event.json", read(2, 2).to_string());
    folder.write("plain/facts.json", "{}");
    std::os::unix::fs::symlink(format!("{}/trail", folder.0), format!("{}/link", folder.0)).unwrap();
    let output = run("json", &[&folder.0, &named_twice]);
    assert_eq!(of_kind(&output, "summary")[0]["events"], json!(2));
    let problems = of_kind(&output, "problem");
    let files: Vec<&str> = problems.iter().map(|problem| problem["file"].as_str().unwrap()).collect();
    assert_eq!(files, [format!("{}/link", folder.0), format!("{}/plain/facts.json", folder.0)]);
}

#[test]
fn a_ten_megabyte_event_is_an_event() {
    let folder = Folder::new("big");
    let mut record = read(1, 1);
    record["userAgent"] = json!("x".repeat(10_000_000));
    let file = folder.write("big.json", record.to_string());
    let output = run("json", &[&file]);
    assert_eq!((output.status.code(), &of_kind(&output, "summary")[0]["matched"]), (Some(0), &json!(1)));
}

#[test]
fn standard_input_is_read_like_a_file() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(["run", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!({"Records": theft()}).to_string().as_bytes()).unwrap();
    assert_eq!(of_kind(&child.wait_with_output().unwrap(), "incident").len(), 1);
}

#[test]
fn rules_of_a_folder_replace_those_of_the_release_and_every_problem_is_named() {
    let folder = Folder::new("rules");
    folder.write(
        "access/any-read.json",
        r#"{"source":["aws.secretsmanager"],"detail":{"eventName":["GetSecretValue"]}}"#,
    );
    let row = r#"{"on":["any-read"],"severity":"low","title":"Reads","runbook":"r","when":{"distinct":"event","at_least":4,"within":"10s","per":"account"}}"#;
    folder.write("responses.json", format!(r#"{{"four-reads": {row}}}"#));
    let events = Folder::new("rules-events");
    let file = events.write("e.json", json!({"Records": theft()}).to_string());
    let (file, rules) = (&file, &folder.0);
    let output = replay(&["run", "--format", "json", "--rules", rules, file]);
    let incidents = of_kind(&output, "incident");
    assert_eq!(
        (incidents.len(), &incidents[0]["rule"], &incidents[0]["reads"]),
        (1, &json!("four-reads"), &json!(20))
    );
    folder.write("access/bad.json", r#"{"source":["aws.secretsmanager"],"detail":{"x":[{"regex":"."}]}}"#);
    folder.write("access/worse.json", "{\n  \"source\": [\"a\"],\n  \"source\": [\"b\"]\n}");
    folder.write(
        "responses.json",
        format!(
            r#"{{"four-reads": {row}, "b": {{"on":["nobody"],"severity":"loud","title":"x","runbook":"r"}}}}"#
        ),
    );
    let output = replay(&["run", "--rules", rules, file]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    for part in [
        "access/bad.json: line 1",
        "Unrecognized match type regex",
        "access/worse.json: line 3",
        "responses.json: `b`",
        "loud",
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn an_expired_exception_is_an_error_that_names_its_owner() {
    let folder = Folder::new("an-expired-exception");
    folder.write("access/read.json", r#"{"source": ["aws.secretsmanager"]}"#);
    let exception = json!({"id": "backups", "where": {"detail": {"userAgent": ["backup"]}}, "effect": "drop", "why": "Nightly backups.",
        "owner": "storage team", "until": "2027-01-31"});
    let row = json!({"read": {"on": ["read"], "severity": "low", "title": "T", "runbook": "R", "exceptions": [exception]}});
    folder.write("responses.json", row.to_string());
    let list = |more: &[&str]| {
        let rules = folder.0.clone();
        let output = replay(&[&["rules", "--rules", &rules], more].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (status, table, notified) = list(&["--on", "2027-01-31"]);
    assert_eq!((status, notified.as_str()), (Some(0), ""), "its last day");
    assert!(
        table.contains("except backups (drop): Nightly backups. storage team, until 2027-01-31."),
        "{table}"
    );
    let (status, table, notified) = list(&["--on", "2027-02-01"]);
    assert_eq!(
        (status, notified.trim()),
        (Some(1), "replay: exception backups of read expired on 2027-01-31; its owner is storage team")
    );
    assert!(table.contains("EXPIRED 2027-01-31"), "{table}");
    let (status, lines, _) = list(&["--on", "2027-02-01", "--json"]);
    let row: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(
        (status, &row["kind"], &row["exceptions"][0]["expired"]),
        (Some(1), &json!("response"), &json!(true))
    );
    assert_eq!(list(&[]).0, Some(0));
    assert_eq!(list(&["--on", "tomorrow"]).0, Some(2));
}

#[test]
fn a_learned_baseline_prevents_first_reads_and_makes_ledger_items() {
    let folder = Folder::new("baseline");
    let trail = |reads: &[(usize, usize)]| {
        let records: Vec<Value> = reads.iter().map(|(second, secret)| read(*second, *secret)).collect();
        json!({ "Records": records }).to_string()
    };
    // Thirty secrets, one of them twice.
    let past: Vec<(usize, usize)> = (0..30).map(|i| (i, i)).chain([(40, 7)]).collect();
    let past = folder.write("past.json", trail(&past));
    let path = &past;
    let facts = replay(&["baseline", "--format", "facts", path]);
    let facts = folder.write("facts.json", facts.stdout);
    let now = folder.write("now.json", trail(&[(50, 7), (51, 30)]));
    let args = ["run", "--format", "json", "--facts", &facts, &now];
    let notified = of_kind(&replay(&args), "decision");
    let steps = notified.iter().flat_map(|plan| plan["steps"].as_array().unwrap());
    let firsts: Vec<&Value> = steps.filter(|step| step["do"] == "digest").collect();
    assert_eq!(firsts.len(), 1, "{firsts:?}");

    let items = replay(&["baseline", "--table", "ledger", path]);
    let requests = lines(&items);
    let sizes: Vec<usize> = requests.iter().map(|line| line["ledger"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [25, 5]);
    for item in requests.iter().flat_map(|line| line["ledger"].as_array().unwrap()) {
        let item = &item["PutRequest"]["Item"];
        assert!(item["pk"]["S"].as_str().unwrap().starts_with("seen#"), "{item}");
        assert!(item["at"]["N"].is_string() && item["ttl"]["N"].is_string(), "{item}");
    }
    // Without a table there is nowhere to put them.
    assert_eq!(replay(&["baseline", path]).status.code(), Some(2));
}

/// The help texts are committed, so that a change of the command line is seen in review.
/// `UPDATE_HELP=1 cargo test -p responder-replay` writes them.
#[test]
fn help_texts_are_as_committed() {
    for command in [
        "",
        "run",
        "proof",
        "reads",
        "explain",
        "match",
        "page",
        "facts",
        "rules",
        "verify",
        "baseline",
        "completions",
    ] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let found = String::from_utf8(replay(&args).stdout).unwrap();
        let name = if command.is_empty() { "replay" } else { command };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{name}.txt"));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), found, "{name}: UPDATE_HELP=1 writes it");
    }
}

#[test]
fn completion_scripts_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(replay(&["completions", shell]).stdout).unwrap();
        assert!(script.contains("explain") && script.contains("verify"), "{shell}");
    }
}

#[test]
fn rules_that_can_never_match_are_warned_about_and_those_of_the_release_are_not() {
    let folder = Folder::new("rules-that-never-match");
    folder.write(
        "access/rotated.json",
        r#"{"source":["aws.secretsmanager"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["RotationSucceeded"]}}"#,
    );
    let exception = json!({"id": "backups", "where": {"detail": {"useridentity": {"arn": ["x"]}}}, "effect": "drop", "why": "W."});
    let row = json!({"rotated": {"on": ["rotated"], "severity": "low", "title": "T", "runbook": "R", "exceptions": [exception]}});
    folder.write("responses.json", row.to_string());
    let output = replay(&["rules", "--rules", &folder.0]);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), warnings.lines().count()), (Some(0), 2), "{warnings}");
    for part in ["access/rotated.json: detail.eventName", "`userIdentity` is meant"] {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");
    assert!(replay(&["rules", "--rules", shipped]).stderr.is_empty());
}
