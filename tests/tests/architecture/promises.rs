//! Every promise in `PROMISES.md` has a paragraph, an example and tests that exist, or says `not yet`.

use std::collections::BTreeMap;
use std::path::Path;

use acceptance::paths;

use super::sources::{read, rust_files};

#[test]
fn every_promise_is_explained_and_names_tests_that_exist() {
    let promises = read_promises(&read(&paths::root().join("PROMISES.md")));
    assert!(!promises.is_empty(), "`PROMISES.md` has headings such as `## P1: Every rotation is answered`");
    let sources = Sources::load();
    let mut problems = Vec::new();
    for (index, promise) in promises.iter().enumerate() {
        let id = &promise.id;
        if *id != format!("P{}", index + 1) {
            problems.push(format!("{id} is out of order: a promise keeps its number"));
        }
        if promise.paragraph.is_empty() || promise.example.is_empty() {
            problems.push(format!("{id} needs a paragraph and an `**Example.**`"));
        }
        if promise.tests.is_empty() && !promise.is_untested {
            problems.push(format!("{id} names no test and does not say `not yet`"));
        }
        for name in promise.tests.iter().filter(|name| !sources.has(name)) {
            problems.push(format!("{id} names `{name}`: no such test"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A section of `PROMISES.md`.
#[derive(Debug, Default, PartialEq)]
struct PromiseSection {
    /// Such as `P1`.
    id: String,
    /// The first line of the text that explains it.
    paragraph: String,
    /// The first line of the example.
    example: String,
    /// The tests that its list names: `file.rs::test`.
    tests: Vec<String>,
    /// Whether the list says `not yet`.
    is_untested: bool,
}

/// Reads the sections whose headings begin with the id of a promise.
fn read_promises(markdown: &str) -> Vec<PromiseSection> {
    let mut promises: Vec<PromiseSection> = Vec::new();
    let mut is_promise = false;
    for line in markdown.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let id = heading.split(':').next().unwrap_or_default();
            is_promise = id.strip_prefix('P').is_some_and(|number| number.parse::<u32>().is_ok());
            if is_promise {
                promises.push(PromiseSection { id: id.to_owned(), ..PromiseSection::default() });
            }
            continue;
        }
        let Some(promise) = promises.last_mut().filter(|_| is_promise) else { continue };
        if let Some(item) = line.strip_prefix("- ") {
            promise.is_untested |= item.starts_with("not yet");
            let name = item.split('`').nth(1).unwrap_or_default();
            // An item without a test has an empty name, which no file has.
            if !promise.is_untested {
                promise.tests.push(name.to_owned());
            }
        } else if let Some(example) = line.strip_prefix("**Example.**") {
            example.trim().clone_into(&mut promise.example);
        } else if promise.paragraph.is_empty() {
            line.clone_into(&mut promise.paragraph);
        }
    }
    promises
}

/// The names of the tests in each source file, by its path from the root.
pub(crate) struct Sources {
    tests: BTreeMap<String, Vec<String>>,
}

impl Sources {
    pub(crate) fn load() -> Self {
        let tests = rust_files().into_iter().map(|file| {
            let path = file.strip_prefix(paths::root()).unwrap_or(&file).to_string_lossy().into_owned();
            (path, test_names(&read(&file)))
        });
        Self { tests: tests.collect() }
    }

    /// Whether `file.rs::test` or `crate_name::module::test` is there. Of a module path, the test and the crate's folder are checked.
    pub(crate) fn has(&self, name: &str) -> bool {
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
fn the_sections_are_read_by_their_headings() {
    let markdown = "# Promises\n\n- no promise\n\n## P1: A\n\nThis.\nMore.\n\n**Example.** That.\n\n**Tests**\n\n- `a.rs::b` (twice)\n- c\n\n\
        ## P2: B\n\n- not yet\n\n## Other\n\n- `d.rs::e`\n";
    let first = PromiseSection {
        id: "P1".to_owned(),
        paragraph: "This.".to_owned(),
        example: "That.".to_owned(),
        tests: vec!["a.rs::b".to_owned(), String::new()],
        is_untested: false,
    };
    let second = PromiseSection { id: "P2".to_owned(), is_untested: true, ..PromiseSection::default() };
    assert_eq!(read_promises(markdown), [first, second]);
}

#[test]
fn a_named_test_is_found_in_its_file_or_its_crate() {
    let sources = Sources::load();
    let here = "a_named_test_is_found_in_its_file_or_its_crate";
    assert!(sources.has(&format!("promises.rs::{here}")));
    assert!(sources.has(&format!("architecture/promises.rs::{here}")));
    assert!(sources.has(&format!("acceptance::architecture::promises::{here}")));
    assert!(!sources.has(&format!("sources.rs::{here}")) && !sources.has(&format!("responder_core::{here}")));
    assert!(!sources.has("promises.rs::read_promises"), "a function that is no test");
}
