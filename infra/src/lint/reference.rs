//! The reference service: one secret for one role, through one key, and a rollout that rolls back.

use serde_json::{Value, json};

use super::access::{account_key_statement, require_key_to_be_kept};
use super::template_check::TemplateCheck;
use crate::json::read_text;
use crate::resource_policy::POLICY_VERSION;

/// Checks the service with its roles, secrets and database.
pub(super) fn check_reference(check: &mut TemplateCheck<'_>) {
    for (kind, count) in [
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
    ] {
        check.require_count(kind, count);
    }
    let key = check.template.arn("kms", "key/SecretsKey");
    check_roles(check, &key);
    check_secrets(check, &key);
    check_database(check, &key);
}

fn check_roles(check: &mut TemplateCheck<'_>, key: &str) {
    let template = check.template;
    let find_role = |name: &str| {
        let role = template.find_resource("AWS::IAM::Role", "RoleName", &format!("dev-orders-{name}"));
        role.unwrap_or(&Value::Null)
    };
    let execution = find_role("execution");
    let task = find_role("task");
    // Only the tasks of this account may assume the roles.
    let trust = json!({"Version": POLICY_VERSION, "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": template.site.account},
            "ArnLike": {"aws:SourceArn": template.arn("ecs", "*")}
        }
    }]});
    check.require_value("execution", execution, "AssumeRolePolicyDocument", trust.clone());
    check.require_value("task", task, "AssumeRolePolicyDocument", trust);
    let via = format!("secretsmanager.{}.amazonaws.com", template.site.region);
    let wanted = json!({"Version": POLICY_VERSION, "Statement": [
        {"Sid": "Secret", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "AppSecret"},
        {"Sid": "Key", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key,
         "Condition": {"StringEquals": {"kms:ViaService": via, "kms:EncryptionContext:SecretARN": "AppSecret"}}},
        {"Sid": "Log", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
         "Resource": template.arn("logs", "log-group:/ecs/dev/orders:*")},
    ]});
    check.require_value("execution", execution, "Policies/0/PolicyDocument", wanted);
    let is_all = execution["Policies"].get(1).is_none() && execution.get("ManagedPolicyArns").is_none();
    check.require(is_all, "execution", "the role must have one policy");
    let is_powerless = task.get("Policies").is_none() && task.get("ManagedPolicyArns").is_none();
    check.require(is_powerless, "task", "the application needs no permission");
    for (id, definition) in template.resources_of_type("AWS::ECS::TaskDefinition") {
        for (property, name) in [("ExecutionRoleArn", "execution"), ("TaskRoleArn", "task")] {
            let arn = template.site.global_arn("iam", &format!("role/dev-orders-{name}"));
            check.require_value(id, definition, property, arn);
        }
        let image = read_text(&definition["ContainerDefinitions"][0]["Image"]);
        check.require(image.contains("@sha256:"), id, "the image must be named by digest");
    }
}

fn check_secrets(check: &mut TemplateCheck<'_>, key_arn: &str) {
    let template = check.template;
    let secrets = template.resources_of_type("AWS::SecretsManager::Secret");
    let names: Vec<&str> = secrets.map(|(_, secret)| read_text(&secret["Name"])).collect();
    let is_right = names == ["dev/orders/db-admin", "dev/orders/db"];
    check.require(is_right, "Resources", "secrets must be named <environment>/<service>/<purpose>");
    let policy = json!({"Version": POLICY_VERSION, "Statement": [account_key_statement(template)]});
    for (id, key) in template.resources_of_type("AWS::KMS::Key") {
        check.require_value(id, key, "KeyPolicy", policy.clone());
        require_key_to_be_kept(check, id);
    }
    for (id, alias) in template.resources_of_type("AWS::KMS::Alias") {
        check.require_value(id, alias, "TargetKeyId", "SecretsKey");
    }
    for (id, rotation) in template.resources_of_type("AWS::SecretsManager::RotationSchedule") {
        check.require_value(id, rotation, "HostedRotationLambda/KmsKeyArn", key_arn);
        check.require_value(id, rotation, "HostedRotationLambda/SuperuserSecretKmsKeyArn", key_arn);
    }
}

fn check_database(check: &mut TemplateCheck<'_>, key_arn: &str) {
    let template = check.template;
    for (id, database) in template.resources_of_type("AWS::RDS::DBInstance") {
        check.require_value(id, database, "KmsKeyId", key_arn);
        let groups = &database["VPCSecurityGroups"];
        let is_right = *groups == json!(["DatabaseSecurityGroup.GroupId"])
            || *groups == json!(["DatabaseSecurityGroup"]);
        check.require(is_right, id, "the database must be in its security group and no other");
    }
    let ingress_from = |group: &str, description: &str| json!({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "SourceSecurityGroupId": group, "Description": description});
    // Only the service and the rotation reach the database.
    let wanted = json!([
        ingress_from("ServiceSecurityGroup", "the service"),
        ingress_from("RotationSecurityGroup", "the rotation"),
    ]);
    let id = "DatabaseSecurityGroup";
    let group = template.resources.get(id).unwrap_or(&Value::Null);
    check.require_value(id, group, "Properties/SecurityGroupIngress", wanted);
}
