//! The error of a text that is not JSON.

use std::error::Error;
use std::fmt;

/// A text that is not JSON, with Jackson's description of the fault.
///
/// [`JsonError::message`], and so the `Display` form, may repeat parts of the text. Where the text must not show up, as in a log
/// of events, use [`JsonError::kind`] and [`JsonError::offset`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    offset: usize,
    kind: &'static str,
    message: String,
}

impl JsonError {
    /// An error at a byte offset, with words that repeat nothing of the text (`kind`) and words that may (`message`).
    pub(crate) fn new(offset: usize, kind: &'static str, message: impl Into<String>) -> Self {
        Self { offset, kind, message: message.into() }
    }

    /// The offset in bytes at which reading stopped.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Names the fault in a few fixed words, such as `unexpected end`, without any part of the text.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Describes the fault in Jackson's words, which may repeat parts of the text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.message, self.offset)
    }
}

impl Error for JsonError {}
