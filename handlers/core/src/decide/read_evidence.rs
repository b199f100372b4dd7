//! Read evidence: a task of a consumer's role read the secret after the new deployment began, so it has the new value.

use super::plan_builder::PlanBuilder;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::MatchedEvent;
use crate::state::deployment::read_evidence_key;

/// Which consumers a read by this role would prove.
pub(super) fn questions(case: &MatchedEvent<'_>) -> Vec<Question> {
    let mut questions = Vec::new();
    if let Some(key) = find_evidence_key(case) {
        questions.push(Question::PendingEvidence { key });
    }
    questions
}

/// Proves each consumer whose deployment was requested before the read. The time of the read is in whole seconds.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>) {
    let Some(key) = find_evidence_key(builder.case) else { return };
    let read_at = builder.event().time;
    let Some(read_secret) = builder.case.event.secrets.first() else { return };
    for evidence in builder.facts.pending_evidence.get(&key).into_iter().flatten() {
        // An ARN that ends like a full one has the key of the name before its end, whatever it means.
        let is_same = read_secret.may_be_same_secret(&evidence.change.secret);
        if is_same && read_at >= evidence.since.truncate_to_second() {
            let evidence = evidence.clone();
            builder.steps.push(PlanStep::Prove { key: key.clone(), evidence, at: read_at });
        }
    }
}

/// The key of the evidence that this read may be, if a task made it.
fn find_evidence_key(case: &MatchedEvent<'_>) -> Option<String> {
    let principal = &case.event.principal;
    let secret = case.event.secrets.first()?;
    if !principal.is_task_session() {
        return None;
    }
    Some(read_evidence_key(&principal.id, secret))
}
