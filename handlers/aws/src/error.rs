//! Errors: what failed and what happens next; never a value of an event or of a request.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::config::ConfigError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment is not as it must be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Started by hand.
    #[error("this program is a Lambda function: AWS_LAMBDA_RUNTIME_API is not set; use `aws lambda invoke`")]
    NotLambda,
    /// The rules that are compiled in cannot be loaded; a test of the core keeps this from happening.
    #[error(transparent)]
    Rules(#[from] responder_core::rules::RulesError),
    /// A call failed.
    #[error("{service} {operation}: {failure}")]
    Call {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// How.
        failure: Failure,
    },
    /// ECS will never do this.
    #[error("ECS refuses to deploy the service: {0}")]
    Refused(Failure),
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
    /// The answer is no JSON: a mistake in this program.
    #[error("the answer cannot be written as JSON")]
    Unwritable,
}

impl Error {
    /// Whether the call certainly changed nothing: it was refused, or throttled before it was looked at.
    pub(crate) fn had_no_effect(&self) -> bool {
        const THROTTLES: [&str; 3] = ["ThrottlingException", "Throttling", "RequestLimitExceeded"];
        match self {
            Self::Refused(_) => true,
            Self::Call { failure, .. } => THROTTLES.iter().any(|code| failure.is(code)),
            _ => false,
        }
    }

    /// One word for logs and for Lambda's `errorType`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Config(_) => "Config",
            Self::NotLambda => "NotLambda",
            Self::Rules(_) => "Rules",
            Self::Call { .. } => "Call",
            Self::Refused(_) => "Refused",
            Self::Held => "Held",
            Self::Deadline(_) => "Deadline",
            Self::Early => "Early",
            Self::Unanswered => "Unanswered",
            Self::Again => "Again",
            Self::Unreadable => "Unreadable",
            Self::Unwritable => "Unwritable",
        }
    }
}

impl From<Error> for lambda_runtime::Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

/// How a call failed: the kind, and the service's error code if it sent one. Messages are left out, because services
/// repeat parts of the request in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In our own words.
    pub kind: &'static str,
    /// The code, such as `ThrottlingException`.
    pub code: Option<String>,
}

impl Failure {
    /// What is safe to say about an error of an SDK.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let kind = match error {
            SdkError::ConstructionFailure(_) => "the request could not be built",
            SdkError::TimeoutError(_) => "timed out",
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "timed out while connecting",
            SdkError::DispatchFailure(failure) if failure.is_io() => "the connection failed",
            SdkError::DispatchFailure(_) => "the request could not be sent",
            SdkError::ResponseError(_) => "the answer could not be read",
            SdkError::ServiceError(_) => "refused",
            _ => "failed",
        };
        Self { kind, code: error.code().map(word) }
    }

    /// Whether the service answered with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({code})", self.kind),
            None => f.write_str(self.kind),
        }
    }
}

/// At most 64 letters, digits and dots: what an error code or a reason consists of.
pub(crate) fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')).take(64).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::query::QueryError;

    use super::*;

    #[test]
    fn an_error_says_the_code_and_never_the_message() {
        let inner =
            ErrorMetadata::builder().code("Validation\nException<b>").message("value prod/db").build();
        let raw = HttpResponse::new(400.try_into().unwrap(), "".into());
        let error = SdkError::service_error(QueryError::generic(inner), raw);
        let failure = Failure::of(&error);
        let error = Error::Call { service: "dynamodb", operation: "Query", failure };
        assert_eq!(error.to_string(), "dynamodb Query: refused (ValidationExceptionb)");
        assert!(!format!("{error:?}").contains("prod/db"));
    }
}
