//! The expected resources: everything that the templates of this release create in an account, by name.

use std::collections::BTreeMap;

use infra::json::{list_items, read_text};
use infra::{DeploymentSite, ResolvedTemplate, ResolvedTemplateError};
use responder_core::rules::RuleSet;
use serde_json::Value;

use crate::snapshot::AccountSnapshot;

/// The prefix of an installation's names, unless it has another one; it is also the name of the stack (`infra/deploy`).
pub(crate) const DEFAULT_PREFIX: &str = "secrets-responder";

/// How long a queue keeps messages where nothing else is set, in seconds: four days (`API_SetQueueAttributes`).
const DEFAULT_RETENTION_SECONDS: i64 = 4 * 86_400;

/// The parameters of the templates that change which resources there should be. Others, such as somebody's address, are not kept.
pub(crate) const RESOURCE_PARAMETERS: [&str; 8] = [
    "BackupTopicArn",
    "Chat",
    "Heartbeat",
    "HomeAccount",
    "ReserveConcurrency",
    "SettleSeconds",
    "Timing",
    "TrustedAccounts",
];

/// Where an installation is, and with which parameters it was deployed.
#[derive(Clone, Debug)]
pub(crate) struct InstallationLayout {
    /// The prefix of all names.
    pub(crate) prefix: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account.
    pub(crate) account: String,
    /// The Region of the responder.
    pub(crate) home: String,
    /// The Regions that are checked, each with the parameters of its stack, as far as they are known.
    pub(crate) regions: BTreeMap<String, BTreeMap<String, String>>,
}

impl InstallationLayout {
    /// The layout of a snapshot, with the parameters of the stacks that were seen.
    pub(crate) fn from_snapshot(snapshot: &AccountSnapshot) -> Self {
        let mut regions = BTreeMap::new();
        for (region, observed) in &snapshot.regions {
            let stack_name = if *region == snapshot.home {
                snapshot.prefix.clone()
            } else {
                forwarder_stack_name(&snapshot.prefix)
            };
            let mut parameters = BTreeMap::new();
            if let Some(stacks) = observed.stacks.seen()
                && let Some((_, stack)) = find_stack(stacks, &stack_name)
            {
                parameters.clone_from(&stack.parameters);
            }
            regions.insert(region.clone(), parameters);
        }
        Self {
            prefix: snapshot.prefix.clone(),
            partition: snapshot.partition.clone(),
            account: snapshot.account.clone(),
            home: snapshot.home.clone(),
            regions,
        }
    }

    fn deployment_site(&self, region: &str) -> DeploymentSite {
        let mut site = DeploymentSite::new(&self.account, region);
        site.partition.clone_from(&self.partition);
        site.parameters = self.regions.get(region).cloned().unwrap_or_default();
        // The templates need to know where the code is, but nothing that is compared here depends on it.
        for (name, value) in [("Prefix", &*self.prefix), ("CodeBucket", "-"), ("CodePrefix", "-")] {
            site = site.with_parameter(name, value);
        }
        site.with_parameter("HomeRegion", &self.home)
    }
}

/// The resources of an installation that should be there.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedInstallation {
    /// The home Region.
    pub(crate) home: ExpectedRegion,
    /// The Regions that forward, by name.
    pub(crate) forwarders: BTreeMap<String, ExpectedRegion>,
}

/// The resources that one Region should have.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpectedRegion {
    /// The stack's name.
    pub(crate) stack: String,
    /// The rules by name, schedules among them.
    pub(crate) rules: Vec<ExpectedRule>,
    /// How long each queue keeps its messages, in seconds, by name.
    pub(crate) queues: BTreeMap<String, i64>,
    /// The functions with the queues that feed them.
    pub(crate) functions: Vec<ExpectedFunction>,
    /// The ledger's table.
    pub(crate) table: String,
    /// The topics that people are subscribed to; the page topic is the first.
    pub(crate) topics: Vec<String>,
    /// The alarms by name.
    pub(crate) alarms: Vec<ExpectedAlarm>,
}

/// A rule that should be there.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRule {
    /// Its name.
    pub(crate) name: String,
    /// Its pattern; none for a schedule.
    pub(crate) pattern: Option<Value>,
    /// Its state.
    pub(crate) state: String,
    /// Its targets.
    pub(crate) targets: Vec<ExpectedTarget>,
}

/// A target that a rule should have.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedTarget {
    /// The queue, topic or bus that gets the events.
    pub(crate) arn: String,
    /// The queue for events that cannot be delivered.
    pub(crate) dlq: String,
    /// The role in which `EventBridge` sends, where it needs one.
    pub(crate) role: Option<String>,
}

/// A function that should be there, with its queue.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedFunction {
    /// The function's name.
    pub(crate) name: String,
    /// The name of the queue that feeds it.
    pub(crate) queue: String,
}

/// An alarm that should be there.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedAlarm {
    /// Its name.
    pub(crate) name: String,
    /// The metric's namespace.
    pub(crate) namespace: String,
    /// The metric's name.
    pub(crate) metric: String,
    /// The metric's dimensions.
    pub(crate) dimensions: BTreeMap<String, String>,
    /// After how many seconds without data the alarm rings, if its metric is a heartbeat.
    pub(crate) max_silence: Option<i64>,
}

