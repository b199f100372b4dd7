//! The templates and the code agree about the functions' variables and metrics.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use infra::metrics;
use infra::settings::{PARAMETER_VARIABLES, RESOURCE_VARIABLES};

/// The path of a folder or a file of the workspace.
pub(crate) fn workspace_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// The text of a source file up to its tests.
pub(crate) fn read_source(path: &str) -> String {
    let file = workspace_path(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

/// Lists a folder and all folders below it.
pub(crate) fn list_folders(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(list_folders(&path));
        }
    }
    all
}

#[test]
fn the_functions_read_exactly_the_variables_that_the_template_sets() {
    let code: String = ["handlers/aws/src/config/function_config.rs", "handlers/aws/src/config/settings.rs"]
        .map(read_source)
        .concat();
    // Variables that only the tests or Lambda set are in no template.
    let is_variable = |word: &&str| {
        word.len() > 3
            && !word.starts_with("AWS_")
            && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let read: BTreeSet<&str> = code.split('"').skip(1).step_by(2).filter(is_variable).collect();
    let set: BTreeSet<&str> =
        PARAMETER_VARIABLES.iter().map(|(name, _)| *name).chain(RESOURCE_VARIABLES).collect();
    assert_eq!(read, set, "handlers/aws/src/config reads other variables than infra/src/settings.rs names");
}

#[test]
fn the_functions_write_exactly_the_metrics_that_are_watched() {
    let code = read_source("handlers/engine/src/metrics.rs");
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
    let written: BTreeSet<&str> = words
        .into_iter()
        .filter(|word| !format.contains(word) && *word != metrics::METRIC_NAMESPACE)
        .collect();
    assert!(code.contains(&format!("\"{}\"", metrics::METRIC_NAMESPACE)), "the namespace");
    let watched: BTreeSet<&str> = metrics::list_metrics().into_iter().collect();
    assert_eq!(
        written, watched,
        "handlers/engine/src/metrics.rs writes other metrics than infra/src/metrics.rs names"
    );
}
