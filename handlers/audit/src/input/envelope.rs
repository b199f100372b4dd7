//! Gives a bare `CloudTrail` record the envelope that EventBridge would have given it.

use serde_json::json;

use super::object_head::ObjectHead;
use responder_core::hash;

/// Returns the EventBridge event around a CloudTrail record, as text. The record stays as it is, byte for byte, in
/// `detail`.
///
/// The output of `LookupEvents` and trail files hold the `detail` only. The detail types are those that CloudTrail's
/// event types get on a bus. The id is the record's, or derived from its text, so that every replay gives it the same
/// one.
pub(super) fn wrap_record(record: &str, head: &ObjectHead) -> String {
    let detail_type = match head.event_type.as_str() {
        "AwsServiceEvent" => "AWS Service Event via CloudTrail",
        "AwsConsoleAction" => "AWS Console Action via CloudTrail",
        "AwsConsoleSignIn" => "AWS Console Signin via CloudTrail",
        // Real records say `AwsVpceEvent`, the record reference says `AwsVpceEvents`.
        "AwsVpceEvent" | "AwsVpceEvents" => "AWS Network Activity Event via CloudTrail",
        "AwsCloudTrailInsight" => "AWS Insight via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let id =
        if head.event_id.is_empty() { hash::hash_parts(&["record", record]) } else { head.event_id.clone() };
    let envelope = json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": bus_source(&head.event_source),
        "time": head.event_time,
        "region": head.region,
        "resources": [],
    });
    // The envelope is written without its closing brace, so that the account and the record can follow as they are
    // spelled: `{"version":"0",…` + `,"account":"111122223333"` + `,"detail":{…}}`.
    let mut event = envelope.to_string();
    event.truncate(event.len() - 1);
    if let Some(account) = &head.account {
        event.push_str(",\"account\":");
        event.push_str(account);
    }
    event + ",\"detail\":" + record.trim() + "}"
}

/// Returns the source that a service has on a bus: `aws.secretsmanager` for `secretsmanager.amazonaws.com`.
fn bus_source(event_source: &str) -> String {
    let service = match event_source.split_once(".amazonaws.com") {
        // CloudWatch calls from an old endpoint name.
        Some(("monitoring", _)) => "cloudwatch",
        Some((service, _)) => service,
        None if event_source == "monitoring" => "cloudwatch",
        None => event_source,
    };
    format!("aws.{service}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn wrapped(record: &str) -> Value {
        serde_json::from_str(&wrap_record(record, &ObjectHead::parse(record).unwrap())).unwrap()
    }

    #[test]
    fn a_service_event_gets_its_own_detail_type_and_keeps_its_spelling() {
        let text = r#"{"eventType":"AwsServiceEvent","eventSource":"secretsmanager.amazonaws.com","eventID":"e",
            "eventTime":"2026-01-02T03:04:05Z","awsRegion":"us-west-2","recipientAccountId":"111122223333","n":3e2}"#;
        assert!(wrap_record(text, &ObjectHead::parse(text).unwrap()).contains("3e2"));
        let event = wrapped(text);
        assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
        assert_eq!(event["source"], "aws.secretsmanager");
        assert_eq!(event["account"], "111122223333");
        assert_eq!(event["detail"]["eventID"], "e");
    }

    #[test]
    fn network_activity_is_no_api_call() {
        for event_type in ["AwsVpceEvent", "AwsVpceEvents"] {
            let event = wrapped(&format!(r#"{{"eventType":"{event_type}"}}"#));
            assert_eq!(event["detail-type"], "AWS Network Activity Event via CloudTrail", "{event_type}");
        }
    }

    #[test]
    fn a_record_without_members_still_becomes_an_event() {
        let event = wrapped("{}");
        assert_eq!(event["detail-type"], "AWS API Call via CloudTrail");
        assert!(event["id"].as_str().is_some_and(|id| id.len() == 32));
    }
}
