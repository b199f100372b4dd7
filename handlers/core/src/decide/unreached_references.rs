//! Unreached references: services that refer to secrets of Regions and accounts whose changes reach no function.

use std::collections::{BTreeMap, BTreeSet};

use super::plan_builder::PlanBuilder;
use crate::aws::ecs_arn::ServiceArn;
use crate::aws::location::Location;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::facts::Facts;
use crate::hash::hash_parts;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::notify;
use crate::question::Question;
use crate::rules::Response;
use crate::state::deployment::SecretChange;
use crate::text::Untrusted;

/// A service and the secret to which it refers.
type DistantReference = (ServiceArn, SecretRef);

/// The references to secrets of one account and Region.
#[derive(Default)]
struct UnreachedReferences {
    references: BTreeSet<DistantReference>,
}

/// Whether a human was notified of the references that are known.
pub(super) fn questions(response: &Response, facts: &Facts) -> Vec<Question> {
    let mut questions = Vec::new();
    for (location, unreached) in find_unreached_references(facts) {
        let key = incident_key(response, &unreached.subject(&location));
        questions.push(Question::Incident { key });
    }
    questions
}

/// Notifies of references to secrets whose changes do not reach us, once: the same secrets are no news at the next change. The
/// locations of `changes`, which are answered now, reach us.
pub(super) fn notify_unreached_references(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    changes: &[SecretChange],
) {
    let facts = builder.facts;
    for (location, unreached) in find_unreached_references(facts) {
        if changes
            .iter()
            .any(|change| Location::new(&change.secret.account, &change.secret.region) == location)
        {
            continue;
        }
        let subject = unreached.subject(&location);
        if !facts.incidents.contains_key(&incident_key(response, &subject)) {
            builder.add_event_incident(response, &subject, unreached.describe(&location));
        }
    }
}

impl UnreachedReferences {
    /// The subject of the incident: the secrets. A further service that refers to one of them is no news.
    fn subject(&self, location: &Location) -> String {
        let secrets: BTreeSet<String> = self.references.iter().map(|(_, secret)| secret.key()).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        format!("{location} unreached {}", hash_parts(&secrets))
    }

    fn describe(&self, location: &Location) -> Vec<IncidentDetail> {
        let count = self.references.len();
        let (noun, verb) = if count == 1 { ("reference", "is") } else { ("references", "are") };
        let location = Untrusted::new(location.as_str()).show(64);
        let note = format!(
            "{count} {noun} to secrets of {location} (account/Region), whose changes do not reach us: these services {verb} not \
             redeployed when such a secret changes. Add the Region to REGIONS (the parameter Regions), or forward its events here"
        );
        let mut details = vec![IncidentDetail { kind: DetailKind::Note, value: Untrusted::new(note) }];
        for (service, secret) in self.references.iter().take(notify::DETAILS_MAX - 1) {
            let value = Untrusted::new(format!("{service}: {}", secret.to_arn()));
            details.push(IncidentDetail { kind: DetailKind::UnreachedSecret, value });
        }
        details
    }
}

/// The references to secrets whose changes do not reach us, by the account and Region of the secrets. Changes of a location reach us if
///
/// 1. it is the service's own: discovery failures there have notifications of their own;
/// 2. a sweep examines it;
/// 3. a change of a secret there is known: its events reach us.
fn find_unreached_references(facts: &Facts) -> BTreeMap<Location, UnreachedReferences> {
    let mut unreached: BTreeMap<Location, UnreachedReferences> = BTreeMap::new();
    if facts.settings.home_region.is_none() {
        return unreached;
    }
    let reporting = find_reporting_locations(facts);
    for (service, secret) in list_distant_references(facts) {
        let location = Location::new(&secret.account, &secret.region);
        // 2. A sweep examines it.
        let is_swept = facts.settings.is_location_swept(&secret.account, &secret.region) == Some(true);
        // 3. Its events reach us.
        if !is_swept && !reporting.contains(&location) {
            unreached.entry(location).or_default().references.insert((service, secret));
        }
    }
    unreached
}

/// The locations of the secrets of which a change is known.
fn find_reporting_locations(facts: &Facts) -> BTreeSet<Location> {
    let mut locations = BTreeSet::new();
    for (key, change) in &facts.changes {
        if let Some(secret) = change.find_secret(key) {
            locations.insert(Location::new(&secret.account, &secret.region));
        }
    }
    locations
}

/// The references of all known services to secrets of other Regions and accounts.
fn list_distant_references(facts: &Facts) -> BTreeSet<DistantReference> {
    let mut references = BTreeSet::new();
    for service in facts.services.iter().flatten() {
        for secret in service.find_distant_secrets() {
            references.insert((service.arn.clone(), secret));
        }
    }
    for (service, secrets) in &facts.distant_references {
        for secret in secrets {
            references.insert((service.clone(), secret.clone()));
        }
    }
    references
}
