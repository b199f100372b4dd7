//! Finds the secrets that an event concerns, in whichever field its kind of event names them.

use serde_json::Value;

use crate::aws::secret_ref::SecretRef;

/// The secrets that an event concerns.
#[derive(Debug, Default)]
pub(super) struct EventSecrets {
    pub(super) secrets: Vec<SecretRef>,
    /// Whether `secrets` is all of them.
    pub(super) are_all_known: bool,
}

/// Finds the secrets of an event, in the envelope of EventBridge.
pub(super) fn find_secrets(root: &Value, account: &str, region: &str) -> EventSecrets {
    let detail = root.get("detail").unwrap_or(&Value::Null);
    if find_text(detail, "/eventName") == Some("BatchGetSecretValue") {
        return find_secrets_of_batch(detail, account, region);
    }
    match find_secret(root, detail, account, region) {
        Some(secret) => EventSecrets { secrets: vec![secret], are_all_known: true },
        None => EventSecrets::default(),
    }
}

/// Finds the one secret of an event. The order follows what was captured of real events: the fields that hold an ARN of
/// AWS come before those with the text that a caller typed.
///
/// 1. The data of a service event: `RotationSucceeded` has `additionalEventData.SecretId`, empty `resources` and null
///    `requestParameters`.
/// 2. The record's list of resources.
/// 3. The envelope's `resources[0]`, of native events.
/// 4. `requestParameters.secretId` of an API call, as the caller typed it.
/// 5. The ARN in the response.
/// 6. The message of a denied call, which has no request parameters.
/// 7. The name that `CreateSecret` gives.
fn find_secret(root: &Value, detail: &Value, account: &str, region: &str) -> Option<SecretRef> {
    // 1. The data of a service event.
    if let Some(secret) = find_arn(detail, &EVENT_DATA_POINTERS) {
        return Some(secret);
    }
    // 2. The resources of the record.
    if let Some(secret) = find_listed_resource(detail) {
        return Some(secret);
    }
    // 3. The first resource of the envelope.
    if let Some(secret) = find_arn(root, &["/resources/0"]) {
        return Some(secret);
    }
    // 4. The text that the caller typed.
    if let Some(text) = find_text(detail, "/requestParameters/secretId")
        && let Some(secret) = SecretRef::from_name_or_arn(text, account, region)
    {
        return Some(secret);
    }
    // 5. The response.
    if let Some(secret) = find_arn(detail, &RESPONSE_POINTERS) {
        return Some(secret);
    }
    // 6. The message of a denied call.
    if let Some(text) = find_denied_resource(detail)
        && let Some(secret) = SecretRef::from_name_or_arn(text, account, region)
    {
        return Some(secret);
    }
    // 7. The name of a new secret.
    SecretRef::from_name_or_arn(find_created_name(detail)?, account, region)
}

const EVENT_DATA_POINTERS: [&str; 6] = [
    "/additionalEventData/SecretId",
    "/additionalEventData/secretId",
    "/additionalEventData/ARN",
    "/additionalEventData/arn",
    "/serviceEventDetails/secretId",
    "/serviceEventDetails/SecretId",
];

/// Before February 2024 some operations logged `aRN` (Secrets Manager's `CloudTrail` page).
const RESPONSE_POINTERS: [&str; 3] =
    ["/responseElements/arn", "/responseElements/aRN", "/responseElements/ARN"];

fn find_text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// The first ARN of a secret at one of some JSON pointers.
fn find_arn(value: &Value, pointers: &[&str]) -> Option<SecretRef> {
    for pointer in pointers {
        if let Some(secret) = find_text(value, pointer).and_then(SecretRef::from_arn) {
            return Some(secret);
        }
    }
    None
}

fn find_listed_resource(detail: &Value) -> Option<SecretRef> {
    for entry in detail.get("resources")?.as_array()? {
        if let Some(secret) = find_arn(entry, &["/ARN", "/arn"]) {
            return Some(secret);
        }
    }
    None
}

