//! Policy stands in the core only: the engine and the shell do not contain the words that only a decision needs.

use std::collections::BTreeSet;
use std::path::Path;

use acceptance::paths;

use super::sources::{read, rust_files};

/// The crates that carry plans out and decide nothing.
const FOLDERS: [&str; 3] = ["handlers/engine/src", "handlers/aws/src", "handlers/lambda/src"];

/// The one file that names every setting: it reads them from the environment.
const SETTINGS_READER: &str = "handlers/aws/src/config/settings.rs";

/// Types and functions of the core's decisions.
const DECISION_WORDS: [&str; 16] = [
    "DeferReason",
    "EligibilityCheck",
    "ResponseException",
    "ResponseMode",
    "RiskPolicy",
    "SkipReason",
    "Threshold",
    "WindowMatch",
    "at_least",
    "check_eligibility",
    "default_policy",
    "highest_severity",
    "is_deployment_in_progress",
    "lower_by_one",
    "needs_human",
    "severity_at",
];

/// Comparisons: a severity or mode that is only passed on is not compared.
const COMPARISONS: [&str; 10] = [
    "severity <",
    "severity >",
    "severity ==",
    "severity !=",
    "Severity::Critical",
    "Severity::High",
    "Severity::Medium",
    "Severity::Low",
    "mode ==",
    "Mode::Notify",
];

/// Settings that say what to look at, and not what to do about it.
const GATHERING_SETTINGS: [&str; 4] =
    ["declared_secrets", "further_regions", "home_region", "runbook_base_url"];

#[test]
fn engine_and_shell_contain_no_policy_words() {
    let words = policy_words();
    let mut found = Vec::new();
    let mut files = 0;
    for file in rust_files() {
        let path = file.strip_prefix(paths::root()).unwrap();
        if !is_production(path) {
            continue;
        }
        files += 1;
        for word in find_words(&strip_comments_and_tests(&read(&file)), &words) {
            found.push(format!("{}: `{word}`", path.display()));
        }
    }
    assert!(files > 50, "the sources are found: {files}");
    assert!(found.is_empty(), "a decision belongs in the core:\n{}", found.join("\n"));
}

#[test]
fn the_core_uses_every_decision_word() {
    let folder = paths::root().join("handlers/core/src");
    let files = rust_files().into_iter().filter(|file| file.starts_with(&folder));
    let code: String = files.map(|file| read(&file)).collect();
    for word in DECISION_WORDS {
        assert!(code.contains(word), "the core has no `{word}` any more: name what took its place");
    }
}

#[test]
fn planted_policy_words_are_found() {
    let words = policy_words();
    for planted in [
        "if settings.mode == ResponseMode::Notify {",
        "if incident.severity >= known.severity {",
        "let wait = self.settings.cooldown;",
        "if now < change.at.plus(settings.settle_delay) {",
        "match rule { \"bulk-read\" => page(), _ => skip() }",
        "match check_eligibility(service) {",
    ] {
        assert!(!find_words(&strip_comments_and_tests(planted), &words).is_empty(), "{planted}");
    }
    let harmless = "//! If the mode == notify.\nlet cooldown_from = step.cooldown_from; // severity > high\n\
        #[cfg(test)]\nmod tests {\n    const MODE: ResponseMode = ResponseMode::Notify;\n}\nfn after() {}\n";
    assert_eq!(find_words(&strip_comments_and_tests(harmless), &words), Vec::<String>::new());
    assert!(strip_comments_and_tests(harmless).contains("fn after"), "only the tests are left out");
}

fn is_production(path: &Path) -> bool {
    let is_in_crates = FOLDERS.iter().any(|folder| path.starts_with(folder));
    is_in_crates
        && path != Path::new(SETTINGS_READER)
        && path.file_name().is_some_and(|name| name != "tests.rs" && name != "fleet.rs")
}

/// The words of decisions, the settings as they are read, and the ids of rules and responses as they are written in code.
fn policy_words() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    words.extend(DECISION_WORDS.map(str::to_owned));
    words.extend(COMPARISONS.map(str::to_owned));
    let settings = read(&paths::root().join("handlers/core/src/settings/operator_settings.rs"));
    for field in fields_of_settings(&settings) {
        if !GATHERING_SETTINGS.contains(&field) {
            words.insert(format!(".{field}"));
        }
    }
    let ids = rule_ids();
    assert!(words.contains(".cooldown") && ids.len() > 20, "settings and rules are found: {words:?} {ids:?}");
    words.extend(ids.into_iter().map(|id| format!("\"{id}\"")));
    words
}

/// The fields of the first structure of a source, which is `Settings`.
fn fields_of_settings(source: &str) -> Vec<&str> {
    let body = source.split("pub struct Settings {").nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    let mut fields = Vec::new();
    for line in body.lines() {
        if let Some((name, _)) = line.trim().strip_prefix("pub ").and_then(|field| field.split_once(':')) {
            fields.push(name);
        }
    }
    fields
}

fn rule_ids() -> BTreeSet<String> {
    let rules = paths::root().join("rules");
    let responses = read(&rules.join("responses.json"));
    let responses: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&responses).unwrap();
    let mut ids: BTreeSet<String> = responses.keys().filter(|id| !id.starts_with('_')).cloned().collect();
    for handler in ["rotation", "access", "failure", "sweep"] {
        for entry in std::fs::read_dir(rules.join(handler)).unwrap() {
            let path = entry.unwrap().path();
            ids.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    ids
}

/// The code of a file: without comments, and without the modules of its tests.
fn strip_comments_and_tests(source: &str) -> String {
    let mut code = String::new();
    let mut is_test = false;
    for line in source.lines() {
        if line == "#[cfg(test)]" {
            is_test = true;
        }
        let statement = line.split("//").next().unwrap_or_default();
        if !is_test {
            code.push_str(statement);
            code.push('\n');
        }
        // An item at the edge of the file ends with the first line there that closes it.
        if line == "}" || line.starts_with("mod ") && line.ends_with(';') {
            is_test = false;
        }
    }
    code
}

/// The words that stand in the code. A letter, digit or underscore after a word makes it another word.
fn find_words(code: &str, words: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for word in words {
        let is_whole = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        if code.split(word.as_str()).skip(1).any(is_whole) {
            found.push(word.clone());
        }
    }
    found
}
