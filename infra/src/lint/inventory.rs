//! Which resources there must be at all: by the handlers, by the rules, and what every installation has.

use responder_core::rules::Handler;

use super::template_check::TemplateCheck;
use crate::event_rules::{deployed_rules, forwarding_rules};

/// Of these types there are the listed resources and no others: what a parameter switches off is not there.
const COUNTED_TYPES: [&str; 3] = ["AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::SQS::Queue"];

/// A resource that must be there: its type, a property, and the property's value.
type RequiredResource = (&'static str, &'static str, String);

/// Checks that everything is there that the responder consists of.
pub(super) fn check_responder(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let mut required: Vec<RequiredResource> = vec![
        ("AWS::KMS::Alias", "AliasName", format!("alias/{}", template.prefixed("pages"))),
        ("AWS::SNS::Topic", "TopicName", template.prefixed("pages")),
        ("AWS::DynamoDB::Table", "TableName", template.prefixed("ledger")),
    ];
    for queue in ["rules-dlq", "schedules-dlq", "canary"] {
        required.push(("AWS::SQS::Queue", "QueueName", template.prefixed(queue)));
    }
    for rule in ["sweep-schedule", "heartbeat-schedule", "canary", "forwarder-alarm", "region-enabled"] {
        required.push(("AWS::Events::Rule", "Name", template.prefixed(rule)));
    }
    for handler in Handler::ALL {
        let name = template.prefixed(handler.as_str());
        required.push(("AWS::SQS::Queue", "QueueName", name.clone()));
        required.push(("AWS::SQS::Queue", "QueueName", format!("{name}-dlq")));
        required.push(("AWS::IAM::Role", "RoleName", name.clone()));
        required.push(("AWS::Logs::LogGroup", "LogGroupName", format!("/aws/lambda/{name}")));
        required.push(("AWS::Lambda::EventSourceMapping", "EventSourceArn", template.arn("sqs", &name)));
        required.push(("AWS::Lambda::Function", "FunctionName", name));
    }
    for rule in deployed_rules(check.rules) {
        let name = template.prefixed(&format!("{}-{}", rule.handler, rule.id));
        required.push(("AWS::Events::Rule", "Name", name));
    }
    if template.parameter("Chat").is_some() {
        required.push(("AWS::SNS::Topic", "TopicName", template.prefixed("chat")));
    }
    if template.parameter("PageEmail").is_some() {
        required.push(("AWS::SNS::Subscription", "TopicArn", template.prefixed_arn("sns", "pages")));
    }
    if template.parameter("TrustedAccounts").is_some() {
        required.push(("AWS::Events::EventBusPolicy", "StatementId", template.prefixed("forwarders")));
    }
    require_resources(check, &required);
}

/// Checks that everything is there that a forwarder consists of.
pub(super) fn check_forwarder(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let mut required: Vec<RequiredResource> = vec![
        ("AWS::SNS::Topic", "TopicName", template.prefixed("forward-alarms")),
        ("AWS::SQS::Queue", "QueueName", template.prefixed("forward-dlq")),
        ("AWS::SQS::Queue", "QueueName", template.prefixed("canary")),
    ];
    for rule in ["canary", "forward-alarm", "forward-region-enabled"] {
        required.push(("AWS::Events::Rule", "Name", template.prefixed(rule)));
    }
    for forward in forwarding_rules(check.rules) {
        required.push(("AWS::Events::Rule", "Name", template.prefixed(&format!("forward-{}", forward.id))));
    }
    if template.parameter("AlarmEmail").is_some() {
        required.push(("AWS::SNS::Subscription", "TopicArn", template.prefixed_arn("sns", "forward-alarms")));
    }
    check.require_count("AWS::IAM::Role", 1);
    require_resources(check, &required);
}

fn require_resources(check: &mut TemplateCheck<'_>, required: &[RequiredResource]) {
    let template = check.template;
    for counted in COUNTED_TYPES {
        let wanted = required.iter().filter(|(kind, _, _)| *kind == counted).count();
        check.require_count(counted, wanted);
    }
    // Each topic has a policy.
    check.require_count("AWS::SNS::TopicPolicy", template.resources_of_type("AWS::SNS::Topic").count());
    for (kind, property, value) in required {
        let is_there = template.find_resource(kind, property, value).is_some();
        check.require(
            is_there,
            "Resources",
            format_args!("there must be a {kind} with `{property}` {value}"),
        );
    }
}
