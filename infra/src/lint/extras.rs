//! The templates beside the responder: trail, dashboard, reference.

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

pub(super) fn check(name: &str, view: &View, rules: &responder_core::rules::Rules, found: &mut Vec<Finding>) {
    match name {
        "trail" => trail(view, found),
        "reference" => reference(view, found),
        _ => dashboard(view, rules, found),
    }
}

fn dashboard(view: &View, rules: &responder_core::rules::Rules, found: &mut Vec<Finding>) {
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

fn trail(view: &View, found: &mut Vec<Finding>) {
    count(
        view,
        &[
            ("AWS::KMS::Key", 1),
            ("AWS::S3::Bucket", 2),
            ("AWS::S3::BucketPolicy", 2),
            ("AWS::CloudTrail::Trail", 1),
            ("AWS::Athena::WorkGroup", 1),
            ("AWS::Athena::NamedQuery", 5),
            ("AWS::Glue::Database", 1),
            ("AWS::Glue::Table", 1),
        ],
        found,
    );
    let (region, account) = (&view.place.region, &view.place.account);
    let us = view.arn("cloudtrail", &format!("trail/{}", view.prefix));
    let from_us = json!({"StringEquals": {"aws:SourceArn": us}});
    let trail = json!({"Service": "cloudtrail.amazonaws.com"});
    let any_trail = format!("arn:{}:cloudtrail:*:{account}:trail/*", view.place.partition);
    let key = json!({"Version": VERSION, "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": view.global("iam", "root")}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "TrailEncrypts", "Effect": "Allow", "Principal": trail, "Action": "kms:GenerateDataKey*", "Resource": "*", "Condition":
            {"StringEquals": {"aws:SourceArn": us}, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": any_trail}}},
        {"Sid": "TrailDescribes", "Effect": "Allow", "Principal": trail, "Action": "kms:DescribeKey", "Resource": "*", "Condition": from_us},
    ]});
    for (id, found_key) in view.of_type("AWS::KMS::Key") {
        expect(found_key["KeyPolicy"] == key, id, format_args!("`KeyPolicy` must be {key}"), found);
        let kept = view
            .all()
            .get(id)
            .is_some_and(|key| key["DeletionPolicy"] == "Retain" && key["UpdateReplacePolicy"] == "Retain");
        expect(kept, id, "what it encrypted cannot be read without it: keep it", found);
    }
    let of = |name: &str| format!("{}-{name}-{account}-{region}", view.prefix);
    for name in ["trail", "queries"] {
        let arn = format!("arn:{}:s3:::{}", view.place.partition, of(name));
        let mut statements = Vec::new();
        if name == "trail" {
            statements.push(json!({"Sid": "TrailLooks", "Effect": "Allow", "Principal": trail, "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": from_us}));
            let written =
                json!({"StringEquals": {"aws:SourceArn": us, "s3:x-amz-acl": "bucket-owner-full-control"}});
            statements.push(
                json!({"Sid": "TrailWrites", "Effect": "Allow", "Principal": trail, "Action": "s3:PutObject",
                "Resource": format!("{arn}/AWSLogs/{account}/*"), "Condition": written}),
            );
        }
        statements.push(json!({"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}));
        let policy = view.find("AWS::S3::BucketPolicy", "Bucket", &of(name)).cloned().unwrap_or_default();
        let wanted = json!({"Version": VERSION, "Statement": statements});
        expect(
            policy["PolicyDocument"] == wanted,
            name,
            format_args!("the bucket's policy must be {wanted}"),
            found,
        );
        let bucket = view.find("AWS::S3::Bucket", "BucketName", &of(name)).cloned().unwrap_or_default();
        let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().cloned().unwrap_or_default();
        let ends = rules.iter().any(|rule| {
            rule["Status"] == "Enabled"
                && rule["ExpirationInDays"].as_i64() >= Some(30)
                && rule.pointer("/NoncurrentVersionExpiration/NoncurrentDays").is_some()
        });
        expect(ends, name, "what is in the bucket must end, and not too soon", found);
        let key = bucket.pointer("/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID");
        expect(
            key.is_some_and(|key| *key == view.arn("kms", "key/TrailKey")),
            name,
            "the bucket must use the trail's key",
            found,
        );
    }
    for (id, trail) in view.of_type("AWS::CloudTrail::Trail") {
        expect(trail["S3BucketName"] == of("trail"), id, "it must write to its bucket", found);
        expect(trail["KMSKeyId"] == view.arn("kms", "key/TrailKey"), id, "it must use its key", found);
    }
    for (id, query) in view.of_type("AWS::Athena::NamedQuery") {
        let text = query["QueryString"].as_str().unwrap_or_default();
        expect(
            text.contains("FROM cloudtrail") && text.contains("day BETWEEN"),
            id,
            "a query must name its days, or it reads everything",
            found,
        );
        expect(
            query["WorkGroup"] == "WorkGroup" && query["Database"] == "Database",
            id,
            "a query belongs to the work group",
            found,
        );
    }
    for (id, group) in view.of_type("AWS::Athena::WorkGroup") {
        let output = &group["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"];
        expect(
            *output == format!("s3://{}/", of("queries")),
            id,
            "answers must go to the bucket for them",
            found,
        );
    }
    for (id, table) in view.of_type("AWS::Glue::Table") {
        let (input, at) =
            (&table["TableInput"], format!("s3://{}/AWSLogs/{account}/CloudTrail/", of("trail")));
        let template = input["Parameters"]["storage.location.template"].as_str().unwrap_or_default();
        expect(
            template == format!("{at}${{region}}/${{day}}"),
            id,
            "partitions must be where the trail writes them",
            found,
        );
        expect(
            input["StorageDescriptor"]["Location"] == at,
            id,
            "the table must be where the trail writes",
            found,
        );
        expect(
            input["PartitionKeys"]
                == json!([{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}]),
            id,
            "partitions are Regions and days",
            found,
        );
        for kind in [
            "region.type",
            "region.values",
            "day.type",
            "day.format",
            "day.range",
            "day.interval",
            "day.interval.unit",
        ] {
            expect(
                input["Parameters"][format!("projection.{kind}")].is_string(),
                id,
                format_args!("no projection.{kind}"),
                found,
            );
        }
    }
}

fn reference(view: &View, found: &mut Vec<Finding>) {
    count(
        view,
        &[
            ("AWS::KMS::Key", 1),
            ("AWS::KMS::Alias", 1),
            ("AWS::SecretsManager::Secret", 2),
            ("AWS::SecretsManager::SecretTargetAttachment", 2),
            ("AWS::SecretsManager::RotationSchedule", 1),
            ("AWS::RDS::DBInstance", 1),
            ("AWS::ECS::Cluster", 1),
            ("AWS::ECS::Service", 1),
            ("AWS::ECS::TaskDefinition", 1),
            ("AWS::IAM::Role", 2),
            ("AWS::Logs::LogGroup", 1),
        ],
        found,
    );
    let key = view.arn("kms", "key/SecretsKey");
    let role = |name: &str| {
        view.find("AWS::IAM::Role", "RoleName", &format!("dev-orders-{name}")).cloned().unwrap_or_default()
    };
    let trust = json!({"Version": VERSION, "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": view.place.account},
        "ArnLike": {"aws:SourceArn": view.arn("ecs", "*")}}}]});
    let via = format!("secretsmanager.{}.amazonaws.com", view.place.region);
    let calls = json!({"Version": VERSION, "Statement": [
        {"Sid": "Secret", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "AppSecret"},
        {"Sid": "Key", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key,
         "Condition": {"StringEquals": {"kms:ViaService": via, "kms:EncryptionContext:SecretARN": "AppSecret"}}},
        {"Sid": "Log", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
         "Resource": view.arn("logs", "log-group:/ecs/dev/orders:*")},
    ]});
    for name in ["execution", "task"] {
        expect(
            role(name)["AssumeRolePolicyDocument"] == trust,
            name,
            "only this account's tasks may assume the role",
            found,
        );
    }
    let (execution, task) = (role("execution"), role("task"));
    let exact = execution["Policies"]
        .as_array()
        .is_some_and(|policies| policies.len() == 1 && policies[0]["PolicyDocument"] == calls);
    expect(
        exact && execution.get("ManagedPolicyArns").is_none(),
        "execution",
        format_args!("the role must allow exactly {calls}"),
        found,
    );
    expect(
        task.get("Policies").is_none() && task.get("ManagedPolicyArns").is_none(),
        "task",
        "the application needs nothing",
        found,
    );
    for (id, definition) in view.of_type("AWS::ECS::TaskDefinition") {
        for (property, name) in [("ExecutionRoleArn", "execution"), ("TaskRoleArn", "task")] {
            let arn = view.global("iam", &format!("role/dev-orders-{name}"));
            expect(definition[property] == arn, id, format_args!("`{property}` must be {arn}"), found);
        }
        let image = definition["ContainerDefinitions"][0]["Image"].as_str().unwrap_or_default();
        expect(image.contains("@sha256:"), id, "the image must be named by digest", found);
    }
    let names: Vec<&str> = view
        .of_type("AWS::SecretsManager::Secret")
        .filter_map(|(_, secret)| secret["Name"].as_str())
        .collect();
    expect(
        names == ["dev/orders/db-admin", "dev/orders/db"],
        "Resources",
        "secrets are named <environment>/<service>/<purpose>",
        found,
    );
    for (id, found_key) in view.of_type("AWS::KMS::Key") {
        let policy = json!({"Version": VERSION, "Statement": [{"Sid": "Account", "Effect": "Allow",
            "Principal": {"AWS": view.global("iam", "root")}, "Action": "kms:*", "Resource": "*"}]});
        expect(found_key["KeyPolicy"] == policy, id, format_args!("`KeyPolicy` must be {policy}"), found);
        let kept = view
            .all()
            .get(id)
            .is_some_and(|key| key["DeletionPolicy"] == "Retain" && key["UpdateReplacePolicy"] == "Retain");
        expect(kept, id, "what it encrypted cannot be read without it: keep it", found);
    }
    for (id, alias) in view.of_type("AWS::KMS::Alias") {
        expect(alias["TargetKeyId"] == "SecretsKey", id, "it must name the secrets' key", found);
    }
    for (id, rotation) in view.of_type("AWS::SecretsManager::RotationSchedule") {
        let hosted = &rotation["HostedRotationLambda"];
        expect(
            hosted["KmsKeyArn"] == key && hosted["SuperuserSecretKmsKeyArn"] == key,
            id,
            "the rotation must use the secrets' key",
            found,
        );
    }
    for (id, database) in view.of_type("AWS::RDS::DBInstance") {
        expect(database["KmsKeyId"] == key, id, "the database must use the secrets' key", found);
        expect(
            database["VPCSecurityGroups"] == json!(["DatabaseSecurityGroup.GroupId"])
                || database["VPCSecurityGroups"] == json!(["DatabaseSecurityGroup"]),
            id,
            "only its group",
            found,
        );
    }
    let group = view
        .all()
        .get("DatabaseSecurityGroup")
        .map(|group| group["Properties"]["SecurityGroupIngress"].clone())
        .unwrap_or_default();
    let from = |source: &str, what: &str| json!({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "SourceSecurityGroupId": source, "Description": what});
    let wanted =
        json!([from("ServiceSecurityGroup", "the service"), from("RotationSecurityGroup", "the rotation")]);
    expect(
        group == wanted,
        "DatabaseSecurityGroup",
        "only the service and the rotation reach the database",
        found,
    );
}
