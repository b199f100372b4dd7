//! A snapshot in which everything is as the templates say: made from the resolved templates, without the code that is tested.

use std::collections::BTreeMap;

use infra::json::{list_items, read_text};
use infra::{DeploymentSite, ResolvedTemplate};
use responder_core::rules::builtin;
use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use crate::snapshot::{
    AccountSnapshot, BasicTrailSelector, Inspection, MatcherComparison, ObservedAlarm, ObservedFunction,
    ObservedKey, ObservedMapping, ObservedQueue, ObservedRule, ObservedStack, ObservedSubscription,
    ObservedTable, ObservedTarget, ObservedTopic, ObservedTrail, RegionSnapshot, TrailSelectors,
};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const HOME: &str = "eu-west-1";
pub(super) const AWAY: &str = "us-east-1";

/// An installation with one Region that forwards.
pub(super) fn healthy() -> AccountSnapshot {
    let at: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
    let regions = [
        ("responder", HOME, "secrets-responder"),
        ("forwarder", AWAY, "StackSet-secrets-responder-forwarder-1"),
    ];
    let regions = regions.map(|(template, region, stack)| {
        let mut observed = observe(template, region, at);
        observed.trails = Inspection::Seen(vec![trail()]);
        observed.stacks = Inspection::Seen(BTreeMap::from([(stack.to_owned(), fresh_stack())]));
        (region.to_owned(), observed)
    });
    let matched = MatcherComparison {
        rule: "secret-read".to_owned(),
        case: "a-read".to_owned(),
        ours: true,
        theirs: true,
    };
    AccountSnapshot {
        prefix: "secrets-responder".to_owned(),
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        home: HOME.to_owned(),
        at,
        regions: regions.into(),
        matched: Inspection::Seen(vec![matched]),
    }
}

fn fresh_stack() -> ObservedStack {
    ObservedStack {
        status: "CREATE_COMPLETE".to_owned(),
        drift: "IN_SYNC".to_owned(),
        parameters: BTreeMap::new(),
    }
}

fn observe(template: &'static str, region: &str, at: Timestamp) -> RegionSnapshot {
    let site = DeploymentSite::new(ACCOUNT, region).with_parameter("HomeRegion", HOME);
    let site = site.with_parameter("CodeBucket", "b").with_parameter("CodePrefix", "p/");
    let template = ResolvedTemplate::generate(template, &builtin().unwrap(), site).unwrap();
    let rules = template.resources_of_type("AWS::Events::Rule");
    let queues = template.resources_of_type("AWS::SQS::Queue");
    let functions = template.resources_of_type("AWS::Lambda::Function");
    let table = template.resources_of_type("AWS::DynamoDB::Table").next().map(|(_, table)| ObservedTable {
        status: "ACTIVE".to_owned(),
        protected: table["DeletionProtectionEnabled"] == true,
        ttl: table["TimeToLiveSpecification"]["AttributeName"].as_str().map(str::to_owned),
        recovery: table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true,
    });
    let mut observed = RegionSnapshot {
        rules: Inspection::Seen(rules.map(|(_, rule)| observe_rule(&template, rule)).collect()),
        queues: Inspection::Seen(queues.map(|(_, queue)| observe_queue(&template, queue)).collect()),
        functions: Inspection::Seen(functions.map(|(_, one)| observe_function(&template, one)).collect()),
        table: Inspection::Seen(table),
        ..RegionSnapshot::default()
    };
    // Of a forwarder the doctor does not look at the topic.
    if region == HOME {
        let topics = template.resources_of_type("AWS::SNS::Topic");
        observed.topics =
            Inspection::Seen(topics.map(|(_, topic)| observe_topic(&template, topic)).collect());
    }
    let keys = template.resources_of_type("AWS::KMS::Key").map(|(id, key)| {
        let policy = Inspection::Seen(Some(key["KeyPolicy"].clone()));
        (id.to_owned(), ObservedKey { enabled: true, policy })
    });
    observed.keys = Inspection::Seen(keys.collect());
    let mut alarms = BTreeMap::new();
    let mut heartbeats = BTreeMap::new();
    for (_, alarm) in template.resources_of_type("AWS::CloudWatch::Alarm") {
        let name = text(&alarm["AlarmName"]);
        if alarm["TreatMissingData"] == "breaching" {
            heartbeats.insert(name.clone(), at.minus(Span::from_secs(240)));
        }
        alarms.insert(name, observe_alarm(alarm));
    }
    observed.alarms = Inspection::Seen(alarms);
    observed.heartbeats = Inspection::Seen(heartbeats);
    observed
}

