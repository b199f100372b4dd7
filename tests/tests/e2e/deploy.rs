//! `infra/deploy` against a stand-in for the AWS CLI that records its calls: the requests, their places, and the refusals.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use acceptance::paths;

use super::doctor::text;

/// The parameters of the stack, if there is one.
const PARAMETERS: &str = r#"[{"ParameterKey": "Prefix", "ParameterValue": "p"}, {"ParameterKey": "CodeBucket"},
    {"ParameterKey": "Gone", "ParameterValue": "g"}, {"ParameterKey": "Architecture", "ParameterValue": "x86_64"},
    {"ParameterKey": "SettleSeconds", "ParameterValue": "30"}]"#;

#[test]
fn a_missing_or_unknown_argument_is_named_before_any_call() {
    let cli = StandInCli::new("wrong");
    for (arguments, named) in [
        ("", "which template"),
        ("nothing", "which template"),
        ("responder", "--bucket"),
        ("responder --bucket", "--bucket needs a value"),
        ("responder --bucket code --arch arm64", "infra/package --arch arm64"),
        ("responder --stray", "--stray"),
        ("responder trail", "trail"),
    ] {
        let run = cli.run(arguments, &[]);
        assert!(!run.done && run.errors.contains(named), "{arguments}: {}", run.errors);
        assert_eq!(run.calls, Vec::<String>::new(), "{arguments}");
    }
}

