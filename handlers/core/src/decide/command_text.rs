//! Commands inside sentences, which nothing quotes.

use crate::aws::ecs_service::EcsService;

/// An ARN that a shell takes as it stands: its author may be an attacker.
pub(super) fn format_arn_argument(arn: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    (arn.starts_with("arn:") && arn.bytes().all(is_plain)).then_some(arn)
}

/// Describes a deployment that goes on, with the command that continues it where it waits for a person.
pub(super) fn describe_ongoing_deployment(service: &EcsService) -> String {
    let doing = service.describe_progress();
    let waits = service.is_paused_at_hook() || service.deployment_configuration.has_pause_hook();
    if !waits {
        return doing;
    }
    let arn = service.service_deployment.as_deref().and_then(format_arn_argument).unwrap_or("ARN");
    format!("{doing}; aws ecs continue-service-deployment --service-deployment-arn {arn} --hook-id ID")
}
