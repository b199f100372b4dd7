//! Incidents: what happened, to whom, how often.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::aws::secret_ref::{SecretRef, resolve_spellings};
use crate::rules::{Handler, Response, Severity};
use crate::state::observation::{Observation, WindowMatch};
use crate::text::Untrusted;
use crate::time::Timestamp;

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentStatus {
    /// Somebody should look.
    Open,
    /// It ended by itself.
    Resolved,
}

/// An incident: what happened, to whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// The response's id; of several, that of the most severe finding.
    pub rule: String,
    /// The ids of the other responses that found it, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// How urgent it is.
    pub severity: Severity,
    /// The same for every copy and every occurrence of what this rule says about this subject: `PagerDuty`'s `dedup_key`.
    pub key: String,
    /// Whether it goes on.
    pub state: IncidentStatus,
    /// Whose decision it is.
    pub handler: Handler,
    /// The response's title.
    pub title: String,
    /// The principal; absent if several.
    pub principal: Option<Untrusted>,
    /// How many principals.
    pub principals: usize,
    /// The account.
    pub account: String,
    /// The Regions, sorted.
    pub regions: Vec<String>,
    /// Its first event.
    pub first: Timestamp,
    /// Its last event.
    pub last: Timestamp,
    /// How many events: calls, or failures.
    pub reads: usize,
    /// How many different secrets; null where an event hides which.
    pub distinct_secrets: Option<usize>,
    /// The secrets' names as far as they are known, sorted.
    pub secrets: Vec<Untrusted>,
    /// The secrets with their accounts and Regions, sorted by name, for the page.
    #[serde(skip)]
    pub secret_refs: Vec<SecretRef>,
    /// The ARNs of the services that it is about, for the page.
    #[serde(skip)]
    pub services: Vec<String>,
    /// How many of the events are refused or failed calls.
    pub errors: usize,
    /// How many events about its subject never counted, by exception: from one window before it to its end.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<String, usize>,
    /// When a later event closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The ids of its events, by time.
    pub event_ids: Vec<Untrusted>,
    /// What else is known, by label.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<IncidentDetail>,
}

/// One more thing that is known of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentDetail {
    /// What it is, in our own words.
    pub label: &'static str,
    /// What it says.
    pub value: Untrusted,
}

impl Incident {
    /// The incident that a burst of marks is.
    pub fn of(
        response: &Response,
        key: String,
        window_match: &WindowMatch<'_>,
        details: Vec<IncidentDetail>,
    ) -> Self {
        let principals: BTreeSet<&Untrusted> =
            window_match.observations.iter().map(|observation| &observation.principal).collect();
        let regions: BTreeSet<&String> =
            window_match.observations.iter().map(|observation| &observation.region).collect();
        let places = places(&window_match.observations);
        let secrets: BTreeSet<Untrusted> = places.iter().map(|place| place.text.clone()).collect();
        Self {
            rule: response.id.clone(),
            also: Vec::new(),
            severity: window_match.severity,
            key,
            state: if window_match.resolved.is_some() {
                IncidentStatus::Resolved
            } else {
                IncidentStatus::Open
            },
            handler: response.handler,
            title: response.title.clone(),
            principal: if principals.len() == 1 { principals.first().map(|id| (*id).clone()) } else { None },
            principals: principals.len(),
            account: window_match
                .observations
                .first()
                .map(|observation| observation.account.clone())
                .unwrap_or_default(),
            regions: regions.into_iter().cloned().collect(),
            first: window_match.first(),
            last: window_match.last(),
            reads: window_match.observations.len(),
            distinct_secrets: window_match.distinct_secrets(),
            secrets: secrets.into_iter().collect(),
            secret_refs: places,
            services: Vec::new(),
            errors: window_match.observations.iter().filter(|observation| observation.error).count(),
            suppressed: BTreeMap::new(),
            resolved_at: window_match.resolved,
            event_ids: window_match.observations.iter().map(|observation| observation.id.clone()).collect(),
            details,
        }
    }

    /// What is known under a label.
    pub fn detail(&self, label: &str) -> Option<&Untrusted> {
        self.details.iter().find(|detail| detail.label == label).map(|detail| &detail.value)
    }
}

/// The secrets of some marks by name, one a secret, sorted by name.
fn places(observations: &[&Observation]) -> Vec<SecretRef> {
    let keys: BTreeSet<String> =
        resolve_spellings(observations.iter().flat_map(|observation| &observation.secrets))
            .into_values()
            .collect();
    let place = |key: &String| {
        let mut parts = key.splitn(3, '/').map(str::to_owned);
        let (account, region) = (parts.next()?, parts.next()?);
        Some(SecretRef { account, region, text: Untrusted::new(parts.next()?), from_arn: false })
    };
    let mut places: Vec<SecretRef> = keys.iter().filter_map(place).collect();
    places.sort_by(|a, b| (&a.text, a).cmp(&(&b.text, b)));
    places
}
