//! Who may do what: roles, key, topics, bus. Exact: what is missing breaks silently, what is more is a hole.

use responder_core::rules::{Handler, RuleSet};
use serde_json::{Value, json};

use super::Finding;
use super::view::{View, expect};
use crate::permissions::{FORBIDDEN, IMPLIED, calls};

const VERSION: &str = "2012-10-17";

pub(super) fn responder(view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    key(view, found);
    for (id, topic) in view.of_type("AWS::SNS::Topic") {
        expect(topic["KmsMasterKeyId"] == "PageKey", id, "`KmsMasterKeyId` must be the pages' key", found);
    }
    topic_policy(view, "pages", &["Alarms", "Events"], found);
    if view.place.parameters.contains_key("Chat") {
        topic_policy(view, "chat", &["Alarms"], found);
    }
    let alias = view.of_type("AWS::KMS::Alias").any(|(_, alias)| alias["TargetKeyId"] == "PageKey");
    expect(alias, "PageKeyAlias", "`TargetKeyId` must be the pages' key", found);
    for (id, policy) in view.of_type("AWS::Events::EventBusPolicy") {
        let accounts: Vec<&str> =
            view.place.parameters.get("TrustedAccounts").iter().flat_map(|list| list.split(',')).collect();
        let wanted = json!({
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": "events:PutEvents",
            "Resource": view.arn("events", "event-bus/default"),
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": view.place.parameters.get("OrganizationId")}},
        });
        expect(policy["Statement"] == wanted, id, format_args!("`Statement` must be {wanted}"), found);
    }
    for handler in Handler::ALL {
        role(view, rules, handler, found);
    }
}

/// `EventBridge` sends no `aws:SourceArn` to KMS for an encrypted topic: a condition there loses events.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>
fn key(view: &View, found: &mut Vec<Finding>) {
    let uses = json!(["kms:Decrypt", "kms:GenerateDataKey*"]);
    let wanted = json!({"Version": VERSION, "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": view.global("iam", "root")}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "AlarmsAndEvents", "Effect": "Allow", "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
         "Action": uses, "Resource": "*"},
        {"Sid": "Deliveries", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": uses, "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceAccount": view.place.account}}},
    ]});
    let mut keys = view.of_type("AWS::KMS::Key");
    let is_right = keys.next().is_some_and(|(_, key)| key["KeyPolicy"] == wanted) && keys.next().is_none();
    expect(
        is_right,
        "PageKey",
        "there must be one key, and `KeyPolicy` must let in CloudWatch, EventBridge and SNS without more",
        found,
    );
}

fn topic_policy(view: &View, topic: &str, sids: &[&str], found: &mut Vec<Finding>) {
    let arn = view.arn("sns", &view.named(topic));
    let statement = |sid: &&str| {
        let (service, from) = if *sid == "Alarms" { ("cloudwatch", true) } else { ("events", false) };
        let mut statement = json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Action": "sns:Publish", "Resource": arn});
        if from {
            statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": view.place.account}});
        }
        statement
    };
    let wanted = json!({"Version": VERSION, "Statement": sids.iter().map(statement).collect::<Vec<_>>()});
    let policy = view.of_type("AWS::SNS::TopicPolicy").find(|(_, policy)| policy["Topics"] == json!([arn]));
    let is_right = policy.is_some_and(|(_, policy)| policy["PolicyDocument"] == wanted);
    expect(
        is_right,
        "Resources",
        format_args!("the policy of the topic `{topic}` must let publish exactly {sids:?}"),
        found,
    );
}

