//! What a deployed installation must look like: the resolved templates as plain data, for whoever compares it with what is there.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{Handler, Rules};
use serde_json::Value;

use crate::generate::{GenerateError, templates};
use crate::resolve::{Place, ResolveError, resolve};
use crate::yaml::{self, YamlError};

/// Everything that is wired, with names and ARNs as they are in one place.
#[derive(Clone, Debug, Default)]
pub struct Wiring {
    /// `EventBridge` rules on the default bus, schedules among them.
    pub rules: Vec<Rule>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Topics.
    pub topics: Vec<Topic>,
    /// The ledger; a forwarder has none.
    pub table: Option<Table>,
    /// Alarms.
    pub alarms: Vec<Alarm>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Customer-managed keys, by alias, with their policies.
    pub keys: BTreeMap<String, Value>,
    /// The statement that lets other accounts put events onto the default bus, if there are any.
    pub bus_statement: Option<Value>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The pattern file that it is of: handler and id. None for what is not of `rules/`.
    pub of: Option<(Handler, String)>,
    /// Its pattern, minified; none for a schedule.
    pub pattern: Option<String>,
    /// Its schedule.
    pub schedule: Option<String>,
    /// Its state, as `DescribeRule` says it.
    pub state: String,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// What a rule reaches.
#[derive(Clone, Debug)]
pub struct Target {
    /// The queue, topic or bus.
    pub arn: String,
    /// Where what it does not get goes.
    pub dead_letters: String,
    /// For how long it is tried, in seconds.
    pub retry_seconds: i64,
    /// How often it is tried again.
    pub retries: i64,
    /// Whether it needs a role.
    pub has_role: bool,
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Feeds a function.
    Work(Handler),
    /// What a function gave up.
    GivenUp(Handler),
    /// What a rule or a schedule could not deliver.
    Undelivered,
    /// Only counted: the heartbeat.
    Canary,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it is for.
    pub kind: QueueKind,
    /// Seconds that a message is out of sight once it was received, if that is set.
    pub visibility: Option<i64>,
    /// Seconds before a message is first seen.
    pub delay: i64,
    /// Seconds that a message is kept.
    pub retention: i64,
    /// The ARN of the queue for what is given up, and after how many receives.
    pub redrive: Option<(String, i64)>,
    /// Its policy; none where only Lambda moves messages.
    pub policy: Option<Value>,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its handler.
    pub handler: Handler,
    /// Its role's ARN.
    pub role: String,
    /// Seconds that it may run.
    pub timeout: i64,
    /// Seconds that its claims are held: `LEASE_SECONDS`.
    pub lease: i64,
    /// Seconds that its queue hides a message.
    pub visibility: i64,
    /// Seconds that its mapping waits for a full batch.
    pub window: i64,
    /// How often it runs at once: reserved, and the mapping's limit.
    pub concurrency: Option<i64>,
    /// The ARN of the queue that feeds it.
    pub queue: String,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its log group, and how many days that keeps.
    pub log: (String, i64),
}

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Whether a customer-managed key encrypts it.
    pub is_encrypted: bool,
    /// Its policy.
    pub policy: Value,
}

/// The ledger's table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The attribute by which items end.
    pub ttl: String,
}

/// An alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric.
    pub metric: String,
    /// Its one dimension.
    pub dimension: (String, String),
    /// What it makes of missing data.
    pub missing_data: String,
    /// Whether it rings when there is too little rather than too much.
    pub is_silence: bool,
    /// Whom it tells.
    pub actions: Vec<String>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name; none where AWS makes one up.
    pub name: Option<String>,
    /// Who may assume it.
    pub trust: Value,
    /// Its inline policies' statements.
    pub statements: Vec<Value>,
}

impl Role {
    /// The actions that it allows.
    pub fn allowed(&self) -> BTreeSet<String> {
        let allow = self.statements.iter().filter(|statement| statement["Effect"] == "Allow");
        allow.flat_map(|statement| texts(&statement["Action"])).collect()
    }
}

/// Why there is no wiring.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WiringError {
    /// The rules cannot be deployed.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A parameter is missing, or the template is wrong.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The template is no YAML: a mistake of this program.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

