//! The record of what happened in a cloud.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::notify::Notification;
use responder_core::time::Timestamp;
use responder_engine::port::ItemKey;

use crate::usage_meter::UsageMeter;

/// A record of what happened.
#[derive(Debug, Default)]
pub struct CloudRecord {
    /// The pages that the topic took, in their order.
    pub pages: Vec<SentNotification>,
    /// Why SNS or the chats would have refused a page. A world in which that happened has a violation.
    pub unpublishable: Vec<String>,
    /// The deployments that we requested and that ECS started, in their order.
    pub deployments: Vec<ForcedDeployment>,
    /// When each call of `UpdateService` was made.
    pub update_times: Vec<Timestamp>,
    /// How often each operation was called.
    pub calls: BTreeMap<&'static str, u64>,
    /// The use of what AWS bills.
    pub meter: UsageMeter,
    /// How often something went wrong, by the name of the fault.
    pub faults: BTreeMap<&'static str, u64>,
    /// The invocations that died, or of which a call of the table or the topic went wrong.
    pub disturbed: BTreeSet<u64>,
    /// A line for each thing that happened, for a person; absent unless wanted.
    pub trace: Option<Vec<String>>,
    /// More details; absent unless wanted.
    pub journal: Option<CloudJournal>,
}

/// Details that tests of the engine look at, and worlds do not.
#[derive(Debug, Default)]
pub struct CloudJournal {
    /// The lines of the functions' logs.
    pub log_lines: Vec<String>,
    /// Every write to the table, refused or not: the key, and the bytes that the item has then.
    pub writes: Vec<(ItemKey, u64)>,
    /// The subjects of the notifications that were to go to the chats.
    pub chats: Vec<String>,
    /// The services (ARNs) of each call of `DescribeServices`.
    pub described: Vec<Vec<String>>,
}

/// A page that the topic took.
#[derive(Clone, Debug)]
pub struct SentNotification {
    /// When.
    pub at: Timestamp,
    /// The number of the invocation that sent it.
    pub by: u64,
    /// The incident's key.
    pub key: String,
    /// The page.
    pub page: Notification,
    /// Whether the same invocation then marked it as sent in the ledger.
    pub marked: bool,
}

/// A deployment that the engine forced.
#[derive(Clone, Debug)]
pub struct ForcedDeployment {
    /// The service's ARN.
    pub service: String,
    /// The cluster, as the call named it.
    pub cluster: String,
    /// The deployment's id.
    pub deployment: String,
    /// When the call began.
    pub called_at: Timestamp,
    /// The number of the invocation that made the call.
    pub by: u64,
    /// Whether the answer arrived.
    pub answered: bool,
}

impl SentNotification {
    /// An attribute of the page, such as `rule`, `severity` or `state`.
    pub fn attribute(&self, name: &str) -> &str {
        self.page.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether it opens an incident, or says that it is worse.
    pub fn is_open(&self) -> bool {
        self.attribute("state") == "open"
    }

    /// Whether it says that an incident is over.
    pub fn is_resolved(&self) -> bool {
        self.attribute("state") == "resolved"
    }
}
