//! Loads rules and responses from text, and reports everything that is wrong with them at once.

use super::load_patterns::load_patterns;
use super::load_responses::load_responses;
use super::problem_list::{ProblemList, RuleFile, RulesError};
use super::rule_set::RuleSet;

/// Loads `<handler>/<id>.json` patterns and `responses.json`; other files are passed over.
///
/// # Errors
/// Every problem of every file.
pub fn load_rules(files: &[RuleFile]) -> Result<RuleSet, RulesError> {
    let mut problems = ProblemList::default();
    let rules = load_patterns(files, &mut problems);
    let (responses, narrowing) = load_responses(files, &rules, &mut problems);
    problems.into_result()?;
    Ok(RuleSet::new(rules, responses, narrowing))
}
