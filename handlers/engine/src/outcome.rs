//! The outcome of an event, from its plan and from what became of the plan's steps.

use std::collections::BTreeSet;

use responder_core::plan::{Plan, PlanOutcome, RefusedDeployment};
use serde::Serialize;

use crate::error::EngineError;

/// How an event ended, for this delivery of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventOutcome {
    /// Something was done or counted, or nothing had to be done.
    Answered,
    /// Another event, or another delivery of this one, was answered instead.
    Coalesced,
    /// No rule matches it.
    Ignored,
    /// It cannot be read; on-call was notified.
    Quarantined,
    /// The queue delivers it again.
    Failed,
}

/// The effects of a plan.
#[derive(Debug, Default)]
pub(crate) struct ExecutionResult {
    /// How many effects this execution applied.
    pub(crate) applied: usize,
    /// How many effects had been applied before.
    pub(crate) already_applied: usize,
    /// The keys of the incidents that were paged, by this execution or before, and of which nothing more can be paged.
    pub(crate) paged: BTreeSet<String>,
    /// The redeployments that ECS refuses, for good or for now.
    pub(crate) refused: Vec<RefusedDeployment>,
    /// The errors of the steps that failed. The other steps were executed.
    pub(crate) errors: Vec<EngineError>,
}

/// Decides how an event ended, and returns that with all its errors:
///
/// 1. as failed, if a step failed, the plan asks to decide again later, or the ledger did not answer all that decides
///    (`is_answered` is false): observations and reads would be lost unless the event came again;
/// 2. as coalesced, if the plan has effects and all of them had been applied before;
/// 3. as the plan says.
pub(crate) fn conclude_event(
    plan: &Plan,
    executed: ExecutionResult,
    is_answered: bool,
) -> (EventOutcome, Vec<EngineError>) {
    let ExecutionResult { applied, already_applied, mut errors, .. } = executed;
    if plan.retry.is_some() {
        errors.push(EngineError::RetryPlanned);
    }
    if !is_answered {
        errors.push(EngineError::StoreUnavailable);
    }
    // 1. Failed.
    if !errors.is_empty() {
        return (EventOutcome::Failed, errors);
    }
    let outcome = match plan.outcome {
        // 2. All effects had been applied.
        PlanOutcome::Answered if applied == 0 && already_applied > 0 => EventOutcome::Coalesced,
        // 3. As planned.
        PlanOutcome::Answered => EventOutcome::Answered,
        PlanOutcome::Coalesced => EventOutcome::Coalesced,
        PlanOutcome::Ignored => EventOutcome::Ignored,
        PlanOutcome::Quarantined => EventOutcome::Quarantined,
    };
    (outcome, errors)
}

#[cfg(test)]
mod tests {
    use responder_core::decide;
    use responder_core::rules::Handler;
    use responder_core::time::Timestamp;

    use super::*;

    fn plan(outcome: PlanOutcome) -> Plan {
        let rules = responder_core::rules::builtin().unwrap();
        let mut plan = decide::quarantine(&rules, Handler::Access, "", b"", "", Timestamp::default());
        plan.outcome = outcome;
        plan
    }

    fn end(plan: &Plan, executed: ExecutionResult, answered: bool) -> EventOutcome {
        conclude_event(plan, executed, answered).0
    }

    #[test]
    fn what_was_done_before_is_coalesced() {
        let plan = plan(PlanOutcome::Answered);
        assert_eq!(
            end(&plan, ExecutionResult { already_applied: 2, ..ExecutionResult::default() }, true),
            EventOutcome::Coalesced
        );
        assert_eq!(
            end(
                &plan,
                ExecutionResult { already_applied: 2, applied: 1, ..ExecutionResult::default() },
                true
            ),
            EventOutcome::Answered
        );
        assert_eq!(end(&plan, ExecutionResult::default(), true), EventOutcome::Answered);
    }

    #[test]
    fn an_error_or_a_wish_for_another_look_fails_the_event() {
        let mut plan = plan(PlanOutcome::Answered);
        let executed = ExecutionResult {
            applied: 1,
            errors: vec![EngineError::ClaimHeld],
            ..ExecutionResult::default()
        };
        assert_eq!(end(&plan, executed, true), EventOutcome::Failed);
        plan.retry = Some("look again".to_owned());
        assert_eq!(
            end(&plan, ExecutionResult { applied: 1, ..ExecutionResult::default() }, true),
            EventOutcome::Failed
        );
    }

    #[test]
    fn what_could_not_be_counted_comes_again() {
        assert_eq!(
            end(&plan(PlanOutcome::Answered), ExecutionResult::default(), false),
            EventOutcome::Failed
        );
    }
}
