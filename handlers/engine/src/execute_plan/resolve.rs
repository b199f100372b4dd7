//! Resolutions: an incident is claimed, on-call is notified that it is over, and it is marked as resolved.

use responder_core::facts::Facts;
use responder_core::notify::Notification;
use responder_core::plan::PlanStep;

use super::plan_executor::{ExecutionProgress, PlanExecutor, StepEffect};
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::store::{ClaimResult, ClaimSubject};

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Resolves an incident.
    pub(super) async fn execute_resolution(
        &mut self,
        step: &PlanStep,
        facts: &Facts,
        progress: &mut ExecutionProgress,
    ) -> Result<StepEffect, EngineError> {
        let notification = self.renderer.render_step(step);
        let effect = self.resolve_incident(step, notification.as_ref(), facts).await?;
        if effect == StepEffect::Applied {
            progress.chats.extend(notification);
        }
        Ok(effect)
    }

    /// Resolves an incident at most once. The exits are:
    ///
    /// 1. it was resolved before, or it goes on: nothing is sent;
    /// 2. another invocation holds the claim: the event fails, and comes again;
    /// 3. it is claimed: the notification is sent if there is one that is not for the chat alone, and the incident is marked as
    ///    resolved.
    async fn resolve_incident(
        &mut self,
        step: &PlanStep,
        notification: Option<&Notification>,
        facts: &Facts,
    ) -> Result<StepEffect, EngineError> {
        let PlanStep::Resolve { rule, key, at, last_event, severity, .. } = step else {
            return Ok(StepEffect::Uncounted);
        };
        let resolved_at = *at;
        let subject = ClaimSubject::Resolution {
            key,
            resolved_at,
            last_event: *last_event,
            resolve_after: self.resolve_after(rule),
        };
        // The resolution says nothing of events that are later than this.
        let covers_until = last_event.unwrap_or(resolved_at);
        match self.ledger.claim_notification(&subject).await? {
            // 1. Resolved before.
            ClaimResult::AlreadyDone => {
                // An earlier invocation may have died before it marked the index. An incident that goes on is not marked:
                // its state has no resolution.
                let known = facts.incidents.get(key).and_then(|known| known.resolved);
                if known.is_some_and(|known| known >= resolved_at) {
                    self.ledger.mark_incident_resolved(key, resolved_at, covers_until).await?;
                }
                return Ok(StepEffect::AlreadyApplied);
            }
            // 2. Claimed by another invocation.
            ClaimResult::HeldElsewhere => return Err(EngineError::ClaimHeld),
            ClaimResult::Granted => {}
        }
        // 3. Claimed.
        match notification {
            Some(notification) if !notification.is_for_chat_alone() => {
                self.publish_claimed(notification, key, &subject).await?;
            }
            _ => self.ledger.complete_notification(&subject).await?,
        }
        self.counters.incident_counts(rule, *severity).resolved += 1;
        // If this fails, a later sweep marks the index (exit 1).
        drop(self.ledger.mark_incident_resolved(key, resolved_at, covers_until).await);
        Ok(StepEffect::Applied)
    }
}