#[test]
fn a_dry_run_leaves_neither_functions_nor_a_change_set_nor_an_empty_stack() {
    let cli = StandInCli::new("dry");
    let run = cli.run("responder --bucket code --arch x86_64", &[]);
    assert!(run.done, "{}", run.errors);
    let sets = run.calls("create-change-set");
    assert!(
        sets[0].contains("--stack-name secrets-responder ") && sets[0].contains("type CREATE"),
        "{sets:?}"
    );
    assert!(
        sets[0]
            .contains(r#"{"ParameterKey": "CodePrefix", "ParameterValue": "secrets-responder/d1/x86_64/"}"#)
    );
    for one in ["delete-change-set", "delete-stack --stack-name secrets-responder"] {
        assert_eq!(run.calls(one).len(), 1, "{one}: {:?}", run.calls);
    }
    for none in ["execute-change-set", "--recursive"] {
        assert_eq!(run.calls(none), Vec::<&str>::new());
    }
    let update = cli.run("responder --bucket code --arch x86_64", &[("STATUS", "UPDATE_COMPLETE")]);
    assert_eq!(update.calls("delete-stack"), Vec::<&str>::new(), "a stack that is there stays");
}

#[test]
fn an_upgrade_keeps_the_parameters_that_the_release_still_has() {
    let cli = StandInCli::new("upgrade");
    let run = cli.run("responder --bucket code --arch x86_64 --execute", &[("STATUS", "UPDATE_COMPLETE")]);
    assert!(run.done, "{}", run.errors);
    let set = run.calls("create-change-set")[0];
    assert!(set.contains("type UPDATE"), "{set}");
    assert!(set.contains(r#"{"ParameterKey": "Prefix", "UsePreviousValue": true}"#), "{set}");
    assert!(!set.contains("Gone") && set.matches(r#""CodeBucket""#).count() == 1, "{set}");
    let order = ["--recursive", "create-change-set", "execute-change-set", "wait stack-update-complete"];
    let places = order.map(|one| run.calls.iter().position(|call| call.contains(one)));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{:?}", run.calls);
}

#[test]
fn an_upgrade_is_for_the_architecture_that_the_stack_has() {
    let cli = StandInCli::new("arch");
    let run = cli.run("responder --bucket code", &[("STATUS", "UPDATE_COMPLETE")]);
    assert!(run.done, "{}", run.errors);
    let architecture = r#"{"ParameterKey": "Architecture", "ParameterValue": "x86_64"}"#;
    assert!(run.calls("create-change-set")[0].contains(architecture), "{:?}", run.calls);
    let new = cli.run("responder --bucket code", &[]);
    assert!(!new.done && new.errors.contains("infra/package --arch arm64"), "{}", new.errors);
}

#[test]
fn a_change_settles_for_no_less_than_the_margin() {
    let cli = StandInCli::new("settle");
    let there = ("STATUS", "UPDATE_COMPLETE");
    for (given, variables, refused) in [
        ("SettleSeconds=4", &[][..], true),
        ("SettleSeconds=5", &[], false),
        ("MarginSeconds=16", &[], true),
        ("SettleSeconds=20 MarginSeconds=16", &[], false),
        ("MarginSeconds=31", &[there], true),
        ("MarginSeconds=30", &[there], false),
    ] {
        let run = cli.run(&format!("responder --bucket code --arch x86_64 {given}"), variables);
        let named = run.errors.contains("SettleSeconds=") && run.errors.contains("MarginSeconds=");
        assert_eq!((!run.done, named), (refused, refused), "{given}: {}", run.errors);
        assert_eq!(run.calls("s3 cp").is_empty(), refused, "{given}: nothing is sent before");
    }
}

#[test]
fn the_template_comes_from_where_the_bucket_is() {
    let cli = StandInCli::new("place");
    for (variables, url) in [
        (&[][..], "https://code.s3.eu-north-1.amazonaws.com/secrets-responder/templates/"),
        (&[("AWS_REGION", "eu-west-1")], "https://code.s3.eu-west-1.amazonaws.com/"),
        (&[("AWS_DEFAULT_REGION", "eu-west-2")], "https://code.s3.eu-west-2.amazonaws.com/"),
        (&[("AWS_REGION", "cn-north-1")], "https://code.s3.cn-north-1.amazonaws.com.cn/"),
        (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], "http://127.0.0.1:1/code/secrets-responder/"),
    ] {
        let run = cli.run("responder --bucket code --arch x86_64", variables);
        assert!(
            run.calls("create-change-set")[0].contains(&format!("--template-url {url}")),
            "{:?}",
            run.calls
        );
    }
    let small = cli.run("trail", &[]);
    assert!(small.done, "without a bucket, and without parameters: {}", small.errors);
    assert!(small.calls("create-change-set")[0].contains("--template-body file://infra/trail.yaml"));
}

#[test]
fn an_empty_change_set_succeeds_and_a_failed_one_says_why() {
    let cli = StandInCli::new("end");
    let execute = |name, value| cli.run("trail --execute", &[("STATUS", "CREATE_COMPLETE"), (name, value)]);
    let run = execute("REASON", "The submitted information didn't contain changes.");
    assert!(run.done && run.errors.contains("nothing changes"), "{}", run.errors);
    let run = execute("REASON", "Template error");
    assert!(!run.done && run.errors.contains("Template error"), "{}", run.errors);
    assert_eq!(run.calls("execute-change-set"), Vec::<&str>::new());
    let run = execute("BROKEN", "yes");
    assert!(!run.done && run.calls("describe-stack-events").len() == 1, "{:?}", run.calls);
    let run = cli.run("trail --execute", &[("STATUS", "ROLLBACK_COMPLETE")]);
    assert!(!run.done && run.errors.contains("remove it"), "{}", run.errors);
    assert_eq!(run.calls("create-change-set"), Vec::<&str>::new());
}

/// A stand-in for the AWS CLI, and functions that are built for Intel, in a folder of the test's own.
struct StandInCli {
    folder: PathBuf,
}

/// How `infra/deploy` ended.
struct DeployRun {
    done: bool,
    errors: String,
    calls: Vec<String>,
}

impl DeployRun {
    /// The calls with this in them.
    fn calls(&self, part: &str) -> Vec<&str> {
        self.calls.iter().map(String::as_str).filter(|call| call.contains(part)).collect()
    }
}

impl StandInCli {
    fn new(name: &str) -> Self {
        let folder = paths::leftovers().join(format!("deploy-{}-{name}", std::process::id()));
        let built = folder.join("package/x86_64");
        fs::create_dir_all(&built).expect("the folder is made");
        fs::write(built.join("digest"), "d1\n").expect("the digest is written");
        Self { folder }
    }

    fn run(&self, arguments: &str, variables: &[(&str, &str)]) -> DeployRun {
        let notes = self.folder.join("notes");
        fs::write(&notes, "").expect("the notes are emptied");
        // It is committed rather than written here: while another test starts a process, a file that was just written cannot be executed.
        let stand_in = paths::root().join("tests/stand-in");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(paths::root().join("infra/deploy"));
        command.args(arguments.split_whitespace());
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
            command.env_remove(name);
        }
        command
            .env("PATH", format!("{}:{path}", stand_in.display()))
            .env("NOTES", &notes)
            .env("STATUS", "none")
            .env("PARAMETERS", PARAMETERS)
            .env("CARGO_TARGET_DIR", &self.folder)
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        let output = command.output().expect("infra/deploy starts");
        let calls = fs::read_to_string(&notes).expect("there are notes");
        DeployRun {
            done: output.status.success(),
            errors: text(&output.stderr),
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }
}

impl Drop for StandInCli {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _already_gone = fs::remove_dir_all(&self.folder);
        }
    }
}
