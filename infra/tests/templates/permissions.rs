//! Promise P14: each role allows exactly the calls that its function's code can make.
//!
//! From the code: which operation each port method calls, and which methods the answers to a handler's questions and the steps of its
//! plans need. From the fixtures: which questions and steps a handler has at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use infra::permissions::{FORBIDDEN_ACTIONS, IMPLIED_ACTIONS, required_actions};
use responder_core::decide::{questions, respond};
use responder_core::facts::Facts;
use responder_core::rules::{Handler, RuleSet};
use serde_json::Value;

use super::code::{list_folders, workspace_path};
use super::lint::read_template;

/// The actions that the engine needs to answer a question or to execute a step, by the names of `Question` and `Step`. A name that is
/// missing here fails the test.
const NEEDED_ACTIONS: [(&str, &[&str]); 33] = [
    ("Observations", &["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"]),
    ("Incident", &["dynamodb:BatchGetItem"]),
    ("Deployment", &["dynamodb:BatchGetItem"]),
    ("PendingEvidence", &["dynamodb:BatchGetItem"]),
    ("RotationState", &["dynamodb:Query"]),
    ("Secret", &["secretsmanager:DescribeSecret"]),
    ("SecretWithArn", &["secretsmanager:DescribeSecret"]),
    ("Secrets", &["secretsmanager:ListSecrets"]),
    (
        "Consumers",
        &[
            "ecs:DescribeDaemon",
            "ecs:DescribeDaemonRevisions",
            "ecs:DescribeDaemonTaskDefinition",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:ListClusters",
            "ecs:ListDaemons",
            "ecs:ListServices",
        ],
    ),
    ("Service", &["ecs:DescribeServices", "ecs:DescribeTaskDefinition"]),
    ("redeploy", &["dynamodb:UpdateItem", "ecs:UpdateService"]),
    ("page", &["dynamodb:UpdateItem", "sns:Publish"]),
    ("extend-incident", &["dynamodb:UpdateItem"]),
    ("resolve", &["dynamodb:UpdateItem"]),
    ("count", &["dynamodb:UpdateItem"]),
    ("defer", &["dynamodb:UpdateItem"]),
    ("record-change", &["dynamodb:UpdateItem"]),
    ("resolve-change", &["dynamodb:UpdateItem"]),
    ("reconcile-deployment", &["dynamodb:UpdateItem"]),
    ("end-deployment", &["dynamodb:UpdateItem"]),
    ("prove", &["dynamodb:UpdateItem"]),
    ("skip", &["dynamodb:UpdateItem"]),
    ("LaunchSecrets", &["dynamodb:BatchGetItem"]),
    ("OpenIncidents", &["dynamodb:Query"]),
    ("GroupWindow", &["dynamodb:Query"]),
    ("DigestDay", &["dynamodb:Query"]),
    ("LastSeen", &["dynamodb:BatchGetItem"]),
    ("digest", &["dynamodb:UpdateItem"]),
    ("update-last-seen", &["dynamodb:UpdateItem"]),
    ("suppress", &["dynamodb:UpdateItem"]),
    ("unknown", &[]),
    ("ignore", &[]),
    ("nothing", &[]),
];

#[test]
fn each_role_allows_exactly_what_its_code_calls() {
    let rules = responder_core::rules::builtin().unwrap();
    let needs: BTreeMap<&str, &[&str]> = NEEDED_ACTIONS.into_iter().collect();
    let mut everything = BTreeSet::new();
    for handler in Handler::ALL {
        let mut needed = BTreeSet::new();
        for name in list_questions_and_steps(&rules, handler) {
            let calls = needs
                .get(name.as_str())
                .unwrap_or_else(|| panic!("{handler}: say in NEEDED_ACTIONS what `{name}` needs"));
            needed.extend(calls.iter().copied());
        }
        // Every function parks what it cannot read, with a page.
        needed.extend(["dynamodb:UpdateItem", "sns:Publish"]);
        assert_eq!(
            required_actions(&rules, handler),
            needed,
            "{handler}: granted, and needed by its fixtures"
        );
        assert_eq!(
            allowed_actions(handler),
            needed.iter().copied().chain(IMPLIED_ACTIONS).map(str::to_owned).collect(),
            "{handler}"
        );
        everything.extend(needed);
    }
    assert_eq!(everything, actions_in_the_code(), "granted to some function, and called by handlers/aws/src");
}

