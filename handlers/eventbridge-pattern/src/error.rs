//! The errors of patterns and events.

use std::error::Error;
use std::fmt;

use crate::json::JsonError;

/// A text that EventBridge would refuse as a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    message: String,
    offset: usize,
}

impl PatternError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset }
    }

    /// Describes the fault in AWS's words, which may repeat parts of the pattern.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The offset in bytes at which reading stopped: at the fault or shortly behind it.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PatternError {}

impl From<JsonError> for PatternError {
    fn from(error: JsonError) -> Self {
        Self::new(error.offset(), error.message())
    }
}

/// A text that is not an event.
///
/// The `Display` form repeats nothing of the event, because it ends up in logs. The [`JsonError`] inside has Jackson's words, which
/// may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFormatError {
    /// The text is empty, or it is JSON but not an object.
    NotAnObject,
    /// The text is not JSON.
    NotJson(JsonError),
}

impl EventFormatError {
    /// Names the fault in a few fixed words, without any part of the event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAnObject => "not an object",
            Self::NotJson(error) => error.kind(),
        }
    }
}

impl fmt::Display for EventFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("Event must be a JSON object"),
            Self::NotJson(error) => {
                write!(f, "Event is not JSON: {} at byte {}", error.kind(), error.offset())
            }
        }
    }
}

impl Error for EventFormatError {}

impl From<JsonError> for EventFormatError {
    fn from(error: JsonError) -> Self {
        Self::NotJson(error)
    }
}
