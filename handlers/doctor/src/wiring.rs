//! What should be there: every resource that the templates of this release make in a place, by name.

use std::collections::BTreeMap;

use infra::resolve::{Place, ResolveError, resolve};
use responder_core::rules::RuleSet;
use serde_json::Value;

use crate::snapshot::Snapshot;

/// What the names of an installation begin with, unless it says otherwise; also its stack's name (`infra/deploy`).
pub(crate) const PREFIX: &str = "secrets-responder";

/// Where an installation is, and with which parameters it was deployed.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// What all names begin with.
    pub(crate) prefix: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account.
    pub(crate) account: String,
    /// The Region of the responder.
    pub(crate) home: String,
    /// The Regions that are looked at, each with the parameters of its stack that are known.
    pub(crate) regions: BTreeMap<String, BTreeMap<String, String>>,
}

impl Site {
    /// The site of a snapshot, with the parameters of the stacks that were seen.
    pub(crate) fn seen(snapshot: &Snapshot) -> Self {
        let stack = |region: &str| {
            if region == snapshot.home { snapshot.prefix.clone() } else { forwarder(&snapshot.prefix) }
        };
        let regions = snapshot.regions.iter().map(|(region, observed)| {
            let stacks = observed.stacks.seen().cloned().unwrap_or_default();
            let parameters = find(&stacks, &stack(region)).map(|(_, stack)| stack.parameters.clone());
            (region.clone(), parameters.unwrap_or_default())
        });
        Self {
            prefix: snapshot.prefix.clone(),
            partition: snapshot.partition.clone(),
            account: snapshot.account.clone(),
            home: snapshot.home.clone(),
            regions: regions.collect(),
        }
    }

    fn place(&self, region: &str) -> Place {
        let mut place = Place::new(&self.account, region);
        place.partition.clone_from(&self.partition);
        place.parameters = self.regions.get(region).cloned().unwrap_or_default();
        // Where the code lies is nobody's concern here.
        for (name, value) in [("Prefix", &*self.prefix), ("CodeBucket", "-"), ("CodePrefix", "-")] {
            place = place.with(name, value);
        }
        place.with("HomeRegion", &self.home)
    }
}

/// The parameters of the templates that change what should be there. Others, such as somebody's address, are not kept.
pub(crate) const PARAMETERS: [&str; 8] = [
    "BackupTopicArn",
    "Chat",
    "Heartbeat",
    "HomeAccount",
    "ReserveConcurrency",
    "SettleSeconds",
    "Timing",
    "TrustedAccounts",
];

/// The parts of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    /// The home Region.
    pub(crate) home: Part,
    /// The Regions that forward, by name.
    pub(crate) others: BTreeMap<String, Part>,
}

/// What one Region has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The stack's name.
    pub(crate) stack: String,
    /// The rules, schedules among them.
    pub(crate) rules: Vec<Wanted>,
    /// How long each queue keeps its messages, in seconds, by name.
    pub(crate) queues: BTreeMap<String, i64>,
    /// The functions with what feeds them.
    pub(crate) workers: Vec<Worker>,
    /// The ledger's table.
    pub(crate) table: String,
    /// The topics that people are subscribed to; that of the pages is the first.
    pub(crate) topics: Vec<String>,
    /// The alarms.
    pub(crate) alarms: Vec<Watch>,
}

/// A rule that should be there.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) name: String,
    /// Its pattern; none for a schedule.
    pub(crate) pattern: Option<Value>,
    /// Its state.
    pub(crate) state: String,
    /// Its targets.
    pub(crate) aims: Vec<Aim>,
}

/// A target that a rule should have.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// Where the events go.
    pub(crate) arn: String,
    /// Where those go that do not arrive.
    pub(crate) dlq: String,
    /// As whom.
    pub(crate) role: Option<String>,
}

/// A function with its queue.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// The function's name.
    pub(crate) function: String,
    /// The name of the queue that feeds it.
    pub(crate) queue: String,
}

