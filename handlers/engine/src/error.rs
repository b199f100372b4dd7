//! Errors: what failed and what happens next. They never hold a value of an event or of a request.

use std::fmt;

use responder_core::aws::ecs_refusal::{DeploymentRefusal, classify_refusal, is_throttling};
use responder_core::text::Untrusted;

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A call failed.
    #[error("{service} {operation}: {failure}")]
    CallFailed {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// How the call failed.
        failure: CallFailure,
    },
    /// ECS refuses to deploy the service, for good or for now.
    #[error("ECS refuses to deploy the service: {}", .0.failure)]
    DeploymentRefused(RefusedCall),
    /// Another invocation holds the claim. Either it finishes, or its lease runs out.
    #[error("another invocation holds the claim")]
    ClaimHeld,
    /// The invocation has no time left for this.
    #[error("no time is left for {0}")]
    DeadlineReached(&'static str),
    /// The redeployment must wait for longer than an invocation may.
    #[error("it is too early to redeploy")]
    RedeployTooEarly,
    /// The ledger did not answer.
    #[error("the ledger could not be asked")]
    StoreUnavailable,
    /// The text is not the name of a Region, so that no call can be sent there.
    #[error("the Region has no name that a call could be sent to")]
    RegionInvalid,
    /// The answers led to more questions than an invocation asks in turn.
    #[error("the answers still led to further questions after the last round")]
    RoundsExhausted,
    /// The plan itself asks to decide again later.
    #[error("not everything could be learned")]
    RetryPlanned,
    /// The text is not an event.
    #[error("what arrived cannot be read as an event")]
    EventUnreadable,
}

impl EngineError {
    /// The error of a call of `UpdateService` that ECS answered with an error of this code and message.
    pub fn of_forced_deployment(failure: CallFailure, message: &str) -> Self {
        match failure.code.as_deref().and_then(|code| classify_refusal(code, message)) {
            Some(refusal) => {
                let message = Untrusted::new(message);
                Self::DeploymentRefused(RefusedCall { failure, refusal, message })
            }
            None => Self::CallFailed { service: "ecs", operation: "UpdateService", failure },
        }
    }

    /// Whether the call certainly changed nothing: the service refused it, or throttled it before it did anything.
    pub(crate) fn had_no_effect(&self) -> bool {
        match self {
            Self::DeploymentRefused(_) => true,
            Self::CallFailed { failure, .. } => failure.code.as_deref().is_some_and(is_throttling),
            _ => false,
        }
    }

    /// Whether there was no answer at all. The next call is then likely to get none either.
    pub(crate) fn is_missing_answer(&self) -> bool {
        use FailureCause::{ConnectionFailed, ConnectionTimeout, RequestNotSent, Timeout};
        match self {
            Self::DeadlineReached(_) => true,
            Self::CallFailed { failure, .. } => {
                matches!(failure.cause, Timeout | ConnectionTimeout | ConnectionFailed | RequestNotSent)
            }
            _ => false,
        }
    }

    /// The variant's name, for logs and for Lambda's `errorType`.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::CallFailed { .. } => "CallFailed",
            Self::DeploymentRefused(_) => "DeploymentRefused",
            Self::ClaimHeld => "ClaimHeld",
            Self::DeadlineReached(_) => "DeadlineReached",
            Self::RedeployTooEarly => "RedeployTooEarly",
            Self::StoreUnavailable => "StoreUnavailable",
            Self::RegionInvalid => "RegionInvalid",
            Self::RoundsExhausted => "RoundsExhausted",
            Self::RetryPlanned => "RetryPlanned",
            Self::EventUnreadable => "EventUnreadable",
        }
    }
}

/// How a call failed: the cause, and the service's error code if it sent one. The service's message is left out, because
/// services repeat parts of the request in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// The cause, in our own words.
    pub cause: FailureCause,
    /// The service's error code, such as `ThrottlingException`.
    pub code: Option<String>,
}

/// A call of `UpdateService` that ECS refused.
#[derive(Clone, PartialEq, Eq)]
pub struct RefusedCall {
    /// The error, without the words of ECS.
    pub failure: CallFailure,
    /// Whether a repetition may help.
    pub refusal: DeploymentRefusal,
    /// The words of ECS, for the page. They are in no log.
    pub message: Untrusted,
}

impl RefusedCall {
    /// A service that no call can be sent for.
    pub(crate) fn without_call(cause: FailureCause) -> Self {
        let failure = CallFailure::without_code(cause);
        Self { failure, refusal: DeploymentRefusal::Final, message: Untrusted::default() }
    }

    /// The error for a page: with at most 300 characters of the words of ECS.
    pub(crate) fn describe(&self) -> Untrusted {
        if self.message.is_empty() {
            return Untrusted::new(self.failure.to_string());
        }
        Untrusted::new(format!("{}: {}", self.failure, self.message.show(300)))
    }
}

impl fmt::Debug for RefusedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RefusedCall").field(&self.failure).field(&self.refusal).finish()
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// The request could not be built.
    RequestNotBuilt,
    /// There was no answer in time.
    Timeout,
    /// There was no connection in time.
    ConnectionTimeout,
    /// The connection failed.
    ConnectionFailed,
    /// The request could not be sent.
    RequestNotSent,
    /// The answer could not be read.
    ResponseUnreadable,
    /// The service answered with an error.
    ServiceError,
    /// The answer lacks the part that was requested.
    ResponseIncomplete,
    /// The service's ARN names no Region.
    RegionMissing,
    /// Something else.
    Other,
}

impl CallFailure {
    /// A failure without an error code of the service.
    pub fn without_code(cause: FailureCause) -> Self {
        Self { cause, code: None }
    }

    /// Whether the service answered with this error code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({code})", self.cause),
            None => self.cause.fmt(f),
        }
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestNotBuilt => "the request could not be built",
            Self::Timeout => "timed out",
            Self::ConnectionTimeout => "timed out while connecting",
            Self::ConnectionFailed => "the connection failed",
            Self::RequestNotSent => "the request could not be sent",
            Self::ResponseUnreadable => "the answer could not be read",
            Self::ServiceError => "refused",
            Self::ResponseIncomplete => "the answer does not hold what was asked for",
            Self::RegionMissing => "the service's ARN names no Region",
            Self::Other => "failed",
        })
    }
}

/// Makes an error code or a reason of a service safe to print: at most 64 letters, digits, dots and underscores of `text`.
pub fn sanitize_code(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')).take(64).collect()
}
