//! The committed schemas: the header of reports, and facts files. Every other test of a report checks its lines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use std::fs;
use std::path::Path;

use command::replay;
use folder::Folder;
use responder_core::facts::Facts;
use schema_check::StrictSchema;
use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const REPORT_LINE_SCHEMA: &str = include_str!("../schema/report-line.json");
const FACTS_SCHEMA: &str = include_str!("../schema/facts.json");

fn lines(args: &[&str]) -> Vec<Value> {
    let text = String::from_utf8(replay(args).stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The fixtures with their facts: folders of events.
fn fixture_folders(folder: &Path, found: &mut Vec<String>) {
    if folder.join("about.json").is_file() {
        found.push(folder.to_str().unwrap().to_owned());
        return;
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fixture_folders(&path, found);
        }
    }
}

#[test]
fn every_report_about_every_fixture_is_as_the_schema_says() {
    let mut folders = Vec::new();
    fixture_folders(&Path::new(ROOT).join("fixtures"), &mut folders);
    assert!(folders.len() > 200, "{}", folders.len());
    let facts_schema = StrictSchema::compile(FACTS_SCHEMA);
    // Those without facts are read together.
    let mut together = vec!["--format", "json"];
    for folder in &folders {
        let facts = format!("{folder}/facts.json");
        if !Path::new(&facts).is_file() {
            together.push(folder);
            continue;
        }
        let content: Value = serde_json::from_str(&fs::read_to_string(&facts).unwrap()).unwrap();
        assert_eq!(facts_schema.find_violation(&content), None, "{facts}");
        assert!(lines(&["run", "--format", "json", "--facts", &facts, folder]).len() > 1, "{folder}");
    }
    for command in ["run", "proof"] {
        assert!(lines(&[&[command], &together[..]].concat()).len() > 1, "{command}");
    }
    let fixtures = format!("{ROOT}/fixtures");
    assert!(lines(&["reads", "--each", "--secret", "*", "--format", "json", &fixtures]).len() > 100);
}

#[test]
fn a_line_that_lacks_a_member_or_has_another_is_a_violation() {
    let report_line = StrictSchema::compile(REPORT_LINE_SCHEMA);
    let theft = format!("{ROOT}/fixtures/timelines/a-list-and-then-twenty-reads-in-four-seconds");
    let found = lines(&["run", "--format", "json", &theft]);
    for line in &found {
        let members = line.as_object().unwrap();
        let mut more = members.clone();
        more.insert("another".to_owned(), json!(1));
        assert!(report_line.find_violation(&Value::Object(more)).is_some(), "{line}");
        let mut unnamed = members.clone();
        unnamed.insert("kind".to_owned(), json!("other"));
        assert!(report_line.find_violation(&Value::Object(unnamed)).is_some(), "{line}");
        let mut fewer = members.clone();
        fewer.remove("kind");
        assert!(report_line.find_violation(&Value::Object(fewer)).is_some(), "{line}");
    }
    let mut incident = found.iter().find(|line| line["kind"] == "incident").unwrap().clone();
    incident["severity"] = json!("loud");
    assert!(report_line.find_violation(&incident).is_some());
    let facts = StrictSchema::compile(FACTS_SCHEMA);
    assert!(facts.find_violation(&json!({"service": []})).is_some());
    assert!(facts.find_violation(&json!({"settings": {"decoys": "x"}})).is_some());
}

/// Facts as the functions write them: every setting has a value.
#[test]
fn written_facts_are_as_their_schema_says() {
    let written = serde_json::to_value(Facts::default()).unwrap();
    let facts = StrictSchema::compile(FACTS_SCHEMA);
    assert_eq!(facts.find_violation(&written), None);
    let described: Value = serde_json::from_str(FACTS_SCHEMA).unwrap();
    for name in written["settings"].as_object().unwrap().keys() {
        assert!(described.pointer(&format!("/$defs/settings/properties/{name}")).is_some(), "{name}");
    }
    let events = format!("{ROOT}/fixtures/timelines");
    let baseline = replay(&["baseline", "--format", "facts", &events]).stdout;
    let learned: Value = serde_json::from_slice(&baseline).unwrap();
    assert!(learned["seen"].as_object().unwrap().len() > 10);
    assert_eq!(facts.find_violation(&learned), None);
}

#[test]
fn guessed_facts_are_as_their_schema_says_and_name_what_was_seen() {
    let folder = Folder::new("guessed-facts");
    let read = |id: usize, region: &str, role: &str, session: &str, secret: &str| {
        json!({"eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
            "awsRegion": region, "eventTime": "2026-03-01T12:00:00Z", "eventID": format!("e-{id}"),
            "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "requestParameters": {"secretId": secret},
            "userIdentity": {"type": "AssumedRole", "accountId": "111122223333",
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
                "sessionContext": {"sessionIssuer": {"type": "Role",
                    "arn": format!("arn:aws:iam::111122223333:role/{role}")}}}})
    };
    let records = [
        read(1, "eu-central-1", "app", "i-0123456789abcdef0", "billing/prod/db"),
        read(2, "eu-central-1", "github-actions", "run", "billing/prod/db"),
        read(3, "us-east-1", "ops", "zoe@example.com", "dev/x"),
        read(4, "eu-central-1", "ci-*-\u{202e}", "run", "dev/x"),
    ];
    let file = folder.write("trail.json", json!({"Records": records}).to_string());
    let output = replay(&["facts", &file]);
    assert_eq!(output.status.code(), Some(0));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(StrictSchema::compile(FACTS_SCHEMA).find_violation(&found), None);
    assert_eq!(
        found["settings"],
        json!({
            "home": "eu-central-1", "regions": ["us-east-1"], "humans": ["ops"],
            "automation": ["arn:aws:iam::111122223333:role/github-actions"],
            "production": {"accounts": ["111122223333"],
                "secrets": ["prod/*", "production/*", "prd/*", "*/prod/*"]},
        })
    );
    let explanation = String::from_utf8(output.stderr).unwrap();
    for part in
        ["role/app: 1 events, no guess", "account 111122223333: 4 events, 2 secrets, 1 named like production"]
    {
        assert!(explanation.contains(part), "{part}: {explanation}");
    }
    let facts = folder.write("facts.json", &output.stdout);
    assert_eq!(replay(&["run", "--facts", &facts, &file]).status.code(), Some(0));
    let fixtures = replay(&["facts", &format!("{ROOT}/fixtures")]);
    let facts = folder.write("facts.json", &fixtures.stdout);
    assert_eq!(
        replay(&["run", "--facts", &facts, &file]).status.code(),
        Some(0),
        "hostile names make no bad file"
    );
}

/// A facts file that the schema describes is one that `--facts` takes: no member of the schema is unknown to it.
#[test]
fn every_member_of_the_schema_of_facts_is_read() {
    let folder = Folder::new("every-member-of-facts");
    let described: Value = serde_json::from_str(FACTS_SCHEMA).unwrap();
    let event = format!("{ROOT}/fixtures/timelines/a-list-and-then-twenty-reads-in-four-seconds");
    for pointer in ["/properties", "/$defs/settings/properties"] {
        for name in described.pointer(pointer).unwrap().as_object().unwrap().keys() {
            // A value that fits no member: a known member is refused for its type, an unknown one for its name.
            let inner = json!({ name.as_str(): [[[]]] });
            let content = if pointer == "/properties" { inner } else { json!({ "settings": inner }) };
            let file = folder.write("facts.json", content.to_string());
            let output = replay(&["run", "--facts", &file, &event]);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}: {errors}");
            assert!(!errors.contains("unknown field"), "{name}: {errors}");
        }
    }
}

