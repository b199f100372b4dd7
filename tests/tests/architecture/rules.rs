//! One name everywhere: a rule's id is its file, its response, its heading in the catalogue and its fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use acceptance::paths;
use serde_json::Value;

/// Every id of a pattern or a response, with the folder of its handler.
fn ids() -> BTreeMap<String, String> {
    let rules = paths::root().join("rules");
    let mut ids = BTreeMap::new();
    for handler in ["rotation", "access", "failure", "sweep"] {
        for entry in fs::read_dir(rules.join(handler)).unwrap() {
            let path = entry.unwrap().path();
            ids.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), handler.to_owned());
        }
    }
    for (id, row) in responses() {
        let handler = match row["on"][0].as_str() {
            Some(rule) => ids[rule].clone(),
            // What cannot be understood has no rule.
            None => "failure".to_owned(),
        };
        ids.insert(id, handler);
    }
    ids
}

fn responses() -> BTreeMap<String, Value> {
    let mut rows: BTreeMap<String, Value> = serde_json::from_str(&read("rules/responses.json")).unwrap();
    rows.remove("_exceptions");
    rows
}

fn read(path: &str) -> String {
    fs::read_to_string(paths::root().join(path)).unwrap()
}

#[test]
fn every_id_has_its_heading_and_every_heading_its_id() {
    let catalogue = read("rules/README.md");
    let headings: BTreeSet<&str> = catalogue.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let ids = ids();
    let known: BTreeSet<&str> = ids.keys().map(String::as_str).collect();
    let missing: Vec<_> = known.difference(&headings).collect();
    assert!(missing.is_empty(), "no heading in rules/README.md for {missing:?}");
    // Headings of the introduction are sentences: they have a capital letter.
    let extra: Vec<_> =
        headings.difference(&known).filter(|text| !text.contains(char::is_uppercase)).collect();
    assert!(extra.is_empty(), "headings in rules/README.md without a rule: {extra:?}");
}

#[test]
fn every_id_has_fixtures_that_fire_that_just_miss_and_that_are_hostile() {
    let fixtures = paths::root().join("fixtures");
    let ids = ids();
    let mut short = Vec::new();
    for (id, handler) in &ids {
        let kinds = kinds(&fixtures.join(handler).join(id));
        for (kind, least) in [("fires", 2), ("near-miss", 2), ("hostile", 1)] {
            let count = kinds.iter().filter(|found| *found == kind).count();
            if count < least {
                short.push(format!("{handler}/{id}: {count} of {least} {kind}"));
            }
        }
    }
    assert!(short.is_empty(), "{short:#?}");
    for handler in ["rotation", "access", "failure", "sweep"] {
        for entry in fs::read_dir(fixtures.join(handler)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert_eq!(
                ids.get(&name).map(String::as_str),
                Some(handler),
                "fixtures/{handler}/{name} belongs to no rule"
            );
        }
    }
}

fn kinds(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    let entries: Vec<std::path::PathBuf> = entries;
    let kind = |case: &std::path::PathBuf| {
        let about: Value =
            serde_json::from_str(&fs::read_to_string(case.join("about.json")).unwrap()).unwrap();
        about["kind"].as_str().unwrap().to_owned()
    };
    entries.iter().map(kind).collect()
}

#[test]
fn every_runbook_is_a_heading_that_exists() {
    let catalogue = read("rules/README.md");
    for (id, row) in responses() {
        let runbook = row["runbook"].as_str().unwrap();
        let (file, anchor) = runbook.split_once('#').unwrap();
        assert_eq!(file, "rules/README.md", "{id}");
        assert!(catalogue.lines().any(|line| line == format!("## {anchor}")), "{id}: {runbook}");
    }
}

#[test]
fn each_page_has_its_meaning_its_certainty_and_next_steps() {
    for (id, row) in responses() {
        let pages = row["do"] != "prove" && row["severity"] != "info";
        let explained =
            ["means", "sure"].iter().all(|field| row[field].is_string()) && row["next_steps"].is_array();
        assert!(explained || !pages, "{id}: a page needs `means`, `sure` and `next_steps`");
    }
}

#[test]
fn every_rule_names_its_source_so_that_nobody_can_spoof_its_events() {
    for (id, handler) in ids() {
        let path = paths::root().join(format!("rules/{handler}/{id}.json"));
        let Ok(text) = fs::read_to_string(path) else { continue };
        let pattern: Value = serde_json::from_str(&text).unwrap();
        let sources = pattern["source"].as_array().unwrap();
        // A drill anybody may send who may put events: it is a low page that says so.
        let drill = id == "drill" && *sources == ["secrets-responder.drill"];
        assert!(
            drill
                || sources
                    .iter()
                    .all(|source| source.as_str().is_some_and(|source| source.starts_with("aws."))),
            "{id}"
        );
        assert!(pattern["detail-type"].is_array(), "{id}");
    }
}
