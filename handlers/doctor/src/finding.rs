//! The findings of the checks: how bad each one is, where it is, what it means, and how to fix it.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum FindingLevel {
    /// As it should be.
    Ok,
    /// It works, but less than it should; or it could not be looked at.
    Warn,
    /// Something is dead, or will be when it is needed.
    Fail,
}

impl FindingLevel {
    /// The word in the table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// A finding of one check about one resource. The names of the fields are the keys of the JSON output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct CheckFinding {
    pub(crate) level: FindingLevel,
    /// The name of the check.
    pub(crate) check: &'static str,
    /// The Region.
    pub(crate) region: String,
    /// The resource.
    pub(crate) resource: String,
    /// The observation.
    pub(crate) what: String,
    /// The consequence of a fault; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) means: String,
    /// The remedy of a fault; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) fix: String,
}
