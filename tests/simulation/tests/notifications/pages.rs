//! The page of every response that can page, as a person gets it: golden files, compared with the rendering of a fixture.
//!
//! `UPDATE_PAGES=1 cargo test -p simulation --test notifications pages` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use responder_audit::input::find_events;
use responder_core::decide;
use responder_core::facts::{Facts, Settings};
use responder_core::incident::IncidentStatus;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::notify::{Notification, Renderer};
use responder_core::plan::PlanStep;
use responder_core::rules::{Handler, MatchedEvent, Response, ResponseAction, RuleSet, builtin};
use responder_core::time::Timestamp;
use serde_json::Value;
use simulation::sns::{PublishRequest, parse_chat_message};

/// The cases to render where the first one that fires is not the best example.
const CHOSEN_CASES: [(&str, &str); 2] = [
    ("bulk-read", "access/bulk-read/twenty-reads-of-twenty-secrets-in-four-seconds"),
    ("rotation-failed", "failure/rotation-failed/three-retries-are-one-incident"),
];

/// Further pages that differ much from those of their response.
const FURTHER_PAGES: [(&str, &str, IncidentStatus); 2] = [
    (
        "rotation-failed.at-the-first-step",
        "failure/rotation-failed/the-create-step-failed",
        IncidentStatus::Open,
    ),
    ("rotation-failed.resolved", "timelines/three-failed-tries-and-then-a-success", IncidentStatus::Resolved),
];

/// `RUNBOOK_BASE_URL`.
const RUNBOOK_BASE_URL: &str = "https://runbooks.example/main/";

#[test]
fn every_page_matches_its_golden_file() {
    let rules = builtin().unwrap();
    let pages = render_all(&rules);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (name, page) in &pages {
        PublishRequest::for_page(page, "0123456789abcdef").accept().unwrap();
        assert_commands_stand_alone(name, page);
        let chat = parse_chat_message(&page.chat).unwrap();
        let alert: Value = serde_json::from_str(&page.alert).unwrap();
        files.insert(format!("{name}.txt"), format!("{}\n\n{}", page.subject, page.body));
        files.insert(format!("{name}.json"), format!("{alert:#}\n"));
        files.insert(format!("{name}.chat.json"), format!("{chat:#}\n"));
    }
    let folder = fixtures_folder().join("pages");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        replace_files(&folder, &files);
    }
    let golden = read_files(&folder);
    for (name, text) in &files {
        let known = golden.get(name);
        assert_eq!(known, Some(text), "{name}: UPDATE_PAGES=1, and read what changed");
    }
    for name in golden.keys() {
        assert!(files.contains_key(name), "the page of no response: {name}");
    }
}

#[test]
fn first_action_stands_within_four_hundred_characters() {
    let mut lengths = Vec::new();
    for (name, page) in render_all(&builtin().unwrap()) {
        if let Some((before, _)) = page.body.split_once("\n1. ") {
            lengths.push((before.chars().count(), name));
        }
    }
    lengths.sort();
    let (median, _) = &lengths[lengths.len() / 2];
    println!("characters before the first action: median {median}, most {:?}", lengths.last());
    assert!(*median <= 400, "{lengths:?}");
}

#[test]
fn page_about_a_message_that_is_no_event_names_the_queues_of_the_function() {
    let rules = builtin().unwrap();
    let body = |function: &str| {
        let plan = decide::quarantine(
            &rules,
            Handler::Failure,
            function,
            b"{",
            "it is not JSON",
            Timestamp::default(),
        );
        let settings = Settings::default();
        let renderer = Renderer::new(&rules, &settings);
        plan.steps.iter().find_map(|step| renderer.render_step(step)).unwrap().body
    };
    // The ARN may end in an alias, and China has a domain of its own.
    for (region, domain, partition) in
        [("eu-west-1", "amazonaws.com", "aws"), ("cn-north-1", "amazonaws.com.cn", "aws-cn")]
    {
        let page = body(&format!("arn:{partition}:lambda:{region}:444455556666:function:ours-failure:live"));
        let queue = format!("https://sqs.{region}.{domain}/444455556666/ours-failure");
        for part in [
            format!("aws sqs receive-message --region {region} --queue-url {queue}-dlq "),
            format!("aws sqs get-queue-attributes --region {region} --queue-url {queue} "),
            format!("Where: account 444455556666, {region}"),
        ] {
            assert!(page.contains(&part), "{part}\n{page}");
        }
        assert!(!page.contains("_URL"), "{page}");
    }
    // What the function is, is not known: no command names a queue that may be another one.
    let page = body("");
    assert!(!page.contains("receive-message") && page.contains("aws sqs list-queues"), "{page}");
}

