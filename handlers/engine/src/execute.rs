//! Executing: the steps of a plan become effects, each claimed first, so that copies of an event change nothing.

mod rotation;

use std::collections::BTreeSet;

use responder_core::aws::ecs_refusal::is_final_refusal;
use responder_core::facts::Facts;
use responder_core::incident::{Incident, IncidentStatus};
use responder_core::notify::{Notification, Renderer};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::RuleSet;
use responder_core::severity::Severity;
use responder_core::state::deployment::DeploymentOutcome;
use responder_core::state::digest_entry;
use responder_core::time::{Date, Span, Timestamp};

use crate::deadline::Deadline;
use crate::discover::ProcessCache;
use crate::error::EngineError;
use crate::ledger::{ClaimResult, ClaimSubject, Ledger};
use crate::log;
use crate::metrics::Counters;
use crate::parallel::parallel;
use crate::port::AwsPort;

/// What is kept of the invocation to mark as done what was done.
const MARKING: Span = Span::from_secs(2);

/// How long the chats of a plan may take: other events wait meanwhile.
const CHATTING: Span = Span::from_secs(3);

/// How many records are written at the same time.
const RECORDED_AT_ONCE: usize = 8;

/// Whom to act through.
pub(crate) struct PlanExecutor<'e, A> {
    pub(crate) aws: &'e A,
    pub(crate) rules: &'e RuleSet,
    pub(crate) renderer: Renderer<'e>,
    pub(crate) ledger: &'e Ledger<'e, A>,
    pub(crate) cache: &'e ProcessCache,
    pub(crate) deadline: Deadline,
    pub(crate) counters: &'e mut Counters,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct ExecutionResult {
    /// Effects that this execution had.
    pub(crate) acted: usize,
    /// Effects that had been had before.
    pub(crate) already: usize,
    /// The keys of the incidents that a human is told of as urgently as can be: by this execution or before.
    pub(crate) paged: BTreeSet<String>,
    /// The redeployments that ECS refuses, with why.
    pub(crate) refused: Vec<(PlanStep, String)>,
    /// What could not be done. The other steps were.
    pub(crate) errors: Vec<EngineError>,
}

