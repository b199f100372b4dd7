//! Decisions: what must be known about an event, and what is to be done about it. Pure.

mod apply;
mod auto_resolve;
mod detect;
mod digest;
mod eligibility;
mod first_seen;
mod invalid_tags;
mod overdue_rotation;
mod read_evidence;
mod redeploy;
mod rollout;
mod secret_change;
mod sweep;

pub use apply::apply;
pub use detect::{GroupMembership, watches};
pub use eligibility::{ChangeIndex, LONGEST_WAIT};
pub use first_seen::{LastSeenItem, last_seen_key, reads};
pub use invalid_tags::are_unclear;

use std::collections::BTreeSet;

use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::{Facts, Question};
use crate::hash;
use crate::incident::{Incident, IncidentDetail};
use crate::plan::{Plan, PlanOutcome, PlanStep};
use crate::rules::{AppliedResponse, Handler, MatchedEvent, Response, ResponseAction, RuleSet, Severity};
use crate::state::deployment::AffectedConsumer;
use crate::state::observation::{Observation, WindowMatch};
use crate::text::Untrusted;
use crate::time::Timestamp;

/// What must be known to decide about an event; sorted, each once. Some answers make more worth asking: ask again with
/// what was learned until nothing new comes.
pub fn questions(case: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let sweeps = case.handler == Handler::Sweep;
    let applied = case.applied(facts);
    let mut questions = detect::questions(case, &applied, facts);
    for AppliedResponse { response, .. } in applied {
        match response.action {
            ResponseAction::Page | ResponseAction::Quarantine => {}
            ResponseAction::Redeploy if sweeps => questions.extend(sweep::questions(case, response, facts)),
            ResponseAction::Redeploy => questions.extend(secret_change::questions(case, response, facts)),
            ResponseAction::Follow => questions.extend(rollout::questions(case, response, facts)),
            ResponseAction::Overdue => questions.extend(overdue_rotation::questions(case, response, facts)),
            ResponseAction::Prove => questions.extend(read_evidence::questions(case)),
            ResponseAction::FirstRead => questions.extend(first_seen::questions(case, facts)),
            ResponseAction::Summarise => questions.extend(digest::questions(case, response, facts)),
        }
    }
    if sweeps {
        questions.extend(auto_resolve::questions(case, facts));
    }
    questions.sort();
    questions.dedup();
    questions
}

/// What is to be done about an event. Total and deterministic: the same case and facts give the same plan.
pub fn respond(case: &MatchedEvent<'_>, facts: &Facts) -> Plan {
    let mut draft = PlanBuilder::new(case, facts);
    for AppliedResponse { response, .. } in draft.applied.clone() {
        match response.action {
            ResponseAction::Page => detect::respond(&mut draft, response),
            ResponseAction::Redeploy if case.handler == Handler::Sweep => {
                sweep::respond(&mut draft, response)
            }
            ResponseAction::Redeploy => secret_change::respond(&mut draft, response),
            ResponseAction::Follow => rollout::respond(&mut draft, response),
            ResponseAction::Overdue => overdue_rotation::respond(&mut draft, response),
            ResponseAction::Prove => read_evidence::respond(&mut draft),
            ResponseAction::FirstRead => first_seen::respond(&mut draft, response),
            ResponseAction::Summarise => digest::respond(&mut draft, response),
            ResponseAction::Quarantine => {}
        }
    }
    detect::resolve(&mut draft);
    if case.handler == Handler::Sweep {
        auto_resolve::respond(&mut draft);
    }
    let (steps, retry) = (draft.steps, draft.retry);
    Plan {
        event: case.event.key().to_owned(),
        event_id: case.event.id(),
        name: case.event.name(),
        time: case.event.time,
        secrets: case
            .event
            .secrets
            .iter()
            .map(SecretRef::name)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        handler: case.handler,
        rules: case.rules.iter().map(|rule| rule.id.clone()).collect(),
        outcome: outcome(&steps),
        steps,
        retry,
    }
}

/// The steps that tell a human about redeployments that were planned and then refused: the steps, and why.
pub fn notify_refusals(
    case: &MatchedEvent<'_>,
    facts: &Facts,
    refused: &[(PlanStep, String)],
) -> Vec<PlanStep> {
    let mut draft = PlanBuilder::new(case, facts);
    for AppliedResponse { response, .. } in draft.applied.clone() {
        if response.action == ResponseAction::Redeploy {
            secret_change::notify_refusals(&mut draft, response, refused);
        }
    }
    draft.steps
}

