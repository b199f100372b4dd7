//! The requests of a worker, their answers, and what a request means to the oracle.

use responder_core::notify::Notification;
use responder_core::severity::Severity;
use responder_engine::port::{
    AttributeValue, FoundItems, ItemKey, ItemPage, ItemUpdate, SortKeyRange, WriteResult,
};
use responder_engine::{CallFailure, EngineError, FailureCause};

use super::time::WORLD_START_MILLIS;
use crate::table::SimulatedTable;

/// A request of a worker.
#[derive(Clone, Debug)]
pub(super) enum WorkerRequest {
    Update(ItemUpdate),
    Get(Vec<ItemKey>),
    Query(SortKeyRange),
    /// With the incident's key.
    Publish(Notification, String),
    Sleep,
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub(super) enum WorkerAnswer {
    Written(Result<WriteResult, EngineError>),
    Got(Result<FoundItems, EngineError>),
    Items(Result<ItemPage, EngineError>),
    Sent(Result<(), EngineError>),
    Slept,
}

/// The meaning of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageMeaning {
    /// An incident is open; how much the page says, as [`urgency`].
    Open(u8),
    /// The incident is over.
    Resolved,
}

/// The meaning of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestMeaning {
    /// A claim of an incident.
    Claim,
    /// The mark that a claimed page was sent.
    Mark,
    /// The claim is given back.
    Release,
    /// A page.
    Page(PageMeaning),
    /// Any other write.
    Write,
    /// A read, or a wait.
    Read,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CallBreakage {
    /// The service says so.
    Refused,
    /// The connection breaks.
    Broken,
    /// Nothing is heard until the deadline.
    Silent,
}

impl WorkerRequest {
    pub(super) fn meaning(&self) -> RequestMeaning {
        match self {
            Self::Publish(page, _) => RequestMeaning::Page(interpret_page(page)),
            Self::Update(update) if update.set.contains_key("lease_until") => RequestMeaning::Claim,
            Self::Update(update) if update.remove.contains("lease_until") => {
                if update.set.is_empty() {
                    RequestMeaning::Release
                } else {
                    RequestMeaning::Mark
                }
            }
            Self::Update(_) => RequestMeaning::Write,
            Self::Get(_) | Self::Query(_) | Self::Sleep => RequestMeaning::Read,
        }
    }

    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Update(_) => "UpdateItem",
            Self::Get(_) => "BatchGetItem",
            Self::Query(_) => "Query",
            Self::Publish(..) => "Publish",
            Self::Sleep => "sleep",
        }
    }

    /// The effect on the table, and the answer.
    pub(super) fn perform(&self, table: &mut SimulatedTable) -> WorkerAnswer {
        match self {
            Self::Update(update) => WorkerAnswer::Written(Ok(table.update(update))),
            Self::Get(keys) => {
                WorkerAnswer::Got(Ok(FoundItems { items: table.get(keys), unprocessed_keys: Vec::new() }))
            }
            Self::Query(range) => WorkerAnswer::Items(Ok(table.query(range))),
            Self::Publish(..) => WorkerAnswer::Sent(Ok(())),
            Self::Sleep => WorkerAnswer::Slept,
        }
    }

    pub(super) fn fail(&self, failed: CallBreakage) -> WorkerAnswer {
        let (service, operation) = match self {
            Self::Publish(..) => ("sns", self.operation()),
            _ => ("dynamodb", self.operation()),
        };
        let failure = match failed {
            CallBreakage::Refused => CallFailure {
                cause: FailureCause::ServiceError,
                code: Some("InternalServerError".to_owned()),
            },
            CallBreakage::Broken => CallFailure::without_code(FailureCause::ConnectionFailed),
            CallBreakage::Silent => return self.answer_error(EngineError::DeadlineReached(operation)),
        };
        self.answer_error(EngineError::CallFailed { service, operation, failure })
    }

    fn answer_error(&self, error: EngineError) -> WorkerAnswer {
        match self {
            Self::Update(_) => WorkerAnswer::Written(Err(error)),
            Self::Get(_) => WorkerAnswer::Got(Err(error)),
            Self::Query(_) => WorkerAnswer::Items(Err(error)),
            Self::Publish(..) => WorkerAnswer::Sent(Err(error)),
            Self::Sleep => WorkerAnswer::Slept,
        }
    }

    /// The request in words.
    pub(super) fn describe(&self) -> String {
        let object = match self {
            Self::Update(update) => format!("{} {}", shorten_key(&update.key.pk), describe_changes(update)),
            Self::Get(keys) => {
                let short: Vec<String> = keys.iter().map(|key| shorten_key(&key.pk)).collect();
                short.join(" ")
            }
            Self::Query(range) => shorten_key(&range.pk),
            Self::Publish(page, _) => page.subject.clone(),
            Self::Sleep => String::new(),
        };
        let meant = match self.meaning() {
            RequestMeaning::Claim => "claim: ",
            RequestMeaning::Mark => "mark as done: ",
            RequestMeaning::Release => "give the claim back: ",
            RequestMeaning::Page(_) | RequestMeaning::Write | RequestMeaning::Read => "",
        };
        format!("{meant}{} {object}", self.operation())
    }
}

