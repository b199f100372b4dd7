//! Invalid tags of services that use none of the changed secrets, as far as ECS shows. Such a service may read a secret by
//! itself, and its tags may have been meant to say so.

use std::collections::{BTreeMap, BTreeSet};

use super::plan_builder::PlanBuilder;
use crate::aws::ecs_service::{EcsService, ServiceStatus};
use crate::aws::location::Location;
use crate::aws::service_tags::ServiceTags;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::hash::hash_parts;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::question::Question;
use crate::rules::Response;
use crate::text::Untrusted;

/// Whether discovery has to keep a service that uses none of the changed secrets, because of its tags.
pub fn are_unclear(service: &EcsService) -> bool {
    service.status == ServiceStatus::Active && !ServiceTags::parse(&service.tags).problems.is_empty()
}

/// Whether a human was notified of the services that are known.
pub(super) fn questions(response: &Response, facts: &Facts) -> Vec<Question> {
    let mut questions = Vec::new();
    for (location, services) in find_invalid_services(facts) {
        let key = incident_key(response, &tags_subject(&location, &services));
        questions.push(Question::Incident { key });
    }
    questions
}

/// Notifies of the services with invalid tags, once: the same tags of the same services are no news at the next change.
/// `consumers` holds the ARNs of the services for which the decision about them already notifies.
pub(super) fn notify_invalid_tags(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    consumers: &BTreeSet<&str>,
) {
    let facts = builder.facts;
    for (location, services) in find_invalid_services(facts) {
        let subject = tags_subject(&location, &services);
        if facts.incidents.contains_key(&incident_key(response, &subject)) {
            continue;
        }
        // Where not all services are known, the list would be another one each time.
        if facts.discovery_failures.contains_key(&location) {
            continue;
        }
        let note = Untrusted::new("a service of these that reads a secret by itself is not redeployed");
        let mut details = vec![IncidentDetail { kind: DetailKind::Note, value: note }];
        for InvalidService { service, problems } in &services {
            if !consumers.contains(service.arn.as_str()) {
                let value = format!("{}: {}", service.display_name().raw(), problems.join("; "));
                details.push(IncidentDetail { kind: DetailKind::UnclearTags, value: Untrusted::new(value) });
            }
        }
        if details.len() > 1 {
            builder.add_event_incident(response, &subject, details);
        }
    }
}

/// A service with invalid tags.
struct InvalidService<'f> {
    service: &'f EcsService,
    problems: Vec<String>,
}

/// The services with invalid tags, by `account/region`, sorted by ARN.
fn find_invalid_services(facts: &Facts) -> BTreeMap<Location, Vec<InvalidService<'_>>> {
    let mut services_by_location: BTreeMap<Location, Vec<InvalidService<'_>>> = BTreeMap::new();
    for service in facts.services.iter().flatten() {
        if are_unclear(service) {
            let (region, account) = service.region_and_account();
            let problems = ServiceTags::parse(&service.tags).problems;
            let services = services_by_location.entry(Location::new(account, region)).or_default();
            services.push(InvalidService { service, problems });
        }
    }
    for services in services_by_location.values_mut() {
        services.sort_by(|a, b| a.service.arn.cmp(&b.service.arn));
    }
    services_by_location
}

/// The subject of the incident: the services and what is wrong with their tags.
fn tags_subject(location: &Location, services: &[InvalidService<'_>]) -> String {
    let mut parts = Vec::new();
    for InvalidService { service, problems } in services {
        parts.push(service.arn.as_str());
        for problem in problems {
            parts.push(problem);
        }
    }
    format!("{location} tags {}", hash_parts(&parts))
}
