//! How a command ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use responder_core::rules::RulesError;

/// How a command ends. The numbers are the exit status, which `--help` documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandOutcome {
    /// The command did its work.
    Done = 0,
    /// The answer is no: no match, a fixture that differs, a service that is not proved, or an expired exception.
    Differs = 1,
    /// The rules, the facts, a pattern or an argument cannot be used. Nothing was decided.
    Unusable = 2,
    /// Some of the input could not be read. The rest was decided.
    PartlyRead = 3,
}

impl CommandOutcome {
    /// The outcome of a command that read so many events and had so many problems with its input. Nothing read is no
    /// all-clear.
    pub(crate) fn after_reading(events: usize, problems: usize) -> Self {
        if events == 0 { Self::PartlyRead } else { Self::after_problems(problems) }
    }

    /// The outcome of a command that had so many problems with its input.
    pub(crate) fn after_problems(count: usize) -> Self {
        if count == 0 { Self::Done } else { Self::PartlyRead }
    }
}

/// Why a command could not do its work at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// A file that the command needs cannot be read.
    #[error("cannot read {file}: {error}")]
    UnreadableFile {
        /// The path of the file.
        file: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// A file that the command should write cannot be written.
    #[error("cannot write {file}: {error}")]
    UnwritableFile {
        /// The path of the file.
        file: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// A file or an argument does not hold what it should.
    #[error("{file}: {reason}")]
    UnusableContent {
        /// The path of the file, or the name of the argument.
        file: String,
        /// One sentence about what is wrong.
        reason: String,
    },
    /// The rules cannot be used.
    #[error("the rules in {folder} cannot be used:\n{error}")]
    UnusableRules {
        /// The folder that they come from.
        folder: String,
        /// Every problem, one a line.
        error: RulesError,
    },
}

/// Checks that every path is there: a mistyped path must not pass for a trail without events. `-` is standard input.
pub(crate) fn check_paths(paths: &[PathBuf]) -> Result<(), CommandError> {
    for path in paths {
        if path == Path::new("-") {
            continue;
        }
        if let Err(error) = fs::metadata(path) {
            return Err(unreadable_file(path, error));
        }
    }
    Ok(())
}

/// The error about a file that cannot be read.
pub(crate) fn unreadable_file(path: &Path, error: io::Error) -> CommandError {
    CommandError::UnreadableFile { file: path.display().to_string(), error }
}

/// The error about a file that does not hold what it should.
pub(crate) fn unusable_content(path: &Path, reason: impl Into<String>) -> CommandError {
    CommandError::UnusableContent { file: path.display().to_string(), reason: reason.into() }
}
