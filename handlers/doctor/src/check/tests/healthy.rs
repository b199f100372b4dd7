//! A snapshot in which all is as the templates say: made from the resolved templates, without the wiring that is tested.

use std::collections::BTreeMap;

use infra::resolve::{Place, resolve};
use responder_core::rules::builtin;
use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use crate::snapshot::{
    Alarm, BasicSelector, Function, Key, Look, Mapping, Matched, Observed, Queue, Rule, Selectors, Snapshot,
    Stack, Subscription, Table, Target, Topic, Trail,
};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const HOME: &str = "eu-west-1";
pub(super) const AWAY: &str = "us-east-1";

/// An installation with one Region that forwards.
pub(super) fn healthy() -> Snapshot {
    let at: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
    let regions = [
        ("responder", HOME, "secrets-responder"),
        ("forwarder", AWAY, "StackSet-secrets-responder-forwarder-1"),
    ];
    let regions = regions.map(|(template, region, stack)| {
        let mut observed = observed(&resources(template, region), at);
        observed.trails = Look::Seen(vec![trail()]);
        observed.stacks = Look::Seen(BTreeMap::from([(stack.to_owned(), fresh())]));
        (region.to_owned(), observed)
    });
    let matched =
        Matched { rule: "secret-read".to_owned(), case: "a-read".to_owned(), ours: true, theirs: true };
    Snapshot {
        prefix: "secrets-responder".to_owned(),
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        home: HOME.to_owned(),
        at,
        regions: regions.into(),
        matched: Look::Seen(vec![matched]),
    }
}

fn fresh() -> Stack {
    Stack { status: "CREATE_COMPLETE".to_owned(), drift: "IN_SYNC".to_owned(), parameters: BTreeMap::new() }
}

fn resources(template: &str, region: &str) -> BTreeMap<String, Value> {
    let templates = infra::templates(&builtin().unwrap()).unwrap();
    let text = &templates.iter().find(|one| one.name == template).unwrap().text;
    let place = Place::new(ACCOUNT, region).with("CodeBucket", "b").with("CodePrefix", "p/");
    resolve(&infra::yaml::parse(text).unwrap(), &place.with("HomeRegion", HOME)).unwrap()
}

fn observed(resources: &BTreeMap<String, Value>, at: Timestamp) -> Observed {
    let of = |kind: &'static str| {
        let some = resources.values().filter(move |resource| resource["Type"] == kind);
        some.map(|resource| &resource["Properties"])
    };
    let named =
        |service: &str, region: &str, name: &str| format!("arn:aws:{service}:{region}:{ACCOUNT}:{name}");
    let region = if of("AWS::Lambda::Function").next().is_some() { HOME } else { AWAY };
    let mut seen = Observed::default();
    let Look::Seen(rules) = &mut seen.rules else { unreachable!() };
    for rule in of("AWS::Events::Rule") {
        let arn = named("events", region, &format!("rule/{}", text(&rule["Name"])));
        rules.insert(text(&rule["Name"]), self::rule(rule, arn));
    }
    let policies: Vec<&Value> = of("AWS::SQS::QueuePolicy").chain(of("AWS::SNS::TopicPolicy")).collect();
    let Look::Seen(queues) = &mut seen.queues else { unreachable!() };
    for queue in of("AWS::SQS::Queue") {
        let name = text(&queue["QueueName"]);
        let policy = policies.iter().find(|one| one["Queues"].to_string().contains(&format!("/{name}\"")));
        queues.insert(name.clone(), self::queue(queue, named("sqs", region, &name), policy));
    }
    let Look::Seen(functions) = &mut seen.functions else { unreachable!() };
    let mappings: Vec<&Value> = of("AWS::Lambda::EventSourceMapping").collect();
    for function in of("AWS::Lambda::Function") {
        functions.insert(text(&function["FunctionName"]), self::function(function, &mappings));
    }
    seen.table = Look::Seen(of("AWS::DynamoDB::Table").next().map(|table| Table {
        status: "ACTIVE".to_owned(),
        protected: table["DeletionProtectionEnabled"] == true,
        ttl: table["TimeToLiveSpecification"]["AttributeName"].as_str().map(str::to_owned),
        recovery: table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true,
    }));
    let Look::Seen(topics) = &mut seen.topics else { unreachable!() };
    for topic in of("AWS::SNS::Topic").filter(|_| region == HOME) {
        let name = text(&topic["TopicName"]);
        let policy = policies.iter().find(|one| one["Topics"].to_string().contains(&format!(":{name}\"")));
        let subscription = Subscription { protocol: "email".to_owned(), confirmed: true };
        let topic = Topic {
            arn: named("sns", region, &name),
            key: topic["KmsMasterKeyId"].as_str().map(str::to_owned),
            policy: policy.map(|policy| policy["PolicyDocument"].clone()),
            subscriptions: Look::Seen(vec![subscription]),
        };
        topics.insert(name, topic);
    }
    let keys = resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::KMS::Key");
    let keys = keys.map(|(id, key)| {
        let policy = Look::Seen(Some(key["Properties"]["KeyPolicy"].clone()));
        (id.clone(), Key { enabled: true, policy })
    });
    seen.keys = Look::Seen(keys.collect());
    let (Look::Seen(alarms), Look::Seen(beats)) = (&mut seen.alarms, &mut seen.heartbeats) else {
        unreachable!()
    };
    for alarm in of("AWS::CloudWatch::Alarm") {
        if alarm["TreatMissingData"] == "breaching" {
            beats.insert(text(&alarm["AlarmName"]), at.minus(Span::from_secs(240)));
        }
        alarms.insert(text(&alarm["AlarmName"]), self::alarm(alarm));
    }
    seen
}

