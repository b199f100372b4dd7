//! One theft in every form in which people are handed records, in every packing: the decisions are those about the plain
//! file, or one line says why the file is not read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;
mod packings;
mod record_forms;

use std::path::PathBuf;

use folder::Folder;
use packings::PACKINGS;
use record_forms::{READ_FORMS, REFUSED_FORMS, forms_of, refused_forms};
use responder_audit::input::{NoProgress, read_events};
use responder_core::facts::Facts;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::rules::{RuleSet, builtin};
use serde_json::{Value, json};

/// What was decided about a file, and what of it could not be read.
#[derive(Debug, PartialEq)]
struct FileAnswer {
    incidents: Value,
    plans: Value,
    problems: Vec<String>,
}

fn decide(rules: &RuleSet, path: &str) -> FileAnswer {
    let mut matched_events = Vec::new();
    let reading = read_events(&[PathBuf::from(path)], &mut NoProgress, &mut |event| {
        matched_events.extend(rules.match_event(event.text).map_err(|error| error.to_string())?);
        Ok(())
    });
    let (matched_events, _) = order_and_deduplicate(matched_events);
    let mut store = MemoryStore::new(Facts::default());
    let plans: Vec<String> =
        matched_events.iter().map(|event| format!("{:?}", store.decide(event))).collect();
    FileAnswer {
        incidents: json!(store.incidents()),
        plans: json!(plans),
        problems: reading.problems.into_iter().map(|problem| problem.reason).collect(),
    }
}

/// The events of a file, and how many parts of it could not be read.
fn read_texts(path: &str) -> (Vec<String>, usize) {
    let mut texts = Vec::new();
    let reading = read_events(&[PathBuf::from(path)], &mut NoProgress, &mut |event| {
        texts.push(event.text.to_owned());
        Ok(())
    });
    (texts, reading.problems.len())
}

/// A record of a read, with everything in it that changes shape in exports: quotes, commas, an empty list, a session.
fn read(second: usize) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:mallory", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/ops/mallory", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "accountId": "111122223333", "userName": "ops"},
                "attributes": {"creationDate": "2026-03-09T09:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": format!("2026-03-09T10:00:{second:02}Z"), "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "awsRegion": "us-east-1", "sourceIPAddress": "198.51.100.7",
        "userAgent": "curl/8.5 \"odd\", a;b\ttab", "requestParameters": {"secretId": format!("prod/app{second}")},
        "responseElements": null, "requestID": format!("q-{second}"), "eventID": format!("e-{second}"), "readOnly": true,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333",
        "eventCategory": "Management", "tlsDetails": {"tlsVersion": "TLSv1.3"},
    })
}

fn theft() -> Vec<Value> {
    let mut records: Vec<Value> = (0..20).map(read).collect();
    // One read that was refused: an empty error code would be another decision.
    let denied = records.last_mut().unwrap();
    denied["errorCode"] = json!("AccessDeniedException");
    denied["errorMessage"] =
        json!("User: x is not authorized to perform: y on resource: prod/app19 because no");
    denied["requestParameters"] = json!(null);
    records
}

#[test]
fn a_theft_is_the_same_incident_in_every_form_and_packing() {
    let folder = Folder::new("forms-times-packings");
    let rules = builtin().unwrap();
    let records = theft();
    let plain = folder.write("plain.json", json!({ "Records": records }).to_string());
    let expected = decide(&rules, &plain);
    let incidents = expected.incidents.as_array().unwrap();
    assert_eq!(incidents.iter().filter(|incident| incident["rule"] == "bulk-read").count(), 1);
    assert_eq!(expected.problems, Vec::<String>::new());
    let forms = forms_of(&records);
    assert_eq!(forms.len(), READ_FORMS);
    for (form, content) in forms {
        let file = folder.write(form, &content);
        let plain_texts = read_texts(&file);
        for (packing, pack) in PACKINGS {
            let file = folder.write(&format!("{form}.{packing}"), pack(&content));
            // Equal events have equal decisions, which are made once for each form.
            if packing != "plain" {
                assert!(read_texts(&file) == plain_texts, "{form}.{packing}: other events");
                continue;
            }
            let found = decide(&rules, &file);
            assert_eq!(found.problems, expected.problems, "{form}.{packing}");
            assert_eq!(found.incidents, expected.incidents, "{form}.{packing}");
            assert!(found == expected, "{form}.{packing}: other plans");
        }
    }
}

#[test]
fn a_form_that_cannot_be_decided_about_is_refused_in_one_line_with_the_way_out() {
    let folder = Folder::new("refused-forms");
    let rules = builtin().unwrap();
    let forms = refused_forms(&theft());
    assert_eq!(forms.len(), REFUSED_FORMS);
    for (form, content, kind, way_out) in forms {
        for (packing, pack) in PACKINGS {
            let file = folder.write(&format!("{form}.{packing}"), pack(&content));
            let problems = decide(&rules, &file).problems;
            assert_eq!(problems.len(), 1, "{form}.{packing}: {problems:?}");
            let reason = &problems[0];
            assert!(reason.contains(kind) && reason.contains(way_out), "{form}.{packing}: {reason}");
        }
    }
}

#[test]
fn one_malformed_record_costs_itself_in_every_form_of_lines() {
    let folder = Folder::new("torn-forms");
    let rules = builtin().unwrap();
    let mut tried = 0;
    for (form, content) in forms_of(&theft()) {
        let Ok(text) = String::from_utf8(content) else { continue };
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.len() != 20 && lines.len() != 21 {
            continue;
        }
        let cut_at = lines.len() - 10;
        lines[cut_at] = &lines[cut_at][..lines[cut_at].len() / 2];
        let file = folder.write(&format!("{form}.torn"), lines.join("\n"));
        let answer = decide(&rules, &file);
        assert_eq!((answer.plans.as_array().unwrap().len(), answer.problems.len()), (19, 1), "{form}");
        tried += 1;
    }
    assert!(tried > 10, "{tried} forms of lines");
}

#[test]
fn files_that_lie_beside_those_of_a_trail_are_no_fault() {
    let folder = Folder::new("beside-a-trail");
    let rules = builtin().unwrap();
    let trail = folder.write("a.json", json!({ "Records": theft() }).to_string());
    let expected = decide(&rules, &trail);
    let digest =
        json!({"awsAccountId": "111122223333", "digestStartTime": "2026-03-09T10:00:00Z", "logFiles": []});
    folder.write("elsewhere/digest.json", digest.to_string());
    folder.write(".DS_Store", b"\0\0\0\x01Bud1");
    folder.write("_SUCCESS", "");
    folder.write("flow.log", "version account-id interface-id srcaddr\n2 111122223333 eni-0a 10.0.0.1\n");
    folder.write("flow-without-header.log", "2 111122223333 eni-0a 10.0.0.1 10.0.0.2 443 49152 6\n");
    folder.write(
        "elb.log",
        "https 2026-03-09T10:00:00.000000Z app/web/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.0\n",
    );
    folder.write(
        "classic.log",
        "2026-03-09T10:00:00.000000Z web 192.0.2.1:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 0 29\n",
    );
    folder.write("config.json", json!({"fileVersion": "1.0", "configurationItems": [{"a": 1}]}).to_string());
    folder.write("manifest.json", json!({"sourceBucket": "b", "fileSchema": "x", "files": []}).to_string());
    folder.write("test-message.json", json!({"messageType": "CONTROL_MESSAGE", "logEvents": []}).to_string());
    assert_eq!(decide(&rules, &folder.0), expected);
}
