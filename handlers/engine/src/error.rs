//! Errors: what failed and what happens next. They never hold a value of an event or of a request.

use std::fmt;

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
    /// ECS will never deploy the service as requested; a repetition does not help.
    #[error("ECS refuses to deploy the service: {0}")]
    DeploymentRefused(CallFailure),
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
    /// The plan itself asks to decide again later.
    #[error("not everything could be learned")]
    RetryPlanned,
    /// The text is not an event.
    #[error("what arrived cannot be read as an event")]
    EventUnreadable,
}

impl EngineError {
    /// Whether the call certainly changed nothing: the service refused it, or throttled it before it did anything.
    pub(crate) fn had_no_effect(&self) -> bool {
        const THROTTLING_CODES: [&str; 3] = ["ThrottlingException", "Throttling", "RequestLimitExceeded"];
        match self {
            Self::DeploymentRefused(_) => true,
            Self::CallFailed { failure, .. } => THROTTLING_CODES.iter().any(|code| failure.has_code(code)),
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
