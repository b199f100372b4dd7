//! The doctor over an installation that `CloudFormation` made of the template in the emulator.

use std::process::{Command, Output, Stdio};

use acceptance::aws::EmulatorClient;
use acceptance::installation::{self, call_cloudtrail, handler_queue, inbox};
use acceptance::{Emulator, events, now, paths, wait_for_next_second, wait_until};
use serde_json::{Value, json};

#[test]
fn a_new_installation_is_healthy_its_drills_arrive_and_each_fault_is_named() {
    let aws = Emulator::shared().new_account();
    installation::install(&aws, &[]);
    assert_eq!(findings(&aws), Vec::<[String; 2]>::new());
    assert_eq!(run(&aws, &["check", "--regions", "us-east-1"]).status.code(), Some(0));

    // A message that meets a held claim must not take three minutes: which messages do depends on how the queue cuts its batches.
    installation::shorten_visibility(&aws);
    assert_every_drill_pages(&aws);
    assert_a_changed_secret_redeploys_its_consumer(&aws);
    assert_a_failed_rotation_pages(&aws);
    installation::restore_visibility(&aws);
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
    call_cloudtrail(&aws, "StopLogging", &json!({"Name": "all"}));
    assert_eq!(findings(&aws), [named("trail", "all")]);
    let writes = json!([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]);
    call_cloudtrail(&aws, "StartLogging", &json!({"Name": "all"}));
    call_cloudtrail(&aws, "PutEventSelectors", &json!({"TrailName": "all", "EventSelectors": writes}));
    assert_eq!(findings(&aws), [named("trail", "all")]);
    call_cloudtrail(&aws, "DeleteTrail", &json!({"Name": "all"}));
    assert_eq!(findings(&aws), [named("trail", "trails")]);
    assert_eq!(run(&aws, &["check", "--regions", "us-east-1"]).status.code(), Some(1));
}

#[test]
fn an_installation_that_is_not_there_is_one_finding() {
    let aws = Emulator::shared().new_account();
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
fn assert_every_drill_pages(aws: &EmulatorClient) {
    for _ in 0..2 {
        let output = run(aws, &["drill", "--wait", "300", "--format", "json"]);
        let drill: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{drill}: {}", text(&output.stderr));
        assert_eq!(drill["arrived"], true, "{drill}");
        let mut delays = Vec::new();
        for hop in drill["hops"].as_array().into_iter().flatten() {
            delays.extend(hop["after"].as_i64());
        }
        assert!(delays.len() == 4 && delays[0] == 0 && delays.is_sorted(), "{drill}");
        let subject = drill["subject"].as_str().unwrap_or_default();
        assert!(subject.starts_with("[LOW] Drill"), "{drill}");
        // EventBridge dates in whole seconds, and drills that are one second apart are one incident.
        for _ in 0..2 {
            wait_for_next_second();
        }
    }
    let left =
        aws.json("sqs", "AmazonSQS.ListQueues", &json!({"QueueNamePrefix": "secrets-responder-drill"}));
    assert_eq!(left["QueueUrls"].as_array().map_or(0, Vec::len), 0, "the drill's queue is removed: {left}");
}

/// From the bus through rule, queue and function to ECS.
fn assert_a_changed_secret_redeploys_its_consumer(aws: &EmulatorClient) {
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
    wait_for_next_second();
    aws.put_secret_value(&secrets[0], "second");
    wait_until("the consumer is redeployed", || {
        (aws.primary_deployments()[&services[0]] != before[&services[0]]).then_some(())
    });
    aws.wait_until_empty(&handler_queue(aws, "rotation"));
    let after = aws.primary_deployments();
    assert_eq!(after[&services[1]], before[&services[1]], "the other service is left alone");
}

/// From the queue, as `PutEvents` refuses the sources of AWS; the way from the bus to a page is the drill's.
fn assert_a_failed_rotation_pages(aws: &EmulatorClient) {
    let inbox = inbox(aws);
    aws.drain(&inbox);
    let queue = handler_queue(aws, "failure");
    let secret = aws.arn("secretsmanager", "secret:prod/billing-AbCdEf");
    let failed = events::rotation_failed(aws, &secret, now(), "setSecret");
    aws.send(&queue, &[failed.to_string(), failed.to_string()]);
    aws.wait_until_empty(&queue);
    let mut pages = aws.drain(&inbox);
    pages.retain(|message| message.body.contains("prod/billing"));
    assert_eq!(pages.len(), 1, "one page: {pages:?}");
    let page = &pages[0].body;
    assert!(page.contains("setSecret") && page.contains("rotation-failed"), "{page}");
}

/// The findings that are not OK: check and resource. An alarm that rings cannot be planted: the emulator looks at its metrics by itself.
fn findings(aws: &EmulatorClient) -> Vec<[String; 2]> {
    // On a slow machine the last heartbeats may be old by now.
    installation::put_heartbeats(aws);
    let output = run(aws, &["check", "--regions", "us-east-1", "--format", "json"]);
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut wrong = Vec::new();
    for line in text(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).expect("it prints JSON");
        if line["kind"] == "finding" && line["level"] != "OK" {
            wrong.push([name(&line["check"]), name(&line["resource"])]);
        }
    }
    wrong
}

fn run(aws: &EmulatorClient, args: &[&str]) -> Output {
    doctor(aws).args(args).output().expect("the doctor starts")
}

/// The doctor, with the credentials of an account.
pub(super) fn doctor(aws: &EmulatorClient) -> Command {
    let mut command = Command::new(paths::program("doctor"));
    command
        .env("AWS_ENDPOINT_URL", aws.endpoint())
        .env("AWS_REGION", aws.region())
        .env("AWS_ACCESS_KEY_ID", aws.account())
        .env("AWS_SECRET_ACCESS_KEY", "unchecked")
        .stdin(Stdio::null());
    command
}

/// The output of a command as text.
pub(super) fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}
