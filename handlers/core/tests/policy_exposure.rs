//! Who may read a secret by a resource policy: public, foreign or own. A policy that cannot be read counts as public.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use responder_core::enrichment::enrich_event;
use responder_core::event::Event;
use responder_core::facts::Facts;
use serde_json::{Value, json};

/// The attribute `policy` of a call with this detail, or the empty word.
fn find_exposure(detail: &Value) -> String {
    find_exposure_with(detail, &Facts::default())
}

fn find_exposure_with(detail: &Value, facts: &Facts) -> String {
    let mut root = json!({"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "detail": {"eventName": "GetSecretValue", "awsRegion": "us-west-2", "eventTime": "2026-03-02T12:00:00Z", "eventID": "e",
            "recipientAccountId": "111122223333", "requestParameters": {"secretId": "prod/db"}}});
    root["detail"].as_object_mut().unwrap().extend(detail.as_object().unwrap().clone());
    let enrichment = enrich_event(&Event::parse(&root.to_string()).unwrap(), facts);
    enrichment.pointer("/policy").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn exposure_of(text: &str) -> String {
    find_exposure(
        &json!({"eventName": "PutResourcePolicy", "requestParameters": {"secretId": "prod/db", "resourcePolicy": text}}),
    )
}

fn exposure_with(policy: &str, facts: &Value) -> String {
    let detail = json!({"eventName": "PutResourcePolicy", "requestParameters": {"secretId": "prod/db", "resourcePolicy": policy}});
    find_exposure_with(&detail, &serde_json::from_value(facts.clone()).unwrap())
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
        (
            "foreign",
            json!({"Principal": {"AWS": theirs}, "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}}),
        ),
        (
            "foreign",
            json!({"Principal": {"Service": "ecs.amazonaws.com"}, "Condition": {"StringEquals": {"aws:SourceAccount": "999988887777"}}}),
        ),
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
fn a_condition_narrows_by_operator_key_and_value() {
    let ours = "111122223333";
    for (expected, condition) in [
        // Who calls, compared with the own accounts and organisation.
        ("own", json!({"StringEquals": {"aws:PrincipalAccount": ours}})),
        ("own", json!({"StringEquals": {"AWS:principalaccount": [ours, 111_122_223_333_u64]}})),
        ("own", json!({"stringlike": {"aws:PrincipalOrgID": "o-own"}})),
        ("own", json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-own/r-ab12/ou-ab12/*"}})),
        ("own", json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}})),
        ("own", json!({"ArnEquals": {"aws:SourceArn": "arn:aws:lambda:us-west-2:111122223333:function:f"}})),
        ("own", json!({"StringEquals": {"aws:PrincipalOrgID": "o-own", "aws:SourceVpce": "vpce-1"}})),
        // Strangers.
        ("foreign", json!({"StringEquals": {"aws:PrincipalAccount": "999988887777"}})),
        ("foreign", json!({"StringEquals": {"aws:PrincipalAccount": [ours, "999988887777"]}})),
        ("foreign", json!({"StringEquals": {"aws:PrincipalOrgID": "o-thief"}})),
        ("foreign", json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/x"}})),
        // Values that everybody has.
        ("public", json!({"StringLike": {"aws:PrincipalOrgID": "*"}})),
        ("public", json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}})),
        ("public", json!({"StringLike": {"aws:PrincipalAccount": "1111????????"}})),
        ("public", json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}})),
        ("public", json!({"StringEquals": {"aws:PrincipalAccount": []}})),
        // Operators that let in who has no such key, or everybody else.
        ("public", json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-none"}})),
        ("public", json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-own"}})),
        ("public", json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-own/*"}})),
        ("public", json!({"Null": {"aws:PrincipalAccount": "false"}})),
        // Keys that do not say who calls.
        ("public", json!({"Bool": {"aws:SecureTransport": "true"}})),
        ("public", json!({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})),
        ("public", json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
        ("public", json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
        ("public", json!({"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}})),
        ("public", json!("aws:PrincipalAccount")),
    ] {
        let policy = policy_with(&json!({"Principal": "*", "Condition": condition}));
        let settings = json!({"settings": {"organization": "o-own"}});
        assert_eq!(exposure_with(&policy, &settings), expected, "{condition}");
    }
    let production = json!({"settings": {"production": {"accounts": ["999988887777"]}}});
    let theirs = policy_with(&json!({"Principal": {"AWS": "999988887777"}}));
    assert_eq!(exposure_with(&theirs, &production), "own", "an account of production is an own one");
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
