//! Errors: what failed and what happens next; never a value of an event or of a request.

use std::fmt;

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A call failed.
    #[error("{service} {operation}: {failure}")]
    Call {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// How.
        failure: CallFailure,
    },
    /// ECS will never do this.
    #[error("ECS refuses to deploy the service: {0}")]
    Refused(CallFailure),
    /// Another invocation holds the claim; its lease runs out, or it will be done.
    #[error("another invocation holds the claim")]
    Held,
    /// The invocation's time is used up.
    #[error("no time is left for {0}")]
    Deadline(&'static str),
    /// A redeploy must wait for longer than an invocation may.
    #[error("it is too early to redeploy")]
    Early,
    /// The ledger did not answer, and nobody would be told.
    #[error("the ledger could not be asked")]
    Unanswered,
    /// The plan itself asks for another look.
    #[error("not everything could be learned")]
    Again,
    /// What arrived is no event.
    #[error("what arrived cannot be read as an event")]
    Unreadable,
}

impl EngineError {
    /// Whether the call certainly changed nothing: it was refused, or throttled before it was looked at.
    pub(crate) fn had_no_effect(&self) -> bool {
        const THROTTLES: [&str; 3] = ["ThrottlingException", "Throttling", "RequestLimitExceeded"];
        match self {
            Self::Refused(_) => true,
            Self::Call { failure, .. } => THROTTLES.iter().any(|code| failure.is(code)),
            _ => false,
        }
    }

    /// Whether there was no answer at all, and waiting for another one is likely to be in vain.
    pub(crate) fn is_silence(&self) -> bool {
        use FailureCause::{Connection, ConnectionTimeout, Timeout, Unsent};
        match self {
            Self::Deadline(_) => true,
            Self::Call { failure, .. } => {
                matches!(failure.cause, Timeout | ConnectionTimeout | Connection | Unsent)
            }
            _ => false,
        }
    }

    /// One word for logs and for Lambda's `errorType`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call { .. } => "Call",
            Self::Refused(_) => "Refused",
            Self::Held => "Held",
            Self::Deadline(_) => "Deadline",
            Self::Early => "Early",
            Self::Unanswered => "Unanswered",
            Self::Again => "Again",
            Self::Unreadable => "Unreadable",
        }
    }
}

/// How a call failed: the cause, and the service's error code if it sent one. Messages are left out, because services
/// repeat parts of the request in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// In our own words.
    pub cause: FailureCause,
    /// The code, such as `ThrottlingException`.
    pub code: Option<String>,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// The request could not be built.
    Unbuilt,
    /// There was no answer in time.
    Timeout,
    /// There was no connection in time.
    ConnectionTimeout,
    /// The connection failed.
    Connection,
    /// The request could not be sent.
    Unsent,
    /// The answer could not be read.
    Unreadable,
    /// The service answered with an error.
    Refused,
    /// What was asked for is not in the answer.
    Empty,
    /// The service's ARN names no Region.
    NoRegion,
    /// Something else.
    Other,
}

impl CallFailure {
    /// A failure that the service said nothing about.
    pub fn of(cause: FailureCause) -> Self {
        Self { cause, code: None }
    }

    /// Whether the service answered with this code.
    pub fn is(&self, code: &str) -> bool {
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
            Self::Unbuilt => "the request could not be built",
            Self::Timeout => "timed out",
            Self::ConnectionTimeout => "timed out while connecting",
            Self::Connection => "the connection failed",
            Self::Unsent => "the request could not be sent",
            Self::Unreadable => "the answer could not be read",
            Self::Refused => "refused",
            Self::Empty => "the answer does not hold what was asked for",
            Self::NoRegion => "the service's ARN names no Region",
            Self::Other => "failed",
        })
    }
}

/// At most 64 letters, digits and dots: what an error code or a reason consists of.
pub fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')).take(64).collect()
}
