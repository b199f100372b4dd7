//! Membership: the groups that an event is observed in, one for each response that counts and each subject.

use std::net::{IpAddr, Ipv6Addr};

use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::Facts;
use crate::hash;
use crate::incident::incident_key;
use crate::rules::{AppliedResponse, CountPer, ExceptionEffect, MatchedEvent, Response, ResponseAction};
use crate::state::observation::{Observation, ObservationRole};

/// One group that an event is observed in.
#[derive(Clone, Debug)]
pub struct GroupMembership<'r> {
    /// The response that counts.
    pub response: &'r Response,
    /// The key of the incident that the count may open.
    pub incident_key: String,
    /// The group's key.
    pub group: String,
    /// Whether the event resolves the incident instead of counting.
    pub resolves: bool,
    /// The observation that the event leaves in the group.
    pub observation: Observation,
}

impl GroupMembership<'_> {
    /// Whether the observation is stored for the events that follow. An incident that pages nobody is of one event each: it
    /// becomes a digest entry, and nothing has to be counted.
    pub(crate) fn is_stored(&self) -> bool {
        self.resolves || !self.response.is_digest_only()
    }
}

/// The groups that an event is observed in, by response.
pub fn group_memberships<'r>(event: &MatchedEvent<'r>, facts: &Facts) -> Vec<GroupMembership<'r>> {
    memberships_of_responses(event, &event.find_applied_responses(facts))
}

/// The same, for an event whose applying responses are known.
pub(crate) fn memberships_of_responses<'r>(
    event: &MatchedEvent<'r>,
    applied: &[AppliedResponse<'r>],
) -> Vec<GroupMembership<'r>> {
    let mut counting = Vec::new();
    for one in applied {
        // An event without a time has no place in a window. Where one event is enough, it needs none.
        let has_place = event.event.time_known || one.response.when.at_least == 1;
        if one.response.action == ResponseAction::Page && has_place {
            counting.push(one);
        }
    }
    let mut memberships = Vec::new();
    for one in &counting {
        let roles = counting
            .iter()
            .filter(|other| other.response.incident == one.response.incident)
            .map(|other| (other.response.id.clone(), observation_role(event, other)));
        let observation = Observation { roles: roles.collect(), ..Observation::from_event(&event.event) };
        add_memberships(event, one.response, &observation, false, &mut memberships);
    }
    for response in &event.resolves {
        let observation = Observation { resolves: true, ..Observation::from_event(&event.event) };
        add_memberships(event, response, &observation, true, &mut memberships);
    }
    memberships
}

/// Adds one membership for each subject: a batch read of three secrets is about three secrets.
fn add_memberships<'r>(
    event: &MatchedEvent<'_>,
    response: &'r Response,
    observation: &Observation,
    resolves: bool,
    memberships: &mut Vec<GroupMembership<'r>>,
) {
    for subject in subjects(event, response.when.per) {
        memberships.push(GroupMembership {
            response,
            incident_key: incident_key(response, &subject),
            group: group_key(response, &subject),
            resolves,
            observation: observation.clone(),
        });
    }
}

/// What an event is to a response that applies to it.
fn observation_role(event: &MatchedEvent<'_>, applied: &AppliedResponse<'_>) -> ObservationRole {
    let precedes = match &applied.response.when.after {
        Some(after) => event.rules.iter().any(|rule| rule.id == *after),
        None => false,
    };
    match applied.exception {
        Some(exception) if exception.effect == ExceptionEffect::Drop => {
            ObservationRole::Suppressed(exception.id.clone())
        }
        Some(exception) if precedes => ObservationRole::Precedes(Some(exception.id.clone())),
        Some(exception) => ObservationRole::Downgraded(exception.id.clone()),
        None if precedes => ObservationRole::Precedes(None),
        None => ObservationRole::Counts,
    }
}

/// The subjects that a count is kept for: the principal with its account, each secret, the account, the person, or the address
/// with the account. There is none where the record does not name it.
fn subjects(event: &MatchedEvent<'_>, per: CountPer) -> Vec<String> {
    let event = &event.event;
    match per {
        CountPer::Principal => vec![event.principal.count_subject(&event.account)],
        CountPer::Account => vec![event.account.clone()],
        CountPer::Person => find_person(event).into_iter().collect(),
        CountPer::Address => find_address(event).into_iter().collect(),
        CountPer::Secret if event.secrets.is_empty() => {
            vec![format!("{}/{}/unknown", event.account, event.region)]
        }
        CountPer::Secret => {
            let mut keys: Vec<String> = event.secrets.iter().map(SecretRef::key).collect();
            keys.sort();
            keys.dedup();
            keys
        }
    }
}

/// The person behind a session, in whatever account. The source identity stays the same however many roles a session assumes
/// one after the other, and nobody can change it on the way (IAM user guide, "Monitor and control actions taken with assumed
/// roles").
fn find_person(event: &Event) -> Option<String> {
    if let Some(source_identity) = &event.principal.source_identity {
        return Some(format!("source-identity {}", source_identity.raw()));
    }
    let user = event.principal.identity_center_user.as_ref()?;
    Some(format!("identity-center {}", user.raw()))
}

/// The source address of a call that names no person, with the account: a private address is another host in another network.
/// Sessions that AWS gave to a workload have none: hundreds of workloads share the address of a NAT gateway, and one count for all
/// of them would be read with each of their calls.
/// An IPv6 host has a network of 64 bits to itself. A service that calls for somebody stands in the record by its name.
fn find_address(event: &Event) -> Option<String> {
    if find_person(event).is_some() || is_workload_session(event) {
        return None;
    }
    let text = event.find_text("/detail/sourceIPAddress")?;
    let host = match text.raw().parse().ok()? {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    };
    Some(format!("{} {host}", event.account))
}

/// Whether AWS gave the session to an instance, a function, a task or a pod. The record says so in members that no caller can set,
/// other than the session's name.
fn is_workload_session(event: &Event) -> bool {
    const POINTERS: [&str; 3] = [
        "/detail/userIdentity/inScopeOf/credentialsIssuedTo",
        "/detail/userIdentity/sessionContext/ec2RoleDelivery",
        "/detail/userIdentity/sessionContext/webIdFederationData/federatedProvider",
    ];
    POINTERS.into_iter().any(|pointer| event.find_text(pointer).is_some())
}

/// The key of the group of a subject. Responses that share an incident share a group, and so a write: an observation says what
/// it is to each of them.
fn group_key(response: &Response, subject: &str) -> String {
    let per = match response.when.per {
        CountPer::Principal => "principal",
        CountPer::Secret => "secret",
        CountPer::Account => "account",
        CountPer::Person => "person",
        CountPer::Address => "address",
    };
    hash::hash_parts(&["stream", &response.incident, per, subject])
}
