//! Errors: of the function itself, and what is safe to say about those of the SDKs.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use responder_engine::{CallFailure, FailureCause, word};

use crate::config::ConfigError;

/// Why the function cannot start, or why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The environment is not as it must be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Started by hand.
    #[error("this program is a Lambda function: AWS_LAMBDA_RUNTIME_API is not set; use `aws lambda invoke`")]
    NotLambda,
    /// The rules that are compiled in cannot be loaded; a test of the core keeps this from happening.
    #[error(transparent)]
    Rules(#[from] responder_core::rules::RulesError),
    /// The event could not be answered.
    #[error(transparent)]
    Event(#[from] responder_engine::EngineError),
    /// The answer is no JSON: a mistake in this program.
    #[error("the answer cannot be written as JSON")]
    Unwritable,
}

impl FunctionError {
    /// One word for Lambda's `errorType`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Config(_) => "Config",
            Self::NotLambda => "NotLambda",
            Self::Rules(_) => "Rules",
            Self::Event(error) => error.name(),
            Self::Unwritable => "Unwritable",
        }
    }
}

impl From<FunctionError> for lambda_runtime::Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

/// The error of a call, as the engine knows it.
pub(crate) fn failed<E: ProvideErrorMetadata>(
    service: &'static str,
    operation: &'static str,
    error: &SdkError<E>,
) -> responder_engine::EngineError {
    responder_engine::EngineError::CallFailed { service, operation, failure: failure(error) }
}

/// The error of a call whose request lacks something.
pub(crate) fn unbuilt(
    service: &'static str,
    operation: &'static str,
) -> impl FnOnce(BuildError) -> responder_engine::EngineError {
    move |_| responder_engine::EngineError::CallFailed {
        service,
        operation,
        failure: CallFailure::without_code(FailureCause::RequestNotBuilt),
    }
}

fn failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> CallFailure {
    let cause = match error {
        SdkError::ConstructionFailure(_) => FailureCause::RequestNotBuilt,
        SdkError::TimeoutError(_) => FailureCause::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => FailureCause::ConnectionTimeout,
        SdkError::DispatchFailure(failure) if failure.is_io() => FailureCause::ConnectionFailed,
        SdkError::DispatchFailure(_) => FailureCause::RequestNotSent,
        SdkError::ResponseError(_) => FailureCause::ResponseUnreadable,
        SdkError::ServiceError(_) => FailureCause::ServiceError,
        _ => FailureCause::Other,
    };
    CallFailure { cause, code: error.code().map(word) }
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
        let error = failed("dynamodb", "Query", &error);
        assert_eq!(error.to_string(), "dynamodb Query: refused (ValidationExceptionb)");
        assert!(!format!("{error:?}").contains("prod/db"));
    }
}
