//! Finds the names that somebody may have meant who typed another one.

use std::collections::BTreeSet;

use responder_core::edit_distance::count_edits;

/// How many names are offered.
const OFFERED_NAMES_MAX: usize = 5;

/// Returns the known names that are most like `typed`, the most alike first. Case, and the folders before the last part of
/// a name, count less than letters.
pub(super) fn find_nearest_names(typed: &str, known: &BTreeSet<String>) -> Vec<String> {
    let typed = typed.to_lowercase();
    // Of a name with wildcards, what precedes the first one is compared with the beginnings of the known names.
    let literal = typed.split(['*', '?']).next().unwrap_or_default();
    let has_wildcards = literal.len() < typed.len();
    let typed = if has_wildcards { literal } else { &typed };
    if typed.is_empty() {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, &String)> = Vec::new();
    for name in known {
        let mut lower = name.to_lowercase();
        if has_wildcards {
            lower = lower.chars().take(typed.chars().count()).collect();
        }
        let mut distance = count_edits(typed, &lower);
        if !has_wildcards && last_part(typed) == last_part(&lower) {
            distance = distance.min(2);
        }
        if distance * 3 <= typed.len().max(lower.len()) {
            ranked.push((distance, name));
        }
    }
    ranked.sort();
    ranked.truncate(OFFERED_NAMES_MAX);
    ranked.into_iter().map(|(_, name)| name.clone()).collect()
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_and_other_cases_find_the_name_and_strangers_do_not() {
        let known = ["prod/billing/db", "prod/billing/dc", "dev/x"].map(str::to_owned).into();
        assert_eq!(find_nearest_names("PROD/billing/db", &known), ["prod/billing/db", "prod/billing/dc"]);
        assert_eq!(find_nearest_names("prod/biling/db", &known)[0], "prod/billing/db");
        assert_eq!(find_nearest_names("prod/biling/*", &known), ["prod/billing/db", "prod/billing/dc"]);
        assert_eq!(find_nearest_names("something-else", &known), Vec::<String>::new());
    }
}