fn observe_rule(template: &ResolvedTemplate, rule: &Value) -> (String, ObservedRule) {
    let targets = list_items(&rule["Targets"]).iter().map(|target| ObservedTarget {
        arn: text(&target["Arn"]),
        role: target["RoleArn"].as_str().map(str::to_owned),
        dlq: target["DeadLetterConfig"]["Arn"].as_str().map(str::to_owned),
        max_age: target["RetryPolicy"]["MaximumEventAgeInSeconds"].as_i64(),
        max_attempts: target["RetryPolicy"]["MaximumRetryAttempts"].as_i64(),
    });
    // AWS keeps the text of a pattern. White space changes nothing of what it means.
    let spaced = |pattern: &str| format!(" {}", pattern.replacen(':', " : ", 1));
    let name = text(&rule["Name"]);
    let observed = ObservedRule {
        arn: template.arn("events", &format!("rule/{name}")),
        state: text(&rule["State"]),
        pattern: rule["EventPattern"].as_str().map(spaced),
        schedule: rule["ScheduleExpression"].as_str().map(str::to_owned),
        targets: Inspection::Seen(targets.collect()),
    };
    (name, observed)
}

fn observe_queue(template: &ResolvedTemplate, queue: &Value) -> (String, ObservedQueue) {
    let name = text(&queue["QueueName"]);
    let observed = ObservedQueue {
        arn: template.arn("sqs", &name),
        visibility: queue["VisibilityTimeout"].as_i64().unwrap_or(30),
        delay: queue["DelaySeconds"].as_i64().unwrap_or_default(),
        retention: queue["MessageRetentionPeriod"].as_i64().unwrap_or(345_600),
        encrypted: queue["SqsManagedSseEnabled"] == true,
        key: None,
        dlq: queue["RedrivePolicy"]["deadLetterTargetArn"].as_str().map(str::to_owned),
        max_receives: queue["RedrivePolicy"]["maxReceiveCount"].as_i64(),
        policy: find_policy(template, "AWS::SQS::QueuePolicy", "Queues", &format!("/{name}\"")),
        depth: 0,
    };
    (name, observed)
}

fn observe_function(template: &ResolvedTemplate, function: &Value) -> (String, ObservedFunction) {
    let name = text(&function["FunctionName"]);
    let mappings = template
        .resources_of_type("AWS::Lambda::EventSourceMapping")
        .filter(|(_, mapping)| mapping["FunctionName"] == *name)
        .map(|(_, mapping)| ObservedMapping {
            source: text(&mapping["EventSourceArn"]),
            state: "Enabled".to_owned(),
            partial: mapping["FunctionResponseTypes"].to_string().contains("ReportBatchItemFailures"),
        });
    let variables = function["Environment"]["Variables"].as_object().into_iter().flatten();
    let observed = ObservedFunction {
        arn: template.arn("lambda", &format!("function:{name}")),
        state: "Active".to_owned(),
        timeout: function["Timeout"].as_i64().unwrap_or(3),
        environment: variables
            .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
            .collect(),
        reserved: function["ReservedConcurrentExecutions"].as_i64(),
        mappings: Inspection::Seen(mappings.collect()),
    };
    (name, observed)
}

fn observe_topic(template: &ResolvedTemplate, topic: &Value) -> (String, ObservedTopic) {
    let name = text(&topic["TopicName"]);
    let subscription = ObservedSubscription { protocol: "email".to_owned(), confirmed: true };
    let observed = ObservedTopic {
        arn: template.arn("sns", &name),
        key: topic["KmsMasterKeyId"].as_str().map(str::to_owned),
        policy: find_policy(template, "AWS::SNS::TopicPolicy", "Topics", &format!(":{name}\"")),
        subscriptions: Inspection::Seen(vec![subscription]),
    };
    (name, observed)
}

fn observe_alarm(alarm: &Value) -> ObservedAlarm {
    let dimensions = list_items(&alarm["Dimensions"]).iter();
    ObservedAlarm {
        state: "OK".to_owned(),
        namespace: text(&alarm["Namespace"]),
        metric: text(&alarm["MetricName"]),
        dimensions: dimensions.map(|one| (text(&one["Name"]), text(&one["Value"]))).collect(),
        actions: list_items(&alarm["AlarmActions"]).iter().map(text).collect(),
        enabled: true,
        missing: alarm["TreatMissingData"].as_str().map(str::to_owned),
    }
}

/// The policy of a queue or topic: the one whose list of resources ends an entry with this text.
fn find_policy(template: &ResolvedTemplate, kind: &str, property: &str, ending: &str) -> Option<Value> {
    let mut policies = template.resources_of_type(kind);
    let policy = policies.find(|(_, policy)| policy[property].to_string().contains(ending));
    policy.map(|(_, policy)| policy["PolicyDocument"].clone())
}

fn trail() -> ObservedTrail {
    let all = BasicTrailSelector { management: true, read_write: "All".to_owned() };
    ObservedTrail {
        arn: format!("arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/all"),
        home: HOME.to_owned(),
        multi_region: true,
        organization: false,
        validated: true,
        logging: Inspection::Seen(true),
        delivery_error: None,
        selectors: Inspection::Seen(TrailSelectors { basic: vec![all], advanced: Vec::new() }),
    }
}

fn text(value: &Value) -> String {
    read_text(value).to_owned()
}
