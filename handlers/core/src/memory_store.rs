//! The ledger in memory: answers questions and remembers plans, as the replay and the tests need it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::aws::ecs_service::EcsService;
use crate::decide::{GroupMembership, apply, group_memberships, questions, respond};
use crate::detection::correlate::{Detection, group_by_occurrence, lead_response, merge_into_incident};
use crate::detection::window_match::find_window_matches;
use crate::facts::Facts;
use crate::incident::{Incident, IncidentStatus};
use crate::plan::{Plan, PlanStep};
use crate::question::Question;
use crate::rules::{MatchedEvent, Response, ResponseAction};
use crate::state::observation::Observation;
use crate::time::Timestamp;

/// Puts events into the order in which they are decided, by time, and drops copies of the same event; returns how many
/// were dropped. The result depends on the set of events only.
pub fn order_and_deduplicate(mut events: Vec<MatchedEvent<'_>>) -> (Vec<MatchedEvent<'_>>, usize) {
    let before = events.len();
    events.sort_by_cached_key(|event| (event.event.key().to_owned(), event.handler));
    // Of the copies of a cross-account call, the caller's names the identity.
    for copies in events.chunk_by_mut(is_copy) {
        if copies.len() > 1 {
            copies.sort_by_cached_key(|event| {
                (Reverse(event.event.count_known_parties()), event.event.to_canonical_json())
            });
        }
    }
    events.dedup_by(|a, b| is_copy(a, b));
    events.sort_by(|a, b| {
        (a.event.time, a.event.key(), a.handler).cmp(&(b.event.time, b.event.key(), b.handler))
    });
    let dropped = before - events.len();
    (events, dropped)
}

fn is_copy(a: &MatchedEvent<'_>, b: &MatchedEvent<'_>) -> bool {
    a.handler == b.handler && a.event.key() == b.event.key()
}

/// A response that counts in a group, and the group's key.
#[derive(Clone, Debug)]
struct CountedGroup<'r> {
    response: &'r Response,
    group: String,
}

/// An incident that was auto-resolved: its last event, when, and what it is since.
#[derive(Clone, Copy, Debug)]
struct AutoResolution {
    last_event: Timestamp,
    at: Timestamp,
    status: IncidentStatus,
}

/// Everything that was decided so far, and the facts as they then are.
#[derive(Debug, Default)]
pub struct MemoryStore<'r> {
    facts: Facts,
    /// Every observation, by group: the facts hold no more than the ledger's items would.
    observations: BTreeMap<String, Vec<Observation>>,
    /// The groups of counted incidents, by the incident's key and the response's id.
    counted: BTreeMap<String, BTreeMap<&'r str, CountedGroup<'r>>>,
    /// The incidents as they were paged, by key, in order of time.
    paged: BTreeMap<String, Vec<Incident>>,
    /// The auto-resolutions, by the incident's key.
    auto_resolved: BTreeMap<String, Vec<AutoResolution>>,
}

impl<'r> MemoryStore<'r> {
    /// A store that starts from what is known of services and settings.
    pub fn new(facts: Facts) -> Self {
        Self { facts, ..Self::default() }
    }

    /// Decides about the next event and remembers the plan. Events come in order of time.
    pub fn decide(&mut self, event: &MatchedEvent<'r>) -> Plan {
        for question in questions(event, &self.facts) {
            if let Question::LaunchSecrets { role } = question {
                let secrets = launch_secrets(&self.facts, &role);
                self.facts.launch_secrets.insert(role, secrets);
            }
        }
        self.observe(group_memberships(event, &self.facts));
        let plan = respond(event, &self.facts);
        self.remember(&plan);
        plan
    }

    /// Stores the observations of an event, one for each group: responses that share a group share the observation.
    fn observe(&mut self, memberships: Vec<GroupMembership<'r>>) {
        let mut observed: BTreeMap<String, bool> = BTreeMap::new();
        for membership in memberships {
            // An incident whose count is not stored is resolved like the others, so it is listed all the same.
            if membership.response.action == ResponseAction::Page {
                let group = membership.group.clone();
                let counted = self.counted.entry(membership.incident_key.clone()).or_default();
                counted
                    .insert(&membership.response.id, CountedGroup { response: membership.response, group });
            }
            let is_stored = membership.is_stored();
            if !observed.contains_key(&membership.group) {
                let all = self.observations.entry(membership.group.clone()).or_default();
                all.push(membership.observation.clone());
                observed.insert(membership.group.clone(), false);
            }
            if let Some(stored) = observed.get_mut(&membership.group)
                && is_stored
                && !*stored
            {
                *stored = true;
                self.facts.add_observation(&membership.group, membership.observation);
            }
        }
    }

