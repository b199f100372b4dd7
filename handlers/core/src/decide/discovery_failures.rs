//! Discovery failures: what could not be learned about the services of a Region, as one incident a Region.

use super::plan_builder::PlanBuilder;
use crate::aws::location::Location;
use crate::detail_kind::DetailKind;
use crate::facts::LEDGER_GAP;
use crate::incident::IncidentDetail;
use crate::incident::incident_key;
use crate::rules::Response;
use crate::text::Untrusted;

/// Notifies of what could not be learned about an account and Region, and asks for a retry where that may help. Replays have
/// no discovery failures: there the plan says what is unknown.
pub(super) fn notify_discovery_failures(
    builder: &mut PlanBuilder<'_, '_>,
    response: &Response,
    account: &str,
    region: &str,
) {
    let location = Location::new(account, region);
    let facts = builder.facts;
    let failures = facts.discovery_failures.get(&location);
    let limits = facts.discovery_limits.get(&location);
    let mut details = Vec::new();
    for failure in limits.into_iter().chain(failures).flatten() {
        // A ledger that is down is alarmed by the functions that fail. Without it each delivery would notify again.
        if failure != LEDGER_GAP {
            details
                .push(IncidentDetail { kind: DetailKind::DiscoveryFailure, value: Untrusted::new(failure) });
        }
    }
    if !details.is_empty() {
        // In an incident of its own: the next description may find other failures.
        builder.add_event_incident(response, &discovery_subject(account, region), details);
    }
    if failures.is_some_and(|failures| !failures.is_empty()) {
        builder.retry = Some("not everything about the services could be learned".to_owned());
    }
}

/// The key of the incident about what could not be learned of an account and Region.
pub(super) fn discovery_incident_key(response: &Response, account: &str, region: &str) -> String {
    incident_key(response, &discovery_subject(account, region))
}

fn discovery_subject(account: &str, region: &str) -> String {
    format!("{} unlearned", Location::new(account, region))
}
