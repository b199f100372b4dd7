//! `infra/deploy` against a stand-in for the AWS CLI that notes how it is called: what is sent, from where, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use acceptance::paths;

use super::doctor::text;

/// Notes its arguments; a stack has the status that the test wants, a change set its end.
const AWS: &str = r#"#!/usr/bin/env bash
echo "$*" >>"$NOTES"
case "$1 $2 $3" in
    "cloudformation describe-stacks "*)
        [[ $* == *Parameters* ]] && echo "$PARAMETERS" && exit
        [[ $STATUS == none ]] && exit 1
        echo "$STATUS" ;;
    "cloudformation wait change-set"*) [[ -z ${REASON:-} ]] ;;
    "cloudformation wait stack"*) [[ -z ${BROKEN:-} ]] ;;
    "cloudformation describe-change-set "*) echo "${REASON:-}" ;;
    "configure get region") echo eu-north-1 ;;
esac
"#;

/// The parameters of the stack, if there is one.
const PARAMETERS: &str = r#"[{"ParameterKey": "Prefix", "ParameterValue": "p"}, {"ParameterKey": "CodeBucket"},
    {"ParameterKey": "Gone", "ParameterValue": "g"}, {"ParameterKey": "Architecture", "ParameterValue": "x86_64"},
    {"ParameterKey": "SettleSeconds", "ParameterValue": "30"}]"#;

#[test]
fn what_is_missing_or_unknown_is_named_before_anything_is_asked() {
    let bed = Bed::new("wrong");
    for (arguments, named) in [
        ("", "which template"),
        ("nothing", "which template"),
        ("responder", "--bucket"),
        ("responder --bucket", "--bucket needs a value"),
        ("responder --bucket code --arch arm64", "infra/package --arch arm64"),
        ("responder --stray", "--stray"),
        ("responder trail", "trail"),
    ] {
        let told = bed.run(arguments, &[]);
        assert!(!told.done && told.errors.contains(named), "{arguments}: {}", told.errors);
        assert_eq!(told.calls, Vec::<String>::new(), "{arguments}");
    }
}

