//! The page of every response that can page, as a person gets it: golden files, compared with what is rendered from a fixture.
//!
//! `UPDATE_PAGES=1 cargo test -p simulation --test pages` writes them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use responder_audit::input::find_events;
use responder_core::decide;
use responder_core::facts::{Facts, Settings};
use responder_core::incident::IncidentStatus;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::Notification;
use responder_core::notify::Renderer;
use responder_core::plan::PlanStep;
use responder_core::rules::{Handler, ResponseAction, RuleSet, builtin};
use responder_core::time::Timestamp;
use serde_json::Value;
use simulation::sns::{Publish, shown_in_chats};

/// The cases to render where the first one that fires is not the best example.
const CASES: [(&str, &str); 2] = [
    ("bulk-read", "access/bulk-read/twenty-reads-of-twenty-secrets-in-four-seconds"),
    ("rotation-failed", "failure/rotation-failed/three-retries-are-one-incident"),
];

/// Further pages that differ much from those of their response.
const MORE: [(&str, &str, IncidentStatus); 2] = [
    (
        "rotation-failed.at-the-first-step",
        "failure/rotation-failed/the-create-step-failed",
        IncidentStatus::Open,
    ),
    ("rotation-failed.resolved", "timelines/three-failed-tries-and-then-a-success", IncidentStatus::Resolved),
];

/// `RUNBOOK_BASE_URL`.
const RUNBOOKS: &str = "https://runbooks.example/main/";

#[test]
fn every_page_is_the_one_that_a_person_was_glad_to_get() {
    let rules = builtin().unwrap();
    let mut pages: BTreeMap<String, Notification> = BTreeMap::new();
    for response in rules.responses.values().filter(|response| pages_at_all(response.action)) {
        let listed = CASES.iter().find(|(id, _)| *id == response.id).map(|(_, case)| fixtures().join(case));
        let mut case = listed.into_iter().chain(firing(&response.id));
        let page = match response.action {
            ResponseAction::Quarantine => quarantined(&rules),
            _ => case.find_map(|case| of_case(&rules, &case, &response.id, IncidentStatus::Open)),
        };
        // What is never paged by itself has no page.
        let silent = serde_json::to_value(response.severity).unwrap() == "info";
        assert!(page.is_some() || silent, "no case pages of {}", response.id);
        pages.extend(page.map(|page| (response.id.clone(), page)));
    }
    for (name, case, state) in MORE {
        let rule = name.split('.').next().unwrap();
        pages.insert(name.to_owned(), of_case(&rules, &fixtures().join(case), rule, state).unwrap());
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (name, page) in &pages {
        Publish::page(page, "0123456789abcdef").accepted().unwrap();
        for line in page.body.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
            let alone = !line.contains(" aws ") && !line.contains("://") && !line.contains(" or by:");
            assert!(alone, "{name}: a link or a command that a finger does not find: {line}");
        }
        let chat = shown_in_chats(&page.chat).unwrap();
        let alert: Value = serde_json::from_str(&page.alert).unwrap();
        files.insert(format!("{name}.txt"), format!("{}\n\n{}", page.subject, page.body));
        files.insert(format!("{name}.json"), format!("{alert:#}\n"));
        files.insert(format!("{name}.chat.json"), format!("{chat:#}\n"));
    }
    let folder = fixtures().join("pages");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for name in known(&folder).keys() {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, text) in &files {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let known = known(&folder);
    for (name, text) in &files {
        assert_eq!(
            known.get(name).map(String::as_str),
            Some(text.as_str()),
            "{name}: UPDATE_PAGES=1, and read what changed"
        );
    }
    let stray: Vec<&String> = known.keys().filter(|name| !files.contains_key(*name)).collect();
    assert!(stray.is_empty(), "pages of no response: {stray:?}");
}

fn pages_at_all(action: ResponseAction) -> bool {
    action != ResponseAction::Prove
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn known(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let text = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    files.map(text).collect()
}

/// The cases in a response's folder that fire, in order of names.
fn firing(id: &str) -> Vec<PathBuf> {
    let mut cases = Vec::new();
    for handler in ["access", "failure", "rotation", "sweep"] {
        let Ok(entries) = fs::read_dir(fixtures().join(handler).join(id)) else { continue };
        cases.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let fires = |case: &PathBuf| {
        let about: Value = serde_json::from_slice(&fs::read(case.join("about.json")).unwrap()).unwrap();
        about["kind"] == "fires"
    };
    cases.retain(fires);
    cases.sort();
    cases
}

/// The first page of a response in a case.
fn of_case(rules: &RuleSet, case: &Path, rule: &str, state: IncidentStatus) -> Option<Notification> {
    let facts = fs::read(case.join("facts.json")).map(|text| serde_json::from_slice(&text).unwrap());
    let mut facts: Facts = facts.unwrap_or_default();
    RUNBOOKS.clone_into(&mut facts.settings.runbook_base_url);
    let mut cases = Vec::new();
    let mut files: Vec<PathBuf> = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files
        .iter()
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("event")))
    {
        find_events(&fs::read(file).unwrap(), &mut |found| {
            cases.extend(
                found.ok().and_then(|document| rules.match_event(&document.text).ok()).into_iter().flatten(),
            );
        });
    }
    let settings = facts.settings.clone();
    let renderer = Renderer::new(rules, &settings);
    let mut ledger = MemoryStore::new(facts);
    let plans: Vec<_> = order_and_deduplicate(cases).0.iter().map(|case| ledger.decide(case)).collect();
    plans.iter().flat_map(|plan| &plan.steps).find_map(|step| match step {
        PlanStep::Page { incident, .. } if incident.rule == rule && incident.state == state => {
            renderer.render_step(step)
        }
        PlanStep::Resolve { rule: id, .. } if id == rule && state == IncidentStatus::Resolved => {
            renderer.render_step(step)
        }
        _ => None,
    })
}

fn quarantined(rules: &RuleSet) -> Option<Notification> {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let handler = Handler::Access;
    let settings = Settings { runbook_base_url: RUNBOOKS.to_owned(), ..Settings::default() };
    let plan = decide::quarantine(rules, handler, b"{", "it is not JSON: it ends too soon", now);
    let renderer = Renderer::new(rules, &settings);
    plan.steps.iter().find_map(|step| renderer.render_step(step))
}