/// The plan for something that arrived at `now` and cannot be understood: told to a human, and kept. However many
/// such things a function gets, they are one incident.
///
/// `body` is only hashed: nothing of it goes into the plan.
pub fn quarantine(rules: &RuleSet, handler: Handler, body: &[u8], why: &str, now: Timestamp) -> Plan {
    let id = hash::id_of(body);
    let mut plan = Plan {
        event: id.clone(),
        event_id: Untrusted::new(id.clone()),
        name: Untrusted::default(),
        time: now,
        secrets: Vec::new(),
        handler,
        rules: Vec::new(),
        outcome: PlanOutcome::Quarantined,
        steps: vec![PlanStep::Unknown { why: why.to_owned() }],
        retry: None,
    };
    if let Some(response) =
        rules.responses.values().find(|response| response.action == ResponseAction::Quarantine)
    {
        let details = vec![
            IncidentDetail { label: "function", value: Untrusted::new(handler.name()) },
            IncidentDetail { label: "what is wrong", value: Untrusted::new(why) },
            IncidentDetail { label: "SHA-256 of the message begins", value: Untrusted::new(id) },
        ];
        let window_match =
            WindowMatch { observations: Vec::new(), severity: response.severity, resolved: None };
        let mut incident =
            Incident::of(response, incident_key(response, handler.name()), &window_match, details);
        (incident.handler, incident.first, incident.last) = (handler, now, now);
        plan.steps.push(PlanStep::Page {
            incident: Box::new(incident),
            digest: None,
            resolve_after: response.resolve_after,
            groups: BTreeSet::new(),
            consumers: Vec::new(),
        });
    }
    plan
}

/// A plan in the making.
struct PlanBuilder<'c, 'r> {
    case: &'c MatchedEvent<'r>,
    applied: Vec<AppliedResponse<'r>>,
    /// The counts that the event belongs to: hashed once.
    watches: Vec<GroupMembership<'r>>,
    facts: &'c Facts,
    steps: Vec<PlanStep>,
    retry: Option<String>,
}

impl<'c, 'r> PlanBuilder<'c, 'r> {
    fn new(case: &'c MatchedEvent<'r>, facts: &'c Facts) -> Self {
        let applied = case.applied(facts);
        let watches = detect::watched(case, &applied);
        Self { case, applied, watches, facts, steps: Vec::new(), retry: None }
    }

    fn event(&self) -> &Event {
        &self.case.event
    }

    /// The present, as far as this decision is concerned.
    fn now(&self) -> Timestamp {
        self.facts.now.unwrap_or(self.case.event.time)
    }

    /// Pages, unless this occurrence of the incident was paged at this severity already, or is worth no page.
    fn page(&mut self, response: &Response, mut incident: Incident, about: Vec<AffectedConsumer>) {
        let known = self.facts.incidents.get(&incident.key);
        let same = known.filter(|state| {
            let near = incident.first <= state.last.plus(response.resolve_after)
                && state.first <= incident.last.plus(response.resolve_after);
            let over = state.resolved.is_some_and(|resolved| incident.first > resolved);
            // What was closed because nothing followed is not over when something did.
            let goes_on = state.is_quieted(response.resolve_after) && incident.last > state.last;
            near && !over && !goes_on
        });
        if same.is_some_and(|state| incident.severity <= state.severity) {
            let Incident { rule, key, first, last, .. } = incident;
            self.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers: about });
        } else if incident.severity == Severity::Info {
            let (rule, key) = (incident.rule.clone(), incident.key.clone());
            self.steps.push(PlanStep::Digest { rule, key, incident: Box::new(incident) });
        } else {
            // Another response may have found what was before.
            if let Some(state) = same {
                incident.first = incident.first.min(state.first);
                incident.last = incident.last.max(state.last);
            }
            let own =
                self.watches.iter().filter(|watch| watch.incident_key == incident.key && !watch.resolves);
            let groups = own.map(|watch| watch.group.clone()).collect();
            let (incident, resolve_after) = (Box::new(incident), response.resolve_after);
            self.steps.push(PlanStep::Page {
                incident,
                digest: None,
                resolve_after: resolve_after,
                groups: groups,
                consumers: about,
            });
        }
    }

    /// Pages about this event alone.
    fn page_once(&mut self, response: &Response, subject: &str, details: Vec<IncidentDetail>) {
        let observation = Observation::of(self.event(), false);
        let window_match =
            WindowMatch { observations: vec![&observation], severity: response.severity, resolved: None };
        self.page_burst(response, incident_key(response, subject), &window_match, details, Vec::new());
    }

    /// Pages about some marks and consumers.
    fn page_burst(
        &mut self,
        response: &Response,
        key: String,
        window_match: &WindowMatch<'_>,
        details: Vec<IncidentDetail>,
        about: Vec<AffectedConsumer>,
    ) {
        let mut incident = Incident::of(response, key, window_match, details);
        incident.handler = self.case.handler;
        let services: BTreeSet<&String> = about.iter().map(|consumer| &consumer.service).collect();
        incident.services = services.into_iter().cloned().collect();
        self.page(response, incident, about);
    }
}

/// Names what a response says about a subject: the same for every copy, every function and every occurrence.
fn incident_key(response: &Response, subject: &str) -> String {
    hash::id(&["incident", &response.incident, subject])
}

fn outcome(steps: &[PlanStep]) -> PlanOutcome {
    let acts = steps.iter().any(|step| {
        !matches!(step, PlanStep::Skip { .. } | PlanStep::ExtendIncident { .. } | PlanStep::Ignore { .. })
    });
    // A sweep that finds everything in order has no steps.
    if acts || steps.is_empty() {
        PlanOutcome::Answered
    } else if steps.iter().any(|step| !matches!(step, PlanStep::Ignore { .. })) {
        PlanOutcome::Coalesced
    } else {
        PlanOutcome::Ignored
    }
}
