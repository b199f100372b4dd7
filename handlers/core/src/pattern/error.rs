//! Why a text is not a pattern, in AWS's words.

use crate::json::JsonError;

/// A text that `EventBridge` would refuse as a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong, in AWS's words (which may repeat parts of the pattern).
    pub message: String,
    /// The byte where reading stopped, if known.
    pub offset: Option<usize>,
}

impl From<JsonError> for PatternError {
    fn from(error: JsonError) -> Self {
        Self { offset: Some(error.offset), message: error.message }
    }
}
