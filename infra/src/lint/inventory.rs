//! What must be there at all: by the handlers, the rules, and what every installation has.

use responder_core::rules::{Handler, RuleSet};

use super::Finding;
use super::view::{View, expect};
use crate::rules::{deployed, forwards};

pub(super) fn responder(view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    let mut wanted: Vec<(&str, &str, String)> = vec![
        ("AWS::KMS::Alias", "AliasName", format!("alias/{}-pages", view.prefix)),
        ("AWS::SNS::Topic", "TopicName", view.named("pages")),
        ("AWS::DynamoDB::Table", "TableName", view.named("ledger")),
    ];
    for queue in ["rules-dlq", "schedules-dlq", "canary"] {
        wanted.push(("AWS::SQS::Queue", "QueueName", view.named(queue)));
    }
    for rule in ["sweep-schedule", "heartbeat-schedule", "canary", "forwarder-alarm", "region-enabled"] {
        wanted.push(("AWS::Events::Rule", "Name", view.named(rule)));
    }
    for handler in Handler::ALL {
        let name = view.named(handler.as_str());
        wanted.push(("AWS::SQS::Queue", "QueueName", name.clone()));
        wanted.push(("AWS::SQS::Queue", "QueueName", format!("{name}-dlq")));
        wanted.push(("AWS::IAM::Role", "RoleName", name.clone()));
        wanted.push(("AWS::Logs::LogGroup", "LogGroupName", format!("/aws/lambda/{name}")));
        wanted.push(("AWS::Lambda::EventSourceMapping", "EventSourceArn", view.arn("sqs", &name)));
        wanted.push(("AWS::Lambda::Function", "FunctionName", name));
    }
    for rule in deployed(rules) {
        let name = view.named(&format!("{}-{}", rule.handler, rule.id));
        wanted.push(("AWS::Events::Rule", "Name", name));
    }
    let set = |parameter: &str| view.place.parameters.contains_key(parameter);
    if set("Chat") {
        wanted.push(("AWS::SNS::Topic", "TopicName", view.named("chat")));
    }
    if set("PageEmail") {
        wanted.push(("AWS::SNS::Subscription", "TopicArn", view.arn("sns", &view.named("pages"))));
    }
    if set("TrustedAccounts") {
        wanted.push(("AWS::Events::EventBusPolicy", "StatementId", view.named("forwarders")));
    }
    all_there(view, &wanted, found);
}

pub(super) fn forwarder(view: &View, rules: &RuleSet, found: &mut Vec<Finding>) {
    let mut wanted: Vec<(&str, &str, String)> = vec![
        ("AWS::SNS::Topic", "TopicName", view.named("forward-alarms")),
        ("AWS::SQS::Queue", "QueueName", view.named("forward-dlq")),
        ("AWS::SQS::Queue", "QueueName", view.named("canary")),
    ];
    for rule in ["canary", "forward-alarm", "forward-region-enabled"] {
        wanted.push(("AWS::Events::Rule", "Name", view.named(rule)));
    }
    for forward in forwards(rules) {
        wanted.push(("AWS::Events::Rule", "Name", view.named(&format!("forward-{}", forward.id))));
    }
    if view.place.parameters.contains_key("AlarmEmail") {
        wanted.push(("AWS::SNS::Subscription", "TopicArn", view.arn("sns", &view.named("forward-alarms"))));
    }
    expect(view.of_type("AWS::IAM::Role").count() == 1, "Resources", "there must be one role", found);
    all_there(view, &wanted, found);
}

/// Of these types, there is what is wanted and nothing else: what is switched off is not there.
const COUNTED: [&str; 3] = ["AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::SQS::Queue"];

fn all_there(view: &View, wanted: &[(&str, &str, String)], found: &mut Vec<Finding>) {
    for kind in COUNTED {
        let count = wanted.iter().filter(|(wanted, _, _)| *wanted == kind).count();
        expect(
            view.of_type(kind).count() == count,
            "Resources",
            format_args!("there must be {count} {kind}"),
            found,
        );
    }
    let (topics, policies) =
        (view.of_type("AWS::SNS::Topic").count(), view.of_type("AWS::SNS::TopicPolicy").count());
    expect(topics == policies, "Resources", "each topic must have a policy", found);
    for (kind, property, value) in wanted {
        expect(
            view.find(kind, property, value).is_some(),
            "Resources",
            format_args!("no {kind} `{value}`"),
            found,
        );
    }
}
