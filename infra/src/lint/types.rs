//! What must hold of every resource of a type, in whichever template it is.

use serde_json::{Value, json};

use super::Finding;
use super::view::{View, expect};

/// What a property must be.
enum Must {
    Be(Value),
    /// A number in a range, both included.
    Lie(i64, i64),
    /// Something that is not empty.
    Stand,
}
use Must::{Be, Lie, Stand};

/// The types that templates here use, and what must hold of their properties: `DeletionPolicy` and its like stand beside them.
fn table(kind: &str) -> Option<Vec<(&'static str, Must)>> {
    let yes = || Be(json!(true));
    Some(match kind {
        "AWS::KMS::Key" => vec![
            ("Properties/EnableKeyRotation", yes()),
            ("Properties/PendingWindowInDays", Lie(30, 30)),
            ("Properties/KeyPolicy", Stand),
        ],
        "AWS::KMS::Alias" => vec![("Properties/AliasName", Stand), ("Properties/TargetKeyId", Stand)],
        "AWS::SNS::Topic" => vec![("Properties/TopicName", Stand)],
        "AWS::SNS::TopicPolicy" => vec![("Properties/Topics/0", Stand)],
        "AWS::SNS::Subscription" => vec![
            ("Properties/TopicArn", Stand),
            ("Properties/Protocol", Be(json!("email"))),
            ("Properties/Endpoint", Stand),
        ],
        "AWS::SQS::Queue" => {
            vec![("Properties/QueueName", Stand), ("Properties/SqsManagedSseEnabled", yes())]
        }
        "AWS::SQS::QueuePolicy" => vec![("Properties/Queues/0", Stand)],
        "AWS::DynamoDB::Table" => vec![
            ("DeletionPolicy", Be(json!("Retain"))),
            ("UpdateReplacePolicy", Be(json!("Retain"))),
            ("Properties/TableName", Stand),
            ("Properties/BillingMode", Be(json!("PAY_PER_REQUEST"))),
            ("Properties/DeletionProtectionEnabled", yes()),
            (
                "Properties/AttributeDefinitions",
                Be(json!([
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"}
                ])),
            ),
            (
                "Properties/KeySchema",
                Be(
                    json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]),
                ),
            ),
            ("Properties/TimeToLiveSpecification", Be(json!({"AttributeName": "ttl", "Enabled": true}))),
            ("Properties/PointInTimeRecoverySpecification", Be(json!({"PointInTimeRecoveryEnabled": true}))),
            ("Properties/SSESpecification", Be(json!({"SSEEnabled": true, "SSEType": "KMS"}))),
        ],
        "AWS::Logs::LogGroup" => {
            vec![
                // What the functions said is evidence.
                ("DeletionPolicy", Be(json!("Retain"))),
                ("UpdateReplacePolicy", Be(json!("Retain"))),
                ("Properties/LogGroupName", Stand),
                ("Properties/RetentionInDays", Lie(7, 3653)),
            ]
        }
        "AWS::Lambda::Function" => vec![
            ("Properties/FunctionName", Stand),
            ("Properties/Runtime", Be(json!("provided.al2023"))),
            ("Properties/Handler", Be(json!("bootstrap"))),
            ("Properties/Architectures/0", Stand),
            ("Properties/Code/S3Bucket", Stand),
            ("Properties/Code/S3Key", Stand),
            ("Properties/MemorySize", Lie(128, 10_240)),
            // The default is 3 s.
            ("Properties/Timeout", Lie(30, 900)),
            ("Properties/ReservedConcurrentExecutions", Lie(2, 100)),
            ("Properties/Role", Stand),
            ("Properties/LoggingConfig/LogGroup", Stand),
            ("Properties/Environment/Variables", Stand),
        ],
        "AWS::Lambda::EventSourceMapping" => vec![
            ("DependsOn", Stand),
            ("Properties/EventSourceArn", Stand),
            ("Properties/FunctionName", Stand),
            ("Properties/BatchSize", Lie(1, 10)),
            ("Properties/MaximumBatchingWindowInSeconds", Lie(0, 30)),
            ("Properties/FunctionResponseTypes", Be(json!(["ReportBatchItemFailures"]))),
        ],
        "AWS::Events::Rule" => {
            vec![("Properties/Name", Stand), ("Properties/State", Stand), ("Properties/Targets/0", Stand)]
        }
        "AWS::Events::EventBusPolicy" => vec![("Properties/StatementId", Stand)],
        "AWS::IAM::Role" => vec![("Properties/AssumeRolePolicyDocument", Stand)],
        "AWS::CloudWatch::Alarm" => vec![("Properties/AlarmName", Stand)],
        other => {
            return super::extras::table(other)
                .map(|rows| rows.into_iter().map(|(path, value)| (path, value.map_or(Stand, Be))).collect());
        }
    })
}

pub(super) fn check(view: &View, found: &mut Vec<Finding>) {
    for (id, resource) in view.all() {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let Some(rows) = table(kind) else {
            expect(
                false,
                id,
                format_args!("nothing is known of the type `{kind}`: say in infra/src/lint what must hold"),
                found,
            );
            continue;
        };
        for (path, must) in rows {
            let value = resource.pointer(&format!("/{path}"));
            let (is_right, wanted) = match must {
                Be(wanted) => (value == Some(&wanted), wanted.to_string()),
                Lie(from, to) => {
                    let number = value.and_then(Value::as_i64);
                    (
                        number.is_some_and(|number| (from..=to).contains(&number)),
                        format!("from {from} to {to}"),
                    )
                }
                Stand => (value.is_some_and(|value| !is_empty(value)), "there".to_owned()),
            };
            expect(
                is_right,
                id,
                format_args!("`{}` must be {wanted}", path.trim_start_matches("Properties/")),
                found,
            );
        }
    }
}

fn is_empty(value: &Value) -> bool {
    *value == json!("") || *value == json!([]) || *value == json!({}) || value.is_null()
}
