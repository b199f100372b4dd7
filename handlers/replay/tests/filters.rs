//! Filters: they choose what a report shows, say so, and change no decision.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod folder;
mod schema_check;

use folder::Folder;
use serde_json::{Value, json};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

/// The exit status, standard output and standard error of a command.
fn replay(args: &[&str]) -> (Option<i32>, String, String) {
    let output = command::replay(args);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json_lines(args: &[&str]) -> Vec<Value> {
    let (_, text, errors) = replay(&[args, &["--format", "json"]].concat());
    assert!(!text.is_empty(), "{args:?}: {errors}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind(lines: &[Value], kind: &str) -> Vec<Value> {
    lines.iter().filter(|line| line["kind"] == kind).cloned().collect()
}

/// A read by a user of the account, in the name of one day.
fn read(day: usize, second: usize, account: &str, region: &str, user: &str, secret: &str) -> Value {
    json!({
        "eventVersion": "1.09", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
        "awsRegion": region, "eventTime": format!("2026-03-{day:02}T12:00:{second:02}Z"),
        "eventID": format!("{account}-{region}-{user}-{secret}-{day}-{second}"), "eventType": "AwsApiCall",
        "managementEvent": true, "readOnly": true, "recipientAccountId": account,
        "requestParameters": {"secretId": secret}, "responseElements": null, "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::{account}:user/{user}"), "accountId": account},
    })
}

/// Thefts of 20 secrets each: by mallory on the 1st, by trudy in another account and Region on the 20th.
fn two_thefts(folder: &Folder) -> String {
    let mut records = Vec::new();
    for index in 0..20 {
        let secret = format!("prod/app{index}");
        records.push(read(1, index / 5, OWN, "us-west-2", "mallory", &secret));
        records.push(read(20, index / 5, OTHER, "eu-west-1", "trudy", &secret.replace("prod", "dev")));
    }
    folder.write("trail.json", json!({ "Records": records }).to_string())
}