#[test]
fn the_header_names_release_rules_and_command_and_the_hash_follows_the_rules() {
    let folder = Folder::new("header-rules");
    let event = format!("{ROOT}/fixtures/timelines/a-list-and-then-twenty-reads-in-four-seconds");
    let header = |args: &[&str]| lines(&[&["run", "--format", "json", &event], args].concat())[0].clone();
    let shipped = header(&[]);
    assert_eq!(shipped["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(shipped["command"], json!(["replay", "run", "--format", "json", event]));
    let hash = |header: &Value| header["rules"].as_str().unwrap().to_owned();
    assert_eq!(hash(&shipped).len(), 32);
    assert_eq!(hash(&header(&["--rules", &format!("{ROOT}/rules")])), hash(&shipped), "the same rules");
    let write = |title: &str| {
        folder.write("access/read.json", r#"{"source": ["aws.secretsmanager"]}"#);
        let row = json!({"read": {"on": ["read"], "severity": "low", "title": title, "runbook": "R"}});
        folder.write("responses.json", row.to_string());
        hash(&header(&["--rules", &folder.0]))
    };
    assert_eq!(write("One"), write("One"));
    assert_ne!(write("One"), write("Two"));
    let reads = lines(&["reads", "--secret", "x", "--format", "json", &event]);
    assert!(reads[0].get("rules").is_none(), "`reads` applies no rules");
}
