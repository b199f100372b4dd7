//! What an account looks like: plain data, gathered once, that the checks decide about. It can be written to a file and
//! checked again elsewhere.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One account, as it was seen at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    /// What the names of the installation begin with.
    pub(crate) prefix: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account's id.
    pub(crate) account: String,
    /// The Region of the responder.
    pub(crate) home: String,
    /// When it was looked at.
    pub(crate) at: Timestamp,
    /// What each Region has, by its name.
    pub(crate) regions: BTreeMap<String, Observed>,
    /// What AWS's own matcher says of the patterns, by rule and case.
    pub(crate) matched: Look<Vec<Matched>>,
}

/// Something that could be looked at, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Look<T> {
    /// What was seen.
    Seen(T),
    /// Why nothing was seen, in words that hold no data: the call and its error code.
    Unseen(String),
}

impl<T> Look<T> {
    /// What was seen, if anything.
    pub(crate) fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(seen) => Some(seen),
            Self::Unseen(_) => None,
        }
    }
}

impl<T: Default> Default for Look<T> {
    fn default() -> Self {
        Self::Seen(T::default())
    }
}

/// What was seen in one Region. Resources of other owners are left out: rules, queues, functions, alarms and topics by the
/// prefix of our names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Observed {
    /// The trails that record here, shadow trails of an organization included.
    pub(crate) trails: Look<Vec<Trail>>,
    /// The rules of the default bus, by name.
    pub(crate) rules: Look<BTreeMap<String, Rule>>,
    /// The policy of the default bus.
    pub(crate) bus: Look<Option<Value>>,
    /// The queues, by name.
    pub(crate) queues: Look<BTreeMap<String, Queue>>,
    /// The functions, by name.
    pub(crate) functions: Look<BTreeMap<String, Function>>,
    /// The ledger, if there is one.
    pub(crate) table: Look<Option<Table>>,
    /// The topics, by name.
    pub(crate) topics: Look<BTreeMap<String, Topic>>,
    /// The customer-managed keys of topics and queues, by the id under which those name them.
    pub(crate) keys: Look<BTreeMap<String, Key>>,
    /// Our alarms, and those of others on metrics of Secrets Manager, by name.
    pub(crate) alarms: Look<BTreeMap<String, Alarm>>,
    /// When the last heartbeat was counted, by the alarm that waits for it.
    pub(crate) heartbeats: Look<BTreeMap<String, Timestamp>>,
    /// Our stacks, by name.
    pub(crate) stacks: Look<BTreeMap<String, Stack>>,
}

/// A trail (`DescribeTrails`, `GetTrailStatus`, `GetEventSelectors`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Trail {
    pub(crate) arn: String,
    pub(crate) home: String,
    pub(crate) multi_region: bool,
    pub(crate) organization: bool,
    pub(crate) validated: bool,
    pub(crate) logging: Look<bool>,
    pub(crate) delivery_error: Option<String>,
    pub(crate) selectors: Look<Selectors>,
}

/// What a trail records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Selectors {
    pub(crate) basic: Vec<BasicSelector>,
    /// Each a list of fields that must all hold.
    pub(crate) advanced: Vec<Vec<FieldSelector>>,
}

/// A basic event selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicSelector {
    pub(crate) management: bool,
    /// `All`, `ReadOnly` or `WriteOnly`.
    pub(crate) read_write: String,
}

/// One condition of an advanced event selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldSelector {
    pub(crate) field: String,
    pub(crate) equals: Vec<String>,
    pub(crate) starts_with: Vec<String>,
    pub(crate) ends_with: Vec<String>,
    pub(crate) not_equals: Vec<String>,
    pub(crate) not_starts_with: Vec<String>,
    pub(crate) not_ends_with: Vec<String>,
}

/// A rule with its targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rule {
    pub(crate) arn: String,
    pub(crate) state: String,
    /// The pattern's text; absent for a schedule.
    pub(crate) pattern: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) targets: Look<Vec<Target>>,
}

/// A rule's target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Target {
    pub(crate) arn: String,
    pub(crate) role: Option<String>,
    pub(crate) dlq: Option<String>,
    pub(crate) max_age: Option<i64>,
    pub(crate) max_attempts: Option<i64>,
}

/// A queue (`GetQueueAttributes`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Queue {
    pub(crate) arn: String,
    pub(crate) visibility: i64,
    pub(crate) delay: i64,
    pub(crate) retention: i64,
    pub(crate) encrypted: bool,
    pub(crate) key: Option<String>,
    pub(crate) dlq: Option<String>,
    pub(crate) max_receives: Option<i64>,
    pub(crate) policy: Option<Value>,
    /// How many messages wait.
    pub(crate) depth: i64,
}

/// A function with what feeds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Function {
    pub(crate) arn: String,
    /// `Active`, `Failed`, …
    pub(crate) state: String,
    pub(crate) timeout: i64,
    /// The variables that the functions read; no others are kept.
    pub(crate) environment: BTreeMap<String, String>,
    /// Reserved concurrency, if any.
    pub(crate) reserved: Option<i64>,
    pub(crate) mappings: Look<Vec<Mapping>>,
}

/// An event source mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mapping {
    pub(crate) source: String,
    /// `Enabled`, `Disabled`, …
    pub(crate) state: String,
    /// Whether single messages of a batch may fail (`ReportBatchItemFailures`).
    pub(crate) partial: bool,
}

/// The ledger's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Table {
    pub(crate) status: String,
    pub(crate) protected: bool,
    /// The attribute by which items expire, if they do.
    pub(crate) ttl: Option<String>,
    pub(crate) recovery: bool,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Topic {
    pub(crate) arn: String,
    pub(crate) key: Option<String>,
    pub(crate) policy: Option<Value>,
    pub(crate) subscriptions: Look<Vec<Subscription>>,
}

/// Who gets what a topic is sent. The endpoint is somebody's address and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Subscription {
    pub(crate) protocol: String,
    pub(crate) confirmed: bool,
}

/// A customer-managed key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Key {
    pub(crate) enabled: bool,
    pub(crate) policy: Look<Option<Value>>,
}

/// An alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Alarm {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(crate) state: String,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) actions: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) missing: Option<String>,
}

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Stack {
    pub(crate) status: String,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED`, …
    pub(crate) drift: String,
    /// The parameters that change what should be there; no others are kept.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Whether AWS matches a pattern with a fixture's event, and whether we do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matched {
    pub(crate) rule: String,
    pub(crate) case: String,
    pub(crate) ours: bool,
    pub(crate) theirs: bool,
}
