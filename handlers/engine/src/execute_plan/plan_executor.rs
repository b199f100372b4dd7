//! The executor, and what its steps share.

use responder_core::notify::{Notification, Renderer};
use responder_core::rules::RuleSet;
use responder_core::time::Span;

use crate::deadline::Deadline;
use crate::discovery::ProcessCache;
use crate::error::EngineError;
use crate::metrics::Counters;
use crate::outcome::ExecutionResult;
use crate::store::Ledger;

/// The part of the invocation that is kept back to mark effects as done: an effect that is not marked is had again.
pub(super) const COMPLETION_RESERVE: Span = Span::from_secs(2);

/// The means of executing the plans of an invocation.
pub(crate) struct PlanExecutor<'e, A> {
    pub(crate) aws: &'e A,
    pub(crate) rules: &'e RuleSet,
    pub(crate) renderer: Renderer<'e>,
    pub(crate) ledger: &'e Ledger<'e, A>,
    pub(crate) cache: &'e ProcessCache,
    pub(crate) deadline: Deadline,
    pub(crate) counters: &'e mut Counters,
}

/// The effect of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepEffect {
    /// This execution applied it.
    Applied,
    /// An earlier execution, or another invocation, had applied it.
    AlreadyApplied,
    /// The step has no effect that is counted.
    Uncounted,
}

/// The state of an execution.
#[derive(Debug, Default)]
pub(super) struct ExecutionProgress {
    pub(super) result: ExecutionResult,
    /// The notifications that were sent, for the chats.
    pub(super) chats: Vec<Notification>,
    /// Whether a page could not be sent.
    pub(super) is_page_missing: bool,
}

impl<A> PlanExecutor<'_, A> {
    /// How long an incident of a rule must be without an event to be resolved.
    pub(super) fn resolve_after(&self, rule: &str) -> Span {
        self.rules.responses.get(rule).map(|response| response.resolve_after).unwrap_or_default()
    }

    /// Counts the effect of a step.
    pub(super) fn count_effect(
        &mut self,
        effect: Result<StepEffect, EngineError>,
        result: &mut ExecutionResult,
    ) {
        match effect {
            Ok(StepEffect::Applied) => result.applied += 1,
            Ok(StepEffect::AlreadyApplied) => {
                result.already_applied += 1;
                self.counters.duplicates += 1;
            }
            Ok(StepEffect::Uncounted) => {}
            Err(error) => {
                self.counters.claims_held += usize::from(error == EngineError::ClaimHeld);
                result.errors.push(error);
            }
        }
    }
}
