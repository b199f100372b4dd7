//! The findings of the checks: how bad each one is, where it is, what it means, and how to fix it.

use serde::Serialize;

use crate::snapshot::Inspection;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// What the check saw.
    pub(crate) what: String,
    /// What that means; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) means: String,
    /// How to fix it; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) fix: String,
}

/// Collects the findings about one Region.
pub(crate) struct RegionFindings<'f> {
    region: &'f str,
    all: &'f mut Vec<CheckFinding>,
}

impl<'f> RegionFindings<'f> {
    /// Collects into `all`.
    pub(crate) fn new(region: &'f str, all: &'f mut Vec<CheckFinding>) -> Self {
        Self { region, all }
    }

    /// Adds that all is well.
    pub(crate) fn ok(&mut self, check: &'static str, resource: &str, what: impl Into<String>) {
        self.add(FindingLevel::Ok, check, resource, [what.into(), String::new(), String::new()]);
    }

    /// Adds that something works, but less than it should.
    pub(crate) fn warn(
        &mut self,
        check: &'static str,
        resource: &str,
        what: impl Into<String>,
        means: &str,
        fix: impl Into<String>,
    ) {
        self.add(FindingLevel::Warn, check, resource, [what.into(), means.to_owned(), fix.into()]);
    }

    /// Adds that something is dead.
    pub(crate) fn fail(
        &mut self,
        check: &'static str,
        resource: &str,
        what: impl Into<String>,
        means: &str,
        fix: impl Into<String>,
    ) {
        self.add(FindingLevel::Fail, check, resource, [what.into(), means.to_owned(), fix.into()]);
    }

    /// Returns what an inspection saw. Where it saw nothing, that is a finding: it must not count as well.
    pub(crate) fn require_seen<'i, T>(
        &mut self,
        check: &'static str,
        resource: &str,
        inspection: &'i Inspection<T>,
    ) -> Option<&'i T> {
        match inspection {
            Inspection::Seen(seen) => Some(seen),
            Inspection::Unseen(reason) => {
                self.unseen(check, resource, reason);
                None
            }
        }
    }

    /// Adds that something could not be looked at.
    pub(crate) fn unseen(&mut self, check: &'static str, resource: &str, reason: &str) {
        let means = "nobody knows whether this is right";
        let fix = "let who runs the doctor make this call, or run it as somebody who may";
        self.warn(check, resource, format!("not seen: {reason}"), means, fix);
    }

    fn add(
        &mut self,
        level: FindingLevel,
        check: &'static str,
        resource: &str,
        [what, means, fix]: [String; 3],
    ) {
        let region = self.region.to_owned();
        let resource = resource.to_owned();
        self.all.push(CheckFinding { level, check, region, resource, what, means, fix });
    }
}
