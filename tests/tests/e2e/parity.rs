//! The replay tells the truth: the plan of a function and the plan of `replay`, from the same event and facts, are the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use acceptance::{FunctionProcess, InvocationOutcome, TestBed, events, now, paths, wait_for_next_second};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The answer of a function to a bare event: `facts` and `plan`, as they are spelled.
type SpelledAnswer = BTreeMap<String, Box<RawValue>>;

/// Every fixture of a handler that is one event.
fn find_fixtures(handler: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let rules =
        fs::read_dir(paths::root().join("fixtures").join(handler)).expect("the fixtures can be listed");
    for rule in rules {
        let rule = rule.expect("the fixtures can be listed").path();
        // A message that is parked is no event, and has no plan to compare.
        if rule.ends_with("event-parked") {
            continue;
        }
        let cases = fs::read_dir(rule).expect("the fixtures can be listed");
        found.extend(cases.map(|case| case.expect("the fixtures can be listed").path().join("event.json")));
    }
    found.retain(|file| file.is_file());
    found.sort();
    found
}

/// The plan in the decision that `replay` makes for a handler, without what `replay` adds to it; `null` if no rule matches.
fn replay_decision(handler: &str, event: &Path, facts: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = paths::leftovers().join(format!("facts-{}-{number}.json", std::process::id()));
    fs::write(&file, facts).expect("the target directory can be written");
    let output = Command::new(paths::program("replay"))
        .args(["run", "--format", "json", "--facts"])
        .args([&file, event])
        .output()
        .expect("the replay starts");
    fs::remove_file(&file).expect("the target directory can be written");
    assert!(output.status.success(), "{}: {}", event.display(), String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("the replay prints UTF-8");
    let mut decisions = lines.lines().filter_map(|line| line.strip_prefix(r#"{"kind":"decision","#));
    let own = format!(r#""handler":"{handler}""#);
    let Some(line) = decisions.find(|line| line.contains(&own)) else { return "null".to_owned() };
    // The account, the Region and the principal stand before the plan, whose first field is `event`.
    let plan = line.find(r#""event":""#).expect("a decision has a plan");
    format!("{{{}", &line[plan..])
}

fn assert_same_plan(function: &mut FunctionProcess, handler: &str, event: &Path) -> Value {
    let payload = fs::read(event).expect("the event can be read");
    let answer = function.invoke(&payload);
    assert!(matches!(answer.outcome, InvocationOutcome::Response(_)), "{}: {answer:?}", event.display());
    let told: SpelledAnswer =
        serde_json::from_str(&answer.raw).expect("a function answers a bare event with facts and plan");
    assert_eq!(
        told["plan"].get(),
        replay_decision(handler, event, told["facts"].get()),
        "{}",
        event.display()
    );
    serde_json::from_str(told["plan"].get()).expect("a plan is JSON")
}

#[test]
fn every_fixture_gets_the_same_plan_from_the_function_and_from_replay() {
    for handler in ["rotation", "access", "failure", "sweep"] {
        let bed = TestBed::new();
        let mut function = FunctionProcess::start(&paths::function(handler), &bed.environment());
        let events = find_fixtures(handler);
        assert!(events.len() >= 10, "{handler}: {events:?}");
        let plans: Vec<Value> =
            events.iter().map(|event| assert_same_plan(&mut function, handler, event)).collect();
        let decided = plans.iter().filter(|plan| !plan.is_null()).count();
        assert!(decided >= 5, "{handler}: {decided} of {} fixtures are decided", plans.len());
    }
}

#[test]
fn a_rotation_over_real_services_gets_the_same_plan_from_replay() {
    let bed = TestBed::new();
    let secret = bed.aws.create_secret("prod/app-db");
    bed.aws.create_cluster("prod");
    let containers = json!([{
        "name": "app", "image": "app:1", "memory": 64,
        "secrets": [{"name": "PASSWORD", "valueFrom": format!("{secret}:password::")}],
    }]);
    let task = bed.aws.register_task_definition("web", &containers);
    for name in ["web", "worker"] {
        bed.aws.create_service("prod", name, &task, &json!({}));
    }
    bed.aws.create_service("prod", "blue", &task, &json!({"deploymentController": {"type": "CODE_DEPLOY"}}));
    wait_for_next_second();
    let event = paths::leftovers().join(format!("rotation-{}.json", std::process::id()));
    let rotation = events::rotation_succeeded(&bed.aws, &secret, now());
    fs::write(&event, rotation.to_string()).expect("the target directory can be written");
    let mut function = FunctionProcess::start(&paths::function("rotation"), &bed.environment());
    let done = |plan: &Value, what: &str| {
        let steps = plan["steps"].as_array().expect("a plan has steps");
        steps.iter().filter(|step| step["do"] == what).count()
    };
    let first = assert_same_plan(&mut function, "rotation", &event);
    assert_eq!(
        (done(&first, "redeploy"), done(&first, "skip"), done(&first, "page")),
        (2, 1, 1),
        "{first:#}"
    );
    let second = assert_same_plan(&mut function, "rotation", &event);
    assert_eq!(
        (done(&second, "redeploy"), done(&second, "skip"), done(&second, "page")),
        (0, 3, 0),
        "{second:#}"
    );
    fs::remove_file(&event).expect("the target directory can be written");
}
