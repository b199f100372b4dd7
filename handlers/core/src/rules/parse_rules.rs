//! Parses rules and responses, and reports everything that is wrong with them at once.

use super::parse_patterns::parse_patterns;
use super::parse_responses::parse_responses;
use super::problem_list::{ProblemList, RuleFile, RulesError};
use super::rule_set::RuleSet;

/// Parses `<handler>/<id>.json` patterns and `responses.json`; other files are passed over.
///
/// # Errors
/// Every problem of every file.
pub fn parse_rules(files: &[RuleFile]) -> Result<RuleSet, RulesError> {
    let mut problems = ProblemList::default();
    let rules = parse_patterns(files, &mut problems);
    let (responses, narrowing) = parse_responses(files, &rules, &mut problems);
    problems.into_result()?;
    Ok(RuleSet::new(rules, responses, narrowing))
}
