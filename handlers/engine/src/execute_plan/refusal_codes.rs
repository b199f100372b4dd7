//! The error codes with which ECS refuses a deployment for good.

use crate::error::EngineError;

/// ECS will not deploy the service, now or later (API reference of ECS: errors of `UpdateService`).
const FINAL_REFUSAL_CODES: [&str; 10] = [
    "AccessDeniedException",
    "ClusterNotFoundException",
    "InvalidParameterException",
    "ClientException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "PlatformUnknownException",
    "UnsupportedFeatureException",
    "NamespaceNotFoundException",
    "PlatformTaskDefinitionIncompatibilityException",
];

/// Turns the error of `UpdateService` into [`EngineError::DeploymentRefused`] if ECS refuses for good.
pub(super) fn recognize_refusal(error: EngineError) -> EngineError {
    match error {
        EngineError::CallFailed { failure, .. }
            if FINAL_REFUSAL_CODES.iter().any(|code| failure.has_code(code)) =>
        {
            EngineError::DeploymentRefused(failure)
        }
        error => error,
    }
}
