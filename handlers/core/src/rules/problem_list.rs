//! The files of the rules folder, and the problems that are found in them.

use std::fmt;

use eventbridge_pattern::json::find_duplicate_key;

/// One file of the rules folder.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The path below the rules folder, with `/`: `access/secret-read.json`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The file with the responses.
pub(super) const RESPONSES_FILE: &str = "responses.json";

/// One thing that is wrong with the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The file's path below the rules folder.
    pub file: String,
    /// The line and column in the file, or the name of an entry; empty for the whole file.
    pub position: String,
    /// The mistake and, where it is not plain, the remedy.
    pub reason: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, position, reason } = self;
        if position.is_empty() {
            write!(f, "{file}: {reason}")
        } else {
            write!(f, "{file}: {position}: {reason}")
        }
    }
}

/// Everything that is wrong with the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RulesError(pub Vec<RuleProblem>);

/// The problems that were found so far: all of them are reported together.
#[derive(Debug, Default)]
pub(super) struct ProblemList {
    problems: Vec<RuleProblem>,
}

impl ProblemList {
    pub(super) fn add(&mut self, file: &str, position: impl Into<String>, reason: impl Into<String>) {
        let problem = RuleProblem { file: file.to_owned(), position: position.into(), reason: reason.into() };
        self.problems.push(problem);
    }

    /// Adds a problem of a whole file.
    pub(super) fn add_for_file(&mut self, file: &str, reason: impl Into<String>) {
        self.add(file, "", reason);
    }

    /// Adds a problem of an entry of `responses.json`.
    pub(super) fn add_for_response(&mut self, entry: impl Into<String>, reason: impl Into<String>) {
        self.add(RESPONSES_FILE, entry, reason);
    }

    /// EventBridge silently takes the last of two equal keys, and so would everybody who reads the file later.
    pub(super) fn check_duplicate_keys(&mut self, file: &RuleFile) {
        if let Some(offset) = find_duplicate_key(&file.text) {
            let reason = "the same key stands here twice; EventBridge would silently take the last";
            self.add(&file.path, describe_position(&file.text, offset), reason);
        }
    }

    /// Nothing, if no problem was found.
    pub(super) fn into_result(self) -> Result<(), RulesError> {
        if self.problems.is_empty() { Ok(()) } else { Err(RulesError(self.problems)) }
    }
}

/// The line and the column of a byte.
pub(super) fn describe_position(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