/// The page of each response, and the further ones, by name.
fn render_all(rules: &RuleSet) -> BTreeMap<String, Notification> {
    let mut pages = BTreeMap::new();
    for response in rules.responses.values() {
        if response.action == ResponseAction::Prove {
            continue;
        }
        let page = render_response(rules, response);
        // A response that never pages by itself has no page.
        let is_silent = serde_json::to_value(response.severity).unwrap() == "info";
        assert!(page.is_some() || is_silent, "no case pages of {}", response.id);
        pages.extend(page.map(|page| (response.id.clone(), page)));
    }
    for (name, case, status) in FURTHER_PAGES {
        let rule = name.split('.').next().unwrap();
        let page = render_case(rules, &fixtures_folder().join(case), rule, status).unwrap();
        pages.insert(name.to_owned(), page);
    }
    pages
}

fn render_response(rules: &RuleSet, response: &Response) -> Option<Notification> {
    if response.action == ResponseAction::Quarantine {
        return render_quarantine(rules);
    }
    let mut cases = Vec::new();
    for (id, case) in CHOSEN_CASES {
        if id == response.id {
            cases.push(fixtures_folder().join(case));
        }
    }
    cases.extend(list_firing_cases(&response.id));
    for case in cases {
        let page = render_case(rules, &case, &response.id, IncidentStatus::Open);
        if page.is_some() {
            return page;
        }
    }
    None
}

/// A link or a command in a numbered line is hard to find with a finger.
fn assert_commands_stand_alone(name: &str, page: &Notification) {
    for line in page.body.lines() {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            let has_command = line.contains(" aws ") || line.contains("://") || line.contains(" or by:");
            assert!(!has_command, "{name}: a link or a command that a finger does not find: {line}");
        }
    }
}

fn fixtures_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn replace_files(folder: &Path, files: &BTreeMap<String, String>) {
    fs::create_dir_all(folder).unwrap();
    for name in read_files(folder).keys() {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// The texts of the files in a folder, by name.
fn read_files(folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        texts.insert(entry.file_name().into_string().unwrap(), text);
    }
    texts
}

/// The paths in a folder, in order of names.
fn list_paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        paths.push(entry.unwrap().path());
    }
    paths.sort();
    paths
}

/// The cases in a response's folder that fire, in order of names.
fn list_firing_cases(id: &str) -> Vec<PathBuf> {
    let mut cases = Vec::new();
    for handler in ["access", "failure", "rotation", "sweep"] {
        let folder = fixtures_folder().join(handler).join(id);
        if !folder.is_dir() {
            continue;
        }
        for case in list_paths(&folder) {
            let about: Value = serde_json::from_slice(&fs::read(case.join("about.json")).unwrap()).unwrap();
            if about["kind"] == "fires" {
                cases.push(case);
            }
        }
    }
    cases.sort();
    cases
}

/// The first page of a response in a case.
fn render_case(rules: &RuleSet, case: &Path, rule: &str, status: IncidentStatus) -> Option<Notification> {
    let mut facts = match fs::read(case.join("facts.json")) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => Facts::default(),
    };
    RUNBOOK_BASE_URL.clone_into(&mut facts.settings.runbook_base_url);
    let settings = facts.settings.clone();
    let renderer = Renderer::new(rules, &settings);
    let mut store = MemoryStore::new(facts);
    // All events are decided, as in a replay.
    let mut steps = Vec::new();
    for event in &order_and_deduplicate(read_events(rules, case)).0 {
        steps.extend(store.decide(event).steps);
    }
    for step in &steps {
        let is_wanted = match step {
            PlanStep::Page { incident, .. } => incident.rule == rule && incident.state == status,
            PlanStep::Resolve { rule: id, .. } => id == rule && status == IncidentStatus::Resolved,
            _ => false,
        };
        if is_wanted && let Some(page) = renderer.render_step(step) {
            return Some(page);
        }
    }
    None
}

/// The events of a case that a rule matches.
fn read_events<'r>(rules: &'r RuleSet, case: &Path) -> Vec<MatchedEvent<'r>> {
    let mut events = Vec::new();
    for file in list_paths(case) {
        if !file.file_name().unwrap().to_string_lossy().starts_with("event") {
            continue;
        }
        find_events(&fs::read(file).unwrap(), &mut |found| {
            if let Ok(document) = found {
                events.extend(rules.match_event(&document.text).unwrap_or_default());
            }
        });
    }
    events
}

fn render_quarantine(rules: &RuleSet) -> Option<Notification> {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let settings = Settings { runbook_base_url: RUNBOOK_BASE_URL.to_owned(), ..Settings::default() };
    let function = "arn:aws:lambda:us-west-2:111122223333:function:secrets-responder-access";
    let why = "it is not JSON: it ends too soon";
    let plan = decide::quarantine(rules, Handler::Access, function, b"{", why, now);
    let renderer = Renderer::new(rules, &settings);
    plan.steps.iter().find_map(|step| renderer.render_step(step))
}
