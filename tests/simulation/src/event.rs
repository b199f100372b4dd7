//! The envelope of EventBridge events.

use responder_core::time::Timestamp;
use serde_json::{Value, json};

use crate::{Place, Random};

/// An event of `source` in `place`. Times of EventBridge are whole seconds.
pub(crate) fn event(
    random: &mut Random,
    place: &Place,
    at: Timestamp,
    (source, detail_type): (&str, &str),
    resources: &[&str],
    detail: &Value,
) -> Value {
    json!({
        "version": "0",
        "id": random.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": place.account,
        "time": seconds(at),
        "region": place.region,
        "resources": resources,
        "detail": detail,
    })
}

/// An instant as events tell it: to the second.
pub(crate) fn seconds(at: Timestamp) -> String {
    Timestamp::from_millis(at.millis().div_euclid(1_000) * 1_000).to_string()
}
