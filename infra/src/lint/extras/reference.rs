//! The reference service: one secret for one role, through one key, and a rollout that rolls back.

use serde_json::json;

use super::super::Finding;
use super::super::view::{View, expect};
use super::{VERSION, count};

pub(super) fn check(view: &View, found: &mut Vec<Finding>) {
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
    secrets(view, &key, found);
    database(view, &key, found);
}

fn secrets(view: &View, key: &str, found: &mut Vec<Finding>) {
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
}

fn database(view: &View, key: &str, found: &mut Vec<Finding>) {
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
