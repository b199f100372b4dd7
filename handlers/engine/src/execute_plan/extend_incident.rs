//! Extends a paged incident to an event that lies beyond what is known of it.

use responder_core::facts::Facts;
use responder_core::plan::PlanStep;

use super::plan_executor::PlanExecutor;
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::store::IncidentExtension;

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Extends an incident, and records that on-call knows of its consumers by that. The errors of both go to `errors`.
    pub(super) async fn execute_extension(
        &self,
        step: &PlanStep,
        facts: &Facts,
        errors: &mut Vec<EngineError>,
    ) {
        let PlanStep::ExtendIncident { consumers, .. } = step else { return };
        errors.extend(self.extend_incident(step, facts).await.err());
        errors.extend(self.record_notified_consumers(consumers).await.err());
    }

    async fn extend_incident(&self, step: &PlanStep, facts: &Facts) -> Result<(), EngineError> {
        let PlanStep::ExtendIncident { rule, key, first, last, .. } = step else { return Ok(()) };
        let mut extension = IncidentExtension {
            key,
            began_at: *first,
            first: Some(*first),
            last: Some(*last),
            resolve_after: self.resolve_after(rule),
        };
        if let Some(known) = facts.incidents.get(key) {
            // A resolved incident does not become longer: if it goes on after all, the core plans a page.
            if known.resolved.is_some_and(|resolved| resolved >= *first) {
                return Ok(());
            }
            extension.began_at = known.first.min(*first);
            extension.first = (*first < known.first).then_some(*first);
            extension.last = (*last > known.last).then_some(*last);
        }
        match self.ledger.extend_incident(&extension).await {
            Err(EngineError::ClaimHeld) => Err(EngineError::ClaimHeld),
            // A page of this invocation went out without the ledger, so there may be nothing to extend; and if the event
            // failed now, it would page again.
            Err(_) if self.counters.ledger_bypassed > 0 => Ok(()),
            extended => extended,
        }
    }
}