#[test]
fn no_role_can_read_a_secret() {
    for (id, resource) in read_template("responder")["Resources"].as_object().unwrap() {
        let text = resource.to_string();
        for forbidden in FORBIDDEN_ACTIONS {
            let denies = text.matches("\"Deny\"").count() == 1 && resource["Type"] == "AWS::IAM::Role";
            assert!(!text.contains(forbidden) || denies, "{id}: {forbidden}");
        }
    }
}

/// `ecs:UpdateService` for `client.update_service()` in `handlers/aws/src/ecs.rs` or a file of the folder beside it.
fn actions_in_the_code() -> BTreeSet<&'static str> {
    let services = [("dynamodb", "dynamodb"), ("ecs", "ecs"), ("secrets", "secretsmanager"), ("sns", "sns")];
    let folder = workspace_path("handlers/aws/src");
    let mut found = BTreeSet::new();
    for file in list_rust_files(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        let text: String = text.split_whitespace().collect();
        let path = file.strip_prefix(&folder).unwrap().with_extension("");
        let part = path.iter().next().unwrap().to_string_lossy();
        let Some((_, service)) = services.iter().find(|(name, _)| *name == part) else {
            // The clients are made in one file. No other file uses one.
            let uses = text.split("client.").skip(1).any(|rest| !rest.starts_with("clone()"));
            assert!(
                part == "clients" || !uses,
                "{}: a client is used outside its service's files",
                file.display()
            );
            continue;
        };
        for rest in text.split("client.").skip(1) {
            let Some((call, _)) = rest.split_once("()") else { continue };
            let operation: String = call.split('_').map(capitalise).collect();
            found.insert(&*format!("{service}:{operation}").leak());
        }
    }
    found
}

fn capitalise(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn list_rust_files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(list_rust_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The questions that the fixtures make a handler ask, and the steps that it plans.
fn list_questions_and_steps(rules: &RuleSet, handler: Handler) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in list_folders(&workspace_path("fixtures")) {
        let facts = fs::read_to_string(folder.join("facts.json")).unwrap_or_default();
        let facts: Facts = serde_json::from_str(&facts).unwrap_or_default();
        for file in ["event.json", "events.jsonl"] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let records = if file == "event.json" { vec![text.as_str()] } else { text.lines().collect() };
            for record in records {
                for case in rules
                    .match_event(record)
                    .unwrap_or_default()
                    .iter()
                    .filter(|case| case.handler == handler)
                {
                    let asked = questions(case, &facts);
                    names.extend(asked.iter().map(|question| first_word(&format!("{question:?}"))));
                    let plan = serde_json::to_value(respond(case, &facts)).unwrap();
                    names.extend(plan["steps"].as_array().into_iter().flatten().filter_map(step_name));
                }
            }
        }
    }
    names
}

fn first_word(debug: &str) -> String {
    debug.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// The tag of a step in JSON.
fn step_name(step: &Value) -> Option<String> {
    let tag = ["step", "kind", "do", "type"].iter().find_map(|key| step[*key].as_str());
    tag.or_else(|| step.as_object()?.keys().next().map(String::as_str)).map(str::to_owned)
}

/// The actions that the committed template allows a handler.
fn allowed_actions(handler: Handler) -> BTreeSet<String> {
    let template = read_template("responder");
    let id = format!("{}Role", capitalise(handler.as_str()));
    let statements =
        template.pointer(&format!("/Resources/{id}/Properties/Policies/0/PolicyDocument/Statement"));
    let statements = statements
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .filter(|statement| statement["Effect"] == "Allow");
    statements
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}
