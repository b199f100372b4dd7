//! A plan in the making: what a decision knows of its event, and the steps so far.

use std::collections::BTreeSet;

use crate::aws::ecs_arn::ServiceArn;
use crate::aws::ecs_service::DeploymentController;
use crate::detection::membership::{GroupMembership, memberships_of_responses};
use crate::detection::window_match::WindowMatch;
use crate::event::Event;
use crate::facts::{Facts, IncidentState};
use crate::incident::{Incident, IncidentDetail, incident_key};
use crate::plan::PlanStep;
use crate::rules::{AppliedResponse, MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::deployment::AffectedConsumer;
use crate::state::incident_extent::IncidentExtent;
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

    /// Adds the step that a counted incident asks for. It pages again when it has grown.
    pub(super) fn add_counted_incident(&mut self, response: &Response, incident: Incident) {
        let extent = incident.extent();
        self.add_incident_with_extent(response, incident, extent, Vec::new());
    }

    /// Adds the step that an incident asks for. It pages again when it becomes more severe.
    pub(super) fn add_incident(
        &mut self,
        response: &Response,
        incident: Incident,
        consumers: Vec<AffectedConsumer>,
    ) {
        self.add_incident_with_extent(response, incident, IncidentExtent::default(), consumers);
    }

    /// Adds the step that an incident of some extent asks for:
    ///
    /// 1. it was paged at this severity and extent already, and this is the same occurrence: extend it;
    /// 2. it is only worth knowing: a digest entry;
    /// 3. otherwise: page.
    fn add_incident_with_extent(
        &mut self,
        response: &Response,
        mut incident: Incident,
        mut extent: IncidentExtent,
        consumers: Vec<AffectedConsumer>,
    ) {
        let other = is_another_occurrence(incident.first, incident.last, response.resolve_after);
        let known = self.facts.incidents.get(&incident.key);
        let same = known.filter(|state| !state.satisfies(&other, response.resolve_after));
        extent = match same {
            Some(state) => extent.lasting(state.first.min(incident.first), state.last.max(incident.last)),
            None => extent.lasting(incident.first, incident.last),
        };
        // 1. Nothing new.
        if let Some(state) = same {
            // An incident that is only worth knowing is no growth of one that was paged.
            let severity = incident.severity.max(state.severity);
            let has_grown =
                incident.severity > Severity::Info && extent.is_news_after(state.extent, severity);
            if incident.severity <= state.severity && !has_grown {
                let Incident { rule, key, first, last, .. } = incident;
                self.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers });
                return;
            }
        }
        // 2. Only worth knowing.
        if incident.severity == Severity::Info {
            self.add_digest_entry(incident);
            return;
        }
        // 3. News. It takes nothing back: another response may have found events before or after these, or worse ones.
        if let Some(state) = same {
            incident.first = incident.first.min(state.first);
            incident.last = incident.last.max(state.last);
            incident.severity = incident.severity.max(state.severity);
            incident.notified = Some(*state);
            incident.is_reminder = extent.reminders > state.extent.reminders;
            extent = extent.max(state.extent);
        }
        let mut groups = BTreeSet::new();
        for membership in &self.memberships {
            if membership.incident_key == incident.key && !membership.resolves {
                groups.insert(membership.group.clone());
            }
        }
        self.steps.push(PlanStep::Page {
            incident: Box::new(incident),
            extent,
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
        let mut services = BTreeSet::new();
        for consumer in &consumers {
            let service = self.complete_service(&consumer.service);
            if let Some(controller) = self.find_other_controller(&consumer.service) {
                incident.deployed_elsewhere.insert(service.clone(), controller);
            }
            services.insert(service);
        }
        incident.services = services.into_iter().collect();
        self.add_incident(response, incident, consumers);
    }

    /// The controller of a service of which ECS refuses to force a deployment. A managed daemon, and a service that ECS manages for
    /// another API, count as those of an external controller.
    fn find_other_controller(&self, arn: &ServiceArn) -> Option<DeploymentController> {
        let service = self.facts.services.iter().flatten().find(|service| service.arn == *arn)?;
        match &service.controller {
            DeploymentController::CodeDeploy | DeploymentController::External => {
                Some(service.controller.clone())
            }
            DeploymentController::Ecs | DeploymentController::Other(_) => {
                let is_managed = service.managed || service.daemon.is_some();
                is_managed.then_some(DeploymentController::External)
            }
        }
    }

    /// Adds the end of an incident that was paged, with one detail about it. Nothing is added if its state is not known.
    pub(super) fn add_resolution(
        &mut self,
        response: &Response,
        key: String,
        at: Timestamp,
        observation: &Observation,
        detail: IncidentDetail,
    ) {
        let Some(IncidentState { severity, .. }) = self.facts.incidents.get(&key) else { return };
        let window_match =
            WindowMatch { observations: vec![observation], severity: *severity, resolved: Some(at) };
        let incident = Incident::from_match(response, key.clone(), &window_match, vec![detail]);
        self.steps.push(PlanStep::Resolve {
            rule: response.id.clone(),
            key,
            at,
            last_event: None,
            notice: Some(Box::new(incident)),
            severity: *severity,
        });
    }

    /// The ARN of a service with its cluster, which commands need and ARNs of the old form lack.
    fn complete_service(&self, arn: &ServiceArn) -> ServiceArn {
        let mut complete = arn.clone();
        if let Some(record) = self.facts.deployments.get(arn) {
            complete = complete.with_cluster(&record.cluster);
        }
        for service in self.facts.services.iter().flatten() {
            if service.arn == *arn {
                complete = complete.with_cluster(&service.cluster);
            }
        }
        complete
    }
}