/// How a step that takes effect went.
enum StepEffect {
    Acted,
    Already,
}

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Executes every step. One that fails costs no other.
    pub(crate) async fn execute(&mut self, plan: &Plan, facts: &Facts) -> ExecutionResult {
        let mut executed = ExecutionResult::default();
        let mut untold = false;
        let mut chats: Vec<Notification> = Vec::new();
        // What changed is on record before anything is done about it.
        let notes = plan.steps.iter().filter(|step| matches!(step, PlanStep::RecordChange { .. }));
        let recorded = parallel(notes.map(|step| self.record(step)), RECORDED_AT_ONCE).await;
        executed.acted += recorded.iter().filter(|recorded| recorded.is_ok()).count();
        executed.errors.extend(recorded.into_iter().filter_map(Result::err));
        for step in &plan.steps {
            let effect = match step {
                // What has ended is not looked at again: people come first. The event fails, and comes again.
                PlanStep::EndDeployment { end, .. } if untold && end.outcome == DeploymentOutcome::Failed => {
                    continue;
                }
                PlanStep::Redeploy { .. } => match self.redeploy(step).await {
                    // No repetition helps: people are told.
                    Err(EngineError::Refused(why)) => {
                        executed.refused.push((step.clone(), why.to_string()));
                        continue;
                    }
                    effect => effect,
                },
                PlanStep::Page { incident, resolve_after, groups, consumers, .. } => {
                    let Some(notification) = self.renderer.render_step(step) else { continue };
                    let date = digest_entry::digest_date(incident.last, self.aws.now(), &facts.settings);
                    let effect = self.page(incident, &notification, *resolve_after, (date, groups)).await;
                    if matches!(effect, Ok(StepEffect::Acted)) {
                        self.count(incident, *resolve_after, facts);
                    }
                    if effect.is_ok() {
                        // Below that, what could not be counted may be what is missing to say more.
                        if incident.severity >= self.top(incident) {
                            executed.paged.insert(incident.key.clone());
                        }
                        // To fail now would only page again.
                        let notified = self.notified(consumers).await;
                        self.counters.ledger_bypassed += usize::from(notified.is_err());
                        if matches!(effect, Ok(StepEffect::Acted)) {
                            chats.push(notification);
                        }
                    } else {
                        untold = true;
                    }
                    effect
                }
                PlanStep::Resolve { .. } => {
                    let notice = self.renderer.render_step(step);
                    let effect = self.resolve(step, notice.as_ref(), facts).await;
                    if matches!(effect, Ok(StepEffect::Acted)) {
                        chats.extend(notice);
                    }
                    effect
                }
                PlanStep::ExtendIncident { rule, key, first, last, consumers } => {
                    let extended = self.extend(rule, key, (*first, *last), facts).await;
                    executed.errors.extend(extended.err());
                    executed.errors.extend(self.notified(consumers).await.err());
                    continue;
                }
                PlanStep::ReconcileDeployment { .. }
                | PlanStep::EndDeployment { .. }
                | PlanStep::Prove { .. } => self.remember(step, facts).await.map(|()| StepEffect::Acted),
                // With those of the whole batch.
                PlanStep::Digest { .. } | PlanStep::UpdateLastSeen { .. } | PlanStep::Suppress { .. } => {
                    executed.acted += 1;
                    continue;
                }
                // Before and after the others.
                PlanStep::RecordChange { .. }
                | PlanStep::Skip { .. }
                | PlanStep::Defer { .. }
                | PlanStep::ResolveChange { .. } => continue,
                // Nobody is paged: the summary of the day tells it.
                PlanStep::Count { .. }
                | PlanStep::Unknown { .. }
                | PlanStep::Nothing { .. }
                | PlanStep::Ignore { .. } => {
                    continue;
                }
            };
            match effect {
                Ok(StepEffect::Acted) => executed.acted += 1,
                Ok(StepEffect::Already) => {
                    executed.already += 1;
                    self.counters.duplicates += 1;
                }
                Err(error) => {
                    self.counters.claims_held += usize::from(error == EngineError::Held);
                    executed.errors.push(error);
                }
            }
        }
        // An account has thousands of services that are left alone: they must not keep others waiting.
        let last = |step: &&PlanStep| {
            matches!(step, PlanStep::Skip { .. } | PlanStep::Defer { .. } | PlanStep::ResolveChange { .. })
        };
        let recorded = plan.steps.iter().filter(last).map(|step| self.record(step));
        let recorded = parallel(recorded, RECORDED_AT_ONCE).await;
        executed.errors.extend(recorded.into_iter().filter_map(Result::err));
        self.chat(&chats).await;
        executed
    }

    /// Tells the chats what was paged: once, last, and whatever comes of it, the event is answered.
    async fn chat(&mut self, pages: &[Notification]) {
        let until = self.deadline.at().min(self.aws.now().plus(CHATTING));
        for page in pages {
            match self.aws.chat(page, until).await {
                Ok(()) => self.counters.chats_sent += 1,
                Err(error) => {
                    self.counters.chats_failed += 1;
                    log::chat_failed(self.aws, &error);
                }
            }
        }
    }

    /// Counts a page as the first one of its incident, or as one that says that it is worse.
    fn count(&mut self, incident: &Incident, resolve_after: Span, facts: &Facts) {
        let known = facts.incidents.get(&incident.key);
        let goes_on = known.is_some_and(|known| {
            known.resolved.is_none()
                && known.severity < incident.severity
                && incident.first <= known.last.plus(resolve_after)
        });
        let counts = self.counters.of(&incident.rule, incident.severity);
        *(if goes_on { &mut counts.raised } else { &mut counts.opened }) += 1;
    }

    /// Stretches an incident that was paged, where this event lies beyond what is known of it.
    async fn extend(
        &self,
        rule: &str,
        key: &str,
        (first, last): (Timestamp, Timestamp),
        facts: &Facts,
    ) -> Result<(), EngineError> {
        let known = facts.incidents.get(key);
        // What is over does not become longer: of what goes on after all the core pages.
        if known.and_then(|known| known.resolved).is_some_and(|resolved| resolved >= first) {
            return Ok(());
        }
        let earlier = known.is_none_or(|known| first < known.first).then_some(first);
        let later = known.is_none_or(|known| last > known.last).then_some(last);
        let of = known.map_or(first, |known| known.first.min(first));
        match self.ledger.extend(key, of, earlier, later, self.resolve_after(rule)).await {
            // The page went out without the ledger: there is nothing to stretch, and to fail would page again.
            Err(error) if self.counters.ledger_bypassed > 0 && !matches!(error, EngineError::Held) => Ok(()),
            extended => extended,
        }
    }

    async fn page(
        &mut self,
        incident: &Incident,
        page: &Notification,
        resolve_after: Span,
        index: (Date, &BTreeSet<String>),
    ) -> Result<StepEffect, EngineError> {
        let Incident { key, first, last, severity, .. } = incident;
        let resolved = incident.resolved_at.filter(|_| incident.state == IncidentStatus::Resolved);
        let subject = ClaimSubject::Page {
            key,
            first: *first,
            last: *last,
            severity: *severity,
            resolved,
            resolve_after,
        };
        let claimed = match self.ledger.claim(&subject).await {
            // What is marked as sent is found by the sweep.
            Ok(ClaimResult::Ours)
                if self.ledger.open(incident, index.0, resolve_after, index.1).await.is_ok() =>
            {
                true
            }
            Ok(ClaimResult::Ours) => {
                self.ledger.release(&subject).await;
                self.counters.ledger_bypassed += 1;
                false
            }
            Ok(ClaimResult::Done) => {
                self.ledger.extend(key, *first, Some(*first), Some(*last), resolve_after).await?;
                return Ok(StepEffect::Already);
            }
            Ok(ClaimResult::Held) => return Err(EngineError::Held),
            // Towards a human: a page too many is better than one too few.
            Err(_) => {
                self.counters.ledger_bypassed += 1;
                false
            }
        };
        self.publish(page, key, claimed.then_some(&subject)).await?;
        if !claimed {
            self.observation(incident, &subject, resolve_after, index).await;
        }
        Ok(StepEffect::Acted)
    }

    /// Marks a page that went out without a claim, if the ledger answers again: nobody else need send it, and the sweep finds
    /// it.
    async fn observation(
        &self,
        incident: &Incident,
        subject: &ClaimSubject<'_>,
        resolve_after: Span,
        index: (Date, &BTreeSet<String>),
    ) {
        if let Ok(ClaimResult::Ours) = self.ledger.claim(subject).await
            && self.ledger.open(incident, index.0, resolve_after, index.1).await.is_ok()
        {
            drop(self.ledger.finish(subject, Vec::new()).await);
        }
    }

    async fn resolve(
        &mut self,
        step: &PlanStep,
        notice: Option<&Notification>,
        facts: &Facts,
    ) -> Result<StepEffect, EngineError> {
        let PlanStep::Resolve { rule, key, at, last_event, severity, .. } = step else {
            return Ok(StepEffect::Already);
        };
        let (at, silent_since) = (*at, *last_event);
        let subject =
            ClaimSubject::Resolution { key, at, silent_since, resolve_after: self.resolve_after(rule) };
        // Of nothing later than this it is known that it is over.
        let last = silent_since.unwrap_or(at);
        match self.ledger.claim(&subject).await? {
            ClaimResult::Ours => {}
            ClaimResult::Done => {
                // If it is done because it goes on, the index still has to tell of it.
                let known = facts.incidents.get(key).and_then(|known| known.resolved);
                if known.is_some_and(|resolved| resolved >= at) {
                    self.ledger.shut(key, at, last).await?;
                }
                return Ok(StepEffect::Already);
            }
            ClaimResult::Held => return Err(EngineError::Held),
        }
        match notice {
            Some(notice) => self.publish(notice, key, Some(&subject)).await?,
            None => self.ledger.finish(&subject, Vec::new()).await?,
        }
        self.counters.of(rule, *severity).resolved += 1;
        // If this fails, a sweep does it.
        drop(self.ledger.shut(key, at, last).await);
        Ok(StepEffect::Acted)
    }

    /// Sends a page, then marks its claim as done; gives the claim back if the page did not go out.
    async fn publish(
        &mut self,
        page: &Notification,
        key: &str,
        claim: Option<&ClaimSubject<'_>>,
    ) -> Result<(), EngineError> {
        // Some time is left for the mark: a page that is out and not marked goes out again.
        let sent = self.aws.publish(page, key, self.deadline.sooner(MARKING).at()).await;
        let Some(claim) = claim else {
            self.counters.pages_sent += usize::from(sent.is_ok());
            return sent;
        };
        if let Err(error) = sent {
            self.ledger.release(claim).await;
            return Err(error);
        }
        self.counters.pages_sent += 1;
        // The page is out: to fail now would only send it again. What is not marked is sent again by the next event, and
        // is never closed.
        let marked = self.ledger.finish(claim, Vec::new()).await;
        if marked.is_err() && self.ledger.finish(claim, Vec::new()).await.is_err() {
            self.counters.ledger_bypassed += 1;
        }
        Ok(())
    }

    /// How severe an incident can become.
    fn top(&self, incident: &Incident) -> Severity {
        match self.rules.responses.get(&incident.rule) {
            Some(response) => response.highest_severity(),
            None => incident.severity,
        }
    }

    fn resolve_after(&self, rule: &str) -> Span {
        self.rules.responses.get(rule).map(|response| response.resolve_after).unwrap_or_default()
    }
}

fn refusal(error: EngineError) -> EngineError {
    match error {
        EngineError::Call { failure, .. } if failure.code.as_deref().is_some_and(is_final_refusal) => {
            EngineError::Refused(failure)
        }
        error => error,
    }
}
