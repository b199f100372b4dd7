//! The JSON that the fake's services have in common.

use responder_core::time::Timestamp;
use serde_json::{Value, json};
use simulation::service_calls::ApiRefusal;

/// Refuses a request with a member that the fake would ignore: a test must not believe that it did something.
pub(super) fn refuse_unknown_members(body: &Value, known: &[&str]) -> Result<(), ApiRefusal> {
    let unknown = body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((name, _)) => {
            Err(ApiRefusal::new("ValidationException", format!("the fake does not know `{name}`")))
        }
    }
}

/// An instant as the JSON protocols write it: seconds, with a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium are exact")]
pub(super) fn write_seconds(at: Timestamp) -> Value {
    json!(at.millis() as f64 / 1_000.0)
}

/// The most entries that a page may have, if the request says.
pub(super) fn read_page_size(body: &Value, name: &str) -> Option<usize> {
    body[name].as_u64().map(|max| usize::try_from(max).unwrap_or(usize::MAX))
}