/// A role, its trust, and what it allows: each call of the handler's code on the narrowest resource, and nothing else.
fn role(view: &View, rules: &RuleSet, handler: Handler, found: &mut Vec<Finding>) {
    let name = view.named(handler.as_str());
    let Some(role) = view.find("AWS::IAM::Role", "RoleName", &name) else { return };
    trusts(role, "lambda.amazonaws.com", &Value::Null, &name, found);
    let mut allowed = Vec::new();
    let documents = role["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
    let mut forbids = false;
    for document in documents {
        expect(document["Version"] == VERSION, &name, format_args!("`Version` must be {VERSION}"), found);
        for statement in document["Statement"].as_array().into_iter().flatten() {
            let actions = statement["Action"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if statement["Effect"] == "Deny" {
                forbids |= statement["Resource"] == "*"
                    && statement.get("Condition").is_none()
                    && actions.eq(FORBIDDEN);
                continue;
            }
            expect(statement["Effect"] == "Allow", &name, "an `Effect` is neither Allow nor Deny", found);
            for action in actions {
                let (resource, condition) = narrowest(view, handler, action);
                let is_narrow = statement["Resource"] == resource
                    && statement.get("Condition").cloned().unwrap_or_default() == condition;
                expect(
                    is_narrow,
                    &name,
                    format_args!("`{action}` must be allowed on {resource} alone"),
                    found,
                );
                allowed.push(action);
            }
        }
    }
    expect(forbids, &name, "reading a secret's value must be denied", found);
    let mut wanted: Vec<&str> = calls(rules, handler).into_iter().chain(IMPLIED).collect();
    wanted.sort_unstable();
    allowed.sort_unstable();
    expect(allowed == wanted, &name, format_args!("the role must allow exactly {wanted:?}"), found);
    for more in ["ManagedPolicyArns", "PermissionsBoundary"] {
        expect(
            role.get(more).is_none(),
            &name,
            format_args!("no `{more}`: what the role may do stands in the template"),
            found,
        );
    }
}

/// The resource and the condition on which a call is allowed.
fn narrowest(view: &View, handler: Handler, action: &str) -> (Value, Value) {
    let name = view.named(handler.as_str());
    let anywhere = |service: &str, resource: &str| {
        json!(format!("arn:{}:{service}:*:{}:{resource}", view.place.partition, view.place.account))
    };
    let resource = match action.split_once(':') {
        Some(("dynamodb", _)) => json!(view.arn("dynamodb", &format!("table/{}", view.named("ledger")))),
        Some(("sns", _)) => {
            let topics = ["pages", "chat"].map(|topic| view.named(topic));
            let made =
                topics.iter().filter(|topic| view.find("AWS::SNS::Topic", "TopicName", topic).is_some());
            json!(made.map(|topic| view.arn("sns", topic)).collect::<Vec<_>>())
        }
        Some(("kms", _)) => json!(view.arn("kms", "key/PageKey")),
        Some(("ecs", "DescribeServices" | "UpdateService")) => anywhere("ecs", "service/*"),
        Some(("secretsmanager", "DescribeSecret")) => anywhere("secretsmanager", "secret:*"),
        Some(("sqs", _)) => json!(view.arn("sqs", &name)),
        Some(("logs", _)) => json!(view.arn("logs", &format!("log-group:/aws/lambda/{name}:*"))),
        _ => json!("*"),
    };
    let via = format!("sns.{}.amazonaws.com", view.place.region);
    let condition = if action.starts_with("kms:") {
        json!({"StringEquals": {"kms:ViaService": via}})
    } else {
        Value::Null
    };
    (resource, condition)
}

pub(super) fn forwarder(view: &View, found: &mut Vec<Finding>) {
    topic_policy(view, "forward-alarms", &["Alarms"], found);
    for (id, role) in view.of_type("AWS::IAM::Role") {
        let source = view.arn("events", &format!("rule/{}-*", view.prefix));
        let condition = json!({"StringEquals": {"aws:SourceAccount": view.place.account}, "ArnLike": {"aws:SourceArn": source}});
        trusts(role, "events.amazonaws.com", &condition, id, found);
        let wanted = json!([{"Sid": "HomeBus", "Effect": "Allow", "Action": "events:PutEvents", "Resource": home_bus(view)}]);
        let documents: Vec<&Value> = role["Policies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|policy| &policy["PolicyDocument"])
            .collect();
        let is_right = matches!(documents.as_slice(), [document] if document["Version"] == VERSION && document["Statement"] == wanted);
        expect(is_right, id, format_args!("the role must allow exactly {wanted}"), found);
    }
}

/// The bus that forwarders send to.
pub(super) fn home_bus(view: &View) -> String {
    let parameter = |name: &str| view.place.parameters.get(name).map(String::as_str);
    let account = parameter("HomeAccount").unwrap_or(&view.place.account);
    let region = parameter("HomeRegion").unwrap_or_default();
    format!("arn:{}:events:{region}:{account}:event-bus/default", view.place.partition)
}

fn trusts(role: &Value, service: &str, condition: &Value, at: &str, found: &mut Vec<Finding>) {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    let wanted = json!({"Version": VERSION, "Statement": [statement]});
    expect(
        role["AssumeRolePolicyDocument"] == wanted,
        at,
        format_args!("only {service} may assume the role: {wanted}"),
        found,
    );
}