/// An alarm that should be there.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// Its name.
    pub(crate) name: String,
    /// The metric's namespace.
    pub(crate) namespace: String,
    /// The metric's name.
    pub(crate) metric: String,
    /// Its dimensions.
    pub(crate) dimensions: BTreeMap<String, String>,
    /// For how many seconds there may be nothing, if nothing is what is wrong: the metric is a heartbeat.
    pub(crate) silence: Option<i64>,
}

/// Why this release's templates cannot be read; a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    #[error("the templates cannot be generated: {0}")]
    Generate(#[from] infra::GenerateError),
    #[error("the template {0} cannot be read")]
    Yaml(&'static str),
    #[error("the template {0} cannot be resolved: {1}")]
    Resolve(&'static str, ResolveError),
}

impl Wiring {
    /// What this release's templates make of these rules.
    pub(crate) fn of(rules: &RuleSet, site: &Site) -> Result<Self, WiringError> {
        let templates = infra::templates(rules)?;
        let part = |name: &'static str, region: &str| {
            let template = templates.iter().find(|template| template.name == name);
            let template = template.and_then(|template| infra::yaml::parse(&template.text).ok());
            let template = template.ok_or(WiringError::Yaml(name))?;
            let resources = resolve(&template, &site.place(region));
            Ok::<_, WiringError>(Part::of(&resources.map_err(|error| WiringError::Resolve(name, error))?))
        };
        let mut home = part("responder", &site.home)?;
        home.stack.clone_from(&site.prefix);
        let mut others = BTreeMap::new();
        for region in site.regions.keys().filter(|region| **region != site.home) {
            let mut other = part("forwarder", region)?;
            other.stack = forwarder(&site.prefix);
            others.insert(region.clone(), other);
        }
        Ok(Self { home, others })
    }
}

impl Part {
    fn of(resources: &BTreeMap<String, Value>) -> Self {
        let mut part = Self::default();
        let mut feeds = Vec::new();
        for resource in resources.values() {
            let properties = &resource["Properties"];
            let name = |property: &str| text(&properties[property]);
            match resource["Type"].as_str().unwrap_or_default() {
                "AWS::Events::Rule" => part.rules.push(rule(properties)),
                "AWS::SQS::Queue" => {
                    // Four days where nothing is said (`SetQueueAttributes`).
                    let retention = properties["MessageRetentionPeriod"].as_i64().unwrap_or(345_600);
                    part.queues.insert(name("QueueName"), retention);
                }
                "AWS::Lambda::EventSourceMapping" => {
                    feeds.push((name("FunctionName"), name("EventSourceArn")));
                }
                "AWS::DynamoDB::Table" => part.table = name("TableName"),
                "AWS::SNS::Topic" => part.topics.push(name("TopicName")),
                "AWS::CloudWatch::Alarm" => part.alarms.push(watch(properties)),
                _ => {}
            }
        }
        part.workers = feeds
            .into_iter()
            .map(|(function, queue)| {
                let queue = queue.rsplit(':').next().unwrap_or_default().to_owned();
                Worker { function, queue }
            })
            .collect();
        part.rules.sort_by(|a, b| a.name.cmp(&b.name));
        part.alarms.sort_by(|a, b| a.name.cmp(&b.name));
        part.topics.sort_by_key(|name| !name.ends_with("-pages"));
        part
    }

    /// The topic that pages go to.
    pub(crate) fn pages(&self) -> &str {
        self.topics.first().map(String::as_str).unwrap_or_default()
    }

    /// The alarms that watch for silence.
    pub(crate) fn heartbeats(&self) -> impl Iterator<Item = &Watch> {
        self.alarms.iter().filter(|alarm| alarm.silence.is_some())
    }
}

/// The stack of this name: so named, or the instance of a stack set (`StackSet-<name>-<id>`).
pub(crate) fn find<'s, S>(stacks: &'s BTreeMap<String, S>, name: &str) -> Option<(&'s String, &'s S)> {
    let of_set = format!("StackSet-{name}-");
    stacks.get_key_value(name).or_else(|| stacks.iter().find(|(known, _)| known.starts_with(&of_set)))
}

