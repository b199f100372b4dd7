//! The owner of the KMS key that encrypts a secret.

use serde_json::Value;

use crate::aws::arn::Arn;
use crate::event::Event;

/// Whether the keys in a request, for the secret and for its replicas, belong to the secret's own account: `foreign` if
/// one of them does not, absent where the request names no key.
pub(super) fn find_key_owner(event: &Event) -> Option<&'static str> {
    let request = event.find_value("/detail/requestParameters")?;
    let mut keys = Vec::new();
    keys.extend(find_key(request));
    let replicas = request.get("addReplicaRegions").and_then(Value::as_array);
    for replica in replicas.into_iter().flatten() {
        keys.extend(find_key(replica));
    }
    if keys.is_empty() {
        return None;
    }
    let is_foreign = keys.into_iter().any(|key| is_foreign_key(key, event.owner_account()));
    Some(if is_foreign { "foreign" } else { "own" })
}

fn find_key(parameters: &Value) -> Option<&str> {
    let key = parameters.get("kmsKeyId")?.as_str()?;
    if key.is_empty() { None } else { Some(key) }
}

/// A key that is not given by ARN is one of the same account (`API_UpdateSecret`).
fn is_foreign_key(key: &str, owner_account: &str) -> bool {
    Arn::parse_for_service("kms", key).is_some_and(|arn| arn.account != owner_account)
}
