//! Services whose tags cannot be understood and that use none of the changed secrets, as far as anybody can see: they may read
//! one by themselves, and nobody would redeploy them.

use std::collections::{BTreeMap, BTreeSet};

use super::plan_builder::PlanBuilder;
use crate::aws::ecs_service::EcsService;
use crate::aws::service_tags::ServiceTags;
use crate::facts::{Facts, place};
use crate::hash;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::question::Question;
use crate::rules::Response;
use crate::text::Untrusted;

/// Whether discovery has to keep a service that uses no secret of those that changed.
pub fn are_unclear(service: &EcsService) -> bool {
    service.status == "ACTIVE" && !ServiceTags::of(&service.tags).problems.is_empty()
}

/// What is to be asked about the services that are known.
pub(super) fn questions(response: &Response, facts: &Facts) -> Vec<Question> {
    let unclear = unclear(facts);
    unclear
        .iter()
        .map(|(place, services)| Question::Incident { key: key(response, place, services) })
        .collect()
}

/// Tells of them, once: the same tags of the same services are no news at the next change. `consumers` holds the ARNs of those
/// of which the decision about them tells.
pub(super) fn tell(draft: &mut PlanBuilder<'_, '_>, response: &Response, consumers: &BTreeSet<&str>) {
    let facts = draft.facts;
    for (place, services) in unclear(facts) {
        let key = key(response, &place, &services);
        let others = services.iter().filter(|(service, _)| !consumers.contains(service.arn.as_str()));
        let mut details: Vec<IncidentDetail> = others
            .map(|(service, problems)| {
                let value = format!("{}: {}", service.label().raw(), problems.join("; "));
                IncidentDetail { label: "tags not understood", value: Untrusted::new(value) }
            })
            .collect();
        // Not all services are known: the list would be another one each time.
        if details.is_empty()
            || facts.incidents.contains_key(&key)
            || facts.discovery_failures.contains_key(&place)
        {
            continue;
        }
        let note = Untrusted::new("a service of these that reads a secret by itself is not redeployed");
        details.insert(0, IncidentDetail { label: "note", value: note });
        draft.add_event_incident(response, &subject(&place, &services), details);
    }
}

/// The services with what is wrong with their tags, by `account/region` and ARN.
fn unclear(facts: &Facts) -> BTreeMap<String, Vec<(&EcsService, Vec<String>)>> {
    let mut unclear: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for service in facts.services.iter().flatten().filter(|service| are_unclear(service)) {
        let (region, account) = service.place();
        let problems = ServiceTags::of(&service.tags).problems;
        unclear.entry(place(account, region)).or_default().push((service, problems));
    }
    for services in unclear.values_mut() {
        services.sort_by(|(a, _), (b, _)| a.arn.cmp(&b.arn));
    }
    unclear
}

fn key(response: &Response, place: &str, services: &[(&EcsService, Vec<String>)]) -> String {
    incident_key(response, &subject(place, services))
}

fn subject(place: &str, services: &[(&EcsService, Vec<String>)]) -> String {
    let said = services.iter().flat_map(|(service, problems)| {
        std::iter::once(service.arn.as_str()).chain(problems.iter().map(String::as_str))
    });
    format!("{place} tags {}", hash::id(&said.collect::<Vec<_>>()))
}
