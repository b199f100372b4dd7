//! The documents are true about the files: links lead somewhere, and the map of the code names files and tests that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use acceptance::paths;

use super::promises::Sources;
use super::sources::read;

/// The most lines of the map: what is longer is no map.
const MAP_LINES: usize = 150;

/// The documents whose links are followed.
const DOCUMENTS: [&str; 15] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "PROMISES.md",
    "README.md",
    "SECURITY.md",
    "fixtures/README.md",
    "handlers/README.md",
    "handlers/eventbridge-pattern/README.md",
    "infra/CONFIGURATION.md",
    "infra/COST.md",
    "infra/METRICS.md",
    "infra/README.md",
    "rules/README.md",
    "tests/EMULATOR.md",
];

#[test]
fn the_map_names_files_and_tests_that_exist() {
    let map = read(&paths::root().join("ARCHITECTURE.md"));
    assert!(map.lines().count() <= MAP_LINES, "ARCHITECTURE.md is a map: at most {MAP_LINES} lines");
    let sources = Sources::load();
    let mut problems = Vec::new();
    for word in map.split('`').skip(1).step_by(2) {
        if word.contains(".rs::") && !sources.has(word) {
            problems.push(format!("no test `{word}`"));
        }
        let is_path = word.contains('/') && !word.contains(' ') && !word.contains("::");
        if is_path && !paths::root().join(word).exists() {
            problems.push(format!("no file `{word}`"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let mut problems = Vec::new();
    for document in DOCUMENTS {
        let file = paths::root().join(document);
        for link in find_links(&read(&file)) {
            if !leads_somewhere(&file, &link) {
                problems.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(problems.is_empty(), "links that lead nowhere:\n{}", problems.join("\n"));
}

/// The targets of the Markdown links of a text that stay in the repository.
fn find_links(markdown: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for rest in markdown.split("](").skip(1) {
        let target = rest.split([')', ' ']).next().unwrap_or_default();
        if !target.contains("://") {
            links.insert(target.to_owned());
        }
    }
    links
}

/// Whether the target of a link in a file is there.
fn leads_somewhere(file: &Path, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target: PathBuf = match file.parent() {
        Some(folder) if !path.is_empty() => folder.join(path),
        _ => file.to_owned(),
    };
    if anchor.is_empty() {
        return target.exists();
    }
    target.is_file() && list_anchors(&read(&target)).contains(anchor)
}

/// The anchors of the headings: lowercase words with hyphens between, as GitHub makes them.
fn list_anchors(markdown: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in markdown.lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        anchors.insert(heading.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect());
    }
    anchors
}

#[test]
fn a_link_is_followed_to_its_heading() {
    let links = find_links("[a](b.md#c) ![d](e.svg) [f](https://example.org) [g](#h)");
    assert_eq!(links, ["#h", "b.md#c", "e.svg"].map(str::to_owned).into());
    let anchors = list_anchors("# One, two\n\ntext\n## Known `limits`\n");
    assert_eq!(anchors, ["known-limits", "one-two"].map(str::to_owned).into());
    let readme = paths::root().join("README.md");
    assert!(leads_somewhere(&readme, "infra/README.md#dead-letters"));
    assert!(!leads_somewhere(&readme, "infra/README.md#nowhere") && !leads_somewhere(&readme, "nowhere.md"));
}
