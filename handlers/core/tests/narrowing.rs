//! Responses that are narrowed by what is derived: decided with settings and facts, and never by the event's own word.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use responder_core::facts::Facts;
use responder_core::rules::{RuleFile, RuleSet, RulesError, load};
use serde_json::{Value, json};

fn rules(pattern: &str, narrowing: &Value) -> Result<RuleSet, RulesError> {
    let mut row = json!({"on": ["p"], "severity": "low", "title": "T", "runbook": "R"});
    row.as_object_mut().unwrap().extend(narrowing.as_object().unwrap().clone());
    let all = json!({"all": {"on": ["p"], "severity": "low", "title": "T", "runbook": "R"}, "narrow": row})
        .to_string();
    let files = [("access/p.json", pattern), ("responses.json", all.as_str())];
    load(&files.map(|(path, text)| RuleFile { path: path.to_owned(), text: text.to_owned() }))
}

const PATTERN: &str = r#"{"source": ["aws.secretsmanager"]}"#;

fn production() -> Value {
    json!({"derived": {"secret": {"environment": ["production"]}}})
}

fn event(secret: &str, more: &Value) -> String {
    let mut event = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": secret}}});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event.to_string()
}

/// Whether the narrowed response applies.
fn applies(rules: &RuleSet, event: &str, facts: &Facts) -> bool {
    let case = &rules.cases(event).unwrap()[0];
    case.applied(facts).iter().any(|applied| applied.response.id == "narrow")
}

#[test]
fn where_and_unless_see_what_is_derived_and_the_event() {
    let none = Facts::default();
    let only = rules(PATTERN, &json!({"where": production()})).unwrap();
    assert!(applies(&only, &event("prod/db", &json!({})), &none));
    assert!(!applies(&only, &event("dev/db", &json!({})), &none));
    let unless = rules(PATTERN, &json!({"unless": production()})).unwrap();
    assert!(!applies(&unless, &event("prod/db", &json!({})), &none));
    assert!(applies(&unless, &event("dev/db", &json!({})), &none));
    let mut both = production();
    both["detail"] = json!({"eventName": ["DeleteSecret"]});
    let both = rules(PATTERN, &json!({ "where": both })).unwrap();
    assert!(!applies(&both, &event("prod/db", &json!({})), &none), "another call");
    let mixed = json!({"where": production(), "unless": {"detail": {"eventName": ["GetSecretValue"]}}});
    assert!(!applies(&rules(PATTERN, &mixed).unwrap(), &event("prod/db", &json!({})), &none));
}

#[test]
fn settings_decide_what_is_derived() {
    let only = rules(PATTERN, &json!({"where": production()})).unwrap();
    let live: Facts =
        serde_json::from_value(json!({"settings": {"production": {"secrets": ["live/*"]}}})).unwrap();
    assert!(applies(&only, &event("live/db", &json!({})), &live));
    assert!(!applies(&only, &event("prod/db", &json!({})), &live));
}

#[test]
fn what_an_event_brings_as_derived_counts_for_nothing() {
    let only = rules(PATTERN, &json!({"where": production()})).unwrap();
    let unless = rules(PATTERN, &json!({"unless": production()})).unwrap();
    for own in [
        json!({"derived": {"secret": {"environment": "production"}}}),
        json!({"derived": [{"secret": {"environment": "production"}}]}),
        json!({"derived.secret.environment": "production"}),
        json!({"derived.secret": {"environment": "production"}}),
        json!({"derived": "production"}),
    ] {
        assert!(!applies(&only, &event("dev/db", &own), &Facts::default()), "{own}");
        assert!(applies(&unless, &event("dev/db", &own), &Facts::default()), "{own}");
        let other = own.to_string().replace("production", "other");
        let other = event("prod/db", &serde_json::from_str(&other).unwrap());
        assert!(applies(&only, &other, &Facts::default()), "{other}");
    }
}

#[test]
fn a_pattern_file_that_names_what_is_derived_is_refused() {
    for pattern in [
        r#"{"source": ["s"], "derived": {"hours": ["off"]}}"#,
        r#"{"source": ["s"], "derived.hours": ["off"]}"#,
        r#"{"source": ["s"], "$or": [{"derived": {"hours": ["off"]}}, {"account": ["1"]}]}"#,
        r#"{"source": ["s"], "derived": ["x"]}"#,
    ] {
        let problems = rules(pattern, &json!({})).unwrap_err().to_string();
        assert!(problems.contains("access/p.json: EventBridge knows no `derived`"), "{problems}");
    }
    // Below another name it is a field as any other.
    assert!(
        rules(r#"{"source": ["s"], "detail": {"derived": ["x"]}, "derivedx": ["y"]}"#, &json!({})).is_ok()
    );
}
