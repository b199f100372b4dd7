//! What the templates say of the code is what the code says: its variables and its metrics.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use infra::metrics;
use infra::settings::{FIXED, SETTINGS};

/// A folder or a file of the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// The text of a source file before its tests.
pub(crate) fn source(path: &str) -> String {
    let file = workspace(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

/// A folder and all folders below it.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(folders(&path));
        }
    }
    all
}

#[test]
fn the_functions_read_exactly_the_variables_that_the_template_sets() {
    let code: String =
        ["handlers/aws/src/config.rs", "handlers/aws/src/config/settings.rs"].map(source).concat();
    // What the tests and Lambda set is in no template.
    let is_variable = |word: &&str| {
        word.len() > 3
            && !word.starts_with("AWS_")
            && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let read: BTreeSet<&str> = code.split('"').skip(1).step_by(2).filter(is_variable).collect();
    let set: BTreeSet<&str> = SETTINGS.iter().map(|(name, _)| *name).chain(FIXED).collect();
    assert_eq!(read, set, "handlers/aws/src/config reads other variables than infra/src/settings.rs names");
}

#[test]
fn the_functions_write_exactly_the_metrics_that_are_watched() {
    let code = source("handlers/engine/src/metrics.rs");
    let is_metric = |word: &&str| {
        word.len() > 4
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let words: BTreeSet<&str> = code.split('"').skip(1).step_by(2).filter(is_metric).collect();
    // The words of the embedded metric format, its dimensions, and the name of an event.
    let format = [
        "Account",
        "Count",
        "CloudWatchMetrics",
        "Dimensions",
        "Handler",
        "Metrics",
        "Name",
        "Namespace",
        "Region",
        "Rule",
        "Seconds",
        "Severity",
        "TestRotationFailed",
        "Timestamp",
        "Unit",
    ];
    let written: BTreeSet<&str> =
        words.into_iter().filter(|word| !format.contains(word) && *word != metrics::NAMESPACE).collect();
    assert!(code.contains(&format!("\"{}\"", metrics::NAMESPACE)), "the namespace");
    let watched: BTreeSet<&str> = metrics::all().collect();
    assert_eq!(
        written, watched,
        "handlers/engine/src/metrics.rs writes other metrics than infra/src/metrics.rs names"
    );
}
