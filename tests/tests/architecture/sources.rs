//! What holds for every source file: its length, its first line, and the calls that are never made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use acceptance::paths;

/// The most lines of a file that does not say why it is longer.
const LINES: usize = 400;

/// The words that excuse a longer file, in its first 15 lines.
const EXCUSE: &str = "// long:";

#[test]
fn no_file_is_long_without_a_reason() {
    for file in rust_files() {
        let text = read(&file);
        let excuse = text.lines().take(15).find_map(|line| line.trim_start().strip_prefix(EXCUSE));
        let excused = excuse.is_some_and(|reason| !reason.trim().is_empty());
        let lines = text.lines().count();
        assert!(
            lines <= LINES || excused,
            "{}: {lines} lines; split it by meaning, or say `{EXCUSE} <reason>` at its top",
            file.display()
        );
    }
}

#[test]
fn the_first_line_of_a_file_says_what_it_is_for() {
    for file in rust_files() {
        let text = read(&file);
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! "),
            "{}: starts with `{first}`, not with a `//! ` line",
            file.display()
        );
    }
}

#[test]
fn no_secret_value_is_ever_asked_for() {
    // Event names in patterns and tests are fine; calls of the SDK and their answers are not.
    let words = [
        concat!("get_secret", "_value("),
        concat!("::get_secret", "_value"),
        concat!("::batch_get_secret", "_value"),
        concat!("Secret", "ValueEntry"),
        concat!("secret", "_string("),
        concat!("secret", "_binary("),
    ];
    for file in rust_files() {
        let text = read(&file);
        for word in words {
            assert!(!text.contains(word), "{}: `{word}`", file.display());
        }
    }
    // The SDK is in one crate, there in one file beside the one that builds its clients, and that makes two calls.
    let adapter = paths::root().join("handlers/aws");
    for manifest in files("handlers", "toml") {
        let has = read(&manifest).contains("aws-sdk-secretsmanager");
        assert_eq!(has, manifest == adapter.join("Cargo.toml"), "{}: that SDK", manifest.display());
    }
    let (calls, clients) = (adapter.join("src/secrets.rs"), adapter.join("src/clients.rs"));
    for file in rust_files() {
        let uses = read(&file).contains(concat!("aws_sdk_", "secretsmanager"));
        assert!(!uses || file == calls || file == clients, "{}: that SDK", file.display());
    }
    let text = read(&calls);
    let made: BTreeSet<&str> =
        text.split("client.").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    assert_eq!(made, BTreeSet::from(["describe_secret", "list_secrets"]));
}

/// The Rust files of the handlers, the templates and the tests.
pub(crate) fn rust_files() -> Vec<PathBuf> {
    let files = [files("handlers", "rs"), files("infra", "rs"), files("tests", "rs")].concat();
    assert!(files.len() > 10, "the sources are found");
    files
}

pub(crate) fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files below a folder of the workspace with this extension, sorted.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![paths::root().join(folder)];
    while let Some(directory) = open.pop() {
        let entries =
            std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
