//! Commands inside sentences, which nothing quotes.

use crate::aws::ecs_service::EcsService;
use crate::aws::managed_daemon::ManagedDaemon;

/// An ARN that a shell takes as it stands: its author may be an attacker.
pub(super) fn format_arn_argument(arn: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    (arn.starts_with("arn:") && arn.bytes().all(is_plain)).then_some(arn)
}

/// A Region that a shell takes as it stands; else the word that a person replaces.
pub(super) fn format_region_argument(region: &str) -> &str {
    let is_plain = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_plain && !region.is_empty() { region } else { "REGION" }
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

/// Says that a managed daemon uses the secret, with the command that updates it: that drains and replaces instances, one after the
/// other, so a human decides when.
pub(super) fn describe_daemon_update(service: &EcsService, daemon: &ManagedDaemon) -> String {
    let arn = format_arn_argument(&service.arn).unwrap_or("ARN");
    let definition = format_arn_argument(&daemon.task_definition).unwrap_or("DEFINITION");
    let mut providers = Vec::new();
    for provider in &daemon.capacity_providers {
        providers.push(format_arn_argument(provider).unwrap_or("PROVIDER"));
    }
    let providers = if providers.is_empty() { "PROVIDER".to_owned() } else { providers.join(" ") };
    let region = format_region_argument(service.region_and_account().0);
    format!(
        "it is a managed daemon; an update drains and replaces its instances; start it by: aws ecs update-daemon --region {region} \
         --daemon-arn {arn} --daemon-task-definition-arn {definition} --capacity-provider-arns {providers}"
    )
}