    /// Remembers a plan that was made elsewhere.
    pub fn remember(&mut self, plan: &Plan) {
        for step in &plan.steps {
            match step {
                PlanStep::Page { incident, .. } | PlanStep::Digest { incident, .. } => {
                    self.paged.entry(incident.key.clone()).or_default().push((**incident).clone());
                }
                PlanStep::Resolve { key, at, last_event, notice, .. } => {
                    let status = notice.as_ref().map_or(IncidentStatus::Resolved, |notice| notice.state);
                    if let Some(last_event) = last_event {
                        let resolution = AutoResolution { last_event: *last_event, at: *at, status };
                        self.auto_resolved.entry(key.clone()).or_default().push(resolution);
                    }
                    if let Some(last) = self.paged.get_mut(key).and_then(|paged| paged.last_mut()) {
                        last.state = status;
                        last.resolved_at = Some(*at);
                    }
                }
                _ => {}
            }
        }
        apply(plan, &mut self.facts);
    }

    /// Every incident: a function of the set of events, whatever their order was. Most severe first, then by time.
    pub fn incidents(&self) -> Vec<Incident> {
        let mut incidents = Vec::new();
        for (key, counted) in &self.counted {
            self.add_counted_incidents(key, counted, &mut incidents);
        }
        for (key, paged) in &self.paged {
            if !self.counted.contains_key(key) {
                incidents.extend(paged.iter().cloned());
            }
        }
        incidents.sort_by(|a, b| {
            let is_open = |incident: &Incident| incident.state == IncidentStatus::Open;
            b.severity
                .cmp(&a.severity)
                .then_with(|| is_open(b).cmp(&is_open(a)))
                .then_with(|| (a.first, &a.rule, &a.key).cmp(&(b.first, &b.rule, &b.key)))
        });
        incidents
    }

    /// Adds the incidents of one key: one for each occurrence.
    fn add_counted_incidents(
        &self,
        key: &str,
        counted: &BTreeMap<&'r str, CountedGroup<'r>>,
        incidents: &mut Vec<Incident>,
    ) {
        let groups: BTreeSet<&String> = counted.values().map(|one| &one.group).collect();
        let mut detections = Vec::new();
        for CountedGroup { response, group } in counted.values() {
            for window_match in find_window_matches(response, self.observed(group)) {
                detections.push(Detection { response, window_match });
            }
        }
        for detections in group_by_occurrence(detections) {
            let Some(lead) = lead_response(&detections) else { continue };
            let observed = groups.iter().flat_map(|group| self.observed(group));
            let mut incident = merge_into_incident(lead, key.to_owned(), &detections, observed, Vec::new());
            incident.details = self.last_paged_details(key, &incident);
            for resolution in self.auto_resolved.get(key).into_iter().flatten() {
                if resolution.last_event == incident.last {
                    incident.state = resolution.status;
                    incident.resolved_at = Some(resolution.at);
                }
            }
            incidents.push(incident);
        }
    }

    fn observed(&self, group: &str) -> impl Iterator<Item = &Observation> {
        self.observations.get(group).into_iter().flatten()
    }

    /// What the last page of an occurrence said beyond the counts.
    fn last_paged_details(&self, key: &str, incident: &Incident) -> Vec<crate::incident::IncidentDetail> {
        let mut details = Vec::new();
        for paged in self.paged.get(key).into_iter().flatten() {
            if paged.first <= incident.last && paged.last >= incident.first {
                details.clone_from(&paged.details);
            }
        }
        details
    }

    /// The highest count that a response reaches in one window, up to its threshold; `None` if nothing was observed for it.
    ///
    /// A plan may not say it: an event that belongs to an incident of several responses is not counted for each of them.
    pub fn highest_count(&self, response: &Response) -> Option<usize> {
        let mut highest = None;
        for counted in self.counted.values() {
            if let Some(counted) = counted.get(response.id.as_str()) {
                let count = highest_count_in_window(response, self.observations.get(&counted.group)?);
                highest = highest.max(Some(count));
            }
        }
        highest
    }

    /// The facts as they are now.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// Finds the highest threshold, up to that of the response, at which a window would match.
fn highest_count_in_window(response: &Response, observations: &[Observation]) -> usize {
    let mut trial = response.clone();
    trial.when.escalate.clear();
    let thresholds: Vec<usize> = (1..=response.when.at_least).collect();
    thresholds.partition_point(|at_least| {
        trial.when.at_least = *at_least;
        !find_window_matches(&trial, observations).is_empty()
    })
}

/// The secrets that the services of an execution role refer to: a task of theirs reads them when it starts.
pub fn launch_secrets(facts: &Facts, role: &str) -> BTreeSet<String> {
    let has_role = |service: &&EcsService| service.execution_roles.iter().any(|known| known.raw() == role);
    let mut secrets = BTreeSet::new();
    for service in facts.services.iter().flatten().filter(has_role) {
        for (secret, _) in service.find_requested_secrets_with(&[]) {
            secrets.insert(secret.key());
        }
    }
    secrets
}
