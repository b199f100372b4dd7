//! Every promise in `PROMISES.md` names a test that exists, or says `not yet`.

use std::collections::BTreeMap;
use std::path::Path;

use acceptance::paths;

use super::sources::{read, rust_files};

#[test]
fn every_promise_names_a_test_that_exists() {
    let file = paths::root().join("PROMISES.md");
    let promises = table(&read(&file));
    assert!(!promises.is_empty(), "`PROMISES.md` has a table with the columns `id` and `tests`");
    let sources = Sources::load();
    let mut problems = Vec::new();
    for (id, tests) in &promises {
        let named: Vec<&str> =
            tests.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
        if named.is_empty() && !tests.contains("not yet") {
            problems.push(format!("{id} names no test and does not say `not yet`"));
        }
        problems.extend(
            named
                .iter()
                .filter(|name| !sources.has(name))
                .map(|name| format!("{id} names `{name}`: no such test")),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The text of each promise's `tests` cell, by id.
fn table(markdown: &str) -> Vec<(String, String)> {
    let mut promises = Vec::new();
    let mut columns = None;
    for line in markdown.lines() {
        let Some(row) = line.trim().strip_prefix('|') else {
            columns = None;
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        let find = |title: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(title));
        if let (Some(id), Some(tests)) = (find("id"), find("tests")) {
            columns = Some((id, tests));
        } else if let Some((id, tests)) = columns
            && let Some(id) = cells.get(id)
            && let Some(number) = id.trim_matches('*').strip_prefix('P')
            && number.parse::<u32>().is_ok()
        {
            promises.push(((*id).to_owned(), cells.get(tests).copied().unwrap_or_default().to_owned()));
        }
    }
    promises
}

/// The names of the tests in each source file, by its path from the root.
struct Sources {
    tests: BTreeMap<String, Vec<String>>,
}

impl Sources {
    fn load() -> Self {
        let tests = rust_files().into_iter().map(|file| {
            let path = file.strip_prefix(paths::root()).unwrap_or(&file).to_string_lossy().into_owned();
            (path, test_names(&read(&file)))
        });
        Self { tests: tests.collect() }
    }

    /// Whether `file.rs::test` or `crate_name::module::test` is there. Of a module path, the test and the crate's folder are checked.
    fn has(&self, name: &str) -> bool {
        let (place, test) = name.rsplit_once("::").unwrap_or(("", name));
        self.tests.iter().filter(|(_, tests)| tests.iter().any(|found| found == test)).any(|(file, _)| {
            if Path::new(place).extension().is_some_and(|extension| extension == "rs") {
                return Path::new(file).ends_with(place);
            }
            match place.split("::").next().unwrap_or_default() {
                "acceptance" => file.starts_with("tests/"),
                package => {
                    file.starts_with(&format!("handlers/{}/", package.trim_start_matches("responder_")))
                }
            }
        })
    }
}

/// The functions below a `#[test]`, other attributes in between.
fn test_names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line == "#[test]" || line == "#[tokio::test]" {
            is_test = true;
        } else if is_test && !line.starts_with("#[") && !line.starts_with("//") {
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            names.extend(name.and_then(|name| name.split('(').next()).map(str::to_owned));
            is_test = false;
        }
    }
    names
}

#[test]
fn the_table_is_read_by_its_headings() {
    let markdown = "| id | promise | tests |\n| --- | --- | --- |\n| P1 | a | `a.rs::b` |\n| P2 | b | not yet |\n\n| P3 | no table |";
    let expected =
        [("P1", "`a.rs::b`"), ("P2", "not yet")].map(|(id, tests)| (id.to_owned(), tests.to_owned()));
    assert_eq!(table(markdown), expected);
}

#[test]
fn a_named_test_is_found_in_its_file_or_its_crate() {
    let sources = Sources::load();
    let here = "a_named_test_is_found_in_its_file_or_its_crate";
    assert!(sources.has(&format!("promises.rs::{here}")));
    assert!(sources.has(&format!("architecture/promises.rs::{here}")));
    assert!(sources.has(&format!("acceptance::architecture::promises::{here}")));
    assert!(!sources.has(&format!("sources.rs::{here}")) && !sources.has(&format!("responder_core::{here}")));
    assert!(!sources.has("promises.rs::table"), "a function that is no test");
}