impl WorkerAnswer {
    pub(super) fn is_error(&self) -> bool {
        match self {
            Self::Written(answer) => answer.is_err(),
            Self::Got(answer) => answer.is_err(),
            Self::Items(answer) => answer.is_err(),
            Self::Sent(answer) => answer.is_err(),
            Self::Slept => false,
        }
    }
}

/// How much a page says: a page says more if it is more severe, or names more secrets by a step.
pub(super) fn urgency(severity: Severity, secrets: usize) -> u8 {
    let mut steps = 0;
    for step in [10, 20, 50] {
        steps += u8::from(secrets >= step);
    }
    severity.rank() * 8 + steps
}

impl PageMeaning {
    /// How much it says; more for a resolution, which is not compared.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Open(rank) => rank,
            Self::Resolved => Self::RESOLVED,
        }
    }

    pub(super) const RESOLVED: u8 = u8::MAX;
}

fn interpret_page(page: &Notification) -> PageMeaning {
    if page.attributes.get("state").is_some_and(|state| state == "resolved") {
        return PageMeaning::Resolved;
    }
    let severity = match page.attributes.get("severity").map(String::as_str) {
        Some("medium") => Severity::Medium,
        Some("high") => Severity::High,
        Some("critical") => Severity::Critical,
        _ => Severity::Low,
    };
    let alert: serde_json::Value = serde_json::from_str(&page.alert).unwrap_or_default();
    let secrets = alert.pointer("/payload/custom_details/counts/secrets").and_then(serde_json::Value::as_u64);
    PageMeaning::Open(urgency(severity, usize::try_from(secrets.unwrap_or_default()).unwrap_or_default()))
}

fn describe_changes(update: &ItemUpdate) -> String {
    let mut changes = Vec::new();
    for (name, value) in &update.set {
        changes.push(format!("{name}={}", describe_value(value)));
    }
    for name in &update.remove {
        changes.push(format!("-{name}"));
    }
    changes.join(" ")
}

/// A key with the first digits of its hash.
fn shorten_key(key: &str) -> String {
    match key.split_once('#') {
        Some((kind, hash)) => format!("{kind}#{}", hash.get(..6).unwrap_or(hash)),
        None => key.to_owned(),
    }
}

fn describe_value(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number)
            if (WORLD_START_MILLIS - 3_600_000..WORLD_START_MILLIS + 360_000_000).contains(number) =>
        {
            format!("{} s", (number - WORLD_START_MILLIS) / 1_000)
        }
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Set(set) => format!("{} entries", set.len()),
    }
}
