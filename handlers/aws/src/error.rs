//! Errors of the function itself, and what is safe to say about those of the SDKs.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use responder_engine::{CallFailure, EngineError, FailureCause, sanitize_code};

use crate::config::ConfigError;

/// Why the function cannot start, or why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The environment variables are wrong.
    #[error(transparent)]
    InvalidConfig(#[from] ConfigError),
    /// The program was not started by Lambda.
    #[error("this program is a Lambda function: AWS_LAMBDA_RUNTIME_API is not set; use `aws lambda invoke`")]
    NotLambda,
    /// The rules that are compiled in cannot be loaded. A test of the core keeps this from happening.
    #[error(transparent)]
    InvalidRules(#[from] responder_core::rules::RulesError),
    /// The event could not be answered.
    #[error(transparent)]
    EventFailed(#[from] EngineError),
    /// The answer cannot be written as JSON: a mistake in this program.
    #[error("the answer cannot be written as JSON")]
    AnswerUnwritable,
}

impl FunctionError {
    /// The variant's name, for Lambda's `errorType`; of a failed event, that of the engine's error.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::InvalidConfig(_) => "InvalidConfig",
            Self::NotLambda => "NotLambda",
            Self::InvalidRules(_) => "InvalidRules",
            Self::EventFailed(error) => error.error_type(),
            Self::AnswerUnwritable => "AnswerUnwritable",
        }
    }
}

impl From<FunctionError> for lambda_runtime::Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}

/// The error of a call, as the engine knows it.
pub(crate) fn call_failed<E: ProvideErrorMetadata>(
    service: &'static str,
    operation: &'static str,
    error: &SdkError<E>,
) -> EngineError {
    EngineError::CallFailed { service, operation, failure: call_failure(error) }
}

/// The error of a call of `UpdateService`.
pub(crate) fn forced_deployment_failed<E: ProvideErrorMetadata>(error: &SdkError<E>) -> EngineError {
    EngineError::of_forced_deployment(call_failure(error), error.message().unwrap_or_default())
}

fn call_failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> CallFailure {
    CallFailure { cause: failure_cause(error), code: error.code().map(sanitize_code) }
}

/// The error of a call whose request lacks a part.
pub(crate) fn request_not_built(service: &'static str, operation: &'static str) -> EngineError {
    let failure = CallFailure::without_code(FailureCause::RequestNotBuilt);
    EngineError::CallFailed { service, operation, failure }
}

fn failure_cause<E>(error: &SdkError<E>) -> FailureCause {
    match error {
        SdkError::ConstructionFailure(_) => FailureCause::RequestNotBuilt,
        SdkError::TimeoutError(_) => FailureCause::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => FailureCause::ConnectionTimeout,
        SdkError::DispatchFailure(failure) if failure.is_io() => FailureCause::ConnectionFailed,
        SdkError::DispatchFailure(_) => FailureCause::RequestNotSent,
        SdkError::ResponseError(_) => FailureCause::ResponseUnreadable,
        SdkError::ServiceError(_) => FailureCause::ServiceError,
        _ => FailureCause::Other,
    }
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
        let error = call_failed("dynamodb", "Query", &error);
        assert_eq!(error.to_string(), "dynamodb Query: refused (ValidationExceptionb)");
        assert!(!format!("{error:?}").contains("prod/db"));
    }
}
