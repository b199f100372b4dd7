//! The responder as its template makes it: deployed into the emulator by `CloudFormation`.

use infra::resolve::{Place, resolve};
use serde_json::{Value, json};

use crate::aws::{EmulatorClient, SqsQueue, zip_binary};
use crate::{paths, wait_until};

/// The functions of the template.
const FUNCTIONS: [&str; 4] = ["rotation", "access", "failure", "sweep"];

/// The stack, and the prefix of its resources' names.
const STACK_NAME: &str = "secrets-responder";

/// The visibility timeout that the template gives the queues (`Timing`, `standard`), in seconds.
const TEMPLATE_VISIBILITY_SECONDS: u32 = 180;

/// A visibility timeout for tests: a message that meets a held claim is delivered again after five seconds, not after three minutes.
const SHORT_VISIBILITY_SECONDS: u32 = 5;

/// Makes the responder in an account by `CloudFormation`, with a trail, a subscriber and heartbeats.
///
/// `variables` are added to those of the functions.
pub fn install(aws: &EmulatorClient, variables: &[(&str, &str)]) {
    let bucket = format!("code-{}", aws.account());
    aws.try_put(&format!("/{bucket}"), b"").expect("the bucket is put");
    for function in FUNCTIONS {
        let zip = zip_binary(&paths::function(function));
        aws.try_put(&format!("/{bucket}/b/{function}.zip"), &zip).expect("the code is put");
    }
    let template = adapt_template(aws, variables).to_string();
    aws.try_put(&format!("/{bucket}/template"), template.as_bytes()).expect("the template is put");
    let url = format!("{}/{bucket}/template", aws.endpoint());
    let mut request = vec![
        ("StackName".to_owned(), STACK_NAME.to_owned()),
        ("TemplateURL".to_owned(), url),
        ("Capabilities.member.1".to_owned(), "CAPABILITY_NAMED_IAM".to_owned()),
    ];
    for (number, (name, value)) in parameters(aws).into_iter().enumerate() {
        let key = format!("Parameters.member.{}.Parameter", number + 1);
        request.push((format!("{key}Key"), name.to_owned()));
        request.push((format!("{key}Value"), value));
    }
    let request: Vec<(&str, &str)> = request.iter().map(|(key, value)| (&**key, &**value)).collect();
    call_cloudformation(aws, "CreateStack", &request);
    let stack = [("StackName", STACK_NAME)];
    wait_until("the stack is there", || {
        let described = call_cloudformation(aws, "DescribeStacks", &stack);
        assert!(
            !described.contains("ROLLBACK") && !described.contains("_FAILED"),
            "{}",
            call_cloudformation(aws, "DescribeStackEvents", &stack)
        );
        described.contains("CREATE_COMPLETE").then_some(())
    });
    complete_installation(aws, &call_cloudformation(aws, "DescribeStackResources", &stack));
}

/// The queue of a handler, such as `rotation`.
pub fn handler_queue(aws: &EmulatorClient, handler: &str) -> SqsQueue {
    aws.find_queue(&format!("{STACK_NAME}-{handler}"))
}

/// The queue of messages that a handler could not answer.
pub fn dead_letter_queue(aws: &EmulatorClient, handler: &str) -> SqsQueue {
    aws.find_queue(&format!("{STACK_NAME}-{handler}-dlq"))
}

/// The queue that is subscribed to the topic of pages.
pub fn inbox(aws: &EmulatorClient) -> SqsQueue {
    aws.find_queue("inbox")
}

/// Lets the queues of all handlers deliver again after seconds what was not answered.
pub fn shorten_visibility(aws: &EmulatorClient) {
    set_visibility(aws, SHORT_VISIBILITY_SECONDS);
}

/// Gives the queues of all handlers the visibility timeout that the template gives them.
pub fn restore_visibility(aws: &EmulatorClient) {
    set_visibility(aws, TEMPLATE_VISIBILITY_SECONDS);
}

fn set_visibility(aws: &EmulatorClient, seconds: u32) {
    for function in FUNCTIONS {
        aws.set_visibility(&handler_queue(aws, function), seconds);
    }
}

/// Puts the metrics that are there after some minutes of operation: a message of the canary, and an event of each function.
pub fn put_heartbeats(aws: &EmulatorClient) {
    put_metric(aws, "AWS/SQS", "NumberOfMessagesSent", ("QueueName", &format!("{STACK_NAME}-canary")));
    for function in FUNCTIONS {
        put_metric(aws, "SecretsResponder", "EventsReceived", ("Handler", function));
    }
}

