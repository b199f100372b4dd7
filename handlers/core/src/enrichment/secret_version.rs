//! The version of a secret that a read asks for.

use crate::event::Event;

/// The version that a read asks for, if not the usual one: `previous` or `explicit`. Checks run in this order:
///
/// 1. another call than `GetSecretValue` reads no version;
/// 2. the label AWSPREVIOUS: `previous`, whatever version id stands with it;
/// 3. a version id without one of the two labels of a rotation: `explicit`.
pub(super) fn find_unusual_version(event: &Event) -> Option<&'static str> {
    // 1. Another call.
    if event.event_name().raw() != "GetSecretValue" {
        return None;
    }
    let label = event.find_text("/detail/requestParameters/versionStage").unwrap_or_default();
    // 2. The label AWSPREVIOUS.
    if label.raw() == "AWSPREVIOUS" {
        return Some("previous");
    }
    // 3. A version id. The function of a rotation reads AWSPENDING and AWSCURRENT by id.
    let version_id = event.find_text("/detail/requestParameters/versionId");
    let is_rotation_label = matches!(label.raw(), "AWSPENDING" | "AWSCURRENT");
    if version_id.is_some() && !is_rotation_label { Some("explicit") } else { None }
}
