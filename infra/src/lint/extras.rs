//! The templates beside the responder: trail, dashboard, reference.

mod reference;
mod trail;

use responder_core::rules::RuleSet;
use serde_json::{Value, json};

use super::Finding;
use super::view::{View, expect};
use crate::rules::deployed;

/// What must hold of types that only these templates use: a value, or that there is one.
pub(super) fn table(kind: &str) -> Option<Vec<(&'static str, Option<Value>)>> {
    let yes = || Some(json!(true));
    let retain =
        || [("DeletionPolicy", Some(json!("Retain"))), ("UpdateReplacePolicy", Some(json!("Retain")))];
    Some(match kind {
        "AWS::S3::Bucket" => {
            let mut rows = retain().to_vec();
            let algorithm = "Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm";
            let key = "Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID";
            rows.extend([
                ("Properties/BucketName", None),
                (algorithm, Some(json!("aws:kms"))),
                (key, None),
                ("Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled", yes()),
                (
                    "Properties/PublicAccessBlockConfiguration",
                    Some(json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true})),
                ),
                ("Properties/OwnershipControls", Some(json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}))),
                ("Properties/VersioningConfiguration", Some(json!({"Status": "Enabled"}))),
            ]);
            rows
        }
        "AWS::S3::BucketPolicy" => vec![("Properties/Bucket", None), ("Properties/PolicyDocument", None)],
        "AWS::CloudTrail::Trail" => vec![
            ("DependsOn", Some(json!("TrailBucketPolicy"))),
            ("Properties/TrailName", None),
            ("Properties/S3BucketName", None),
            ("Properties/KMSKeyId", None),
            ("Properties/IsLogging", yes()),
            ("Properties/IsMultiRegionTrail", yes()),
            ("Properties/IncludeGlobalServiceEvents", yes()),
            ("Properties/EnableLogFileValidation", yes()),
            (
                "Properties/EventSelectors",
                Some(json!([{"ReadWriteType": "All", "IncludeManagementEvents": true}])),
            ),
        ],
        "AWS::Athena::WorkGroup" => vec![
            ("Properties/Name", None),
            ("Properties/WorkGroupConfiguration/EnforceWorkGroupConfiguration", yes()),
            ("Properties/WorkGroupConfiguration/BytesScannedCutoffPerQuery", None),
            (
                "Properties/WorkGroupConfiguration/ResultConfiguration/EncryptionConfiguration/EncryptionOption",
                Some(json!("SSE_KMS")),
            ),
            ("Properties/WorkGroupConfiguration/ResultConfiguration/EncryptionConfiguration/KmsKey", None),
        ],
        "AWS::Athena::NamedQuery" => vec![
            ("Properties/Name", None),
            ("Properties/Database", None),
            ("Properties/WorkGroup", None),
            ("Properties/QueryString", None),
        ],
        "AWS::Glue::Database" => vec![("Properties/DatabaseInput/Name", None)],
        "AWS::Glue::Table" => {
            vec![("Properties/TableInput/Parameters/projection.enabled", Some(json!("true")))]
        }
        "AWS::CloudWatch::Dashboard" => {
            vec![("Properties/DashboardName", None), ("Properties/DashboardBody", None)]
        }
        _ => return reference_table(kind),
    })
}

