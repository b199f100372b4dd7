//! Permissions: roles, keys, topics, the bus. The checks are exact: a permission that is missing breaks something silently, and one
//! too many is a hole.

use responder_core::rules::Handler;
use serde_json::{Value, json};

use super::template_check::TemplateCheck;
use crate::invariants::{TOPIC_KEY_ACTIONS, topic_publishers};
use crate::json::{list_items, list_strings};
use crate::permissions::{FORBIDDEN_ACTIONS, IMPLIED_ACTIONS, required_actions};
use crate::resolved_template::ResolvedTemplate;
use crate::resource_policy::POLICY_VERSION;

/// Checks the access that the responder has and gives.
pub(super) fn check_responder(check: &mut TemplateCheck<'_>) {
    check_page_key(check);
    let template = check.template;
    for (id, topic) in template.resources_of_type("AWS::SNS::Topic") {
        check.require_value(id, topic, "KmsMasterKeyId", "PageKey");
    }
    check_topic_policy(check, "pages");
    if template.parameter("Chat").is_some() {
        check_topic_policy(check, "chat");
    }
    let mut has_alias = false;
    for (_, alias) in template.resources_of_type("AWS::KMS::Alias") {
        has_alias |= alias["TargetKeyId"] == "PageKey";
    }
    check.require(has_alias, "PageKeyAlias", "`TargetKeyId` must be the pages' key");
    for (id, policy) in template.resources_of_type("AWS::Events::EventBusPolicy") {
        let accounts = template.parameter("TrustedAccounts").unwrap_or_default();
        let wanted = json!({
            "Effect": "Allow",
            "Principal": {"AWS": accounts.split(',').collect::<Vec<_>>()},
            "Action": "events:PutEvents",
            "Resource": template.arn("events", "event-bus/default"),
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": template.parameter("OrganizationId")}},
        });
        check.require_value(id, policy, "Statement", wanted);
    }
    for handler in Handler::ALL {
        check_function_role(check, handler);
    }
}

/// Checks the access that a forwarder has and gives.
pub(super) fn check_forwarder(check: &mut TemplateCheck<'_>) {
    check_topic_policy(check, "forward-alarms");
    let template = check.template;
    for (id, role) in template.resources_of_type("AWS::IAM::Role") {
        let rules = template.arn("events", &format!("rule/{}", template.prefixed("*")));
        let condition = json!({
            "StringEquals": {"aws:SourceAccount": template.site.account}, "ArnLike": {"aws:SourceArn": rules}
        });
        require_trust(check, id, role, "events.amazonaws.com", Some(condition));
        let wanted = json!({"Version": POLICY_VERSION, "Statement": [
            {"Sid": "HomeBus", "Effect": "Allow", "Action": "events:PutEvents", "Resource": home_bus_arn(template)}
        ]});
        check.require_value(id, role, "Policies/0/PolicyDocument", wanted);
        check.require(role["Policies"].get(1).is_none(), id, "the role must have one policy");
    }
}

/// The bus that forwarders send to.
pub(super) fn home_bus_arn(template: &ResolvedTemplate) -> String {
    let account = template.parameter("HomeAccount").unwrap_or(&template.site.account);
    let region = template.parameter("HomeRegion").unwrap_or_default();
    format!("arn:{}:events:{region}:{account}:event-bus/default", template.site.partition)
}

/// The statement of a key's policy that lets the account's own policies decide.
pub(super) fn account_key_statement(template: &ResolvedTemplate) -> Value {
    json!({
        "Sid": "Account", "Effect": "Allow", "Principal": {"AWS": template.site.global_arn("iam", "root")},
        "Action": "kms:*", "Resource": "*"
    })
}

/// Requires that a key outlives its stack: the data that it encrypted cannot be read without it.
pub(super) fn require_key_to_be_kept(check: &mut TemplateCheck<'_>, id: &str) {
    let template = check.template;
    for attribute in ["DeletionPolicy", "UpdateReplacePolicy"] {
        check.require_value(id, &template.resources[id], attribute, "Retain");
    }
}

/// `EventBridge` sends no `aws:SourceArn` to KMS for an encrypted topic: a condition there loses events.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>
fn check_page_key(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let services: Vec<&str> = topic_publishers("-pages").iter().map(|publisher| publisher.service).collect();
    let wanted = json!({"Version": POLICY_VERSION, "Statement": [
        account_key_statement(template),
        {"Sid": "AlarmsAndEvents", "Effect": "Allow", "Principal": {"Service": services},
         "Action": TOPIC_KEY_ACTIONS, "Resource": "*"},
        {"Sid": "Deliveries", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
         "Action": TOPIC_KEY_ACTIONS, "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceAccount": template.site.account}}},
    ]});
    check.require_count("AWS::KMS::Key", 1);
    for (id, key) in template.resources_of_type("AWS::KMS::Key") {
        check.require_value(id, key, "KeyPolicy", wanted.clone());
    }
}