fn principals_of(lines: &[Value], kind: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in of_kind(lines, kind) {
        let principal = line["principal"].as_str().unwrap_or_default();
        found.push(principal.rsplit('/').next().unwrap_or_default().to_owned());
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn each_filter_of_run_shows_the_incidents_and_decisions_that_fit_and_changes_none() {
    let folder = Folder::new("filters-run");
    let file = two_thefts(&folder);
    let all = json_lines(&["run", &file]);
    assert_eq!(principals_of(&all, "incident"), ["mallory", "trudy"]);
    assert!(of_kind(&all, "coverage")[0].get("filter").is_none());
    for (args, shown) in [
        (&["--since", "2026-03-10"][..], "trudy"),
        (&["--until", "2026-03-20T12:00:00Z"], "mallory"),
        (&["--account", OWN], "mallory"),
        (&["--region", "eu-west-1"], "trudy"),
        (&["--secret", "dev/app3"], "trudy"),
        (&["--secret", "prod/*"], "mallory"),
        (&["--principal", "user/trudy"], "trudy"),
        (&["--principal", "MALLORY", "--secret", "*/app1?"], "mallory"),
        (&["--account", OWN, "--account", OTHER, "--principal", "t*"], "trudy"),
    ] {
        let lines = json_lines(&[&["run", &*file], args].concat());
        assert_eq!(principals_of(&lines, "incident"), [shown], "{args:?}");
        assert_eq!(principals_of(&lines, "decision"), [shown], "{args:?}");
        for incident in of_kind(&lines, "incident") {
            assert!(all.contains(&incident), "{args:?}: as without a filter");
        }
        assert_eq!(of_kind(&lines, "summary"), of_kind(&all, "summary"), "everything was decided");
        let filter = &of_kind(&lines, "coverage")[0]["filter"];
        let hidden = of_kind(&all, "incident").len() - of_kind(&lines, "incident").len();
        assert_eq!((&filter["hidden"], &filter["unseen"]), (&json!(hidden), &json!([])), "{args:?}");
    }
}

#[test]
fn a_bulk_read_that_began_before_the_window_is_shown_whole() {
    let folder = Folder::new("filters-window");
    let file = two_thefts(&folder);
    let lines = json_lines(&["run", &file, "--since", "2026-03-20T12:00:03Z"]);
    let bulk: Vec<Value> =
        of_kind(&lines, "incident").into_iter().filter(|incident| incident["rule"] == "bulk-read").collect();
    assert_eq!((bulk.len(), &bulk[0]["reads"]), (1, &json!(20)));
}

#[test]
fn a_severity_shows_incidents_from_there_on_and_the_decisions_about_their_events() {
    let folder = Folder::new("filters-severity");
    let mut records = vec![read(5, 0, OWN, "us-west-2", "alice", "prod/app0")];
    for index in 0..20 {
        records.push(read(1, index / 5, OWN, "us-west-2", "mallory", &format!("prod/app{index}")));
    }
    let file = folder.write("trail.json", json!({ "Records": records }).to_string());
    let lines = json_lines(&["run", &file, "--severity", "high"]);
    assert_eq!(of_kind(&lines, "incident").len(), 1);
    assert_eq!(principals_of(&lines, "decision"), ["mallory"]);
    assert_eq!(of_kind(&lines, "coverage")[0]["filter"]["severity"], "high");
    assert!(of_kind(&json_lines(&["run", &file, "--severity", "critical"]), "incident").is_empty());
}

#[test]
fn the_filter_stands_in_the_text_and_a_value_that_nothing_has_is_said() {
    let folder = Folder::new("filters-text");
    let file = two_thefts(&folder);
    let args = ["run", &file, "--since", "2026-03-10", "--account", OTHER, "--severity", "high"];
    let (status, text, _) = replay(&args);
    assert_eq!(status, Some(0));
    let filter = format!("FILTER: from 2026-03-10T00:00:00Z; account {OTHER}; severity high or higher.");
    assert!(text.starts_with(&filter), "{text}");
    assert!(text.contains("1 of 2 incidents fit; the others are not shown."), "{text}");
    for (args, unseen) in [
        (["--account", "777788889999"], "777788889999"),
        (["--region", "us-west-22"], "us-west-22"),
        (["--principal", "malory"], "malory"),
        (["--secret", "prod/ap1"], "prod/ap1"),
    ] {
        let (_, text, _) = replay(&[&["run", &*file][..], &args].concat());
        assert!(text.contains(&format!("NOTHING IN THIS INPUT HAS {unseen}.")), "{text}");
        assert!(text.contains("none that fits"), "{text}");
        let lines = json_lines(&[&["run", &*file][..], &args].concat());
        assert_eq!(of_kind(&lines, "coverage")[0]["filter"]["unseen"], json!([unseen]));
    }
}

#[test]
fn an_incident_of_batches_that_hide_their_secrets_may_be_about_any_secret() {
    let folder = Folder::new("filters-batches");
    let mut records = Vec::new();
    for second in 0..5 {
        let mut record = read(1, second, OWN, "us-west-2", "mallory", "x");
        record["eventName"] = json!("BatchGetSecretValue");
        record["requestParameters"] = json!({"filters": [{"key": "tag-key", "values": ["team"]}]});
        records.push(record);
    }
    let file = folder.write("trail.json", json!({ "Records": records }).to_string());
    let all = of_kind(&json_lines(&["run", &file]), "incident");
    assert!(!all.is_empty());
    assert_eq!(of_kind(&json_lines(&["run", &file, "--secret", "prod/db"]), "incident"), all);
}

#[test]
fn reads_are_filtered_by_place_and_principal() {
    let folder = Folder::new("filters-reads");
    let records = [
        read(1, 0, OWN, "us-west-2", "alice", "prod/db"),
        read(2, 0, OWN, "eu-west-1", "bob", "prod/db"),
        read(3, 0, OTHER, "us-west-2", "alice", "prod/db"),
    ];
    let copies =
        json!({ "Records": [&records[0], &records[0], &records[1], &records[1], &records[1], &records[2]] });
    let file = folder.write("trail.json", copies.to_string());
    for (args, reads, copies) in [
        (&["--account", OWN][..], 2, 3),
        (&["--account", OTHER], 1, 0),
        (&["--region", "us-west-2"], 2, 1),
        (&["--principal", "alice"], 2, 1),
        (&["--principal", "alice", "--account", OWN], 1, 1),
        (&["--until", "2026-03-03", "--region", "eu-west-1"], 1, 2),
    ] {
        let lines = json_lines(&[&["reads", "--secret", "prod/db", &*file], args].concat());
        let summary = &of_kind(&lines, "summary")[0];
        assert_eq!((&summary["reads"], &summary["copies"]), (&json!(reads), &json!(copies)), "{args:?}");
        let filter = &of_kind(&lines, "coverage")[0]["filter"];
        assert_eq!((&filter["shown"], &filter["hidden"]), (&json!(reads), &json!(3 - reads)), "{args:?}");
    }
    let (_, text, _) = replay(&["reads", "--secret", "prod/db", "--principal", "alcie", &file]);
    assert!(text.contains("FILTER: principal alcie.\n0 of 3 records of calls for it fit"), "{text}");
    assert!(text.contains("NOTHING IN THIS INPUT HAS alcie."), "{text}");
}

fn rotation(day: usize, account: &str, region: &str, secret: &str) -> Value {
    json!({
        "eventVersion": "1.08", "userIdentity": {"accountId": account, "invokedBy": "secretsmanager.amazonaws.com"},
        "eventTime": format!("2026-03-{day:02}T12:00:00Z"), "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "RotationSucceeded", "awsRegion": region, "eventID": format!("{account}-{region}-{secret}"),
        "eventType": "AwsServiceEvent", "recipientAccountId": account, "requestParameters": null, "responseElements": null,
        "additionalEventData": {"SecretId": format!("arn:aws:secretsmanager:{region}:{account}:secret:{secret}-a1b2c3")},
    })
}

#[test]
fn a_proof_is_filtered_and_its_totals_and_exit_status_are_about_what_fits() {
    let folder = Folder::new("filters-proof");
    let records = [rotation(1, OWN, "us-west-2", "prod/db"), rotation(9, OTHER, "eu-west-1", "dev/key")];
    let file = folder.write("trail.json", json!({ "Records": records }).to_string());
    let facts = json!({"services": [{
        "arn": format!("arn:aws:ecs:us-west-2:{OWN}:service/c/app"), "status": "ACTIVE", "controller": "ECS",
        "cluster": format!("arn:aws:ecs:us-west-2:{OWN}:cluster/c"), "roles": [format!("arn:aws:iam::{OWN}:role/path/exec")],
        "references": [{"kind": "container-secret", "value": format!("arn:aws:secretsmanager:us-west-2:{OWN}:secret:prod/db-a1b2c3")}],
    }]});
    let facts = folder.write("services.facts", facts.to_string());
    for (args, proofs, unconsumed) in [
        (&[][..], 1, 1),
        (&["--since", "2026-03-02"], 0, 1),
        (&["--until", "2026-03-09T12:00:00Z"], 1, 0),
        (&["--account", OTHER], 0, 1),
        (&["--region", "us-west-2"], 1, 0),
        (&["--secret", "prod/*"], 1, 0),
        (&["--principal", "exec"], 1, 0),
        (&["--principal", &format!("arn:aws:iam::{OWN}:role/path/exec")], 1, 0),
        (&["--secret", "prod/other"], 0, 0),
    ] {
        let args = [&["proof", "--facts", &*facts, &*file], args].concat();
        let lines = json_lines(&args);
        let counts = (of_kind(&lines, "proof").len(), of_kind(&lines, "no-consumers").len());
        assert_eq!(counts, (proofs, unconsumed), "{args:?}");
        let summary = &of_kind(&lines, "summary")[0];
        assert_eq!(summary["consumers"], json!(proofs), "{args:?}");
        let status = if proofs + unconsumed == 0 { Some(0) } else { Some(1) };
        assert_eq!(replay(&args).0, status, "{args:?}");
        assert_eq!(of_kind(&lines, "coverage")[0]["events"], 2);
    }
    let (_, text, _) = replay(&["proof", "--facts", &facts, &file, "--secret", "prod/other"]);
    assert!(text.contains("FILTER: secret prod/other.\n0 of 2 rows fit"), "{text}");
    assert!(text.contains("NOTHING IN THIS INPUT HAS prod/other"), "{text}");
    assert!(text.contains("No change of a secret that fits in this input."), "{text}");
}

#[test]
fn a_proof_of_nothing_is_no_proof_and_the_ledger_holds_no_roles() {
    let folder = Folder::new("filters-ledger");
    let empty = folder.write("empty.json", r#"{"Records": []}"#);
    let (status, text, _) = replay(&["proof", &empty]);
    assert_eq!(status, Some(3));
    assert!(text.starts_with("NOTHING WAS READ"), "{text}");
    let ledger = folder.write("query.json", r#"{"Items": [], "Count": 0}"#);
    let (status, text, _) = replay(&["proof", &ledger]);
    assert_eq!(status, Some(0), "{text}");
    let (status, text, errors) = replay(&["proof", "--principal", "app", &ledger]);
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(errors.contains("--principal needs events"), "{errors}");
}

#[test]
fn a_value_that_cannot_be_meant_is_refused() {
    let folder = Folder::new("filters-refused");
    let file = folder.write("trail.json", r#"{"Records": []}"#);
    for args in [
        ["--account", "1111"],
        ["--account", "prod"],
        ["--severity", "loud"],
        ["--since", "soon"],
        ["--principal", ""],
        ["--secret", "arn:aws:iam::111122223333:role/x"],
    ] {
        assert_eq!(replay(&[&["run", &*file][..], &args].concat()).0, Some(2), "{args:?}");
    }
    for command in [&["run"][..], &["proof"], &["reads", "--secret", "x"]] {
        let args = [command, &[&*file, "--since", "2026-03-02", "--until", "2026-03-02"]].concat();
        let (status, text, errors) = replay(&args);
        assert_eq!((status, text.as_str()), (Some(2), ""), "{args:?}");
        assert!(errors.contains("the window is empty"), "{errors}");
    }
}

#[test]
fn a_time_before_now_is_shown_as_an_instant() {
    let folder = Folder::new("filters-ago");
    let file = two_thefts(&folder);
    let lines = json_lines(&["run", &file, "--since", "36500d"]);
    assert_eq!(principals_of(&lines, "incident"), ["mallory", "trudy"]);
    let since = of_kind(&lines, "coverage")[0]["filter"]["since"].as_str().unwrap().to_owned();
    assert!(since.ends_with('Z') && since.contains('T'), "{since}");
    assert!(of_kind(&json_lines(&["run", &file, "--until", "36500d"]), "incident").is_empty());
}

#[test]
fn totals_by_rule_principal_and_account_stand_before_the_incidents() {
    let folder = Folder::new("totals");
    let file = two_thefts(&folder);
    let (_, text, _) = replay(&["run", &file]);
    let totals = text.find("\nTotals\n").unwrap();
    assert!(totals < text.find("\nIncidents\n").unwrap(), "{text}");
    let words = |start: &str| -> Vec<&str> {
        let row = text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        row.split_whitespace().collect()
    };
    assert_eq!(words("RULE"), ["RULE", "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]);
    assert_eq!(words("bulk-read"), ["bulk-read", "-", "2", "-", "-", "-"]);
    let mallory = format!("arn:aws:iam::{OWN}:user/mallory");
    assert_eq!(words(&mallory), [&*mallory, "1", "20", "high"]);
    assert_eq!(words(OTHER), [OTHER, "1", "20", "high"]);
    let totals = &of_kind(&json_lines(&["run", &file]), "totals")[0];
    assert_eq!(totals["rules"], json!([{"rule": "bulk-read", "severity": "high", "incidents": 2}]));
    assert_eq!(totals["accounts"].as_array().map(Vec::len), Some(2));
    let filtered = &of_kind(&json_lines(&["run", &file, "--account", OWN]), "totals")[0];
    assert_eq!(
        filtered["principals"],
        json!([{"name": mallory, "incidents": 1, "events": 20, "highest": "high"}])
    );
    let empty =
        folder.write("quiet.json", json!({"Records": [read(1, 0, OWN, "us-west-2", "a", "x")]}).to_string());
    assert!(!replay(&["run", &empty]).1.contains("Totals"));
}

#[test]
fn incidents_come_by_severity_or_by_time() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/timelines");
    let found = |order: &[&str]| of_kind(&json_lines(&[&["run", fixtures], order].concat()), "incident");
    let times = |lines: &[Value]| -> Vec<String> {
        lines.iter().map(|line| line["first"].as_str().unwrap().to_owned()).collect()
    };
    let by_time = found(&["--order", "time"]);
    assert!(times(&by_time).is_sorted() && by_time.len() > 10, "{by_time:?}");
    let by_severity = found(&[]);
    assert!(!times(&by_severity).is_sorted());
    assert_eq!(by_severity, found(&["--order", "severity"]));
    let sorted = |mut lines: Vec<Value>| {
        lines.sort_by_key(ToString::to_string);
        lines
    };
    assert_eq!(sorted(by_time), sorted(by_severity), "the order leaves out nothing");
}
