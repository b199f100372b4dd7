//! The doctor over an installation that `CloudFormation` made of the template in the emulator.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use acceptance::aws::{Client, Queue, zip_of};
use acceptance::{Emulator, events, now, paths, wait_until};
use infra::resolve::{Place, resolve};
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
}

/// In one test with the rest: the emulator ends a function's process when another account makes one of the same name.
fn every_drill_is_a_page(aws: &Client) {
    for _ in 0..2 {
        let output = run(aws, &["drill", "--wait", "60", "--format", "json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{told}: {}", text(&output.stderr));
        assert_eq!(told["arrived"], true, "{told}");
        assert_eq!(told["hops"].as_array().map(Vec::len), Some(4), "{told}");
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

/// Who is paged.
fn inbox(aws: &Client) -> Queue {
    aws.create_queue("inbox", &json!({}))
}

/// The responder in an account of its own, with a trail, a subscriber and heartbeats.
fn deployed() -> Client {
    let aws = Emulator::shared().account();
    let bucket = format!("code-{}", aws.account());
    aws.try_put(&format!("/{bucket}"), b"").expect("the bucket is put");
    for function in ["rotation", "access", "failure", "sweep"] {
        let zip = zip_of(&paths::function(function));
        aws.try_put(&format!("/{bucket}/b/{function}.zip"), &zip).expect("the code is put");
    }
    aws.try_put(&format!("/{bucket}/template"), template(&aws).to_string().as_bytes())
        .expect("the template is put");
    let url = format!("{}/{bucket}/template", aws.endpoint());
    let mut request = vec![
        ("StackName", "secrets-responder"),
        ("TemplateURL", &*url),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    let parameters = parameters(&aws).into_iter().zip(1..).flat_map(|((name, value), number)| {
        let key = format!("Parameters.member.{number}.Parameter");
        [(format!("{key}Key"), name.to_owned()), (format!("{key}Value"), value)]
    });
    let parameters: Vec<(String, String)> = parameters.collect();
    request.extend(parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let cloudformation =
        |action: &str, request: &[(&str, &str)]| aws.query("cloudformation", "2010-05-15", action, request);
    cloudformation("CreateStack", &request);
    let stack = [("StackName", "secrets-responder")];
    wait_until("the stack is there", Duration::from_mins(1), || {
        let told = cloudformation("DescribeStacks", &stack);
        assert!(
            !told.contains("ROLLBACK") && !told.contains("_FAILED"),
            "{}",
            cloudformation("DescribeStackEvents", &stack)
        );
        told.contains("CREATE_COMPLETE").then_some(())
    });
    complete(&aws, &cloudformation("DescribeStackResources", &stack));
    aws
}

/// The bucket's name is one for all accounts.
fn parameters(aws: &Client) -> Vec<(&'static str, String)> {
    let others = [
        ("CodePrefix", "b/"),
        ("TrustedAccounts", "444455556666"),
        ("Mode", "enforce"),
        ("SettleSeconds", "0"),
        ("MarginSeconds", "0"),
    ];
    let others = others.into_iter().map(|(name, value)| (name, value.to_owned()));
    others.chain([("CodeBucket", format!("code-{}", aws.account()))]).collect()
}

/// The template, as the emulator takes it: without the bus's policy, with an environment of strings.
fn template(aws: &Client) -> Value {
    let text = std::fs::read_to_string(paths::root().join("infra/responder.yaml")).expect("it is committed");
    let mut template = infra::yaml::parse(&text).expect("it is YAML");
    let place = parameters(aws)
        .iter()
        .fold(Place::new(aws.account(), aws.region()), |place, (name, value)| place.with(name, value));
    let resolved = resolve(&template, &place).expect("it can be resolved");
    template["Resources"].as_object_mut().expect("it has resources").remove("BusPolicy");
    for (id, resource) in resolved.iter().filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
    {
        let variables = resource["Properties"]["Environment"]["Variables"].as_object().expect("it has some");
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let mut variables: Value =
            variables.iter().map(|(name, value)| (name.clone(), json!(text(value)))).collect();
        variables["AWS_ENDPOINT_URL"] = json!(aws.endpoint());
        template["Resources"][id]["Properties"]["Environment"]["Variables"] = variables;
    }
    template
}

/// What the emulator's `CloudFormation` leaves out, and what only time would bring.
fn complete(aws: &Client, resources: &str) {
    let table = json!("secrets-responder-ledger");
    let dynamodb =
        |action: &str, body: &Value| aws.json("dynamodb", &format!("DynamoDB_20120810.{action}"), body);
    dynamodb(
        "UpdateTimeToLive",
        &json!({"TableName": table, "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "ttl"}}),
    );
    dynamodb(
        "UpdateContinuousBackups",
        &json!({"TableName": table, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}),
    );
    let key =
        resources.split("<member>").find(|one| one.contains("<LogicalResourceId>PageKey<")).expect("a key");
    let key =
        key.split("<PhysicalResourceId>").nth(1).and_then(|rest| rest.split('<').next()).expect("its id");
    let topic = aws.arn("sns", "secrets-responder-pages");
    let attribute = [("TopicArn", &*topic), ("AttributeName", "KmsMasterKeyId"), ("AttributeValue", key)];
    aws.query("sns", "2010-03-31", "SetTopicAttributes", &attribute);
    aws.subscribe(&topic, &inbox(aws));
    let all = json!({"Name": "all", "S3BucketName": "logs", "IsMultiRegionTrail": true, "EnableLogFileValidation": true});
    aws.json("cloudtrail", &trail("CreateTrail"), &all);
    aws.json("cloudtrail", &trail("StartLogging"), &json!({"Name": "all"}));
    let mut beats = vec![("AWS/SQS", "NumberOfMessagesSent", "QueueName", "secrets-responder-canary")];
    beats.extend(
        ["rotation", "access", "failure", "sweep"]
            .map(|name| ("SecretsResponder", "EventsReceived", "Handler", name)),
    );
    for (namespace, metric, dimension, value) in beats {
        let datum = [
            ("Namespace", namespace),
            ("MetricData.member.1.MetricName", metric),
            ("MetricData.member.1.Value", "1"),
            ("MetricData.member.1.Dimensions.member.1.Name", dimension),
            ("MetricData.member.1.Dimensions.member.1.Value", value),
        ];
        aws.query("monitoring", "2010-08-01", "PutMetricData", &datum);
    }
}

fn trail(action: &str) -> String {
    format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{action}")
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
