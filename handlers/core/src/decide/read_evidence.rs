//! The proof that a consumer runs the new value: a task of its role read the secret after its new deployment began.

use super::plan_builder::PlanBuilder;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::MatchedEvent;
use crate::state::deployment::read_evidence_key;
use crate::text::Untrusted;

/// The role whose session this is, if that is a task's.
fn role<'c>(case: &'c MatchedEvent<'_>) -> Option<&'c Untrusted> {
    let principal = &case.event.principal;
    principal.is_task().then_some(&principal.id)
}

pub(super) fn questions(case: &MatchedEvent<'_>) -> Vec<Question> {
    let (Some(role), Some(secret)) = (role(case), case.event.secrets.first()) else { return Vec::new() };
    vec![Question::PendingEvidence { key: read_evidence_key(role, secret) }]
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>) {
    let (Some(role), Some(secret)) = (role(draft.case), draft.event().secrets.first()) else { return };
    let (key, at) = (read_evidence_key(role, secret), draft.event().time);
    let evidence = draft.facts.pending_evidence.get(&key).into_iter().flatten();
    let proved: Vec<PlanStep> = evidence
        .filter(|evidence| at >= evidence.since.whole_second())
        .map(|evidence| PlanStep::Prove { key: key.clone(), evidence: evidence.clone(), at })
        .collect();
    draft.steps.extend(proved);
}
