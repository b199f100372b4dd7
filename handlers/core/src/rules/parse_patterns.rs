//! Parses the pattern files: `<handler>/<id>.json`.

use std::collections::BTreeMap;

use eventbridge_pattern::{MAX_PATTERN_CHARACTERS, Pattern};

use super::event_rule::EventRule;
use super::handler::Handler;
use super::narrowing_patterns::ENRICHMENT_FIELD;
use super::problem_list::{ProblemList, RuleFile, describe_position};
use super::rule_id::{RULE_ID_FORMAT, is_rule_id};

/// Parses the rules, by handler and id.
pub(super) fn parse_patterns(files: &[RuleFile], problems: &mut ProblemList) -> Vec<EventRule> {
    let mut rules_by_id = BTreeMap::new();
    for file in files {
        let Some(rule) = parse_rule(file, problems) else { continue };
        let previous = rules_by_id.insert(rule.id.clone(), rule);
        if previous.is_some() {
            problems.add_for_file(&file.path, "another folder has a rule of this name");
        }
    }
    let mut rules: Vec<EventRule> = rules_by_id.into_values().collect();
    rules.sort_by(|a, b| (a.handler, &a.id).cmp(&(b.handler, &b.id)));
    rules
}

/// Parses one rule; `None` for files that are no patterns, and for patterns that cannot be read.
fn parse_rule(file: &RuleFile, problems: &mut ProblemList) -> Option<EventRule> {
    let (folder, name) = file.path.split_once('/')?;
    let id = name.strip_suffix(".json")?;
    let Some(handler) = Handler::from_folder(folder) else {
        let reason = "no such handler; patterns belong in rotation/, access/, failure/ or sweep/";
        problems.add_for_file(&file.path, reason);
        return None;
    };
    if !is_rule_id(id) {
        problems.add_for_file(&file.path, RULE_ID_FORMAT);
    }
    problems.check_duplicate_keys(file);
    let pattern = match Pattern::parse(&file.text) {
        Ok(pattern) => pattern,
        Err(error) => {
            let position = describe_position(&file.text, error.offset());
            problems.add(&file.path, position, error.to_string());
            return None;
        }
    };
    check_pattern(&file.path, &pattern, problems);
    Some(EventRule { id: id.to_owned(), handler, pattern })
}

fn check_pattern(path: &str, pattern: &Pattern, problems: &mut ProblemList) {
    if pattern.mentions(ENRICHMENT_FIELD) {
        let reason = "EventBridge knows no `derived`; narrow by it in `where` of responses.json";
        problems.add_for_file(path, reason);
    }
    let length = pattern.minified_length();
    if length > MAX_PATTERN_CHARACTERS {
        let reason = format!(
            "the pattern has {length} characters without white space; EventBridge takes at most {MAX_PATTERN_CHARACTERS}"
        );
        problems.add_for_file(path, reason);
    }
}