impl ExpectedInstallation {
    /// The resources that this release's templates make of these rules.
    pub(crate) fn generate(
        rules: &RuleSet,
        layout: &InstallationLayout,
    ) -> Result<Self, ResolvedTemplateError> {
        let responder = ResolvedTemplate::generate("responder", rules, layout.deployment_site(&layout.home))?;
        let home = ExpectedRegion::read(&responder, layout.prefix.clone());
        let mut forwarders = BTreeMap::new();
        for region in layout.regions.keys() {
            if *region != layout.home {
                let forwarder =
                    ResolvedTemplate::generate("forwarder", rules, layout.deployment_site(region))?;
                let expected = ExpectedRegion::read(&forwarder, forwarder_stack_name(&layout.prefix));
                forwarders.insert(region.clone(), expected);
            }
        }
        Ok(Self { home, forwarders })
    }
}

impl ExpectedRegion {
    fn read(template: &ResolvedTemplate, stack: String) -> Self {
        let mut region = Self { stack, ..Self::default() };
        for resource in template.resources.values() {
            let properties = &resource["Properties"];
            let text = |property: &str| read_text(&properties[property]).to_owned();
            match read_text(&resource["Type"]) {
                "AWS::Events::Rule" => region.rules.push(read_rule(properties)),
                "AWS::SQS::Queue" => {
                    let retention = properties["MessageRetentionPeriod"].as_i64();
                    region.queues.insert(text("QueueName"), retention.unwrap_or(DEFAULT_RETENTION_SECONDS));
                }
                "AWS::Lambda::EventSourceMapping" => {
                    let queue = text("EventSourceArn").rsplit(':').next().unwrap_or_default().to_owned();
                    region.functions.push(ExpectedFunction { name: text("FunctionName"), queue });
                }
                "AWS::DynamoDB::Table" => region.table = text("TableName"),
                "AWS::SNS::Topic" => region.topics.push(text("TopicName")),
                "AWS::CloudWatch::Alarm" => region.alarms.push(read_alarm(properties)),
                _ => {}
            }
        }
        region.rules.sort_by(|a, b| a.name.cmp(&b.name));
        region.alarms.sort_by(|a, b| a.name.cmp(&b.name));
        region.topics.sort_by_key(|name| !name.ends_with("-pages"));
        region
    }

    /// The name of the page topic.
    pub(crate) fn page_topic(&self) -> &str {
        self.topics.first().map(String::as_str).unwrap_or_default()
    }

    /// The alarms that wait for a heartbeat.
    pub(crate) fn heartbeat_alarms(&self) -> impl Iterator<Item = &ExpectedAlarm> {
        self.alarms.iter().filter(|alarm| alarm.max_silence.is_some())
    }
}

/// The stack of this name: either the stack itself, or the instance of a stack set (`StackSet-<name>-<id>`).
pub(crate) fn find_stack<'s, S>(stacks: &'s BTreeMap<String, S>, name: &str) -> Option<(&'s String, &'s S)> {
    let instance = format!("StackSet-{name}-");
    stacks.get_key_value(name).or_else(|| stacks.iter().find(|(known, _)| known.starts_with(&instance)))
}

/// The name of the stack in a Region that forwards.
fn forwarder_stack_name(prefix: &str) -> String {
    format!("{prefix}-forwarder")
}

fn read_rule(properties: &Value) -> ExpectedRule {
    let mut targets = Vec::new();
    for target in list_items(&properties["Targets"]) {
        targets.push(ExpectedTarget {
            arn: read_text(&target["Arn"]).to_owned(),
            dlq: read_text(&target["DeadLetterConfig"]["Arn"]).to_owned(),
            role: target["RoleArn"].as_str().map(str::to_owned),
        });
    }
    ExpectedRule {
        name: read_text(&properties["Name"]).to_owned(),
        pattern: serde_json::from_str(read_text(&properties["EventPattern"])).ok(),
        state: read_text(&properties["State"]).to_owned(),
        targets,
    }
}

fn read_alarm(properties: &Value) -> ExpectedAlarm {
    let text = |property: &str| read_text(&properties[property]).to_owned();
    let number = |property: &str| properties[property].as_i64().unwrap_or_default();
    let mut dimensions = BTreeMap::new();
    for dimension in list_items(&properties["Dimensions"]) {
        let name = read_text(&dimension["Name"]).to_owned();
        dimensions.insert(name, read_text(&dimension["Value"]).to_owned());
    }
    let is_heartbeat = properties["TreatMissingData"] == "breaching";
    ExpectedAlarm {
        name: text("AlarmName"),
        namespace: text("Namespace"),
        metric: text("MetricName"),
        dimensions,
        max_silence: is_heartbeat.then(|| number("Period") * number("EvaluationPeriods")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use responder_core::rules::builtin;

    use super::*;

    /// The name that `infra/deploy` gives a template's stack, read from an `aws` that only writes its arguments down.
    fn deployed_stack_name(template: &str) -> String {
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
        let regions = ["eu-west-1", "us-east-1"].map(|region| (region.to_owned(), BTreeMap::new()));
        let layout = InstallationLayout {
            prefix: DEFAULT_PREFIX.to_owned(),
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            home: "eu-west-1".to_owned(),
            regions: regions.into(),
        };
        let expected = ExpectedInstallation::generate(&builtin().unwrap(), &layout).unwrap();
        assert_eq!(expected.home.stack, deployed_stack_name("responder"));
        let forwarder = &expected.forwarders["us-east-1"].stack;
        assert_eq!(*forwarder, deployed_stack_name("forwarder"));
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/README.md");
        let readme = fs::read_to_string(readme).unwrap();
        assert!(readme.contains(&format!("create-stack-set --stack-set-name {forwarder} ")));
        assert!(readme.contains(&format!("delete-stack --stack-name {}\n", expected.home.stack)));
    }
}
