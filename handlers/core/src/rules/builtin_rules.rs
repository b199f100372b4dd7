//! The rules that are compiled into the binaries.

use super::parse_rules::parse_rules;
use super::problem_list::{RuleFile, RulesError};
use super::rule_set::RuleSet;

// `RULE_FILES: &[(&str, &str)]`: path below `rules/` and text, written by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));

/// Loads the rules of this release.
///
/// # Errors
/// Never in a released binary: a test loads them.
pub fn builtin() -> Result<RuleSet, RulesError> {
    parse_rules(&builtin_files())
}

/// The files of this release.
pub fn builtin_files() -> Vec<RuleFile> {
    let mut files = Vec::new();
    for (path, text) in RULE_FILES {
        files.push(RuleFile { path: (*path).to_owned(), text: (*text).to_owned() });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::builtin;
    use crate::event::EventError;

    #[test]
    fn an_event_without_a_rule_is_no_error_and_a_text_without_an_envelope_is_one() {
        let rules = builtin().unwrap();
        let event = r#"{"source": "aws.s3", "detail-type": "", "detail": 5}"#;
        assert!(rules.match_event(event).unwrap().is_empty());
        for text in ["{}", r#"{"detail-type": 7, "source": [], "detail": "x"}"#, r#"{"source": "aws.s3"}"#] {
            assert_eq!(rules.match_event(text).unwrap_err(), EventError::NoEnvelope, "{text}");
        }
    }
}
