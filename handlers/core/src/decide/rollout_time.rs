//! How long a deployment of a service may take: its own business. Its tag says it, or else its deployment configuration and
//! the settings.

use crate::aws::ecs_service::EcsService;
use crate::aws::service_tags::ServiceTags;
use crate::settings::Settings;
use crate::time::Span;

/// How long a deployment of the service may take before it counts as one that does not end.
pub(super) fn rollout_timeout(service: &EcsService, tags: &ServiceTags, settings: &Settings) -> Span {
    let configuration = &service.deployment_configuration;
    let by_configuration =
        configuration.waiting_time().plus(configuration.pause_hook_timeout.unwrap_or_default());
    tags.rollout.unwrap_or_else(|| settings.rollout_timeout.plus(by_configuration))
}

/// How long a healthy deployment of the service takes without anybody's approval, if the service says that it waits: until
/// then nobody is notified that it goes on.
pub(super) fn expected_duration(
    service: &EcsService,
    tags: &ServiceTags,
    settings: &Settings,
) -> Option<Span> {
    if tags.rollout.is_some() {
        return tags.rollout;
    }
    let waiting = service.deployment_configuration.waiting_time();
    if waiting == Span::default() || service.is_paused_at_hook() {
        return None;
    }
    Some(settings.rollout_timeout.plus(waiting))
}
