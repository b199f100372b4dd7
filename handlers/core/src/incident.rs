//! Incidents: what happened, to whom, how often.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::DeploymentController;
use crate::aws::secret_ref::{SecretRef, resolve_spellings};
use crate::detail_kind::DetailKind;
use crate::detection::window_match::WindowMatch;
use crate::hash;
use crate::rules::{Handler, Response};
use crate::severity::Severity;
use crate::state::incident_extent::IncidentExtent;
use crate::state::incident_state::IncidentState;
use crate::state::observation::Observation;
use crate::state::origin_set::OriginSet;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentStatus {
    /// Somebody should look.
    Open,
    /// Nothing followed for `resolve_after`, and what it left behind is still there. The pager keeps its alert.
    Quiet,
    /// An event undid it, or it went quiet and left nothing behind.
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
    /// How many events: calls, or failures. Lists that come before what counts are not among them.
    pub reads: usize,
    /// How many lists of secrets come before what counts.
    #[serde(skip_serializing_if = "is_zero")]
    pub lists: usize,
    /// How many different secrets; null where an event hides which.
    pub distinct_secrets: Option<usize>,
    /// The secrets' names as far as they are known, sorted.
    pub secrets: Vec<Untrusted>,
    /// The secrets with their accounts and Regions, sorted by name, for the page.
    #[serde(skip)]
    pub secret_refs: Vec<SecretRef>,
    /// The state as earlier pages left it, for the page.
    #[serde(skip)]
    pub notified: Option<IncidentState>,
    /// How long nothing followed, if these are its last figures; for the page.
    #[serde(skip)]
    pub settled_after: Option<Span>,
    /// Whether the page reminds of an incident that is open for a day.
    #[serde(skip)]
    pub is_reminder: bool,
    /// The addresses and access keys from which it came, for the next page.
    #[serde(skip)]
    pub origins: OriginSet,
    /// The ARNs of the services that it is about, for the page.
    #[serde(skip)]
    pub services: Vec<ServiceArn>,
    /// Those of the services of which ECS refuses to force a deployment, with what deploys them; for the page.
    #[serde(skip)]
    pub deployed_elsewhere: BTreeMap<ServiceArn, DeploymentController>,
    /// How many of the events are refused or failed calls.
    pub errors: usize,
    /// How many events about its subject never counted, by exception: from one window before it to its end.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<String, usize>,
    /// How many further events about its subject an exception lowers, by exception: they are in no other number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counted_apart: BTreeMap<String, usize>,
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
    /// Its kind, in JSON the label of the kind.
    #[serde(rename = "label")]
    pub kind: DetailKind,
    /// Its value.
    pub value: Untrusted,
}

impl Incident {
    /// The incident that a window match is.
    pub fn from_match(
        response: &Response,
        key: String,
        window_match: &WindowMatch<'_>,
        details: Vec<IncidentDetail>,
    ) -> Self {
        let observations = &window_match.observations;
        let mut principals: BTreeSet<&Untrusted> = BTreeSet::new();
        let mut regions: BTreeSet<&String> = BTreeSet::new();
        let mut origins = OriginSet::default();
        let mut errors = 0;
        let mut lists = 0;
        let mut event_ids = Vec::new();
        for observation in observations {
            principals.insert(&observation.principal);
            regions.insert(&observation.region);
            for origin in &observation.origins {
                origins.insert(*origin);
            }
            errors += usize::from(observation.error);
            lists += usize::from(observation.only_precedes());
            event_ids.push(observation.id.clone());
        }
        let secret_refs = secrets_by_name(observations);
        let names: BTreeSet<Untrusted> = secret_refs.iter().map(SecretRef::display_name).collect();
        let principal = match principals.first() {
            Some(principal) if principals.len() == 1 => Some((*principal).clone()),
            _ => None,
        };
        let state =
            if window_match.resolved.is_some() { IncidentStatus::Resolved } else { IncidentStatus::Open };
        Self {
            rule: response.id.clone(),
            also: Vec::new(),
            severity: window_match.severity,
            key,
            state,
            handler: response.handler,
            title: response.title.clone(),
            principal,
            principals: principals.len(),
            account: observations.first().map(|first| first.account.clone()).unwrap_or_default(),
            regions: regions.into_iter().cloned().collect(),
            first: window_match.first(),
            last: window_match.last(),
            reads: observations.len() - lists,
            lists,
            distinct_secrets: window_match.distinct_secrets(),
            secrets: names.into_iter().collect(),
            secret_refs,
            notified: None,
            settled_after: None,
            is_reminder: false,
            origins,
            services: Vec::new(),
            deployed_elsewhere: BTreeMap::new(),
            errors,
            suppressed: BTreeMap::new(),
            counted_apart: BTreeMap::new(),
            resolved_at: window_match.resolved,
            event_ids,
            details,
        }
    }

    /// How much of it a page names.
    pub(crate) fn extent(&self) -> IncidentExtent {
        IncidentExtent {
            secrets: self.secret_refs.len(),
            regions: self.regions.len(),
            lists: self.lists.min(1),
            reminders: 0,
            origins: self.origins,
        }
    }

    /// The value of the first detail of a kind.
    pub fn detail(&self, kind: DetailKind) -> Option<&Untrusted> {
        let detail = self.details.iter().find(|detail| detail.kind == kind)?;
        Some(&detail.value)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The key of what a response says about a subject: the same for every copy of an event, every function and every occurrence.
pub(crate) fn incident_key(response: &Response, subject: &str) -> String {
    hash::hash_parts(&["incident", &response.incident, subject])
}

/// The secrets of some observations, one for each secret however it was spelled, sorted by name. A secret of which only an
/// ARN is known that may be partial is that ARN: its name may be another one.
fn secrets_by_name(observations: &[&Observation]) -> Vec<SecretRef> {
    let spelled = observations.iter().flat_map(|observation| &observation.secrets);
    let mut spellings_by_key: BTreeMap<String, Vec<&SecretRef>> = BTreeMap::new();
    for (spelling, key) in resolve_spellings(spelled) {
        spellings_by_key.entry(key).or_default().push(spelling);
    }
    let mut secrets = Vec::new();
    for (key, spellings) in spellings_by_key {
        match spellings.as_slice() {
            [spelling] if spelling.may_be_partial_arn() => secrets.push((*spelling).clone()),
            _ => secrets.extend(SecretRef::from_key(&key)),
        }
    }
    secrets.sort_by(|a, b| (&a.text, a).cmp(&(&b.text, b)));
    secrets
}
