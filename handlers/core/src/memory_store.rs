//! The ledger in memory: answers questions and remembers plans, as the replay and the tests need it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::aws::ecs_service::EcsService;
use crate::decide::{apply, questions, respond, watches};
use crate::detection::correlate::{self, Detection, lead, occurrences};
use crate::facts::{Facts, Question};
use crate::incident::{Incident, IncidentStatus};
use crate::plan::{Plan, PlanStep};
use crate::rules::{MatchedEvent, Response, ResponseAction};
use crate::state::observation::{Observation, find_window_matches};
use crate::time::Timestamp;

/// Puts cases into the order in which they are decided, by time, and drops copies of the same event; returns how many
/// were dropped. The result depends on the set of cases only.
pub fn order_and_deduplicate(mut cases: Vec<MatchedEvent<'_>>) -> (Vec<MatchedEvent<'_>>, usize) {
    let before = cases.len();
    cases.sort_by_cached_key(|case| (case.event.key().to_owned(), case.handler));
    // Of the copies of a cross-account call, the caller's tells more.
    for copies in cases.chunk_by_mut(|a, b| a.handler == b.handler && a.event.key() == b.event.key()) {
        if copies.len() > 1 {
            copies.sort_by_cached_key(|case| (Reverse(case.event.richness()), case.event.canonical()));
        }
    }
    cases.dedup_by(|a, b| a.handler == b.handler && a.event.key() == b.event.key());
    cases.sort_by(|a, b| {
        (a.event.time, a.event.key(), a.handler).cmp(&(b.event.time, b.event.key(), b.handler))
    });
    let dropped = before - cases.len();
    (cases, dropped)
}

/// Everything that was decided so far, and the world as it then is.
#[derive(Debug, Default)]
pub struct MemoryStore<'r> {
    facts: Facts,
    /// Every mark, by stream: the facts hold no more than the ledger's items would.
    observations: BTreeMap<String, Vec<Observation>>,
    /// The responses and streams of counted incidents, by key and the response's id.
    watched: BTreeMap<String, BTreeMap<&'r str, (&'r Response, String)>>,
    /// What was paged, by key, in order of time.
    paged: BTreeMap<String, Vec<Incident>>,
    /// When what was closed, and the last event before: because nothing followed.
    quieted: BTreeMap<String, BTreeSet<(Timestamp, Timestamp)>>,
}

impl<'r> MemoryStore<'r> {
    /// A ledger that starts from what is known of services and settings.
    pub fn new(facts: Facts) -> Self {
        Self { facts, ..Self::default() }
    }

    /// Decides about the next event and remembers the plan. Events come in order of time.
    pub fn decide(&mut self, case: &MatchedEvent<'r>) -> Plan {
        for question in questions(case, &self.facts) {
            if let Question::LaunchSecrets { role } = question {
                let secrets = launches(&self.facts, &role);
                self.facts.launch_secrets.insert(role, secrets);
            }
        }
        // Responses that count the same events ask for one stream, each as far as it looks.
        let mut observations: BTreeMap<String, (bool, Observation)> = BTreeMap::new();
        for watch in watches(case, &self.facts) {
            let keeps = watch.keeps_mark();
            observations.entry(watch.group).or_insert((false, watch.observation)).0 |= keeps;
        }
        for (group, (keeps, observation)) in observations {
            self.observations.entry(group.clone()).or_default().push(observation.clone());
            if keeps {
                self.facts.add_mark(&group, observation);
            }
        }
        // What is not counted may be closed like what is.
        for watch in watches(case, &self.facts)
            .into_iter()
            .filter(|watch| watch.response.action == ResponseAction::Page)
        {
            let known = self.watched.entry(watch.incident_key).or_default();
            known.insert(&watch.response.id, (watch.response, watch.group));
        }
        let plan = respond(case, &self.facts);
        self.remember(&plan);
        plan
    }

    /// Remembers a plan that was made elsewhere.
    pub fn remember(&mut self, plan: &Plan) {
        for step in &plan.steps {
            match step {
                PlanStep::Page { incident, .. } | PlanStep::Digest { incident, .. } => {
                    self.paged.entry(incident.key.clone()).or_default().push((**incident).clone());
                }
                PlanStep::Resolve { key, at, last_event, .. } => {
                    let quieted = last_event.map(|last| (last, *at));
                    self.quieted.entry(key.clone()).or_default().extend(quieted);
                    if let Some(last) = self.paged.get_mut(key).and_then(|pages| pages.last_mut()) {
                        (last.state, last.resolved_at) = (IncidentStatus::Resolved, Some(*at));
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
        for (key, family) in &self.watched {
            let groups: BTreeSet<&String> = family.values().map(|(_, group)| group).collect();
            let observations = || groups.iter().filter_map(|group| self.observations.get(*group)).flatten();
            let findings = family.values().flat_map(|(response, group)| {
                let found = find_window_matches(response, self.observations.get(group).into_iter().flatten());
                found.into_iter().map(|window_match| Detection { response, window_match: window_match })
            });
            for findings in occurrences(findings.collect()) {
                let Some(lead) = lead(&findings) else { continue };
                let mut incident =
                    correlate::incident(lead, key.clone(), &findings, observations(), Vec::new());
                // What the last page of this occurrence said beyond the counts.
                let pages = self.paged.get(key).into_iter().flatten();
                let mut own = pages.filter(|page| page.first <= incident.last && page.last >= incident.first);
                incident.details = own.next_back().map(|page| page.details.clone()).unwrap_or_default();
                let mut quieted = self.quieted.get(key).into_iter().flatten();
                if let Some((_, at)) = quieted.find(|(last, _)| *last == incident.last) {
                    (incident.state, incident.resolved_at) = (IncidentStatus::Resolved, Some(*at));
                }
                incidents.push(incident);
            }
        }
        let uncounted = self.paged.iter().filter(|(key, _)| !self.watched.contains_key(*key));
        incidents.extend(uncounted.flat_map(|(_, pages)| pages.iter().cloned()));
        incidents.sort_by(|a, b| {
            let open = |incident: &Incident| incident.state == IncidentStatus::Open;
            (b.severity, open(b), a.first, &a.rule, &a.key).cmp(&(
                a.severity,
                open(a),
                b.first,
                &b.rule,
                &b.key,
            ))
        });
        incidents
    }

    /// The world as it now is.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// The secrets that the services of a role refer to.
pub fn launches(facts: &Facts, role: &str) -> BTreeSet<String> {
    let own = |service: &&EcsService| service.execution_roles.iter().any(|known| known.raw() == role);
    let services = facts.services.iter().flatten().filter(own);
    services.flat_map(|service| service.secrets_with(&[])).map(|(secret, _)| secret.key()).collect()
}
