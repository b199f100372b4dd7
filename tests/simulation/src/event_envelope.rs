//! The envelope of EventBridge events.

use responder_core::time::Timestamp;
use serde_json::{Value, json};

use crate::location::AwsLocation;
use crate::random::SeededRandom;

/// The source and the detail type of an event.
pub(crate) type EventKind = (&'static str, &'static str);

/// An event in its envelope, from a location. Times of EventBridge are whole seconds.
pub(crate) fn wrap_event(
    random: &mut SeededRandom,
    location: &AwsLocation,
    at: Timestamp,
    (source, detail_type): EventKind,
    resources: &[&str],
    detail: &Value,
) -> Value {
    json!({
        "version": "0",
        "id": random.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": location.account,
        "time": at.truncate_to_second(),
        "region": location.region,
        "resources": resources,
        "detail": detail,
    })
}
