//! Finds the secrets that an event concerns, wherever its kind of event puts them.

use serde_json::Value;

use crate::aws::secret_ref::SecretRef;

/// The secrets of an event in its envelope, and whether those are all.
///
/// The places and their order follow what was captured of real events: `RotationSucceeded` has
/// `additionalEventData.SecretId` with empty `resources` and null `requestParameters`; the native event has the
/// envelope's `resources[0]`; an API call has what the caller typed; a denied call has the target only in `errorMessage`.
pub(super) fn find_secrets(root: &Value, account: &str, region: &str) -> (Vec<SecretRef>, bool) {
    let detail = root.get("detail").unwrap_or(&Value::Null);
    if detail.get("eventName").and_then(Value::as_str) == Some("BatchGetSecretValue") {
        return batch(detail, account, region);
    }
    let typed = |text: &str| SecretRef::typed(text, account, region);
    let arns =
        ARNS.iter().filter_map(|pointer| detail.pointer(pointer)?.as_str()).find_map(SecretRef::from_arn);
    let found = arns
        .or_else(|| listed(detail.get("resources")))
        .or_else(|| root.pointer("/resources/0")?.as_str().and_then(SecretRef::from_arn))
        .or_else(|| detail.pointer("/requestParameters/secretId")?.as_str().and_then(typed))
        .or_else(|| {
            RESPONSE_ARNS
                .iter()
                .find_map(|pointer| detail.pointer(pointer)?.as_str().and_then(SecretRef::from_arn))
        })
        .or_else(|| denied(detail).and_then(typed))
        .or_else(|| created(detail).and_then(typed));
    match found {
        Some(secret) => (vec![secret], true),
        None => (Vec::new(), false),
    }
}

const ARNS: [&str; 6] = [
    "/additionalEventData/SecretId",
    "/additionalEventData/secretId",
    "/additionalEventData/ARN",
    "/additionalEventData/arn",
    "/serviceEventDetails/secretId",
    "/serviceEventDetails/SecretId",
];

/// Before February 2024 some operations logged `aRN` (Secrets Manager's `CloudTrail` page).
const RESPONSE_ARNS: [&str; 3] = ["/responseElements/arn", "/responseElements/aRN", "/responseElements/ARN"];

fn listed(resources: Option<&Value>) -> Option<SecretRef> {
    let entries = resources?.as_array()?;
    entries.iter().find_map(|entry| {
        ["ARN", "arn"].iter().find_map(|name| entry.get(name)?.as_str().and_then(SecretRef::from_arn))
    })
}

/// `BatchGetSecretValue` names its secrets, or filters; a filter hides which and how many (at most 20 a call).
fn batch(detail: &Value, account: &str, region: &str) -> (Vec<SecretRef>, bool) {
    let ids = detail.pointer("/requestParameters/secretIdList").and_then(Value::as_array);
    let Some(ids) = ids.filter(|ids| !ids.is_empty()) else {
        return (Vec::new(), false);
    };
    let secrets: Vec<_> =
        ids.iter().filter_map(|id| SecretRef::typed(id.as_str()?, account, region)).collect();
    let known = secrets.len() == ids.len();
    (secrets, known)
}

/// The target of a denied call, as typed: "… on resource: X because …" (recorded; request parameters are null there).
fn denied(detail: &Value) -> Option<&str> {
    let message = detail.get("errorMessage")?.as_str()?;
    let (_, rest) = message.split_once("on resource: ")?;
    let target = rest.split_whitespace().next()?.trim_end_matches([',', ';']);
    (!target.is_empty() && target != "*").then_some(target)
}

/// `CreateSecret` names the secret in a field of its own.
fn created(detail: &Value) -> Option<&str> {
    let name = detail.get("eventName").and_then(Value::as_str)?;
    (name == "CreateSecret").then(|| detail.pointer("/requestParameters/name")?.as_str()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn key(root: &Value) -> Option<String> {
        find_secrets(root, "111122223333", "us-west-2").0.first().map(SecretRef::key)
    }

    #[test]
    fn every_place_of_the_arn_is_known() {
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
        assert_eq!(find_secrets(&by_filter, "1", "r"), (Vec::new(), false));
        let by_list = json!({"detail": {"eventName": "BatchGetSecretValue", "requestParameters": {"secretIdList": ["a", "b"]}}});
        let (found, known) = find_secrets(&by_list, "1", "r");
        assert_eq!((found.len(), known), (2, true));
    }
}
