//! The first line of every JSON report: what made it.

use std::env;

use responder_core::text::Untrusted;
use serde::Serialize;

/// The commit of the release. Whoever builds it sets the variable; a build does not ask git.
const COMMIT: Option<&str> = option_env!("SECRETS_RESPONDER_COMMIT");

/// What made a report: enough to make it again.
#[derive(Debug, Serialize)]
pub(crate) struct ReportHeader {
    /// The version of the release.
    version: &'static str,
    /// The commit of the release, or `unknown`.
    commit: &'static str,
    /// The hash of the rules; absent for a report that applies none.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
    /// The command line. The program is always called `replay`.
    command: Vec<Untrusted>,
}

impl ReportHeader {
    /// The header of a report of this process, which applies the rules with this hash.
    pub(crate) fn of_process(rules_hash: Option<String>) -> Self {
        let mut command = vec![Untrusted::new("replay")];
        for argument in env::args_os().skip(1) {
            command.push(Untrusted::new(argument.to_string_lossy()));
        }
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("unknown"),
            rules: rules_hash,
            command,
        }
    }
}
