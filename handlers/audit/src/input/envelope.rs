//! Gives a bare `CloudTrail` record the envelope that EventBridge would have given it.

use serde_json::json;

use super::record_head::RecordHead;
use responder_core::hash;

/// The EventBridge event around a CloudTrail record, as text; the record stays as it is, byte for byte, in `detail`.
///
/// `LookupEvents` and trail files hold the `detail` only; the detail types are those that CloudTrail's event types get
/// on a bus. The id is derived from the record, so that replays agree.
pub(super) fn wrap(record: &str, head: &RecordHead) -> String {
    let detail_type = match head.event_type.as_str() {
        "AwsServiceEvent" => "AWS Service Event via CloudTrail",
        "AwsConsoleAction" => "AWS Console Action via CloudTrail",
        "AwsConsoleSignIn" => "AWS Console Signin via CloudTrail",
        "AwsVpceEvents" => "AWS Network Activity Event via CloudTrail",
        "AwsCloudTrailInsight" => "AWS Insight via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let id = if head.event_id.is_empty() { hash::id(&["record", record]) } else { head.event_id.clone() };
    let envelope = json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source(&head.event_source),
        "time": head.event_time,
        "region": head.region,
        "resources": [],
    });
    // The envelope is an object: cut its closing brace, and put in what stays as it is spelled.
    let mut event = envelope.to_string();
    event.truncate(event.len() - 1);
    if let Some(account) = &head.account {
        event.push_str(",\"account\":");
        event.push_str(account);
    }
    event + ",\"detail\":" + record.trim() + "}"
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
    use serde_json::Value;

    fn wrapped(record: &str) -> Value {
        serde_json::from_str(&wrap(record, &RecordHead::read(record).unwrap())).unwrap()
    }

    #[test]
    fn a_service_event_gets_its_own_detail_type_and_keeps_its_spelling() {
        let text = r#"{"eventType":"AwsServiceEvent","eventSource":"secretsmanager.amazonaws.com","eventID":"e",
            "eventTime":"2026-01-02T03:04:05Z","awsRegion":"us-west-2","recipientAccountId":"111122223333","n":3e2}"#;
        assert!(wrap(text, &RecordHead::read(text).unwrap()).contains("3e2"));
        let event = wrapped(text);
        assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
        assert_eq!(event["source"], "aws.secretsmanager");
        assert_eq!(event["account"], "111122223333");
        assert_eq!(event["detail"]["eventID"], "e");
    }

    #[test]
    fn a_record_without_anything_still_becomes_an_event() {
        let event = wrapped("{}");
        assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
        assert!(event["id"].as_str().is_some_and(|id| id.len() == 32));
    }
}
