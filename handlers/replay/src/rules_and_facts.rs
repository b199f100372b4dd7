//! Loads rules, facts and other JSON from files.

use std::fs;
use std::path::{Path, PathBuf};

use responder_core::facts::Facts;
use responder_core::hash::hash_parts;
use responder_core::rules::{RuleFile, RuleSet, builtin, builtin_files, find_pattern_warnings, parse_rules};
use responder_core::text::Untrusted;
use serde::de::DeserializeOwned;

use crate::cli::RulesArgs;
use crate::command_outcome::{CommandError, unreadable_file, unusable_content};
use crate::output::warn;

/// Rules, and the hash of the files that they come from.
pub(crate) struct HashedRules {
    /// The rules.
    pub(crate) rules: RuleSet,
    /// Thirty-two hexadecimal digits: the same for the same paths and texts.
    pub(crate) hash: String,
}

/// Loads the rules of a folder, or those of this release if no folder is named. Warns of patterns that can never match.
pub(crate) fn load_rules(args: &RulesArgs) -> Result<RuleSet, CommandError> {
    Ok(load_hashed_rules(args)?.rules)
}

/// Loads rules as [`load_rules`] does, with their hash.
pub(crate) fn load_hashed_rules(args: &RulesArgs) -> Result<HashedRules, CommandError> {
    let Some(folder) = &args.folder else {
        let rules = builtin()
            .map_err(|error| CommandError::UnusableRules { folder: "this release".to_owned(), error })?;
        return Ok(HashedRules { rules, hash: hash_rule_files(&builtin_files()) });
    };
    let files = collect_rule_files(folder)?;
    let rules = parse_rules(&files)
        .map_err(|error| CommandError::UnusableRules { folder: folder.display().to_string(), error })?;
    for warning in find_pattern_warnings(&files) {
        warn(&format!("warning: {warning}"));
    }
    Ok(HashedRules { rules, hash: hash_rule_files(&files) })
}

fn hash_rule_files(files: &[RuleFile]) -> String {
    let mut sorted: Vec<&RuleFile> = files.iter().collect();
    sorted.sort_by_key(|file| &file.path);
    let mut parts = Vec::new();
    for file in sorted {
        parts.push(file.path.as_str());
        parts.push(file.text.as_str());
    }
    hash_parts(&parts)
}

/// Collects the JSON files of a folder and of the folders in it, named by their path below the folder.
fn collect_rule_files(folder: &Path) -> Result<Vec<RuleFile>, CommandError> {
    let mut files = Vec::new();
    for path in list_folder(folder)? {
        if path.is_dir() {
            let handler = file_name(&path);
            for path in list_folder(&path)? {
                add_rule_file(&path, &format!("{handler}/"), &mut files)?;
            }
        } else {
            add_rule_file(&path, "", &mut files)?;
        }
    }
    Ok(files)
}

fn add_rule_file(path: &Path, below: &str, files: &mut Vec<RuleFile>) -> Result<(), CommandError> {
    if path.extension().is_some_and(|extension| extension == "json") {
        files.push(RuleFile { path: format!("{below}{}", file_name(path)), text: read_text(path)? });
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Loads the facts in a file; without a file there are none. A field that nobody knows is an error: it may be misspelled. What the
/// ledger stores as JSON tolerates such fields, because another release may have written them.
pub(crate) fn load_facts(file: Option<&Path>) -> Result<Facts, CommandError> {
    let Some(path) = file else { return Ok(Facts::default()) };
    let text = read_text(path)?;
    if !text.trim_start().starts_with('{') {
        return Err(unusable_content(path, "facts are a JSON object, with `services` for example"));
    }
    let mut unknown_fields = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(&text);
    let facts = serde_ignored::deserialize(&mut reader, |field| unknown_fields.push(field.to_string()))
        .and_then(|facts| reader.end().map(|()| facts))
        .map_err(|error| unusable_content(path, error.to_string()))?;
    match unknown_fields.first() {
        Some(field) => {
            // The path has a `?` for each optional value on its way, which nobody wrote.
            let field = Untrusted::new(field.replace(".?", "")).show(200);
            Err(unusable_content(path, format!("unknown field `{field}`")))
        }
        None => Ok(facts),
    }
}

/// Loads the JSON value in a file.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path) -> Result<T, CommandError> {
    parse_json(path, &read_text(path)?)
}

/// Returns the paths in a folder, in the order of their names.
pub(crate) fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable_file(folder, error))? {
        paths.push(entry.map_err(|error| unreadable_file(folder, error))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn parse_json<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, CommandError> {
    serde_json::from_str(text).map_err(|error| unusable_content(path, error.to_string()))
}

fn read_text(path: &Path) -> Result<String, CommandError> {
    fs::read_to_string(path).map_err(|error| unreadable_file(path, error))
}