/// The name of the stack in a Region that forwards.
fn forwarder(prefix: &str) -> String {
    format!("{prefix}-forwarder")
}

fn rule(properties: &Value) -> Wanted {
    let targets = properties["Targets"].as_array().into_iter().flatten();
    Wanted {
        name: text(&properties["Name"]),
        pattern: properties["EventPattern"].as_str().and_then(|text| serde_json::from_str(text).ok()),
        state: text(&properties["State"]),
        aims: targets
            .map(|target| Aim {
                arn: text(&target["Arn"]),
                dlq: text(&target["DeadLetterConfig"]["Arn"]),
                role: target["RoleArn"].as_str().map(str::to_owned),
            })
            .collect(),
    }
}

fn watch(properties: &Value) -> Watch {
    let dimensions = properties["Dimensions"].as_array().into_iter().flatten();
    let number = |property: &str| properties[property].as_i64().unwrap_or_default();
    let is_heartbeat = properties["TreatMissingData"] == "breaching";
    Watch {
        name: text(&properties["AlarmName"]),
        namespace: text(&properties["Namespace"]),
        metric: text(&properties["MetricName"]),
        dimensions: dimensions.map(|one| (text(&one["Name"]), text(&one["Value"]))).collect(),
        silence: is_heartbeat.then(|| number("Period") * number("EvaluationPeriods")),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use responder_core::rules::builtin;

    use super::*;

    /// What `infra/deploy` names a template's stack: seen by an `aws` that only notes its arguments.
    fn deployed_as(template: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let bed = std::env::temp_dir().join(format!("doctor-{}-{template}", std::process::id()));
        fs::create_dir_all(bed.join("package/arm64")).unwrap();
        fs::write(bed.join("package/arm64/digest"), "d").unwrap();
        let aws = bed.join("aws");
        // There is no stack yet.
        let stub = "#!/bin/sh\necho \"$@\" >>\"${0%/*}/calls\"\n[ \"$2\" != describe-stacks ]\n";
        fs::write(&aws, stub).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&aws).status().unwrap().success());
        let path = format!("{}:{}", bed.display(), std::env::var("PATH").unwrap());
        let mut deploy = Command::new("bash");
        deploy.arg(root.join("infra/deploy")).args([template, "--bucket", "b"]).env("PATH", path);
        deploy.env("CARGO_TARGET_DIR", &bed).env("AWS_REGION", "eu-west-1");
        deploy.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let calls = fs::read_to_string(bed.join("calls")).unwrap();
        fs::remove_dir_all(&bed).unwrap();
        let created = calls.lines().find(|line| line.contains("create-change-set")).expect(&calls);
        let named = created.split("--stack-name ").nth(1).unwrap();
        named.split(' ').next().unwrap().to_owned()
    }

    #[test]
    fn stacks_are_named_as_they_are_deployed() {
        let known = |region: &str| (region.to_owned(), BTreeMap::new());
        let site = Site {
            prefix: PREFIX.to_owned(),
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            home: "eu-west-1".to_owned(),
            regions: ["eu-west-1", "us-east-1"].map(known).into(),
        };
        let wiring = Wiring::of(&builtin().unwrap(), &site).unwrap();
        assert_eq!(wiring.home.stack, deployed_as("responder"));
        let forwarder = &wiring.others["us-east-1"].stack;
        assert_eq!(*forwarder, deployed_as("forwarder"));
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/README.md");
        let readme = fs::read_to_string(readme).unwrap();
        assert!(readme.contains(&format!("create-stack-set --stack-set-name {forwarder} ")));
        assert!(readme.contains(&format!("delete-stack --stack-name {}\n", wiring.home.stack)));
    }
}
