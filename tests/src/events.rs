//! Events in the shapes that AWS sends: recorded ones for rotation and reads, with the names of a test in them.
//!
//! Sources: `RotationSucceeded` and `RotationFailed` are service events (no `userIdentity.type`, `resources` empty, the ARN in `additionalEventData.SecretId`);
//! `GetSecretValue` is an API call (`responseElements` null, `secretId` as the caller typed it). `Secret Label Updated` comes from the emulator.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::EmulatorClient;

/// A rotation of `secret` (an ARN) ended well at `time`.
pub fn rotation_succeeded(aws: &EmulatorClient, secret: &str, time: Timestamp) -> Value {
    rotation(aws, secret, time, "RotationSucceeded")
}

/// A rotation of `secret` (an ARN) failed at `time` in `step`, such as `setSecret`.
pub fn rotation_failed(aws: &EmulatorClient, secret: &str, time: Timestamp, step: &str) -> Value {
    let mut event = rotation(aws, secret, time, "RotationFailed");
    let function = aws.arn("lambda", "function:rotate-app-db");
    event["detail"]["errorMessage"] =
        json!(format!("Error when executing lambda {function} during {step} step"));
    event
}

/// `user` read `secret` (as typed: a name or an ARN) at `time`, successfully.
pub fn secret_read(aws: &EmulatorClient, user: &str, secret: &str, time: Timestamp) -> Value {
    let account = aws.account();
    let mut event = envelope(aws, time, "AWS API Call via CloudTrail");
    event["detail"] = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": format!("arn:aws:iam::{account}:user/{user}"),
            "accountId": account,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": user,
        },
        "eventTime": time.to_string(),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": aws.region(),
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": {"secretId": secret},
        "responseElements": null,
        "requestID": unique(),
        "eventID": unique(),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    event
}

/// A task of ECS (by its id) read `secret` at `time` with its execution role, as it starts.
pub fn task_read(aws: &EmulatorClient, role: &str, task: &str, secret: &str, time: Timestamp) -> Value {
    let (account, name) = (aws.account(), role.rsplit('/').next().unwrap_or(role));
    let mut event = secret_read(aws, name, secret, time);
    event["detail"]["userIdentity"] = json!({
        "type": "AssumedRole",
        "principalId": format!("AROAEXAMPLE:{task}"),
        "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{task}"),
        "accountId": account,
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLE", "arn": role, "accountId": account, "userName": name,
        }},
    });
    event
}

/// A schedule's rule is due at `time` (EventBridge's user guide, "Scheduled Event").
pub fn sweep_due(aws: &EmulatorClient, time: Timestamp) -> Value {
    let mut event = envelope(aws, time, "Scheduled Event");
    event["source"] = json!("aws.events");
    event["resources"] = json!([aws.arn("events", "rule/sweep-due")]);
    event["detail"] = json!({});
    event
}

/// What an event source mapping sends for these messages.
pub fn batch(queue_arn: &str, bodies: &[String]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .map(|body| {
            json!({
                "messageId": unique(),
                "receiptHandle": unique(),
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795226719267",
                    "SenderId": "AIDAEXAMPLE",
                    "ApproximateFirstReceiveTimestamp": "1795226719268",
                },
                "messageAttributes": {},
                "md5OfBody": "00000000000000000000000000000000",
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({"Records": records})
}

fn rotation(aws: &EmulatorClient, secret: &str, time: Timestamp, name: &str) -> Value {
    let mut event = envelope(aws, time, "AWS Service Event via CloudTrail");
    event["detail"] = json!({
        "eventVersion": "1.08",
        "userIdentity": {"accountId": aws.account(), "invokedBy": "secretsmanager.amazonaws.com"},
        "eventTime": time.to_string(),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "awsRegion": aws.region(),
        "sourceIPAddress": "secretsmanager.amazonaws.com",
        "userAgent": "secretsmanager.amazonaws.com",
        "requestParameters": null,
        "responseElements": null,
        "additionalEventData": {"SecretId": secret},
        "requestID": format!("Rotation-{secret}-{}", unique()),
        "eventID": unique(),
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": aws.account(),
        "eventCategory": "Management",
    });
    event
}

fn envelope(aws: &EmulatorClient, time: Timestamp, detail_type: &str) -> Value {
    json!({
        "version": "0",
        "id": unique(),
        "detail-type": detail_type,
        "source": "aws.secretsmanager",
        "account": aws.account(),
        "time": time.to_string(),
        "region": aws.region(),
        "resources": [],
    })
}

/// A UUID that no other event of this process has.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("5ec2e700-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
