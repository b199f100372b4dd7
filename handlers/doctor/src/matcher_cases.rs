//! The fixtures of the rules, on which AWS's matcher is compared with ours.

use responder_core::rules::RuleSet;
use serde_json::Value;

// `EVENTS: &[(&str, &str, &[u8])]`: rule or response, case, text; written by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/fixtures.rs"));

/// The fields that an event must have for `TestEventPattern` (`API_TestEventPattern`).
const REQUIRED_FIELDS: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];
/// The longest event that fits into a call with its pattern.
const MAX_EVENT_BYTES: usize = 200_000;

/// An event and a rule, and whether our matcher says that they match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatcherCase<'r> {
    /// The rule's id.
    pub(crate) rule: &'r str,
    /// Its pattern, without the account that the template adds: the accounts of fixtures are invented.
    pub(crate) pattern: &'r str,
    /// The fixture's name.
    pub(crate) name: &'static str,
    /// The event.
    pub(crate) event: &'static str,
    /// Whether our matcher says that they match.
    pub(crate) matches: bool,
}

/// The cases of the fixtures in the folders of rules, as far as `TestEventPattern` takes them.
pub(crate) fn list_matcher_cases(rules: &RuleSet) -> Vec<MatcherCase<'_>> {
    let mut cases = Vec::new();
    for (id, name, bytes) in EVENTS {
        let Some(rule) = rules.rules.iter().find(|rule| rule.id == *id) else { continue };
        let Ok(event) = std::str::from_utf8(bytes) else { continue };
        let Ok(matches) = rule.pattern.matches(event) else { continue };
        let fields: Value = serde_json::from_str(event).unwrap_or_default();
        let is_complete = REQUIRED_FIELDS.iter().all(|field| fields.get(field).is_some());
        if is_complete && event.len() <= MAX_EVENT_BYTES {
            let pattern = rule.pattern.minified();
            cases.push(MatcherCase { rule: &rule.id, pattern, name, event, matches });
        }
    }
    cases
}
