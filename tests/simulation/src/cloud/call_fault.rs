//! Faults of calls: planned for a call by its number, for a whole service, or by chance.

use std::collections::BTreeMap;

use responder_engine::{CallFailure, EngineError, FailureCause};

use crate::random::SeededRandom;

/// A fault of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// It is throttled, and has no effect.
    Throttled,
    /// The caller's role does not allow it, and it has no effect.
    Denied,
    /// It does not reach the service.
    Unreachable(FailureCause),
    /// The service fails, before the effect or after it.
    Internal {
        /// Whether the call has its effect.
        late: bool,
    },
    /// There is no answer until the caller gives up.
    Hangs {
        /// Whether the call has its effect.
        late: bool,
    },
    /// It has its effect, and the answer is lost.
    AnswerLost(FailureCause),
    /// It has its effect, the answer is lost, and the SDK repeats it: the second answer is the one that arrives.
    Repeated,
    /// The process dies before the call has its effect.
    DiesBefore,
    /// The process dies after the call had its effect.
    DiesAfter,
}

impl CallFault {
    /// A name for traces and statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Unreachable(_) => "unreachable",
            Self::Internal { late: false } => "internal error, no effect",
            Self::Internal { late: true } => "internal error after the effect",
            Self::Hangs { late: false } => "hangs, no effect",
            Self::Hangs { late: true } => "hangs after the effect",
            Self::AnswerLost(_) => "answer lost",
            Self::Repeated => "repeated",
            Self::DiesBefore => "dies before the effect",
            Self::DiesAfter => "dies after the effect",
        }
    }

    /// Whether the call has its effect.
    pub(super) fn has_effect(self) -> bool {
        match self {
            Self::Throttled | Self::Denied | Self::Unreachable(_) | Self::DiesBefore => false,
            Self::Internal { late } | Self::Hangs { late } => late,
            Self::AnswerLost(_) | Self::Repeated | Self::DiesAfter => true,
        }
    }

    /// Whether the process of the caller dies.
    pub(super) fn is_death(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }

    /// The error that the caller gets, as the adapter to the SDKs says it; `None` if it gets an answer, or nothing at all.
    pub(super) fn to_error(self, service: &'static str, operation: &'static str) -> Option<EngineError> {
        let internal = if service == "dynamodb" { "InternalServerError" } else { "ServerException" };
        let failure = match self {
            Self::Throttled => refuse_with_code("ThrottlingException"),
            Self::Denied => refuse_with_code("AccessDeniedException"),
            Self::Internal { .. } => refuse_with_code(internal),
            Self::Unreachable(cause) | Self::AnswerLost(cause) => CallFailure::without_code(cause),
            Self::Hangs { .. } => return Some(EngineError::DeadlineReached(operation)),
            Self::Repeated | Self::DiesBefore | Self::DiesAfter => return None,
        };
        Some(EngineError::CallFailed { service, operation, failure })
    }
}

/// The failure of a call that the service refused with this code.
pub(super) fn refuse_with_code(code: &str) -> CallFailure {
    CallFailure { cause: FailureCause::ServiceError, code: Some(code.to_owned()) }
}

/// The faults of calls.
#[derive(Clone, Debug, Default)]
pub struct CallFaults {
    /// How many of a thousand calls go wrong by chance.
    pub per_mille: u64,
    /// How many of the next `BatchGetItem` leave all keys but one, as a busy table does.
    pub busy_reads: u64,
    planned: BTreeMap<u64, CallFault>,
    next_by_operation: BTreeMap<&'static str, CallFault>,
    by_service: BTreeMap<&'static str, CallFault>,
    calls: u64,
}

impl CallFaults {
    /// Plans the fault of one call by its number: the first call of the cloud is number 0.
    pub fn plan(&mut self, call: u64, fault: CallFault) {
        self.planned.insert(call, fault);
    }

    /// Plans the fault of the next call of an operation, such as `UpdateService`.
    pub fn plan_for_next(&mut self, operation: &'static str, fault: CallFault) {
        self.next_by_operation.insert(operation, fault);
    }

    /// From now on, every call of a service (`dynamodb`, `ecs`, `secretsmanager` or `sns`) has this fault, or none.
    pub fn set_for_service(&mut self, service: &'static str, fault: Option<CallFault>) {
        match fault {
            Some(fault) => self.by_service.insert(service, fault),
            None => self.by_service.remove(service),
        };
    }

    /// How many calls there were.
    pub fn count_calls(&self) -> u64 {
        self.calls
    }

    /// The fault of the next call, if it has one. `repeats`: whether the SDK would repeat it after a lost answer.
    ///
    /// 1. A fault that is planned for this call.
    /// 2. One that is planned for the next call of its operation.
    /// 3. The fault of its service.
    /// 4. One by chance.
    pub(super) fn draw(
        &mut self,
        service: &str,
        operation: &str,
        repeats: bool,
        random: &mut SeededRandom,
    ) -> Option<CallFault> {
        let number = self.calls;
        self.calls += 1;
        // 1.
        if let Some(planned) = self.planned.get(&number) {
            return Some(*planned);
        }
        // 2.
        if let Some(planned) = self.next_by_operation.remove(operation) {
            return Some(planned);
        }
        // 3.
        if let Some(fault) = self.by_service.get(service) {
            return Some(*fault);
        }
        // 4.
        if random.chance(self.per_mille) { Some(draw_fault(repeats, random)) } else { None }
    }

    /// Whether the next `BatchGetItem` leaves keys, because the table is busy; uses it up.
    pub(super) fn take_busy_read(&mut self) -> bool {
        let is_busy = self.busy_reads > 0;
        self.busy_reads = self.busy_reads.saturating_sub(1);
        is_busy
    }
}

fn draw_fault(repeats: bool, random: &mut SeededRandom) -> CallFault {
    let late = random.chance(500);
    match random.below(5) {
        0 => CallFault::Throttled,
        1 => CallFault::Internal { late },
        2 => CallFault::Hangs { late },
        3 if repeats => CallFault::Repeated,
        _ => CallFault::AnswerLost(match random.below(3) {
            0 => FailureCause::Timeout,
            1 => FailureCause::ConnectionFailed,
            _ => FailureCause::ResponseUnreadable,
        }),
    }
}
