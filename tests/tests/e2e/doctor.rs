//! The doctor over an installation that `CloudFormation` made of the template in the emulator.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use acceptance::aws::Client;
use acceptance::deployed::{deploy, inbox, trail};
use acceptance::{Emulator, events, now, paths, wait_until};
use serde_json::{Value, json};

#[test]
fn what_the_template_makes_is_healthy_drills_arrive_and_each_fault_is_named() {
    let aws = deployed();
    assert_eq!(findings(&aws), Vec::<[String; 2]>::new());
    assert_eq!(run(&aws, &["check", "--regions", "us-east-1"]).status.code(), Some(0));

    every_drill_is_a_page(&aws);
    a_changed_secret_redeploys_its_consumer(&aws);
    a_failed_rotation_is_a_page(&aws);
    assert_eq!(findings(&aws), Vec::<[String; 2]>::new(), "after all this, too");

    let read = "secrets-responder-access-secret-read";
    let named = |check: &str, resource: &str| [check.to_owned(), resource.to_owned()];
    let events = |action: &str, body: &Value| aws.json("events", &format!("AWSEvents.{action}"), body);
    events("DisableRule", &json!({"Name": read}));
    assert_eq!(findings(&aws), [named("rule-state", read)]);
    // As somebody does who wants it back: the state is now the one in which no read is seen.
    events("EnableRule", &json!({"Name": read}));
    assert_eq!(findings(&aws), [named("rule-state", read)]);
    let state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
    let rule = events("DescribeRule", &json!({"Name": read}));
    events("PutRule", &json!({"Name": read, "State": state, "EventPattern": rule["EventPattern"]}));
    assert_eq!(findings(&aws), Vec::<[String; 2]>::new());
    aws.json("cloudtrail", &trail("StopLogging"), &json!({"Name": "all"}));
    assert_eq!(findings(&aws), [named("trail", "all")]);
    let writes = json!([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]);
    aws.json("cloudtrail", &trail("StartLogging"), &json!({"Name": "all"}));
    aws.json(
        "cloudtrail",
        &trail("PutEventSelectors"),
        &json!({"TrailName": "all", "EventSelectors": writes}),
    );
    assert_eq!(findings(&aws), [named("trail", "all")]);
    aws.json("cloudtrail", &trail("DeleteTrail"), &json!({"Name": "all"}));
    assert_eq!(findings(&aws), [named("trail", "trails")]);
    assert_eq!(run(&aws, &["check", "--regions", "us-east-1"]).status.code(), Some(1));
}

#[test]
fn an_installation_that_is_not_there_is_one_finding() {
    let aws = Emulator::shared().account();
    let all = findings(&aws);
    assert_eq!(
        all,
        [["trail", "trails"], ["responder", "secrets-responder"]].map(|one| one.map(str::to_owned))
    );
    let told = text(&run(&aws, &["check", "--regions", "us-east-1", "--no-matcher"]).stdout);
    assert!(told.contains("infra/deploy responder --bucket BUCKET") && told.contains("2 FAIL"), "{told}");
    let drill = run(&aws, &["drill"]);
    let told = text(&drill.stderr);
    assert!(drill.status.code() == Some(2) && told.contains("Is the responder deployed"), "{told}");
}