fn check_topic_policy(check: &mut TemplateCheck<'_>, topic: &str) {
    let template = check.template;
    let name = template.prefixed(topic);
    let arn = template.arn("sns", &name);
    let mut statements = Vec::new();
    for publisher in topic_publishers(&name) {
        let mut statement = json!({
            "Sid": publisher.sid, "Effect": "Allow", "Principal": {"Service": publisher.service},
            "Action": "sns:Publish", "Resource": arn
        });
        if publisher.states_account {
            statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": template.site.account}});
        }
        statements.push(statement);
    }
    let wanted = json!({"Version": POLICY_VERSION, "Statement": statements});
    let mut is_right = false;
    for (_, policy) in template.resources_of_type("AWS::SNS::TopicPolicy") {
        is_right |= policy["Topics"] == json!([arn]) && policy["PolicyDocument"] == wanted;
    }
    check.require(is_right, "Resources", format_args!("the policy of the topic `{topic}` must be {wanted}"));
}

/// Requires that a function's role allows each call of the handler's code on the narrowest resource, and nothing else.
fn check_function_role(check: &mut TemplateCheck<'_>, handler: Handler) {
    let template = check.template;
    let name = template.prefixed(handler.as_str());
    let Some(role) = template.find_resource("AWS::IAM::Role", "RoleName", &name) else { return };
    require_trust(check, &name, role, "lambda.amazonaws.com", None);
    let mut allowed = Vec::new();
    let mut denies_secret_values = false;
    for policy in list_items(&role["Policies"]) {
        check.require_value(&name, policy, "PolicyDocument/Version", POLICY_VERSION);
        for statement in list_items(&policy["PolicyDocument"]["Statement"]) {
            let actions = list_strings(&statement["Action"]);
            if statement["Effect"] == "Deny" {
                denies_secret_values |= statement["Resource"] == "*"
                    && statement.get("Condition").is_none()
                    && actions == FORBIDDEN_ACTIONS;
                continue;
            }
            check.require_value(&name, statement, "Effect", "Allow");
            for action in actions {
                let (resource, condition) = narrowest_scope(template, handler, action);
                let is_narrow = statement["Resource"] == resource && statement["Condition"] == condition;
                check.require(
                    is_narrow,
                    &name,
                    format_args!("`{action}` must be allowed on {resource} alone"),
                );
                allowed.push(action);
            }
        }
    }
    check.require(denies_secret_values, &name, "reading a secret's value must be denied");
    let mut wanted = Vec::from(IMPLIED_ACTIONS);
    wanted.extend(required_actions(check.rules, handler));
    wanted.sort_unstable();
    allowed.sort_unstable();
    check.require(allowed == wanted, &name, format_args!("the role must allow exactly {wanted:?}"));
    for attached in ["ManagedPolicyArns", "PermissionsBoundary"] {
        let is_absent = role.get(attached).is_none();
        check.require(
            is_absent,
            &name,
            format_args!("`{attached}` must be absent: the template says what the role may do"),
        );
    }
}

/// The resource on which an action is allowed, and the condition; null where there is none.
fn narrowest_scope(template: &ResolvedTemplate, handler: Handler, action: &str) -> (Value, Value) {
    let in_any_region = |service: &str, resource: &str| {
        json!(format!("arn:{}:{service}:*:{}:{resource}", template.site.partition, template.site.account))
    };
    let name = template.prefixed(handler.as_str());
    let resource = match action.split_once(':') {
        Some(("dynamodb", _)) => {
            json!(template.arn("dynamodb", &format!("table/{}", template.prefixed("ledger"))))
        }
        Some(("sns", _)) => {
            let mut topics = Vec::new();
            for topic in ["pages", "chat"] {
                if template.find_resource("AWS::SNS::Topic", "TopicName", &template.prefixed(topic)).is_some()
                {
                    topics.push(template.prefixed_arn("sns", topic));
                }
            }
            json!(topics)
        }
        Some(("kms", _)) => {
            let via = format!("sns.{}.amazonaws.com", template.site.region);
            let condition = json!({"StringEquals": {"kms:ViaService": via}});
            return (json!(template.arn("kms", "key/PageKey")), condition);
        }
        Some(("ecs", "DescribeServices" | "UpdateService")) => in_any_region("ecs", "service/*"),
        Some(("secretsmanager", "DescribeSecret")) => in_any_region("secretsmanager", "secret:*"),
        Some(("sqs", _)) => json!(template.arn("sqs", &name)),
        Some(("logs", _)) => json!(template.arn("logs", &format!("log-group:/aws/lambda/{name}:*"))),
        // IAM knows no resource for the other calls.
        _ => json!("*"),
    };
    (resource, Value::Null)
}

/// Requires that only a service may assume a role.
fn require_trust(
    check: &mut TemplateCheck<'_>,
    id: &str,
    role: &Value,
    service: &str,
    condition: Option<Value>,
) {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    let wanted = json!({"Version": POLICY_VERSION, "Statement": [statement]});
    check.require_value(id, role, "AssumeRolePolicyDocument", wanted);
}
