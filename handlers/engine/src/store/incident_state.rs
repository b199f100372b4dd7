//! The state of an incident: what was paged about it, and since when and until when it lasts.

use responder_core::severity::Severity;
use responder_core::state::incident_state::{IncidentState, is_part_of_occurrence};
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::ledger::Ledger;
use super::schema::{self, FIRST, INCIDENT_LIFETIME, LAST, PAGED, RESOLVED, TTL, expiry_seconds};
use crate::error::EngineError;
use crate::port::WriteCondition::{All, GreaterThan, LessThan};
use crate::port::{AwsPort, ItemUpdate, TableItem, WriteCondition, WriteResult};

/// Events of a paged incident that lie before its known beginning or after its known end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IncidentExtension<'k> {
    /// The incident's key.
    pub(crate) key: &'k str,
    /// When the occurrence began that the events belong to.
    pub(crate) began_at: Timestamp,
    /// The earlier beginning, if there is one.
    pub(crate) first: Option<Timestamp>,
    /// The later end, if there is one.
    pub(crate) last: Option<Timestamp>,
    /// How long the incident must be without an event to be resolved.
    pub(crate) resolve_after: Span,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Extends a paged incident to its events.
    ///
    /// # Errors
    /// [`EngineError::ClaimHeld`] if the incident was resolved meanwhile, before the last of the events. The core must then
    /// decide again: the events may be another occurrence.
    pub(crate) async fn extend_incident(&self, extension: &IncidentExtension<'_>) -> Result<(), EngineError> {
        let IncidentExtension { key, began_at, first, last, resolve_after } = *extension;
        let mut updates = Vec::new();
        if let Some(last) = last {
            let lifetime = resolve_after.max(INCIDENT_LIFETIME);
            updates.push(
                ItemUpdate::new(schema::incident_key(key))
                    .set_number(LAST, last.millis())
                    .set_number(TTL, expiry_seconds(self.aws.now(), last, lifetime))
                    .only_if(All(vec![extension.is_same_occurrence(), LessThan(LAST, last.millis())])),
            );
        }
        if let Some(first) = first {
            updates.push(
                ItemUpdate::new(schema::incident_key(key))
                    .set_number(FIRST, first.millis())
                    .only_if(All(vec![extension.is_same_occurrence(), GreaterThan(FIRST, first.millis())])),
            );
        }
        for update in updates {
            let WriteResult::ConditionFailed(Some(item)) = self.write_item(&update).await? else { continue };
            let Some(resolved) = item.timestamp(RESOLVED) else { continue };
            if began_at <= resolved && resolved < extension.until() {
                return Err(EngineError::ClaimHeld);
            }
        }
        Ok(())
    }
}

impl IncidentExtension<'_> {
    /// The last instant of which the events say something.
    fn until(&self) -> Timestamp {
        self.last.or(self.first).unwrap_or(self.began_at)
    }

    /// The item is of the occurrence that the events belong to.
    fn is_same_occurrence(&self) -> WriteCondition {
        write_condition(&is_part_of_occurrence(self.began_at, self.until()))
    }
}

/// Reads what was paged about an incident; `None` if the item holds only a claim.
pub(super) fn read_incident_state(item: &TableItem) -> Option<IncidentState> {
    Some(IncidentState {
        first: item.timestamp(FIRST)?,
        last: item.timestamp(LAST)?,
        severity: severity_of_rank(item.number(PAGED)?),
        resolved: item.timestamp(RESOLVED),
    })
}

/// The severity that [`Severity::rank`] wrote. A rank of another release counts as the highest severity below it.
pub(super) fn severity_of_rank(rank: i64) -> Severity {
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        if rank >= i64::from(severity.rank()) {
            return severity;
        }
    }
    Severity::Info
}