fn rule(rule: &Value, arn: String) -> Rule {
    let targets = rule["Targets"].as_array().into_iter().flatten().map(|target| Target {
        arn: text(&target["Arn"]),
        role: target["RoleArn"].as_str().map(str::to_owned),
        dlq: target["DeadLetterConfig"]["Arn"].as_str().map(str::to_owned),
        max_age: target["RetryPolicy"]["MaximumEventAgeInSeconds"].as_i64(),
        max_attempts: target["RetryPolicy"]["MaximumRetryAttempts"].as_i64(),
    });
    // AWS keeps the text; what it means is what counts.
    let spaced = |pattern: &str| format!(" {}", pattern.replacen(':', " : ", 1));
    Rule {
        arn,
        state: text(&rule["State"]),
        pattern: rule["EventPattern"].as_str().map(spaced),
        schedule: rule["ScheduleExpression"].as_str().map(str::to_owned),
        targets: Look::Seen(targets.collect()),
    }
}

fn queue(queue: &Value, arn: String, policy: Option<&&Value>) -> Queue {
    Queue {
        arn,
        visibility: queue["VisibilityTimeout"].as_i64().unwrap_or(30),
        delay: queue["DelaySeconds"].as_i64().unwrap_or_default(),
        retention: queue["MessageRetentionPeriod"].as_i64().unwrap_or(345_600),
        encrypted: queue["SqsManagedSseEnabled"] == true,
        key: None,
        dlq: queue["RedrivePolicy"]["deadLetterTargetArn"].as_str().map(str::to_owned),
        max_receives: queue["RedrivePolicy"]["maxReceiveCount"].as_i64(),
        policy: policy.map(|policy| policy["PolicyDocument"].clone()),
        depth: 0,
    }
}

fn function(function: &Value, mappings: &[&Value]) -> Function {
    let name = text(&function["FunctionName"]);
    let variables = function["Environment"]["Variables"].as_object().into_iter().flatten();
    let fed = mappings.iter().filter(|mapping| mapping["FunctionName"] == *name).map(|mapping| Mapping {
        source: text(&mapping["EventSourceArn"]),
        state: "Enabled".to_owned(),
        partial: mapping["FunctionResponseTypes"].to_string().contains("ReportBatchItemFailures"),
    });
    Function {
        arn: format!("arn:aws:lambda:{HOME}:{ACCOUNT}:function:{name}"),
        state: "Active".to_owned(),
        timeout: function["Timeout"].as_i64().unwrap_or(3),
        environment: variables
            .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
            .collect(),
        reserved: function["ReservedConcurrentExecutions"].as_i64(),
        mappings: Look::Seen(fed.collect()),
    }
}

fn alarm(alarm: &Value) -> Alarm {
    let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
    let actions = alarm["AlarmActions"].as_array().into_iter().flatten();
    Alarm {
        state: "OK".to_owned(),
        namespace: text(&alarm["Namespace"]),
        metric: text(&alarm["MetricName"]),
        dimensions: dimensions.map(|one| (text(&one["Name"]), text(&one["Value"]))).collect(),
        actions: actions.map(text).collect(),
        enabled: true,
        missing: alarm["TreatMissingData"].as_str().map(str::to_owned),
    }
}

fn trail() -> Trail {
    let all = BasicSelector { management: true, read_write: "All".to_owned() };
    Trail {
        arn: format!("arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/all"),
        home: HOME.to_owned(),
        multi_region: true,
        organization: false,
        validated: true,
        logging: Look::Seen(true),
        delivery_error: None,
        selectors: Look::Seen(Selectors { basic: vec![all], advanced: Vec::new() }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
