//! An account as it was observed: plain data, gathered once, that the checks decide about. It can be written to a file and checked
//! again elsewhere: the names of the fields are the keys of that file.

use std::collections::BTreeMap;

use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws_session::CallResult;

/// One account, as it was observed at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountSnapshot {
    /// The prefix of the installation's names.
    pub(crate) prefix: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account's id.
    pub(crate) account: String,
    /// The Region of the responder.
    pub(crate) home: String,
    /// When it was observed.
    pub(crate) at: Timestamp,
    /// The Regions, by name.
    pub(crate) regions: BTreeMap<String, RegionSnapshot>,
    /// The answers of AWS's own matcher, by rule and case.
    pub(crate) matched: Inspection<Vec<MatcherComparison>>,
}

/// Something that could be inspected, or the reason why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Inspection<T> {
    /// It was seen.
    Seen(T),
    /// It was not seen, because a call failed: the call and its error code.
    Unseen(String),
}

impl<T> Inspection<T> {
    /// The thing that was seen, if it was.
    pub(crate) fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(seen) => Some(seen),
            Self::Unseen(_) => None,
        }
    }
}

impl<T: Default> Default for Inspection<T> {
    fn default() -> Self {
        Self::Seen(T::default())
    }
}

impl<T> From<CallResult<T>> for Inspection<T> {
    fn from(answer: CallResult<T>) -> Self {
        match answer {
            Ok(seen) => Self::Seen(seen),
            Err(error) => Self::Unseen(error.to_string()),
        }
    }
}

/// One Region, as it was observed. Resources of other owners are left out: rules, queues, functions, alarms and topics are recognised
/// by the prefix of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RegionSnapshot {
    /// The trails that record here, shadow trails of an organization included.
    pub(crate) trails: Inspection<Vec<ObservedTrail>>,
    /// The rules of the default bus, by name.
    pub(crate) rules: Inspection<BTreeMap<String, ObservedRule>>,
    /// The policy of the default bus.
    pub(crate) bus: Inspection<Option<Value>>,
    /// The queues, by name.
    pub(crate) queues: Inspection<BTreeMap<String, ObservedQueue>>,
    /// The functions, by name.
    pub(crate) functions: Inspection<BTreeMap<String, ObservedFunction>>,
    /// The ledger, if there is one.
    pub(crate) table: Inspection<Option<ObservedTable>>,
    /// The topics, by name.
    pub(crate) topics: Inspection<BTreeMap<String, ObservedTopic>>,
    /// The customer-managed keys of the topics, by the id under which the topics name them.
    pub(crate) keys: Inspection<BTreeMap<String, ObservedKey>>,
    /// Our alarms, and all alarms on metrics of Secrets Manager, by name.
    pub(crate) alarms: Inspection<BTreeMap<String, ObservedAlarm>>,
    /// When the last heartbeat was counted, by the alarm that waits for it.
    pub(crate) heartbeats: Inspection<BTreeMap<String, Timestamp>>,
    /// Our stacks, by name.
    pub(crate) stacks: Inspection<BTreeMap<String, ObservedStack>>,
}

/// A trail (`DescribeTrails`, `GetTrailStatus`, `GetEventSelectors`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedTrail {
    pub(crate) arn: String,
    pub(crate) home: String,
    pub(crate) multi_region: bool,
    pub(crate) organization: bool,
    pub(crate) validated: bool,
    pub(crate) logging: Inspection<bool>,
    pub(crate) delivery_error: Option<String>,
    pub(crate) selectors: Inspection<TrailSelectors>,
}

/// The event selectors of a trail: basic or advanced ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrailSelectors {
    pub(crate) basic: Vec<BasicTrailSelector>,
    /// Each is a list of conditions that must all hold.
    pub(crate) advanced: Vec<Vec<TrailFieldSelector>>,
}

/// A basic event selector of a trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicTrailSelector {
    pub(crate) management: bool,
    /// `All`, `ReadOnly` or `WriteOnly`.
    pub(crate) read_write: String,
}

/// One condition of an advanced event selector of a trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrailFieldSelector {
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
pub(crate) struct ObservedRule {
    pub(crate) arn: String,
    pub(crate) state: String,
    /// The pattern's text; absent for a schedule.
    pub(crate) pattern: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) targets: Inspection<Vec<ObservedTarget>>,
}

/// A rule's target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedTarget {
    pub(crate) arn: String,
    pub(crate) role: Option<String>,
    pub(crate) dlq: Option<String>,
    pub(crate) max_age: Option<i64>,
    pub(crate) max_attempts: Option<i64>,
}

/// A queue (`GetQueueAttributes`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedQueue {
    pub(crate) arn: String,
    pub(crate) visibility: i64,
    pub(crate) delay: i64,
    pub(crate) retention: i64,
    pub(crate) encrypted: bool,
    pub(crate) key: Option<String>,
    pub(crate) dlq: Option<String>,
    pub(crate) max_receives: Option<i64>,
    pub(crate) policy: Option<Value>,
    /// How many messages are in it.
    pub(crate) depth: i64,
}

/// A function with the mappings that feed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedFunction {
    pub(crate) arn: String,
    /// `Active`, `Failed`, …
    pub(crate) state: String,
    pub(crate) timeout: i64,
    /// The variables that the functions read. No others are kept: somebody may have put a secret there.
    pub(crate) environment: BTreeMap<String, String>,
    /// The reserved concurrency, if there is one.
    pub(crate) reserved: Option<i64>,
    pub(crate) mappings: Inspection<Vec<ObservedMapping>>,
}

/// An event source mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedMapping {
    pub(crate) source: String,
    /// `Enabled`, `Disabled`, …
    pub(crate) state: String,
    /// Whether single messages of a batch may fail (`ReportBatchItemFailures`).
    pub(crate) partial: bool,
}

/// The ledger's table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedTable {
    pub(crate) status: String,
    pub(crate) protected: bool,
    /// The attribute by which items expire, if they do.
    pub(crate) ttl: Option<String>,
    pub(crate) recovery: bool,
}

/// A topic (`GetTopicAttributes`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedTopic {
    pub(crate) arn: String,
    pub(crate) key: Option<String>,
    pub(crate) policy: Option<Value>,
    pub(crate) subscriptions: Inspection<Vec<ObservedSubscription>>,
}

/// A subscription of a topic. Its endpoint is somebody's address and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedSubscription {
    pub(crate) protocol: String,
    pub(crate) confirmed: bool,
}

/// A customer-managed key (`DescribeKey`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedKey {
    pub(crate) enabled: bool,
    pub(crate) policy: Inspection<Option<Value>>,
}

/// An alarm (`DescribeAlarms`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedAlarm {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub(crate) state: String,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) actions: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) missing: Option<String>,
}

/// A stack (`DescribeStacks`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObservedStack {
    pub(crate) status: String,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED`, …
    pub(crate) drift: String,
    /// The parameters that change which resources there should be. No others are kept.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Whether AWS's matcher matches a pattern with the event of a fixture, and whether ours does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatcherComparison {
    pub(crate) rule: String,
    pub(crate) case: String,
    pub(crate) ours: bool,
    pub(crate) theirs: bool,
}