/// `BatchGetSecretValue` names its secrets, or filters; a filter hides which and how many (at most 20 a call).
fn find_secrets_of_batch(detail: &Value, account: &str, region: &str) -> EventSecrets {
    let ids = detail.pointer("/requestParameters/secretIdList").and_then(Value::as_array);
    let Some(ids) = ids else { return EventSecrets::default() };
    let mut secrets = Vec::new();
    for id in ids {
        let text = id.as_str().unwrap_or_default();
        secrets.extend(SecretRef::from_name_or_arn(text, account, region));
    }
    let are_all_known = !ids.is_empty() && secrets.len() == ids.len();
    EventSecrets { secrets, are_all_known }
}

/// The target of a denied call, as typed: "… on resource: X because …" (recorded; request parameters are null there).
fn find_denied_resource(detail: &Value) -> Option<&str> {
    let (_, rest) = find_text(detail, "/errorMessage")?.split_once("on resource: ")?;
    let resource = rest.split_whitespace().next()?.trim_end_matches([',', ';']);
    if resource.is_empty() || resource == "*" { None } else { Some(resource) }
}

/// `CreateSecret` names the secret in a field of its own.
fn find_created_name(detail: &Value) -> Option<&str> {
    if find_text(detail, "/eventName") == Some("CreateSecret") {
        find_text(detail, "/requestParameters/name")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn key(root: &Value) -> Option<String> {
        find_secrets(root, "111122223333", "us-west-2").secrets.first().map(SecretRef::key)
    }

    #[test]
    fn a_secret_is_found_in_every_field_that_names_one() {
        let places = [
            json!({"detail": {"additionalEventData": {"SecretId": ARN}, "requestParameters": null}, "resources": []}),
            json!({"detail": {"additionalEventData": {"arn": ARN}}}),
            json!({"detail": {"serviceEventDetails": {"secretId": ARN}}}),
            json!({"detail": {"resources": [{"type": "x"}, {"ARN": ARN}]}}),
            json!({"resources": [ARN], "detail": {"name": "prod/db"}}),
            json!({"detail": {"requestParameters": {"secretId": "prod/db"}}}),
            json!({"detail": {"responseElements": {"aRN": ARN}}}),
            json!({"detail": {"errorMessage": format!("User: x is not authorized to perform: y on resource: {ARN} because no")}}),
            json!({"detail": {"errorMessage": "User: x is not authorized to perform: y on resource: prod/db"}}),
            json!({"detail": {"eventName": "CreateSecret", "requestParameters": {"name": "prod/db"}}}),
        ];
        for place in places {
            assert_eq!(key(&place).as_deref(), Some("111122223333/us-west-2/prod/db"), "{place}");
        }
    }

    #[test]
    fn an_arn_of_another_service_is_passed_over() {
        let other = json!({"detail": {"additionalEventData": {"SecretId": "arn:aws:lambda:us-west-2:1:function:x"},
            "requestParameters": {"secretId": "prod/db"}}});
        assert_eq!(key(&other).as_deref(), Some("111122223333/us-west-2/prod/db"));
        assert_eq!(key(&json!({"detail": {"requestParameters": {"secretId": "arn:aws:sns:r:1:t"}}})), None);
    }

    #[test]
    fn a_batch_by_filter_hides_its_secrets_and_one_by_list_does_not() {
        let by_filter = json!({"detail": {"eventName": "BatchGetSecretValue", "requestParameters": {"filters": [{"key": "name", "values": ["a"]}]}}});
        let hidden = find_secrets(&by_filter, "1", "r");
        assert!(hidden.secrets.is_empty() && !hidden.are_all_known);
        let by_list = json!({"detail": {"eventName": "BatchGetSecretValue", "requestParameters": {"secretIdList": ["a", "b"]}}});
        let listed = find_secrets(&by_list, "1", "r");
        assert_eq!((listed.secrets.len(), listed.are_all_known), (2, true));
    }
}
