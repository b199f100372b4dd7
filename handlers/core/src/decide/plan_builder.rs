//! A plan in the making: what a decision knows of its event, and the steps so far.

use std::collections::BTreeSet;

use crate::aws::ecs_arn::ServiceArn;
use crate::detection::membership::{GroupMembership, memberships_of_responses};
use crate::detection::window_match::WindowMatch;
use crate::event::Event;
use crate::facts::Facts;
use crate::incident::{Incident, IncidentDetail, incident_key};
use crate::plan::PlanStep;
use crate::rules::{AppliedResponse, MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::deployment::AffectedConsumer;
use crate::state::incident_state::is_another_occurrence;
use crate::state::observation::Observation;
use crate::time::Timestamp;

/// A plan in the making.
pub(super) struct PlanBuilder<'c, 'r> {
    pub(super) case: &'c MatchedEvent<'r>,
    pub(super) applied: Vec<AppliedResponse<'r>>,
    /// The groups that the event is observed in: their keys are hashed once.
    pub(super) memberships: Vec<GroupMembership<'r>>,
    pub(super) facts: &'c Facts,
    pub(super) steps: Vec<PlanStep>,
    pub(super) retry: Option<String>,
}

impl<'c, 'r> PlanBuilder<'c, 'r> {
    /// A plan for an event, without steps.
    pub(super) fn new(case: &'c MatchedEvent<'r>, facts: &'c Facts) -> Self {
        let applied = case.find_applied_responses(facts);
        let memberships = memberships_of_responses(case, &applied);
        Self { case, applied, memberships, facts, steps: Vec::new(), retry: None }
    }

    /// The event.
    pub(super) fn event(&self) -> &Event {
        &self.case.event
    }

    /// The present, as far as this decision is concerned.
    pub(super) fn now(&self) -> Timestamp {
        self.facts.now.unwrap_or(self.case.event.time)
    }

    /// Adds the step that an incident asks for:
    ///
    /// 1. it was paged at this severity already, and this is the same occurrence: extend it;
    /// 2. it is only worth knowing: a digest entry;
    /// 3. otherwise: page.
    pub(super) fn add_incident(
        &mut self,
        response: &Response,
        mut incident: Incident,
        consumers: Vec<AffectedConsumer>,
    ) {
        let other = is_another_occurrence(incident.first, incident.last, response.resolve_after);
        let known = self.facts.incidents.get(&incident.key);
        let same = known.filter(|state| !state.satisfies(&other, response.resolve_after));
        if let Some(state) = same
            && incident.severity <= state.severity
        {
            let Incident { rule, key, first, last, .. } = incident;
            self.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers });
            return;
        }
        if incident.severity == Severity::Info {
            self.add_digest_entry(incident);
            return;
        }
        // Another response may have found events before or after these.
        if let Some(state) = same {
            incident.first = incident.first.min(state.first);
            incident.last = incident.last.max(state.last);
        }
        let mut groups = BTreeSet::new();
        for membership in &self.memberships {
            if membership.incident_key == incident.key && !membership.resolves {
                groups.insert(membership.group.clone());
            }
        }
        self.steps.push(PlanStep::Page {
            incident: Box::new(incident),
            digest: None,
            resolve_after: response.resolve_after,
            groups,
            consumers,
        });
    }

    /// Adds an incident that pages nobody to the summary of the day.
    pub(super) fn add_digest_entry(&mut self, incident: Incident) {
        self.steps.push(PlanStep::Digest {
            rule: incident.rule.clone(),
            key: incident.key.clone(),
            incident: Box::new(incident),
        });
    }

    /// Adds an incident about this event alone.
    pub(super) fn add_event_incident(
        &mut self,
        response: &Response,
        subject: &str,
        details: Vec<IncidentDetail>,
    ) {
        let observation = Observation::from_event(self.event());
        let key = incident_key(response, subject);
        self.add_incident_of(response, key, vec![&observation], details, Vec::new());
    }

    /// Adds an incident about some observations and consumers, at the severity of its response.
    pub(super) fn add_incident_of(
        &mut self,
        response: &Response,
        key: String,
        observations: Vec<&Observation>,
        details: Vec<IncidentDetail>,
        consumers: Vec<AffectedConsumer>,
    ) {
        let window_match = WindowMatch { observations, severity: response.severity, resolved: None };
        let mut incident = Incident::from_match(response, key, &window_match, details);
        incident.handler = self.case.handler;
        let services: BTreeSet<&ServiceArn> = consumers.iter().map(|consumer| &consumer.service).collect();
        incident.services = services.into_iter().cloned().collect();
        self.add_incident(response, incident, consumers);
    }
}