#[test]
fn a_dry_run_leaves_neither_functions_nor_a_change_set_nor_an_empty_stack() {
    let bed = Bed::new("dry");
    let told = bed.run("responder --bucket code --arch x86_64", &[]);
    assert!(told.done, "{}", told.errors);
    let sets = told.calls("create-change-set");
    assert!(
        sets[0].contains("--stack-name secrets-responder ") && sets[0].contains("type CREATE"),
        "{sets:?}"
    );
    assert!(
        sets[0]
            .contains(r#"{"ParameterKey": "CodePrefix", "ParameterValue": "secrets-responder/d1/x86_64/"}"#)
    );
    for one in ["delete-change-set", "delete-stack --stack-name secrets-responder"] {
        assert_eq!(told.calls(one).len(), 1, "{one}: {:?}", told.calls);
    }
    for none in ["execute-change-set", "--recursive"] {
        assert_eq!(told.calls(none), Vec::<&str>::new());
    }
    let update = bed.run("responder --bucket code --arch x86_64", &[("STATUS", "UPDATE_COMPLETE")]);
    assert_eq!(update.calls("delete-stack"), Vec::<&str>::new(), "a stack that is there stays");
}

#[test]
fn an_upgrade_keeps_the_parameters_that_the_release_still_has() {
    let bed = Bed::new("upgrade");
    let told = bed.run("responder --bucket code --arch x86_64 --execute", &[("STATUS", "UPDATE_COMPLETE")]);
    assert!(told.done, "{}", told.errors);
    let set = told.calls("create-change-set")[0];
    assert!(set.contains("type UPDATE"), "{set}");
    assert!(set.contains(r#"{"ParameterKey": "Prefix", "UsePreviousValue": true}"#), "{set}");
    assert!(!set.contains("Gone") && set.matches(r#""CodeBucket""#).count() == 1, "{set}");
    let order = ["--recursive", "create-change-set", "execute-change-set", "wait stack-update-complete"];
    let places = order.map(|one| told.calls.iter().position(|call| call.contains(one)));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{:?}", told.calls);
}

#[test]
fn an_upgrade_is_for_the_architecture_that_the_stack_has() {
    let bed = Bed::new("arch");
    let told = bed.run("responder --bucket code", &[("STATUS", "UPDATE_COMPLETE")]);
    assert!(told.done, "{}", told.errors);
    let architecture = r#"{"ParameterKey": "Architecture", "ParameterValue": "x86_64"}"#;
    assert!(told.calls("create-change-set")[0].contains(architecture), "{:?}", told.calls);
    let new = bed.run("responder --bucket code", &[]);
    assert!(!new.done && new.errors.contains("infra/package --arch arm64"), "{}", new.errors);
}

#[test]
fn a_change_settles_for_no_less_than_the_margin() {
    let bed = Bed::new("settle");
    let there = ("STATUS", "UPDATE_COMPLETE");
    for (given, variables, refused) in [
        ("SettleSeconds=4", &[][..], true),
        ("SettleSeconds=5", &[], false),
        ("MarginSeconds=16", &[], true),
        ("SettleSeconds=20 MarginSeconds=16", &[], false),
        ("MarginSeconds=31", &[there], true),
        ("MarginSeconds=30", &[there], false),
    ] {
        let told = bed.run(&format!("responder --bucket code --arch x86_64 {given}"), variables);
        let named = told.errors.contains("SettleSeconds=") && told.errors.contains("MarginSeconds=");
        assert_eq!((!told.done, named), (refused, refused), "{given}: {}", told.errors);
        assert_eq!(told.calls("s3 cp").is_empty(), refused, "{given}: nothing is sent before");
    }
}

#[test]
fn the_template_comes_from_where_the_bucket_is() {
    let bed = Bed::new("place");
    for (variables, url) in [
        (&[][..], "https://code.s3.eu-north-1.amazonaws.com/secrets-responder/templates/"),
        (&[("AWS_REGION", "eu-west-1")], "https://code.s3.eu-west-1.amazonaws.com/"),
        (&[("AWS_DEFAULT_REGION", "eu-west-2")], "https://code.s3.eu-west-2.amazonaws.com/"),
        (&[("AWS_REGION", "cn-north-1")], "https://code.s3.cn-north-1.amazonaws.com.cn/"),
        (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], "http://127.0.0.1:1/code/secrets-responder/"),
    ] {
        let told = bed.run("responder --bucket code --arch x86_64", variables);
        assert!(
            told.calls("create-change-set")[0].contains(&format!("--template-url {url}")),
            "{:?}",
            told.calls
        );
    }
    let small = bed.run("trail", &[]);
    assert!(small.done, "without a bucket, and without parameters: {}", small.errors);
    assert!(small.calls("create-change-set")[0].contains("--template-body file://infra/trail.yaml"));
}

#[test]
fn nothing_to_change_is_well_and_what_failed_says_why() {
    let bed = Bed::new("end");
    let run = |name, value| bed.run("trail --execute", &[("STATUS", "CREATE_COMPLETE"), (name, value)]);
    let told = run("REASON", "The submitted information didn't contain changes.");
    assert!(told.done && told.errors.contains("nothing changes"), "{}", told.errors);
    let told = run("REASON", "Template error");
    assert!(!told.done && told.errors.contains("Template error"), "{}", told.errors);
    assert_eq!(told.calls("execute-change-set"), Vec::<&str>::new());
    let told = run("BROKEN", "yes");
    assert!(!told.done && told.calls("describe-stack-events").len() == 1, "{:?}", told.calls);
    let told = bed.run("trail --execute", &[("STATUS", "ROLLBACK_COMPLETE")]);
    assert!(!told.done && told.errors.contains("remove it"), "{}", told.errors);
    assert_eq!(told.calls("create-change-set"), Vec::<&str>::new());
}

/// A folder with the stand-in, and functions that are built for Intel.
struct Bed {
    place: PathBuf,
}

struct Told {
    done: bool,
    errors: String,
    calls: Vec<String>,
}

impl Told {
    /// The calls with this in them.
    fn calls(&self, part: &str) -> Vec<&str> {
        self.calls.iter().map(String::as_str).filter(|call| call.contains(part)).collect()
    }
}

impl Bed {
    fn new(name: &str) -> Self {
        let place = paths::leftovers().join(format!("deploy-{name}"));
        let built = place.join("package/x86_64");
        fs::create_dir_all(&built).expect("the folder is made");
        fs::write(built.join("digest"), "d1\n").expect("the digest is written");
        let aws = place.join("aws");
        fs::write(&aws, AWS).expect("the stand-in is written");
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).expect("it may run");
        Self { place }
    }

    fn run(&self, arguments: &str, variables: &[(&str, &str)]) -> Told {
        let notes = self.place.join("notes");
        fs::write(&notes, "").expect("the notes are emptied");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(paths::root().join("infra/deploy"));
        command.args(arguments.split_whitespace());
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
            command.env_remove(name);
        }
        command
            .env("PATH", format!("{}:{path}", self.place.display()))
            .env("NOTES", &notes)
            .env("STATUS", "none")
            .env("PARAMETERS", PARAMETERS)
            .env("CARGO_TARGET_DIR", &self.place)
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        let output = command.output().expect("infra/deploy starts");
        let calls = fs::read_to_string(&notes).expect("there are notes");
        Told {
            done: output.status.success(),
            errors: text(&output.stderr),
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }
}