/// In one test with the rest: the emulator ends a function's process when another account makes one of the same name.
fn every_drill_is_a_page(aws: &Client) {
    for _ in 0..2 {
        let output = run(aws, &["drill", "--wait", "60", "--format", "json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{told}: {}", text(&output.stderr));
        assert_eq!(told["arrived"], true, "{told}");
        let after: Vec<i64> =
            told["hops"].as_array().into_iter().flatten().filter_map(|hop| hop["after"].as_i64()).collect();
        assert!(after.len() == 4 && after[0] == 0 && after.is_sorted(), "{told}");
        assert!(told["subject"].as_str().is_some_and(|subject| subject.starts_with("[LOW] Drill")), "{told}");
        // EventBridge tells whole seconds, and what is one second apart is one incident.
        std::thread::sleep(Duration::from_secs(3));
    }
    let left =
        aws.json("sqs", "AmazonSQS.ListQueues", &json!({"QueueNamePrefix": "secrets-responder-drill"}));
    assert_eq!(left["QueueUrls"].as_array().map_or(0, Vec::len), 0, "the drill's queue is removed: {left}");
}

/// From the bus through rule, queue and function to ECS.
fn a_changed_secret_redeploys_its_consumer(aws: &Client) {
    let secrets = ["prod/app-db", "prod/other"].map(|name| aws.create_secret(name));
    aws.create_cluster("prod");
    let services = secrets.each_ref().map(|secret| {
        let containers = json!([{"name": "app", "image": "app:1", "memory": 64,
            "secrets": [{"name": "PASSWORD", "valueFrom": format!("{secret}:password::")}]}]);
        let name = secret.rsplit('/').next().unwrap_or_default();
        let task = aws.register_task_definition(name, &containers);
        aws.create_service("prod", name, &task, &json!({}))
    });
    let before = aws.primary_deployments();
    // Deployments are dated in whole seconds: the change has to be in a later one.
    std::thread::sleep(Duration::from_millis(1_100));
    aws.put_secret_value(&secrets[0], "second");
    wait_until("the consumer is redeployed", Duration::from_mins(1), || {
        let after = aws.primary_deployments();
        assert_eq!(after[&services[1]], before[&services[1]], "the other service is left alone");
        (after[&services[0]] != before[&services[0]]).then_some(())
    });
}

/// From the queue, as `PutEvents` refuses the sources of AWS; the way from the bus to a page is the drill's.
fn a_failed_rotation_is_a_page(aws: &Client) {
    let inbox = inbox(aws);
    aws.drain(&inbox);
    let queue = aws.create_queue("secrets-responder-failure", &json!({}));
    let secret = aws.arn("secretsmanager", "secret:prod/billing-AbCdEf");
    let failed = events::rotation_failed(aws, &secret, now(), "setSecret");
    aws.send(&queue, &[failed.to_string(), failed.to_string()]);
    let page = wait_until("a page arrives", Duration::from_mins(1), || {
        aws.drain(&inbox).into_iter().map(|message| message.body).find(|page| page.contains("prod/billing"))
    });
    assert!(page.contains("setSecret") && page.contains("rotation-failed"), "{page}");
    wait_until("both are answered", Duration::from_mins(1), || (aws.depth(&queue) == 0).then_some(()));
    let more = aws.drain(&inbox);
    assert!(more.iter().all(|message| !message.body.contains("prod/billing")), "one page: {more:?}");
}

/// The responder in an account of its own.
fn deployed() -> Client {
    let aws = Emulator::shared().account();
    deploy(&aws, &[]);
    aws
}

/// What is not well: check and resource. That an alarm rings is nothing to plant: the emulator looks at its metrics by itself.
fn findings(aws: &Client) -> Vec<[String; 2]> {
    let output = run(aws, &["check", "--regions", "us-east-1", "--format", "json"]);
    let lines = String::from_utf8(output.stdout).expect("it prints UTF-8");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("it prints JSON"));
    let wrong = lines.filter(|line| line["kind"] == "finding" && line["level"] != "OK");
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    wrong.map(|line| [name(&line["check"]), name(&line["resource"])]).collect()
}

fn run(aws: &Client, args: &[&str]) -> Output {
    doctor(aws).args(args).output().expect("tests/run builds the doctor")
}

/// The doctor, with the credentials of an account.
pub(super) fn doctor(aws: &Client) -> Command {
    let mut command = Command::new(paths::target().join("debug/doctor"));
    command
        .env("AWS_ENDPOINT_URL", aws.endpoint())
        .env("AWS_REGION", aws.region())
        .env("AWS_ACCESS_KEY_ID", aws.account())
        .env("AWS_SECRET_ACCESS_KEY", "unchecked")
        .stdin(Stdio::null());
    command
}

/// What a command printed.
pub(super) fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}
