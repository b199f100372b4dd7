//! What a check found: how bad, where, what it means, and how to fix it.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, but less than it should; or it could not be looked at.
    Warn,
    /// Something is dead, or will be when it is needed.
    Fail,
}

impl Level {
    /// The word in the table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// What a check found about one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// The check's name.
    pub(crate) check: &'static str,
    /// The Region.
    pub(crate) region: String,
    /// The resource.
    pub(crate) resource: String,
    /// What is the case.
    pub(crate) what: String,
    /// What that means; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) means: String,
    /// How to fix it; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) fix: String,
}

/// The findings about one Region.
pub(crate) struct Findings<'f> {
    region: &'f str,
    all: &'f mut Vec<Finding>,
}

impl<'f> Findings<'f> {
    /// Collects into `all`.
    pub(crate) fn of(region: &'f str, all: &'f mut Vec<Finding>) -> Self {
        Self { region, all }
    }

    /// All is well.
    pub(crate) fn ok(&mut self, check: &'static str, resource: &str, what: impl Into<String>) {
        self.add(Level::Ok, check, resource, what.into(), "", "");
    }

    /// It works, but less than it should.
    pub(crate) fn warn(
        &mut self,
        check: &'static str,
        resource: &str,
        what: impl Into<String>,
        means: &str,
        fix: impl AsRef<str>,
    ) {
        self.add(Level::Warn, check, resource, what.into(), means, fix.as_ref());
    }

    /// Something is dead.
    pub(crate) fn fail(
        &mut self,
        check: &'static str,
        resource: &str,
        what: impl Into<String>,
        means: &str,
        fix: impl AsRef<str>,
    ) {
        self.add(Level::Fail, check, resource, what.into(), means, fix.as_ref());
    }

    /// It could not be looked at: nobody knows.
    pub(crate) fn unseen(&mut self, check: &'static str, resource: &str, why: &str) {
        let means = "nobody knows whether this is right";
        let fix = "let who runs the doctor make this call, or run it as somebody who may";
        self.add(Level::Warn, check, resource, format!("not seen: {why}"), means, fix);
    }

    fn add(
        &mut self,
        level: Level,
        check: &'static str,
        resource: &str,
        what: String,
        means: &str,
        fix: &str,
    ) {
        self.all.push(Finding {
            level,
            check,
            region: self.region.to_owned(),
            resource: resource.to_owned(),
            what,
            means: means.to_owned(),
            fix: fix.to_owned(),
        });
    }
}
