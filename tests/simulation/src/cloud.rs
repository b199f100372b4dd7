//! What all functions of a world share: the models, the table, the topic, what goes wrong with calls, and a record of what happened.

use std::cell::RefCell;
use std::collections::BTreeMap;

use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::{CallFailure, EngineError, FailureCause};

use crate::clock::Clock;
use crate::ecs::Ecs;
use crate::meter::Meter;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::{Random, Refusal};

/// The account.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) clock: Clock,
    pub(crate) state: RefCell<State>,
}

/// What changes in it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) random: Random,
    pub(crate) ecs: Ecs,
    pub(crate) secrets: Secrets,
    pub(crate) store: Store,
    /// How many of a thousand calls go wrong.
    pub(crate) faulty: u64,
    /// Places among the deployments in flight are never given back: a planted bug.
    pub(crate) keeps_places: bool,
    pub(crate) record: Record,
}

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The pages that the topic took, in their order.
    pub(crate) pages: Vec<Told>,
    /// Why SNS or the chats would have refused a page: never.
    pub(crate) unpublished: Vec<String>,
    /// The deployments that we asked for and that were started, in their order.
    pub(crate) deployments: Vec<Asked>,
    /// When each call of `UpdateService` was made.
    pub(crate) updates: Vec<Timestamp>,
    /// How often each operation was called.
    pub(crate) calls: BTreeMap<&'static str, u64>,
    /// What of it is billed.
    pub(crate) meter: Meter,
    /// How often something went wrong, by what.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// The invocations that died, or of which a call of the table or the topic went wrong.
    pub(crate) disturbed: std::collections::BTreeSet<u64>,
    /// What a person reads to understand what happened; empty unless wanted.
    pub(crate) trace: Option<Vec<String>>,
}

/// A page that the topic took.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    /// The invocation's number.
    pub(crate) by: u64,
    pub(crate) key: String,
    pub(crate) page: Notification,
    /// Whether the same invocation then marked it in the ledger.
    pub(crate) marked: bool,
}

/// A deployment of ours.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) service: String,
    pub(crate) cluster: String,
    pub(crate) deployment: String,
    /// When the call began.
    pub(crate) called_at: Timestamp,
    /// The invocation's number.
    pub(crate) by: u64,
    /// Whether the answer arrived.
    pub(crate) answered: bool,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is throttled, and has no effect.
    Throttled,
    /// The service fails before it has an effect, or after.
    Internal { late: bool },
    /// There is no answer until the caller gives up; it had its effect, or not.
    Hangs { late: bool },
    /// It has its effect, and the answer is lost.
    Lost(FailureCause),
    /// It has its effect, the answer is lost, and the SDK repeats it: the second answer is the one that arrives.
    Repeated,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Internal { late: false } => "internal error, no effect",
            Self::Internal { late: true } => "internal error after the effect",
            Self::Hangs { late: false } => "hangs, no effect",
            Self::Hangs { late: true } => "hangs after the effect",
            Self::Lost(_) => "answer lost",
            Self::Repeated => "repeated",
        }
    }

    /// Whether the call has its effect.
    pub(crate) fn has_effect(self) -> bool {
        match self {
            Self::Throttled => false,
            Self::Internal { late } | Self::Hangs { late } => late,
            Self::Lost(_) | Self::Repeated => true,
        }
    }

    /// What the caller gets, as the adapter to the SDKs says it.
    pub(crate) fn error(self, service: &'static str, operation: &'static str) -> Option<EngineError> {
        let failed = |cause, code: Option<&str>| {
            let failure = CallFailure { cause, code: code.map(str::to_owned) };
            Some(EngineError::CallFailed { service, operation, failure })
        };
        let is_table = service == "dynamodb";
        let internal = if is_table { "InternalServerError" } else { "ServerException" };
        match self {
            Self::Throttled => failed(FailureCause::ServiceError, Some("ThrottlingException")),
            Self::Internal { .. } => failed(FailureCause::ServiceError, Some(internal)),
            Self::Hangs { .. } => Some(EngineError::DeadlineReached(operation)),
            Self::Lost(cause) => failed(cause, None),
            Self::Repeated => None,
        }
    }
}

impl State {
    /// What goes wrong with the next call, if anything does; `repeats` says whether the SDK would repeat it.
    pub(crate) fn fault(&mut self, repeats: bool) -> Option<Fault> {
        if !self.random.chance(self.faulty) {
            return None;
        }
        let late = self.random.chance(500);
        let fault = match self.random.below(5) {
            0 => Fault::Throttled,
            1 => Fault::Internal { late },
            2 => Fault::Hangs { late },
            3 if repeats => Fault::Repeated,
            _ => {
                let causes =
                    [FailureCause::Timeout, FailureCause::ConnectionFailed, FailureCause::ResponseUnreadable];
                let chosen = usize::try_from(self.random.below(3)).unwrap_or_default();
                Fault::Lost(causes.get(chosen).copied().unwrap_or(FailureCause::Timeout))
            }
        };
        *self.record.faults.entry(fault.name()).or_default() += 1;
        Some(fault)
    }

    /// A time of about `millis`, at least a quarter and at most four times as long.
    pub(crate) fn about(&mut self, millis: i64) -> Span {
        let bound = u64::try_from(millis * 2).unwrap_or_default();
        let scale = if self.random.chance(50) { 2 } else { 1 };
        let more = i64::try_from(self.random.below(bound)).unwrap_or_default();
        Span::from_millis((millis / 4).max(1) + more * scale)
    }
}

impl Cloud {
    /// Writes a line of the trace, if there is one.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let now = self.clock.now();
        if let Some(trace) = &mut self.state.borrow_mut().record.trace {
            trace.push(format!("{now} {}", line()));
        }
    }
}

/// An answer of a model, as the adapter to the SDKs says it.
pub(crate) fn refused<T>(
    service: &'static str,
    operation: &'static str,
    answer: Result<T, Refusal>,
) -> Result<T, EngineError> {
    answer.map_err(|refusal| {
        let failure = CallFailure { cause: FailureCause::ServiceError, code: Some(refusal.code.to_owned()) };
        EngineError::CallFailed { service, operation, failure }
    })
}
