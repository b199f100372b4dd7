//! Who may read a secret by a resource policy: public, foreign or own. A policy that cannot be read counts as public.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use responder_core::enrichment::enrich_event;
use responder_core::event::Event;
use responder_core::facts::Facts;
use serde_json::{Value, json};

/// The attribute `policy` of a call with this detail, or the empty word.
fn find_exposure(detail: &Value) -> String {
    let mut root = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": "prod/db"}}});
    root["detail"].as_object_mut().unwrap().extend(detail.as_object().unwrap().clone());
    let enrichment = enrich_event(&Event::parse(&root.to_string()).unwrap(), &Facts::default());
    enrichment.pointer("/policy").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn exposure_of(text: &str) -> String {
    find_exposure(
        &json!({"eventName": "PutResourcePolicy", "requestParameters": {"secretId": "prod/db", "resourcePolicy": text}}),
    )
}

fn policy_with(more: &Value) -> String {
    let mut statement =
        json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[test]
fn a_policy_is_public_foreign_or_own() {
    let limited = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    let (theirs, ours) = ("arn:aws:iam::999988887777:root", "arn:aws:iam::111122223333:role/app");
    for (expected, principal) in [
        ("public", json!({"Principal": "*"})),
        ("public", json!({"Principal": {"AWS": "*"}})),
        ("public", json!({"Principal": {"AWS": [ours, "*"]}})),
        ("public", json!({"NotPrincipal": {"AWS": theirs}})),
        ("public", json!({"Principal": "*", "Condition": {}})),
        ("public", json!({"principal": "*"})),
        ("public", json!({})),
        ("foreign", json!({"Principal": {"AWS": theirs}})),
        ("foreign", json!({"Principal": {"AWS": [ours, "999988887777"]}})),
        ("foreign", json!({"Principal": {"Federated": "cognito-identity.amazonaws.com"}})),
        ("own", json!({"Principal": {"AWS": ours}})),
        ("own", json!({"Principal": {"AWS": "111122223333"}})),
        ("own", json!({"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}})),
        ("own", json!({"Principal": {"Service": "ecs.amazonaws.com"}})),
        ("own", json!({"Principal": "*", "Condition": limited})),
        ("own", json!({"Principal": {"AWS": theirs}, "Condition": limited})),
        ("own", json!({"Principal": "*", "Effect": "Deny"})),
    ] {
        assert_eq!(exposure_of(&policy_with(&principal)), expected, "{principal}");
    }
    let single = policy_with(&json!({"Principal": "*"})).replace(":[{", ":{").replace("}]", "}");
    assert_eq!(exposure_of(&single), "public", "{single}");
    assert_eq!(find_exposure(&json!({"requestParameters": {"resourcePolicy": "{}"}})), "", "another call");
    assert_eq!(find_exposure(&json!({"eventName": "PutResourcePolicy", "requestParameters": null})), "");
}

#[test]
fn a_policy_that_cannot_be_read_counts_as_public() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = policy_with(&json!({"Principal": {"AWS": "111122223333"}})).replace("\"*\"", &deep);
    let twice = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Principal":{"AWS":"111122223333"}}]}"#;
    let hidden = r#"{"Statement":[{"Effect":"Allow","Principal":"*"}],"statement":[]}"#;
    for text in [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":[7]}"#,
        &deep,
        &nested,
        twice,
        hidden,
    ] {
        assert_eq!(exposure_of(text), "public", "{}", &text[..text.len().min(80)]);
    }
    let own = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}});
    let huge = json!({"Statement": vec![own; 20_000]}).to_string();
    assert_eq!(exposure_of(&huge), "own", "{} bytes", huge.len());
}
