//! Problems of the input: parts of it that could not be read.

use serde::Serialize;

/// A part of the content of one file that could not be read. It holds nothing of the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct ContentProblem {
    /// The position of the part, in bytes from the start of the uncompressed content.
    pub offset: usize,
    /// One sentence about what is wrong.
    pub reason: String,
}

/// A file, or a part of a file, that could not be read.
///
/// The derived order is the order of reports: by file, then by position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InputProblem {
    /// The path of the file, as it was given or found; `-` is standard input.
    pub file: String,
    /// The position of the part, in bytes from the start of the uncompressed content. It is absent if the problem
    /// concerns the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// One sentence about what is wrong.
    pub reason: String,
}

impl InputProblem {
    /// A problem of a whole file.
    pub fn of_file(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { file: file.into(), offset: None, reason: reason.into() }
    }

    /// A problem of a part of a file.
    pub fn in_file(file: impl Into<String>, problem: ContentProblem) -> Self {
        Self { file: file.into(), offset: Some(problem.offset), reason: problem.reason }
    }
}
