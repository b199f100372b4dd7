//! Pages: an incident is claimed, entered into the index, paged, and marked as paged.

use responder_core::facts::Facts;
use responder_core::incident::{Incident, IncidentStatus};
use responder_core::notify::Notification;
use responder_core::plan::PlanStep;
use responder_core::state::digest_entry;
use responder_core::state::incident_extent::IncidentExtent;
use responder_core::state::incident_state::PageContent;
use responder_core::time::Span;

use super::plan_executor::{COMPLETION_RESERVE, ExecutionProgress, PlanExecutor, StepEffect};
use crate::error::EngineError;
use crate::port::AwsPort;
use crate::store::{ClaimResult, ClaimSubject, IncidentExtension, OpenIncidentEntry};

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Pages an incident, and records that on-call was notified of its consumers.
    pub(super) async fn execute_page(
        &mut self,
        step: &PlanStep,
        facts: &Facts,
        progress: &mut ExecutionProgress,
    ) -> Result<StepEffect, EngineError> {
        let PlanStep::Page { incident, extent, resolve_after, groups, consumers, .. } = step else {
            return Ok(StepEffect::Uncounted);
        };
        let Some(notification) = self.renderer.render_step(step) else { return Ok(StepEffect::Uncounted) };
        let date = digest_entry::digest_date(incident.last, self.aws.now(), &facts.settings);
        let entry = OpenIncidentEntry { incident, date, resolve_after: *resolve_after, groups };
        let effect = match self.page_incident(entry, *extent, &notification).await {
            Ok(effect) => effect,
            Err(error) => {
                progress.is_page_missing = true;
                return Err(error);
            }
        };
        // Observations that the ledger did not return may be missing to raise the incident, or to page that it has grown.
        if self.rules.is_fully_paged(&incident.rule, incident.severity) {
            progress.result.paged.insert(incident.key.clone());
        }
        // The page is out: if the event failed now, it would only page again.
        let recorded = self.record_notified_consumers(consumers).await;
        self.counters.ledger_bypassed += usize::from(recorded.is_err());
        if effect == StepEffect::Applied {
            self.count_page(incident, *resolve_after, facts);
            progress.chats.push(notification);
        }
        Ok(effect)
    }

    /// Pages an incident at most once. The exits are:
    ///
    /// 1. the incident was paged before, at least as severe and as large: it is extended to this event;
    /// 2. another invocation holds the claim: the event fails, and comes again;
    /// 3. the incident is claimed and stands in the index: it is paged, then marked as paged;
    /// 4. the ledger cannot do one of the two: it is paged all the same, because a page too many is better than one too
    ///    few, and marked as paged if the ledger answers then.
    async fn page_incident(
        &mut self,
        entry: OpenIncidentEntry<'_>,
        extent: IncidentExtent,
        notification: &Notification,
    ) -> Result<StepEffect, EngineError> {
        let OpenIncidentEntry { incident, resolve_after, .. } = entry;
        let Incident { key, first, last, .. } = incident;
        let subject = page_subject(incident, extent, resolve_after);
        match self.ledger.claim_notification(&subject).await {
            // 1. Paged before.
            Ok(ClaimResult::AlreadyDone) => {
                let (first, last) = (*first, *last);
                let extension = IncidentExtension {
                    key,
                    began_at: first,
                    first: Some(first),
                    last: Some(last),
                    resolve_after,
                };
                self.ledger.extend_incident(&extension).await?;
                return Ok(StepEffect::AlreadyApplied);
            }
            // 2. Claimed by another invocation.
            Ok(ClaimResult::HeldElsewhere) => return Err(EngineError::ClaimHeld),
            Ok(ClaimResult::Granted) => {
                // The sweep finds only incidents of the index, so the entry comes before the mark.
                if self.ledger.add_open_incident(entry).await.is_ok() {
                    // 3. Claimed.
                    self.publish_claimed(notification, key, &subject).await?;
                    return Ok(StepEffect::Applied);
                }
                self.ledger.release_notification(&subject).await;
            }
            Err(_) => {}
        }
        // 4. Without the ledger.
        self.counters.ledger_bypassed += 1;
        self.publish_notification(notification, key).await?;
        self.mark_page_afterwards(entry, &subject).await;
        Ok(StepEffect::Applied)
    }

    /// Marks a page that was sent without a claim, if the ledger answers now: then no other invocation sends it too, and the
    /// sweep finds the incident.
    async fn mark_page_afterwards(&self, entry: OpenIncidentEntry<'_>, subject: &ClaimSubject<'_>) {
        if let Ok(ClaimResult::Granted) = self.ledger.claim_notification(subject).await
            && self.ledger.add_open_incident(entry).await.is_ok()
        {
            drop(self.ledger.complete_notification(subject).await);
        }
    }

    /// Sends a claimed notification, then completes its claim. Gives the claim back if the notification was not sent.
    pub(super) async fn publish_claimed(
        &mut self,
        notification: &Notification,
        key: &str,
        claim: &ClaimSubject<'_>,
    ) -> Result<(), EngineError> {
        if let Err(error) = self.publish_notification(notification, key).await {
            self.ledger.release_notification(claim).await;
            return Err(error);
        }
        // The notification is out: if the event failed now, it would only be sent again. Without the mark, the next event
        // sends it again, and the incident is never resolved; so the mark is tried twice.
        if self.ledger.complete_notification(claim).await.is_err()
            && self.ledger.complete_notification(claim).await.is_err()
        {
            self.counters.ledger_bypassed += 1;
        }
        Ok(())
    }

    async fn publish_notification(
        &mut self,
        notification: &Notification,
        key: &str,
    ) -> Result<(), EngineError> {
        let until = self.deadline.earlier_by(COMPLETION_RESERVE).instant();
        self.aws.publish_page(notification, key, until).await?;
        self.counters.pages_sent += 1;
        Ok(())
    }

    /// Counts a page as the first of its incident, or as one that says that the incident is more severe or has grown.
    fn count_page(&mut self, incident: &Incident, resolve_after: Span, facts: &Facts) {
        let known = facts.incidents.get(&incident.key);
        let is_raised =
            known.is_some_and(|known| known.is_raised_by(incident.first, incident.last, resolve_after));
        let counts = self.counters.incident_counts(&incident.rule, incident.severity);
        if is_raised {
            counts.raised += 1;
        } else {
            counts.opened += 1;
        }
    }
}

fn page_subject(incident: &Incident, extent: IncidentExtent, resolve_after: Span) -> ClaimSubject<'_> {
    let Incident { first, last, severity, settled_after, .. } = *incident;
    let has_settled = settled_after.is_some();
    let notified = incident.notified.map(|state| state.extent).unwrap_or_default();
    ClaimSubject::Page {
        key: &incident.key,
        content: PageContent { first, last, severity, extent, has_settled, notified },
        resolved_at: match incident.state {
            IncidentStatus::Resolved => incident.resolved_at,
            IncidentStatus::Open | IncidentStatus::Quiet => None,
        },
        resolve_after,
    }
}
