//! Which errors of ECS mean that it will not deploy a service, now or later.

/// Error codes of `UpdateService` that no repetition changes (API reference of ECS, `UpdateService`, "Errors").
const FINAL_CODES: [&str; 10] = [
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

/// Whether ECS refuses a forced deployment for good: a human has to act. After any other error the call is repeated.
pub fn is_final_refusal(code: &str) -> bool {
    FINAL_CODES.contains(&code)
}
