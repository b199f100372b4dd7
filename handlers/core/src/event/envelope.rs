//! Gives a bare `CloudTrail` record the envelope that EventBridge would have given it.

use serde_json::{Value, json};

use crate::hash;

/// The EventBridge event around a `CloudTrail` record, as text; the record stays as it is, byte for byte, in `detail`.
///
/// `record` is the same record, parsed. `LookupEvents` and trail files hold the `detail` only; detail types per
/// event type are `CloudTrail`'s. The id is derived from the record, so that replays agree.
pub fn wrap(text: &str, record: &Value) -> String {
    let field = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let detail_type = match field("eventType") {
        "AwsServiceEvent" => "AWS Service Event via CloudTrail",
        "AwsConsoleAction" => "AWS Console Action via CloudTrail",
        "AwsConsoleSignIn" => "AWS Console Signin via CloudTrail",
        "AwsVpceEvents" => "AWS Network Activity Event via CloudTrail",
        "AwsCloudTrailInsight" => "AWS Insight via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let account = match record.get("recipientAccountId") {
        Some(account) => account.clone(),
        None => record.pointer("/userIdentity/accountId").cloned().unwrap_or_default(),
    };
    let id = match field("eventID") {
        "" => hash::id(&["record", text]),
        id => id.to_owned(),
    };
    let head = json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source(field("eventSource")),
        "account": account,
        "time": field("eventTime"),
        "region": field("awsRegion"),
        "resources": [],
    });
    // The head is an object: cut its closing brace and put the record in as it was spelled.
    let mut event = head.to_string();
    event.truncate(event.len() - 1);
    event + ",\"detail\":" + text.trim() + "}"
}

/// `secretsmanager.amazonaws.com` sends as `aws.secretsmanager`.
fn source(event_source: &str) -> String {
    let service = event_source.split_once(".amazonaws.com").map_or(event_source, |(service, _)| service);
    // CloudWatch keeps an old endpoint name.
    format!("aws.{}", if service == "monitoring" { "cloudwatch" } else { service })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_event_gets_its_own_detail_type_and_keeps_its_spelling() {
        let text = r#"{"eventType":"AwsServiceEvent","eventSource":"secretsmanager.amazonaws.com","eventID":"e",
            "eventTime":"2026-01-02T03:04:05Z","awsRegion":"us-west-2","recipientAccountId":"111122223333","n":3e2}"#;
        let event = wrap(text, &serde_json::from_str(text).unwrap());
        assert!(event.contains("3e2"));
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
        assert_eq!(event["source"], "aws.secretsmanager");
        assert_eq!(event["account"], "111122223333");
        assert_eq!(event["detail"]["eventID"], "e");
    }

    #[test]
    fn a_record_without_anything_still_becomes_an_event() {
        let event: Value = serde_json::from_str(&wrap("{}", &serde_json::json!({}))).unwrap();
        assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
        assert!(event["id"].as_str().is_some_and(|id| id.len() == 32));
    }
}