/// Puts one value, 1, of a metric with one dimension.
pub fn put_metric(aws: &EmulatorClient, namespace: &str, metric: &str, dimension: (&str, &str)) {
    let datum = [
        ("Namespace", namespace),
        ("MetricData.member.1.MetricName", metric),
        ("MetricData.member.1.Value", "1"),
        ("MetricData.member.1.Dimensions.member.1.Name", dimension.0),
        ("MetricData.member.1.Dimensions.member.1.Value", dimension.1),
    ];
    aws.query("monitoring", "2010-08-01", "PutMetricData", &datum);
}

/// Calls `CloudTrail`.
pub fn call_cloudtrail(aws: &EmulatorClient, action: &str, body: &Value) -> Value {
    aws.json("cloudtrail", &format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{action}"), body)
}

fn call_cloudformation(aws: &EmulatorClient, action: &str, request: &[(&str, &str)]) -> String {
    aws.query("cloudformation", "2010-05-15", action, request)
}

/// The parameters of the stack. The bucket's name is one for all accounts.
fn parameters(aws: &EmulatorClient) -> Vec<(&'static str, String)> {
    vec![
        ("CodePrefix", "b/".to_owned()),
        ("TrustedAccounts", "444455556666".to_owned()),
        ("Mode", "enforce".to_owned()),
        ("SettleSeconds", "0".to_owned()),
        ("MarginSeconds", "0".to_owned()),
        ("CodeBucket", format!("code-{}", aws.account())),
    ]
}

/// The template, as the emulator takes it: without the bus's policy, with an environment of strings.
fn adapt_template(aws: &EmulatorClient, more: &[(&str, &str)]) -> Value {
    let text = std::fs::read_to_string(paths::root().join("infra/responder.yaml")).expect("it is committed");
    let mut template = infra::yaml::parse(&text).expect("it is YAML");
    let mut place = Place::new(aws.account(), aws.region());
    for (name, value) in parameters(aws) {
        place = place.with(name, &value);
    }
    let resolved = resolve(&template, &place).expect("it can be resolved");
    template["Resources"].as_object_mut().expect("it has resources").remove("BusPolicy");
    for (id, resource) in &resolved {
        if resource["Type"] != "AWS::Lambda::Function" {
            continue;
        }
        let mut variables = json!({});
        let resolved = resource["Properties"]["Environment"]["Variables"].as_object();
        for (name, value) in resolved.expect("a function has variables") {
            variables[name] = json!(value.as_str().map_or(value.to_string(), str::to_owned));
        }
        variables["AWS_ENDPOINT_URL"] = json!(aws.endpoint());
        for (name, value) in more {
            variables[*name] = json!(value);
        }
        template["Resources"][id]["Properties"]["Environment"]["Variables"] = variables;
    }
    template
}

/// Adds the parts of the template that the emulator's `CloudFormation` leaves out, a trail, and what only time would bring.
fn complete_installation(aws: &EmulatorClient, resources: &str) {
    let table = format!("{STACK_NAME}-ledger");
    let ttl = json!({"Enabled": true, "AttributeName": "ttl"});
    let recovery = json!({"PointInTimeRecoveryEnabled": true});
    for (action, body) in [
        ("UpdateTimeToLive", json!({"TableName": table, "TimeToLiveSpecification": ttl})),
        (
            "UpdateContinuousBackups",
            json!({"TableName": table, "PointInTimeRecoverySpecification": recovery}),
        ),
    ] {
        aws.json("dynamodb", &format!("DynamoDB_20120810.{action}"), &body);
    }
    let key =
        resources.split("<member>").find(|one| one.contains("<LogicalResourceId>PageKey<")).expect("a key");
    let key =
        key.split("<PhysicalResourceId>").nth(1).and_then(|rest| rest.split('<').next()).expect("its id");
    let topic = aws.arn("sns", &format!("{STACK_NAME}-pages"));
    let attribute = [("TopicArn", &*topic), ("AttributeName", "KmsMasterKeyId"), ("AttributeValue", key)];
    aws.query("sns", "2010-03-31", "SetTopicAttributes", &attribute);
    aws.subscribe(&topic, &aws.create_queue("inbox", &json!({})));
    let all = json!({"Name": "all", "S3BucketName": "logs", "IsMultiRegionTrail": true, "EnableLogFileValidation": true});
    call_cloudtrail(aws, "CreateTrail", &all);
    call_cloudtrail(aws, "StartLogging", &json!({"Name": "all"}));
    put_heartbeats(aws);
}
