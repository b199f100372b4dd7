//! The rules that are compiled into the binaries.

use super::load::RuleFile;
use super::{RuleSet, RulesError, load};

// `FILES: &[(&str, &str)]`: path below `rules/` and text, written by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));

/// The rules of this release.
///
/// # Errors
/// Never in a released binary: a test loads them.
pub fn builtin() -> Result<RuleSet, RulesError> {
    let files: Vec<RuleFile> = FILES
        .iter()
        .map(|(path, text)| RuleFile { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    load(&files)
}
