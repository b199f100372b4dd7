//! The errors of texts that are no events.

use crate::json::JsonError;
use crate::pattern;

/// Why a text is no event. Holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON.
    #[error("not JSON: {kind} at byte {offset}")]
    NotJson {
        /// Where, in bytes from the start of the text.
        offset: usize,
        /// The kind of mistake, in words that hold nothing of the text.
        kind: &'static str,
    },
    /// JSON, but not an object.
    #[error("an event must be a JSON object")]
    NotAnObject,
    /// An object that EventBridge cannot have sent.
    #[error("an event must have a source and a detail type")]
    NoEnvelope,
}

impl From<&JsonError> for EventError {
    fn from(error: &JsonError) -> Self {
        Self::NotJson { offset: error.offset, kind: error.kind() }
    }
}

impl From<&pattern::EventError> for EventError {
    fn from(error: &pattern::EventError) -> Self {
        match error {
            pattern::EventError::NotAnObject => Self::NotAnObject,
            pattern::EventError::Json(error) => Self::from(error),
        }
    }
}
