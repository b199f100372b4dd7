//! The built-in rules, loaded once in a process: a function that starts cold loads them, thousands of worlds need not.

use std::sync::{Arc, OnceLock};

use responder_core::rules::{RuleSet, RulesError, builtin};

/// The built-in rules.
///
/// # Errors
///
/// If they cannot be loaded.
pub fn load_builtin_rules() -> Result<Arc<RuleSet>, RulesError> {
    static RULES: OnceLock<Arc<RuleSet>> = OnceLock::new();
    if let Some(rules) = RULES.get() {
        return Ok(Arc::clone(rules));
    }
    let rules = Arc::new(builtin()?);
    Ok(Arc::clone(RULES.get_or_init(|| rules)))
}
