//! The responder as its template makes it: deployed into the emulator by `CloudFormation`.

use std::time::Duration;

use infra::DeploymentSite;
use infra::resolve::resolve_resources;
use serde_json::{Value, json};

use crate::aws::{Client, Queue, zip_of};
use crate::{paths, wait_until};

/// Makes the responder in an account by `CloudFormation`, with a trail, a subscriber and heartbeats.
///
/// `variables` are added to those of the functions.
pub fn deploy(aws: &Client, variables: &[(&str, &str)]) {
    let bucket = format!("code-{}", aws.account());
    aws.try_put(&format!("/{bucket}"), b"").expect("the bucket is put");
    for function in ["rotation", "access", "failure", "sweep"] {
        let zip = zip_of(&paths::function(function));
        aws.try_put(&format!("/{bucket}/b/{function}.zip"), &zip).expect("the code is put");
    }
    aws.try_put(&format!("/{bucket}/template"), template(aws, variables).to_string().as_bytes())
        .expect("the template is put");
    let url = format!("{}/{bucket}/template", aws.endpoint());
    let mut request = vec![
        ("StackName", "secrets-responder"),
        ("TemplateURL", &*url),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    let parameters = parameters(aws).into_iter().zip(1..).flat_map(|((name, value), number)| {
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
    complete(aws, &cloudformation("DescribeStackResources", &stack));
}

/// Who is paged: a queue that is subscribed to the topic of pages.
pub fn inbox(aws: &Client) -> Queue {
    aws.create_queue("inbox", &json!({}))
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
fn template(aws: &Client, more: &[(&str, &str)]) -> Value {
    let text = std::fs::read_to_string(paths::root().join("infra/responder.yaml")).expect("it is committed");
    let mut template = infra::yaml::parse_template(&text).expect("it is YAML");
    let mut site = DeploymentSite::new(aws.account(), aws.region());
    for (name, value) in parameters(aws) {
        site = site.with_parameter(name, &value);
    }
    let resolved = resolve_resources(&template, &site).expect("it can be resolved");
    template["Resources"].as_object_mut().expect("it has resources").remove("BusPolicy");
    for (id, resource) in resolved.iter().filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
    {
        let variables = resource["Properties"]["Environment"]["Variables"].as_object().expect("it has some");
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let mut variables: Value =
            variables.iter().map(|(name, value)| (name.clone(), json!(text(value)))).collect();
        for (name, value) in [("AWS_ENDPOINT_URL", aws.endpoint())].iter().chain(more) {
            variables[*name] = json!(value);
        }
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

/// The name of an operation of `CloudTrail`.
pub fn trail(action: &str) -> String {
    format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{action}")
}
