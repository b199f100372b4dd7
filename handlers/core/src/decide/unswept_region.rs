//! Regions that no sweep examines, and in which services use a changed secret.

use super::change_index::ChangeIndex;
use super::plan_builder::PlanBuilder;
use crate::aws::ecs_service::EcsService;
use crate::aws::location::Location;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::facts::Settings;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::rules::Response;
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;

/// Notifies of the Region of a changed secret or replica, if no sweep examines it and services there use the secret: a change there
/// whose event is lost is never found.
pub(super) fn notify_unswept_region(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    secret: &SecretRef,
) {
    let settings = &builder.facts.settings;
    if !is_unswept(settings, secret) {
        return;
    }
    let change = SecretChange { secret: secret.clone(), at: builder.event().time, version: None };
    let changes = ChangeIndex::new(vec![change]);
    let mut services = builder.facts.services.iter().flatten();
    let is_there = |service: &EcsService| service.region_and_account().0 == secret.region;
    if !services.any(|service| is_there(service) && changes.are_used_by(service, settings)) {
        return;
    }
    let region = Untrusted::new(&*secret.region).show(32);
    let what = format!(
        "no sweep looks at {region}: a change there whose event is lost is never found; add it to REGIONS, the parameter Regions"
    );
    let details = vec![IncidentDetail { kind: DetailKind::NotSwept, value: Untrusted::new(what) }];
    builder.add_event_incident(response, &unswept_subject(secret), details);
}

/// The key of the incident about the Region of a secret; `None` if a sweep examines it, or nobody knows.
pub(super) fn unswept_incident_key(
    settings: &Settings,
    response: &Response,
    secret: &SecretRef,
) -> Option<String> {
    if !is_unswept(settings, secret) {
        return None;
    }
    Some(incident_key(response, &unswept_subject(secret)))
}

fn is_unswept(settings: &Settings, secret: &SecretRef) -> bool {
    settings.is_swept(&secret.region) == Some(false)
}

fn unswept_subject(secret: &SecretRef) -> String {
    format!("{} unswept", Location::new(&secret.account, &secret.region))
}
