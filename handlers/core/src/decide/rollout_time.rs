//! How long a deployment of a service may take: its own business. Its tag says it, or else its deployment configuration and
//! the settings.

use crate::aws::ecs_service::EcsService;
use crate::aws::service_tags::ServiceTags;
use crate::settings::Settings;
use crate::time::Span;

/// How long a deployment of the service may take before it counts as one that does not end: a person may take as long as the
/// pause hooks wait.
pub(super) fn rollout_timeout(service: &EcsService, tags: &ServiceTags, settings: &Settings) -> Span {
    let approval = service.deployment_configuration.pause_hook_timeout.unwrap_or_default();
    tags.rollout.unwrap_or_else(|| timeout_without_approval(service, tags, settings).plus(approval))
}

/// How long a deployment of the service may take that nobody has to approve.
pub(super) fn timeout_without_approval(
    service: &EcsService,
    tags: &ServiceTags,
    settings: &Settings,
) -> Span {
    let waiting = service.deployment_configuration.waiting_time();
    tags.rollout.unwrap_or_else(|| settings.rollout_timeout.plus(waiting))
}

/// How long a healthy deployment of the service takes without anybody's approval, if the service says that it waits: until
/// then nobody is notified that it goes on.
pub(super) fn expected_duration(
    service: &EcsService,
    tags: &ServiceTags,
    settings: &Settings,
) -> Option<Span> {
    let waits = service.deployment_configuration.waiting_time() != Span::default();
    if tags.rollout.is_none() && (!waits || service.is_paused_at_hook()) {
        return None;
    }
    Some(timeout_without_approval(service, tags, settings))
}
