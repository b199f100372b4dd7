//! Reads resolved resources as what they wire.

use std::collections::BTreeMap;

use responder_core::rules::{Handler, RuleSet};
use serde_json::Value;

use super::{Alarm, Function, Queue, QueueKind, Role, Rule, Table, Target, Topic, Wiring};
use crate::resolve::Place;

/// The resources of a template in a place.
pub(super) struct Reader<'r> {
    pub(super) resources: BTreeMap<String, Value>,
    pub(super) place: &'r Place,
    pub(super) prefix: String,
    pub(super) rules: &'r RuleSet,
}

impl Reader<'_> {
    pub(super) fn read(&self) -> Wiring {
        let all = |kind: &'static str| self.of_type(kind);
        Wiring {
            rules: all("AWS::Events::Rule").map(|rule| self.rule(rule)).collect(),
            queues: all("AWS::SQS::Queue").filter_map(|queue| self.queue(queue)).collect(),
            functions: all("AWS::Lambda::Function").filter_map(|function| self.function(function)).collect(),
            topics: all("AWS::SNS::Topic").map(|topic| self.topic(topic)).collect(),
            table: all("AWS::DynamoDB::Table").next().map(|table| self.table(table)),
            alarms: all("AWS::CloudWatch::Alarm").map(alarm).collect(),
            roles: all("AWS::IAM::Role").map(role).collect(),
            keys: self.keys(),
            bus_statement: all("AWS::Events::EventBusPolicy")
                .next()
                .map(|policy| policy["Statement"].clone()),
        }
    }

    fn of_type(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.resources
            .values()
            .filter(move |resource| resource["Type"] == kind)
            .map(|resource| &resource["Properties"])
    }

    fn short<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(&format!("{}-", self.prefix)).unwrap_or(name)
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Place { partition, region, account, .. } = self.place;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    fn rule(&self, rule: &Value) -> Rule {
        let name = text(&rule["Name"]);
        let file = self
            .rules
            .rules
            .iter()
            .find(|known| self.short(&name) == format!("{}-{}", known.handler, known.id));
        let target = |target: &Value| Target {
            arn: text(&target["Arn"]),
            dead_letters: text(&target["DeadLetterConfig"]["Arn"]),
            retry_seconds: number(&target["RetryPolicy"]["MaximumEventAgeInSeconds"]),
            retries: number(&target["RetryPolicy"]["MaximumRetryAttempts"]),
            has_role: target.get("RoleArn").is_some(),
        };
        Rule {
            arn: self.arn("events", &format!("rule/{name}")),
            of: file.map(|file| (file.handler, file.id.clone())),
            pattern: rule["EventPattern"].as_str().map(str::to_owned),
            schedule: rule["ScheduleExpression"].as_str().map(str::to_owned),
            state: text(&rule["State"]),
            targets: rule["Targets"].as_array().into_iter().flatten().map(target).collect(),
            name,
        }
    }

    fn queue(&self, queue: &Value) -> Option<Queue> {
        let name = text(&queue["QueueName"]);
        let handler = |name: &str| Handler::ALL.into_iter().find(|handler| handler.as_str() == name);
        let kind = match self.short(&name) {
            "canary" => QueueKind::Canary,
            short => match (handler(short), short.strip_suffix("-dlq")) {
                (Some(handler), _) => QueueKind::Work(handler),
                (None, Some(of)) => handler(of).map_or(QueueKind::Undelivered, QueueKind::GivenUp),
                (None, None) => return None,
            },
        };
        let redrive = &queue["RedrivePolicy"];
        let letters = redrive["deadLetterTargetArn"].as_str();
        let mut policies = self.of_type("AWS::SQS::QueuePolicy");
        let is_ours =
            |policy: &&Value| texts(&policy["Queues"]).iter().any(|url| url.ends_with(&format!("/{name}")));
        Some(Queue {
            arn: self.arn("sqs", &name),
            kind,
            visibility: queue["VisibilityTimeout"].as_i64(),
            delay: number(&queue["DelaySeconds"]),
            retention: number(&queue["MessageRetentionPeriod"]),
            redrive: letters.map(|arn| (arn.to_owned(), number(&redrive["maxReceiveCount"]))),
            policy: policies.find(is_ours).map(|policy| policy["PolicyDocument"].clone()),
            name,
        })
    }

    fn function(&self, function: &Value) -> Option<Function> {
        let name = text(&function["FunctionName"]);
        let handler = Handler::ALL.into_iter().find(|handler| handler.as_str() == self.short(&name))?;
        let mapping = self
            .of_type("AWS::Lambda::EventSourceMapping")
            .find(|mapping| mapping["FunctionName"] == name)?;
        let queue = self.of_type("AWS::SQS::Queue").find(|queue| queue["QueueName"] == name)?;
        let log = text(&function["LoggingConfig"]["LogGroup"]);
        let group = self.of_type("AWS::Logs::LogGroup").find(|group| group["LogGroupName"] == log)?;
        let variables = function["Environment"]["Variables"].as_object().into_iter().flatten();
        Some(Function {
            handler,
            role: text(&function["Role"]),
            timeout: number(&function["Timeout"]),
            lease: number(&function["Environment"]["Variables"]["LEASE_SECONDS"]),
            visibility: number(&queue["VisibilityTimeout"]),
            window: number(&mapping["MaximumBatchingWindowInSeconds"]),
            concurrency: function["ReservedConcurrentExecutions"].as_i64(),
            queue: text(&mapping["EventSourceArn"]),
            environment: variables.map(|(name, value)| (name.clone(), text(value))).collect(),
            log: (log, number(&group["RetentionInDays"])),
            name,
        })
    }

    fn topic(&self, topic: &Value) -> Topic {
        let name = text(&topic["TopicName"]);
        let arn = self.arn("sns", &name);
        let policy =
            self.of_type("AWS::SNS::TopicPolicy").find(|policy| texts(&policy["Topics"]).contains(&arn));
        Topic {
            name,
            is_encrypted: topic.get("KmsMasterKeyId").is_some(),
            policy: policy.map(|policy| policy["PolicyDocument"].clone()).unwrap_or_default(),
            arn,
        }
    }

    fn table(&self, table: &Value) -> Table {
        let name = text(&table["TableName"]);
        let ttl = text(&table["TimeToLiveSpecification"]["AttributeName"]);
        Table { arn: self.arn("dynamodb", &format!("table/{name}")), ttl, name }
    }

    fn keys(&self) -> BTreeMap<String, Value> {
        let alias = |alias: &Value| {
            let key = self.resources.get(alias["TargetKeyId"].as_str()?)?;
            Some((text(&alias["AliasName"]), key["Properties"]["KeyPolicy"].clone()))
        };
        self.of_type("AWS::KMS::Alias").filter_map(alias).collect()
    }
}

fn alarm(alarm: &Value) -> Alarm {
    let dimension = &alarm["Dimensions"][0];
    Alarm {
        name: text(&alarm["AlarmName"]),
        namespace: text(&alarm["Namespace"]),
        metric: text(&alarm["MetricName"]),
        dimension: (text(&dimension["Name"]), text(&dimension["Value"])),
        missing_data: text(&alarm["TreatMissingData"]),
        is_silence: alarm["ComparisonOperator"] == "LessThanThreshold",
        actions: texts(&alarm["AlarmActions"]),
    }
}

fn role(role: &Value) -> Role {
    let policies = role["Policies"].as_array().into_iter().flatten();
    let statements = policies.filter_map(|policy| policy["PolicyDocument"]["Statement"].as_array()).flatten();
    Role {
        name: role["RoleName"].as_str().map(str::to_owned),
        trust: role["AssumeRolePolicyDocument"].clone(),
        statements: statements.cloned().collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    let many = value.as_array().into_iter().flatten();
    many.chain(value.is_string().then_some(value)).map(text).collect()
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}
