//! Responses that are narrowed by the enrichment: settings and facts decide, never a field of the event that has its name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use responder_core::facts::Facts;
use responder_core::rules::{RuleFile, RuleSet, RulesError, parse_rules};
use serde_json::{Value, json};

fn load_narrowed(pattern: &str, narrowing: &Value) -> Result<RuleSet, RulesError> {
    let mut row = json!({"on": ["p"], "severity": "low", "title": "T", "runbook": "R"});
    row.as_object_mut().unwrap().extend(narrowing.as_object().unwrap().clone());
    let all = json!({"all": {"on": ["p"], "severity": "low", "title": "T", "runbook": "R"}, "narrow": row})
        .to_string();
    let files = [("access/p.json", pattern), ("responses.json", all.as_str())];
    parse_rules(&files.map(|(path, text)| RuleFile { path: path.to_owned(), text: text.to_owned() }))
}

const PATTERN: &str = r#"{"source": ["aws.secretsmanager"]}"#;

fn production_pattern() -> Value {
    json!({"derived": {"secret": {"environment": ["production"]}}})
}

fn read_event(secret: &str, more: &Value) -> String {
    let mut event = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": secret}}});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event.to_string()
}

/// Whether the narrowed response applies.
fn applies(rules: &RuleSet, event: &str, facts: &Facts) -> bool {
    let matched_event = &rules.match_event(event).unwrap()[0];
    matched_event.find_applied_responses(facts).iter().any(|applied| applied.response.id == "narrow")
}

#[test]
fn where_and_unless_look_at_the_enrichment_and_at_the_event() {
    let none = Facts::default();
    let only = load_narrowed(PATTERN, &json!({"where": production_pattern()})).unwrap();
    assert!(applies(&only, &read_event("prod/db", &json!({})), &none));
    assert!(!applies(&only, &read_event("dev/db", &json!({})), &none));
    let unless = load_narrowed(PATTERN, &json!({"unless": production_pattern()})).unwrap();
    assert!(!applies(&unless, &read_event("prod/db", &json!({})), &none));
    assert!(applies(&unless, &read_event("dev/db", &json!({})), &none));
    let mut both = production_pattern();
    both["detail"] = json!({"eventName": ["DeleteSecret"]});
    let both = load_narrowed(PATTERN, &json!({ "where": both })).unwrap();
    assert!(!applies(&both, &read_event("prod/db", &json!({})), &none), "another call");
    let mixed =
        json!({"where": production_pattern(), "unless": {"detail": {"eventName": ["GetSecretValue"]}}});
    assert!(!applies(&load_narrowed(PATTERN, &mixed).unwrap(), &read_event("prod/db", &json!({})), &none));
}

#[test]
fn settings_change_the_enrichment() {
    let only = load_narrowed(PATTERN, &json!({"where": production_pattern()})).unwrap();
    let live: Facts =
        serde_json::from_value(json!({"settings": {"production": {"secrets": ["live/*"]}}})).unwrap();
    assert!(applies(&only, &read_event("live/db", &json!({})), &live));
    assert!(!applies(&only, &read_event("prod/db", &json!({})), &live));
}

#[test]
fn a_field_named_derived_in_an_event_is_replaced() {
    let only = load_narrowed(PATTERN, &json!({"where": production_pattern()})).unwrap();
    let unless = load_narrowed(PATTERN, &json!({"unless": production_pattern()})).unwrap();
    for own in [
        json!({"derived": {"secret": {"environment": "production"}}}),
        json!({"derived": [{"secret": {"environment": "production"}}]}),
        json!({"derived.secret.environment": "production"}),
        json!({"derived.secret": {"environment": "production"}}),
        json!({"derived": "production"}),
    ] {
        assert!(!applies(&only, &read_event("dev/db", &own), &Facts::default()), "{own}");
        assert!(applies(&unless, &read_event("dev/db", &own), &Facts::default()), "{own}");
        let other = own.to_string().replace("production", "other");
        let other = read_event("prod/db", &serde_json::from_str(&other).unwrap());
        assert!(applies(&only, &other, &Facts::default()), "{other}");
    }
}

#[test]
fn a_pattern_file_that_mentions_derived_is_refused() {
    for pattern in [
        r#"{"source": ["s"], "derived": {"hours": ["off"]}}"#,
        r#"{"source": ["s"], "derived.hours": ["off"]}"#,
        r#"{"source": ["s"], "$or": [{"derived": {"hours": ["off"]}}, {"account": ["1"]}]}"#,
        r#"{"source": ["s"], "derived": ["x"]}"#,
    ] {
        let problems = load_narrowed(pattern, &json!({})).unwrap_err().to_string();
        assert!(problems.contains("access/p.json: EventBridge knows no `derived`"), "{problems}");
    }
    // Below another name it is a field as any other.
    assert!(
        load_narrowed(r#"{"source": ["s"], "detail": {"derived": ["x"]}, "derivedx": ["y"]}"#, &json!({}))
            .is_ok()
    );
}
