//! The errors of texts that are no events.

use eventbridge_pattern::EventFormatError;
use eventbridge_pattern::json::JsonError;

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
        Self::NotJson { offset: error.offset(), kind: error.kind() }
    }
}

impl From<&EventFormatError> for EventError {
    fn from(error: &EventFormatError) -> Self {
        match error {
            EventFormatError::NotAnObject => Self::NotAnObject,
            EventFormatError::NotJson(error) => Self::from(error),
        }
    }
}
