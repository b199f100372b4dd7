//! The decision about one event: each response that applies asks its questions and adds its steps.

use std::collections::BTreeSet;

use super::plan_builder::PlanBuilder;
use super::{
    auto_resolve, consumer_notices, detect, digest, first_seen, incident_updates, overdue_rotation,
    read_evidence, rollout, secret_change, sweep,
};
use crate::aws::secret_ref::SecretRef;
use crate::facts::Facts;
use crate::plan::{Plan, PlanOutcome, PlanStep, RefusedDeployment};
use crate::question::Question;
use crate::rules::{AppliedResponse, Handler, MatchedEvent, ResponseAction};

/// What must be known to decide about an event; sorted, each question once. Some answers make more worth asking: ask again
/// with what was learned until nothing new comes.
pub fn questions(event: &MatchedEvent<'_>, facts: &Facts) -> Vec<Question> {
    let is_sweep = event.handler == Handler::Sweep;
    let applied = event.find_applied_responses(facts);
    let mut questions = detect::questions(event, &applied, facts);
    for AppliedResponse { response, .. } in applied {
        match response.action {
            ResponseAction::Page | ResponseAction::Quarantine => {}
            ResponseAction::Redeploy if is_sweep => {
                questions.extend(sweep::questions(event, response, facts));
            }
            ResponseAction::Redeploy => questions.extend(secret_change::questions(event, response, facts)),
            ResponseAction::Follow => questions.extend(rollout::questions(event, response, facts)),
            ResponseAction::Overdue => questions.extend(overdue_rotation::questions(event, response, facts)),
            ResponseAction::Prove => questions.extend(read_evidence::questions(event)),
            ResponseAction::FirstRead => questions.extend(first_seen::questions(event, facts)),
            ResponseAction::Summarise => questions.extend(digest::questions(event, response, facts)),
        }
    }
    if is_sweep {
        questions.extend(incident_updates::questions(event, facts));
        questions.extend(auto_resolve::questions(event, facts));
    }
    questions.sort();
    questions.dedup();
    questions
}

/// What is to be done about an event. Total and deterministic: the same event and facts give the same plan.
pub fn respond(event: &MatchedEvent<'_>, facts: &Facts) -> Plan {
    let is_sweep = event.handler == Handler::Sweep;
    let mut builder = PlanBuilder::new(event, facts);
    for AppliedResponse { response, .. } in builder.applied.clone() {
        match response.action {
            ResponseAction::Page => detect::respond(&mut builder, response),
            ResponseAction::Redeploy if is_sweep => sweep::respond(&mut builder, response),
            ResponseAction::Redeploy => secret_change::respond(&mut builder, response),
            ResponseAction::Follow => rollout::respond(&mut builder, response),
            ResponseAction::Overdue => overdue_rotation::respond(&mut builder, response),
            ResponseAction::Prove => read_evidence::respond(&mut builder),
            ResponseAction::FirstRead => first_seen::respond(&mut builder, response),
            ResponseAction::Summarise => digest::respond(&mut builder, response),
            ResponseAction::Quarantine => {}
        }
    }
    detect::resolve(&mut builder);
    if is_sweep {
        // The figures of an incident are told before it ends.
        incident_updates::respond(&mut builder);
        auto_resolve::respond(&mut builder);
    }
    let PlanBuilder { steps, retry, .. } = builder;
    let record = &event.event;
    let names: BTreeSet<_> = record.secrets.iter().map(SecretRef::display_name).collect();
    Plan {
        event: record.key().to_owned(),
        event_id: record.id(),
        name: record.event_name(),
        time: record.time,
        secrets: names.into_iter().collect(),
        handler: event.handler,
        rules: event.rules.iter().map(|rule| rule.id.clone()).collect(),
        outcome: plan_outcome(&steps),
        steps,
        retry,
    }
}

/// The steps that notify a human of redeployments that were planned and that ECS then refused.
pub fn notify_refusals(
    event: &MatchedEvent<'_>,
    facts: &Facts,
    refused: &[RefusedDeployment],
) -> Vec<PlanStep> {
    let mut builder = PlanBuilder::new(event, facts);
    for AppliedResponse { response, .. } in builder.applied.clone() {
        if response.action == ResponseAction::Redeploy {
            consumer_notices::add_refusal_incident(&mut builder, response, refused);
        }
    }
    builder.steps
}

/// How an event ends, from its steps. The checks run in this order:
///
/// 1. no step, or one that acts or counts: answered (a sweep that finds everything in order has no steps);
/// 2. a step that leaves something to what was done before: coalesced;
/// 3. otherwise: ignored.
fn plan_outcome(steps: &[PlanStep]) -> PlanOutcome {
    let mut is_coalesced = false;
    for step in steps {
        match step {
            PlanStep::Skip { .. } | PlanStep::ExtendIncident { .. } => is_coalesced = true,
            PlanStep::Ignore { .. } => {}
            _ => return PlanOutcome::Answered,
        }
    }
    if steps.is_empty() {
        PlanOutcome::Answered
    } else if is_coalesced {
        PlanOutcome::Coalesced
    } else {
        PlanOutcome::Ignored
    }
}