impl Wiring {
    /// The responder in its home Region. Parameters that do not matter here need no value.
    ///
    /// # Errors
    /// When the rules cannot be deployed, or a parameter lacks.
    pub fn responder(rules: &Rules, place: &Place) -> Result<Self, WiringError> {
        let mut place = place.clone();
        for (parameter, value) in [("CodeBucket", "bucket"), ("CodePrefix", "build/")] {
            place.parameters.entry(parameter.to_owned()).or_insert_with(|| value.to_owned());
        }
        Self::of("responder", rules, &place)
    }

    /// A forwarder, in a place whose parameter `HomeRegion` is set.
    ///
    /// # Errors
    /// As [`Wiring::responder`].
    pub fn forwarder(rules: &Rules, place: &Place) -> Result<Self, WiringError> {
        Self::of("forwarder", rules, place)
    }

    fn of(name: &str, rules: &Rules, place: &Place) -> Result<Self, WiringError> {
        let template = templates(rules)?.into_iter().find(|template| template.name == name);
        let template = yaml::parse(&template.map(|template| template.text).unwrap_or_default())?;
        let resources = resolve(&template, place)?;
        let prefix = place.parameters.get("Prefix").cloned();
        let prefix =
            prefix.or_else(|| template.pointer("/Parameters/Prefix/Default")?.as_str().map(str::to_owned));
        Ok(Reader { resources, place, prefix: prefix.unwrap_or_default(), rules }.read())
    }
}

struct Reader<'r> {
    resources: BTreeMap<String, Value>,
    place: &'r Place,
    prefix: String,
    rules: &'r Rules,
}

impl Reader<'_> {
    fn read(&self) -> Wiring {
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
        let handler = |name: &str| Handler::ALL.into_iter().find(|handler| handler.name() == name);
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
        let handler = Handler::ALL.into_iter().find(|handler| handler.name() == self.short(&name))?;
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

fn texts(value: &Value) -> Vec<String> {
    let many = value.as_array().into_iter().flatten();
    many.chain(value.is_string().then_some(value)).map(text).collect()
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_responder_is_read_back_as_it_was_written() {
        let rules = responder_core::rules::builtin().unwrap();
        let wiring = Wiring::responder(&rules, &Place::new("111122223333", "eu-west-1")).unwrap();
        let of_files = wiring.rules.iter().filter(|rule| rule.of.is_some()).count();
        assert_eq!(of_files, crate::rules::deployed(&rules).count());
        assert_eq!(wiring.functions.len(), 4);
        for function in &wiring.functions {
            assert!(function.timeout <= function.lease, "{function:?}");
            assert!(
                function.lease + function.timeout + function.window <= function.visibility,
                "{function:?}"
            );
            assert_eq!(function.environment["LEDGER_TABLE"], "secrets-responder-ledger");
        }
        let read =
            wiring.rules.iter().find(|rule| rule.name == "secrets-responder-access-secret-read").unwrap();
        assert_eq!(read.state, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
        assert_eq!(read.targets[0].arn, "arn:aws:sqs:eu-west-1:111122223333:secrets-responder-access");
        assert!(read.pattern.as_ref().unwrap().starts_with(r#"{"account":["111122223333"],"source""#));
        let names: BTreeSet<&str> = wiring.topics.iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["secrets-responder-pages"]));
        assert!(wiring.keys.contains_key("alias/secrets-responder-pages") && wiring.bus_statement.is_none());
        assert!(
            wiring
                .queues
                .iter()
                .all(|queue| !matches!(queue.kind, QueueKind::Work(_)) || queue.redrive.is_some())
        );
    }

    #[test]
    fn a_forwarder_needs_its_home() {
        let rules = responder_core::rules::builtin().unwrap();
        let place = Place::new("111122223333", "us-east-1");
        assert!(Wiring::forwarder(&rules, &place).is_err());
        let wiring = Wiring::forwarder(&rules, &place.with("HomeRegion", "eu-west-1")).unwrap();
        let home = "arn:aws:events:eu-west-1:111122223333:event-bus/default";
        assert!(
            wiring
                .rules
                .iter()
                .all(|rule| rule.targets.iter().any(|target| target.arn == home && target.has_role))
        );
        assert_eq!(wiring.roles[0].allowed(), BTreeSet::from(["events:PutEvents".to_owned()]));
    }
}
