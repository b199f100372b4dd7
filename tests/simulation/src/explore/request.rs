//! What a worker asks the world for, what it is answered, and what a request means to the oracle.

use responder_core::notify::Notification;
use responder_engine::port::{
    AttributeValue, FoundItems, ItemKey, ItemPage, ItemUpdate, SortKeyRange, WriteResult,
};
use responder_engine::{CallFailure, EngineError, FailureCause};

use super::scene::START;
use crate::store::Store;

/// A request of a worker.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Update(ItemUpdate),
    Get(Vec<ItemKey>),
    Query(SortKeyRange),
    /// With the incident's key.
    Publish(Notification, String),
    Sleep,
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Written(Result<WriteResult, EngineError>),
    Got(Result<FoundItems, EngineError>),
    Items(Result<ItemPage, EngineError>),
    Sent(Result<(), EngineError>),
    Slept,
}

/// What a page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// That an incident is open, and how urgent it is: 1 to 4.
    Open(u8),
    /// That it is over.
    Resolved,
}

/// What a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A claim of an incident.
    Claim,
    /// The mark that what was claimed is done.
    Mark,
    /// The claim is given back.
    Release,
    /// A page.
    Page(Tells),
    /// Another write.
    Write,
    /// A read, or a rest.
    Read,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Failed {
    /// The service says so.
    Refused,
    /// The connection breaks.
    Broken,
    /// Nothing is heard until the deadline.
    Silent,
}

impl Request {
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Publish(page, _) => Meaning::Page(tells(page)),
            Self::Update(update) if update.set.contains_key("lease_until") => Meaning::Claim,
            Self::Update(update) if update.remove.contains("lease_until") => {
                if update.set.is_empty() {
                    Meaning::Release
                } else {
                    Meaning::Mark
                }
            }
            Self::Update(_) => Meaning::Write,
            Self::Get(_) | Self::Query(_) | Self::Sleep => Meaning::Read,
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
    pub(super) fn perform(&self, table: &mut Store) -> Answer {
        match self {
            Self::Update(update) => Answer::Written(Ok(table.update(update))),
            Self::Get(keys) => {
                Answer::Got(Ok(FoundItems { items: table.get(keys), unprocessed_keys: Vec::new() }))
            }
            Self::Query(range) => Answer::Items(Ok(table.query(range))),
            Self::Publish(..) => Answer::Sent(Ok(())),
            Self::Sleep => Answer::Slept,
        }
    }

    pub(super) fn fail(&self, failed: Failed) -> Answer {
        let (service, operation) = match self {
            Self::Publish(..) => ("sns", self.operation()),
            _ => ("dynamodb", self.operation()),
        };
        let failure = match failed {
            Failed::Refused => CallFailure {
                cause: FailureCause::ServiceError,
                code: Some("InternalServerError".to_owned()),
            },
            Failed::Broken => CallFailure::without_code(FailureCause::ConnectionFailed),
            Failed::Silent => return self.wrong(EngineError::DeadlineReached(operation)),
        };
        self.wrong(EngineError::CallFailed { service, operation, failure })
    }

    fn wrong(&self, error: EngineError) -> Answer {
        match self {
            Self::Update(_) => Answer::Written(Err(error)),
            Self::Get(_) => Answer::Got(Err(error)),
            Self::Query(_) => Answer::Items(Err(error)),
            Self::Publish(..) => Answer::Sent(Err(error)),
            Self::Sleep => Answer::Slept,
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        let what = match self {
            Self::Update(update) => {
                let set = update.set.iter().map(|(name, value)| format!("{name}={}", shown(value)));
                let removed = update.remove.iter().map(|name| format!("-{name}"));
                let changes: Vec<String> = set.chain(removed).collect();
                format!("{} {}", short(&update.key.pk), changes.join(" "))
            }
            Self::Get(keys) => keys.iter().map(|key| short(&key.pk)).collect::<Vec<_>>().join(" "),
            Self::Query(range) => short(&range.pk),
            Self::Publish(page, _) => page.subject.clone(),
            Self::Sleep => String::new(),
        };
        let meant = match self.meaning() {
            Meaning::Claim => "claim: ",
            Meaning::Mark => "mark as done: ",
            Meaning::Release => "give the claim back: ",
            Meaning::Page(_) | Meaning::Write | Meaning::Read => "",
        };
        format!("{meant}{} {what}", self.operation())
    }
}

impl Answer {
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

impl Tells {
    /// How urgent it is, 1 to 4; more for a resolution, which is not compared.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Open(rank) => rank,
            Self::Resolved => Self::RESOLVED,
        }
    }

    pub(super) const RESOLVED: u8 = 5;
}

fn tells(page: &Notification) -> Tells {
    let attribute = |name| page.attributes.get(name).map(String::as_str);
    match (attribute("state"), attribute("severity")) {
        (Some("resolved"), _) => Tells::Resolved,
        (_, Some("medium")) => Tells::Open(2),
        (_, Some("high")) => Tells::Open(3),
        (_, Some("critical")) => Tells::Open(4),
        _ => Tells::Open(1),
    }
}

/// Hashes are long.
fn short(key: &str) -> String {
    match key.split_once('#') {
        Some((kind, hash)) => format!("{kind}#{}", hash.get(..6).unwrap_or(hash)),
        None => key.to_owned(),
    }
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) if (START - 3_600_000..START + 360_000_000).contains(number) => {
            format!("{} s", (number - START) / 1_000)
        }
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Set(set) => format!("{} entries", set.len()),
    }
}
