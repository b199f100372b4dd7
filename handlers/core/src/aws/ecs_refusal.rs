//! Errors of `UpdateService` that certainly had no effect: throttled calls, refusals that no repetition changes, and
//! refusals that may pass.

/// How ECS refused to start a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentRefusal {
    /// No repetition changes it: a human has to act.
    Final,
    /// It may pass by itself, or its reason is not known: a human is notified, and the call is repeated after the cooldown.
    Passing,
}

/// Error codes of `UpdateService` that no repetition changes (API reference of ECS, `UpdateService`, "Errors").
const FINAL_CODES: [&str; 8] = [
    "AccessDeniedException",
    "ClusterNotFoundException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "PlatformUnknownException",
    "UnsupportedFeatureException",
    "NamespaceNotFoundException",
    "PlatformTaskDefinitionIncompatibilityException",
];

/// Error codes that stand for many reasons: the message tells whether the refusal is final.
const CODES_WITH_MANY_REASONS: [&str; 2] = ["InvalidParameterException", "ClientException"];

/// Texts of these errors, in lower case, that no repetition changes. Each is quoted in public reports:
///
/// - "Cannot force a new deployment on services with a `CODE_DEPLOY` deployment controller. Use AWS CodeDeploy to trigger
///   a new deployment.", and the same for `EXTERNAL`;
/// - "`TaskDefinition` is inactive", "The specified task definition is inactive. Specify an active task definition".
///
/// Other texts pass: "5 active deployments exist, unable to create new deployment" is over when old tasks have stopped.
const FINAL_TEXTS: [&str; 3] =
    ["deployment controller", "taskdefinition is inactive", "task definition is inactive"];

/// Error codes of calls that ECS throttled before they did anything.
const THROTTLING_CODES: [&str; 4] =
    ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"];

/// How ECS refused a forced deployment, by the code and the message of its error. `None` if the error is no refusal: it was
/// throttled or failed, and the call is repeated.
pub fn classify_refusal(code: &str, message: &str) -> Option<DeploymentRefusal> {
    if FINAL_CODES.contains(&code) {
        return Some(DeploymentRefusal::Final);
    }
    if !CODES_WITH_MANY_REASONS.contains(&code) {
        return None;
    }
    let message = message.to_lowercase();
    let is_final = FINAL_TEXTS.iter().any(|text| message.contains(text));
    Some(if is_final { DeploymentRefusal::Final } else { DeploymentRefusal::Passing })
}

/// Whether ECS throttled a call, which then had no effect.
pub fn is_throttling(code: &str) -> bool {
    THROTTLING_CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_texts_of_codes_with_many_reasons_are_final() {
        let controller = "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. \
                          Use AWS CodeDeploy to trigger a new deployment.";
        let table = [
            ("InvalidParameterException", controller, Some(DeploymentRefusal::Final)),
            ("InvalidParameterException", "TaskDefinition is inactive", Some(DeploymentRefusal::Final)),
            ("ClientException", "The specified task definition is inactive.", Some(DeploymentRefusal::Final)),
            (
                "InvalidParameterException",
                "5 active deployments exist, unable to create new deployment.",
                Some(DeploymentRefusal::Passing),
            ),
            (
                "ClientException",
                "Unable to assume the service linked role.",
                Some(DeploymentRefusal::Passing),
            ),
            ("ClientException", "", Some(DeploymentRefusal::Passing)),
            ("ServiceNotFoundException", "5 active deployments exist", Some(DeploymentRefusal::Final)),
            ("AccessDeniedException", "", Some(DeploymentRefusal::Final)),
            ("ThrottlingException", "Rate exceeded", None),
            ("TooManyRequestsException", "", None),
            ("ServerException", "Service Unavailable.", None),
        ];
        for (code, message, refusal) in table {
            assert_eq!(classify_refusal(code, message), refusal, "{code}: {message}");
        }
        assert!(is_throttling("TooManyRequestsException") && !is_throttling("ClientException"));
    }
}
