//! What a deployed installation must look like: the resolved templates as plain data, for whoever compares it with what is there.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{Handler, RuleSet};
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
        allow.flat_map(|statement| read::texts(&statement["Action"])).collect()
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
    pub fn responder(rules: &RuleSet, place: &Place) -> Result<Self, WiringError> {
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
    pub fn forwarder(rules: &RuleSet, place: &Place) -> Result<Self, WiringError> {
        Self::of("forwarder", rules, place)
    }

    fn of(name: &str, rules: &RuleSet, place: &Place) -> Result<Self, WiringError> {
        let template = templates(rules)?.into_iter().find(|template| template.name == name);
        let template = yaml::parse(&template.map(|template| template.text).unwrap_or_default())?;
        let resources = resolve(&template, place)?;
        let prefix = place.parameters.get("Prefix").cloned();
        let prefix =
            prefix.or_else(|| template.pointer("/Parameters/Prefix/Default")?.as_str().map(str::to_owned));
        Ok(read::Reader { resources, place, prefix: prefix.unwrap_or_default(), rules }.read())
    }
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
