//! The key that all copies of an event share.

use serde_json::Value;

use crate::hash;

/// The key of an event, equal for its copies: a hash, so that it is safe to print. It is made of the first of these that
/// the event has:
///
/// 1. `sharedEventID`, which the caller's and the owner's record of a cross-account call share;
/// 2. the id of the first record, in one that `CloudTrail` delivers again with corrections;
/// 3. `eventID` of the record;
/// 4. for the native events of Secrets Manager, which carry no such id: secret, version, label and time;
/// 5. the envelope's `id`;
/// 6. the whole text.
pub(super) fn find_copy_key(root: &Value) -> String {
    // 1. The id that both records of a cross-account call share.
    if let Some(shared_id) = find_text(root, "/detail/sharedEventID") {
        return hash::hash_parts(&["event", shared_id]);
    }
    // 2. The first record; 3. this record.
    for pointer in ["/detail/addendum/originalEventID", "/detail/eventID"] {
        if let Some(event_id) = find_text(root, pointer) {
            return hash::hash_parts(&["event", event_id]);
        }
    }
    // 4. A native event.
    if let Some(arn) = find_text(root, "/resources/0")
        && let Some(version) = find_text(root, "/detail/versionId")
        && let Some(label) = find_text(root, "/detail/labelUpdated")
    {
        // The label may come back to a version later (a rollback): the time keeps those two events apart.
        let time = find_text(root, "/time").unwrap_or_default();
        return hash::hash_parts(&["label", arn, version, label, time]);
    }
    // 5. The envelope; 6. the text.
    match find_text(root, "/id") {
        Some(id) => hash::hash_parts(&["id", id]),
        None => hash::hash_parts(&["text", &root.to_string()]),
    }
}

/// The string at a JSON pointer; `None` if it is absent, empty or not a string.
fn find_text<'v>(root: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = root.pointer(pointer)?.as_str()?;
    if text.is_empty() { None } else { Some(text) }
}