/// The same, of what only the reference has.
fn reference_table(kind: &str) -> Option<Vec<(&'static str, Option<Value>)>> {
    let yes = || Some(json!(true));
    Some(match kind {
        "AWS::SecretsManager::Secret" => vec![
            ("Properties/Name", None),
            ("Properties/KmsKeyId", Some(json!("SecretsKey"))),
            ("Properties/GenerateSecretString/PasswordLength", Some(json!(32))),
            ("Properties/GenerateSecretString/GenerateStringKey", Some(json!("password"))),
        ],
        "AWS::SecretsManager::SecretTargetAttachment" => {
            vec![("Properties/SecretId", None), ("Properties/TargetId", None)]
        }
        "AWS::SecretsManager::RotationSchedule" => vec![
            ("Properties/SecretId", Some(json!("AppSecret"))),
            ("Properties/HostedRotationLambda/RotationType", Some(json!("PostgreSQLMultiUser"))),
            ("Properties/HostedRotationLambda/SuperuserSecretArn", Some(json!("AdminSecret"))),
            ("Properties/HostedRotationLambda/KmsKeyArn", None),
            ("Properties/HostedRotationLambda/SuperuserSecretKmsKeyArn", None),
            ("Properties/RotationRules/ScheduleExpression", None),
        ],
        "AWS::RDS::DBInstance" => vec![
            ("DeletionPolicy", Some(json!("Snapshot"))),
            ("UpdateReplacePolicy", Some(json!("Snapshot"))),
            ("Properties/StorageEncrypted", yes()),
            ("Properties/KmsKeyId", None),
            ("Properties/PubliclyAccessible", Some(json!(false))),
            ("Properties/BackupRetentionPeriod", Some(json!(7))),
            (
                "Properties/MasterUserPassword",
                Some(json!("{{resolve:secretsmanager:AdminSecret:SecretString:password}}")),
            ),
        ],
        "AWS::ECS::Service" => vec![
            ("Properties/PlatformVersion", Some(json!("1.4.0"))),
            (
                "Properties/DeploymentConfiguration/DeploymentCircuitBreaker",
                Some(json!({"Enable": true, "Rollback": true})),
            ),
            ("Properties/DeploymentConfiguration/MinimumHealthyPercent", Some(json!(100))),
            ("Properties/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp", Some(json!("DISABLED"))),
            (
                "Properties/NetworkConfiguration/AwsvpcConfiguration/SecurityGroups",
                Some(json!(["ServiceSecurityGroup"])),
            ),
            ("Properties/DesiredCount", Some(json!(2))),
        ],
        "AWS::ECS::TaskDefinition" => vec![
            ("Properties/ExecutionRoleArn", None),
            ("Properties/TaskRoleArn", None),
            ("Properties/ContainerDefinitions/0/ReadonlyRootFilesystem", yes()),
            (
                "Properties/ContainerDefinitions/0/Secrets",
                Some(json!([
                    {"Name": "DB_USER", "ValueFrom": "AppSecret:username::"},
                    {"Name": "DB_PASSWORD", "ValueFrom": "AppSecret:password::"}
                ])),
            ),
        ],
        "AWS::ECS::Cluster" | "AWS::EC2::SecurityGroup" | "AWS::RDS::DBSubnetGroup" => vec![],
        _ => return None,
    })
}

pub(super) fn check(name: &str, view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    match name {
        "trail" => trail::check(view, found),
        "reference" => reference::check(view, found),
        _ => dashboard(view, rules, found),
    }
}

fn dashboard(view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    let body = view
        .of_type("AWS::CloudWatch::Dashboard")
        .next()
        .map(|(_, dashboard)| dashboard["DashboardBody"].clone());
    let body: Value = body.and_then(|body| serde_json::from_str(body.as_str()?).ok()).unwrap_or_default();
    expect(
        body["widgets"].as_array().is_some_and(|widgets| widgets.len() > 10),
        "Dashboard",
        "`DashboardBody` must be JSON with widgets",
        found,
    );
    let text = body.to_string();
    for named in text.split("\"RuleName\",\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let is_known =
            deployed(rules).any(|rule| named == view.named(&format!("{}-{}", rule.handler, rule.id)));
        expect(is_known, "Dashboard", format_args!("there is no rule `{named}`"), found);
    }
}

/// How many there are of some types.
fn count(view: &View, kinds: &[(&str, usize)], found: &mut Vec<Finding>) {
    for (kind, wanted) in kinds {
        expect(
            view.of_type(kind).count() == *wanted,
            "Resources",
            format_args!("there must be {wanted} {kind}"),
            found,
        );
    }
}

const VERSION: &str = "2012-10-17";
