//! The rules' own fixtures, to compare AWS's matcher with ours.

use responder_core::rules::RuleSet;
use serde_json::Value;

// `EVENTS: &[(&str, &str, &[u8])]`: rule or response, case, text; written by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/fixtures.rs"));

/// What `TestEventPattern` demands of an event (`API_TestEventPattern`).
const FIELDS: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];
/// The longest event that an API call takes with its pattern beside it.
const EVENT_MAX: usize = 200_000;

/// An event, and whether our matcher says that a rule matches it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'r> {
    /// The rule's id.
    pub(crate) rule: &'r str,
    /// Its pattern, without the account that the template adds: fixtures have invented ones.
    pub(crate) pattern: &'r str,
    /// The fixture's name.
    pub(crate) name: &'static str,
    /// The event.
    pub(crate) event: &'static str,
    /// What our matcher says.
    pub(crate) matches: bool,
}

/// The cases in the folders of rules, as far as AWS takes them.
pub(crate) fn cases(rules: &RuleSet) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for (id, name, bytes) in EVENTS {
        let Some(rule) = rules.rules.iter().find(|rule| rule.id == *id) else { continue };
        let Ok(event) = std::str::from_utf8(bytes) else { continue };
        let Ok(Value::Object(fields)) = serde_json::from_str(event) else { continue };
        let taken = event.len() <= EVENT_MAX && FIELDS.iter().all(|field| fields.contains_key(*field));
        let verdict = rule.pattern.matches(event);
        if let (true, Ok(matches)) = (taken, verdict) {
            cases.push(Case { rule: &rule.id, pattern: rule.pattern.minified(), name, event, matches });
        }
    }
    cases
}
