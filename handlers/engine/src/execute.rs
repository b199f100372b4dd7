//! Executing: the steps of a plan become effects, each claimed first, so that copies of an event change nothing.

use std::collections::BTreeSet;

use futures_util::future::join;
use responder_core::arn::Arn;
use responder_core::facts::{Facts, Rollout};
use responder_core::incident::{Incident, State};
use responder_core::page::Page;
use responder_core::plan::{Plan, Step};
use responder_core::rules::Rules;
use responder_core::time::{Span, Timestamp};

use crate::deadline::{Deadline, between};
use crate::error::{Cause, Error, Failure};
use crate::ledger::{Claimed, Ledger, Subject};
use crate::log::Counters;
use crate::port::{Aws, Region, Value};

/// The longest that an invocation waits for a change to settle; the queue waits for longer ones.
const LONGEST_WAIT: Span = Span::from_secs(20);
/// What is kept of the invocation to mark as done what was done.
const MARKING: Span = Span::from_secs(2);
/// What must be left of the invocation after waiting.
const LEFT_AFTER_WAIT: Span = Span::from_secs(5);

/// Whom to act through.
pub(crate) struct Executor<'e, A> {
    pub(crate) aws: &'e A,
    pub(crate) rules: &'e Rules,
    pub(crate) ledger: &'e Ledger<'e, A>,
    pub(crate) deadline: Deadline,
    pub(crate) counters: &'e mut Counters,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// Effects that this execution had.
    pub(crate) acted: usize,
    /// Effects that had been had before.
    pub(crate) already: usize,
    /// The keys of the incidents that a human is told of: by this execution or before.
    pub(crate) paged: BTreeSet<String>,
    /// The services that ECS refuses to deploy, with why.
    pub(crate) refused: Vec<(String, String)>,
    /// What could not be done. The other steps were.
    pub(crate) errors: Vec<Error>,
}

/// How a step that takes effect went.
enum Effect {
    Acted,
    Already,
}

impl<A: Aws> Executor<'_, A> {
    /// Executes every step. One that fails costs no other.
    pub(crate) async fn execute(&mut self, plan: &Plan, facts: &Facts) -> Executed {
        let mut executed = Executed::default();
        for step in &plan.steps {
            let effect = match step {
                Step::Redeploy { service, .. } => match self.redeploy(step).await {
                    // No repetition helps: people are told.
                    Err(Error::Refused(why)) => {
                        executed.refused.push((service.clone(), why.to_string()));
                        continue;
                    }
                    effect => effect,
                },
                Step::Page { incident, page, quiet } => {
                    let effect = self.page(incident, page, *quiet).await;
                    executed.paged.extend(effect.is_ok().then(|| incident.key.clone()));
                    effect
                }
                Step::Resolve { rule, key, at, notice, .. } => {
                    self.resolve(rule, key, *at, notice.as_ref()).await
                }
                Step::Join { rule, key, first, last } => {
                    let extended = self.extend(rule, key, (*first, *last), facts).await;
                    executed.errors.extend(extended.err());
                    continue;
                }
                Step::Complete { deployment, .. } => {
                    self.ledger.complete(deployment, plan.time).await.map(|()| Effect::Acted)
                }
                Step::Skip { .. }
                | Step::Count { .. }
                | Step::Unknown { .. }
                | Step::Nothing { .. }
                | Step::Ignore { .. } => continue,
            };
            match effect {
                Ok(Effect::Acted) => executed.acted += 1,
                Ok(Effect::Already) => executed.already += 1,
                Err(error) => executed.errors.push(error),
            }
        }
        executed
    }

    /// Stretches an incident that was paged, where this event lies beyond what is known of it.
    async fn extend(
        &self,
        rule: &str,
        key: &str,
        (first, last): (Timestamp, Timestamp),
        facts: &Facts,
    ) -> Result<(), Error> {
        let known = facts.incidents.get(key);
        let earlier = known.is_none_or(|known| first < known.first).then_some(first);
        let later = known.is_none_or(|known| last > known.last).then_some(last);
        let of = known.map_or(first, |known| known.first.min(first));
        match self.ledger.extend(key, of, earlier, later, self.quiet(rule)).await {
            // The page went out without the ledger: there is nothing to stretch, and to fail would page again.
            Err(error) if self.counters.ledger_bypassed > 0 && !matches!(error, Error::Held) => Ok(()),
            extended => extended,
        }
    }

    async fn redeploy(&mut self, step: &Step) -> Result<Effect, Error> {
        let Step::Redeploy { cluster, service, secret, changed_at, not_before, fresh_from, .. } = step else {
            return Ok(Effect::Already);
        };
        self.wait(*not_before).await?;
        let subject = Subject::Deployment { service, fresh_from: *fresh_from };
        match self.ledger.claim(&subject).await? {
            Claimed::Ours => {}
            Claimed::Done => return Ok(Effect::Already),
            Claimed::Held => return Err(Error::Held),
        }
        // Before the call: what changes while it runs may have been read too early.
        let asked_at = self.aws.now();
        let deployment = match self.force(cluster, service).await {
            Ok(deployment) => deployment,
            Err(error) => {
                self.counters.redeploys_refused += usize::from(matches!(error, Error::Refused(_)));
                // After anything but a clear no, ECS may be at it: the lease keeps others away until that shows.
                if error.had_no_effect() {
                    self.ledger.release(&subject).await;
                }
                return Err(error);
            }
        };
        self.counters.deployments_forced += 1;
        let mut more = vec![("asked_at", Value::Number(asked_at.millis()))];
        more.extend(deployment.clone().map(|id| ("deployment", Value::Text(id))));
        let (service, secret) = (service.clone(), secret.clone());
        let rollout = Rollout { service, secret, changed_at: *changed_at };
        let remember = async {
            match deployment {
                Some(id) => self.ledger.record_rollout(&id, &rollout).await,
                None => Ok(()),
            }
        };
        let (remembered, finished) = join(remember, self.ledger.finish(&subject, more)).await;
        finished?;
        remembered.map(|()| Effect::Acted)
    }

    async fn force(&self, cluster: &str, service: &str) -> Result<Option<String>, Error> {
        let region = Arn::of("ecs", service).map_or("", |arn| arn.region);
        let Some(region) = Region::of(region) else {
            return Err(Error::Refused(Failure::of(Cause::NoRegion)));
        };
        let until = self.deadline.sooner(MARKING).at();
        self.aws.force_deployment(&region, cluster, service, until).await.map_err(refusal)
    }

    /// A deployment that is too early may start with the old value.
    async fn wait(&self, not_before: Timestamp) -> Result<(), Error> {
        let now = self.aws.now();
        let wait = between(now, not_before);
        let late = now.plus(wait).plus(LEFT_AFTER_WAIT) > self.deadline.at();
        if wait > LONGEST_WAIT || wait > Span::default() && late {
            return Err(Error::Early);
        }
        self.aws.sleep(wait).await;
        Ok(())
    }

    async fn page(&mut self, incident: &Incident, page: &Page, quiet: Span) -> Result<Effect, Error> {
        let Incident { key, first, last, severity, .. } = incident;
        let resolved = incident.resolved_at.filter(|_| incident.state == State::Resolved);
        let subject = Subject::Page { key, first: *first, last: *last, severity: *severity, resolved, quiet };
        let claimed = match self.ledger.claim(&subject).await {
            Ok(Claimed::Ours) => true,
            Ok(Claimed::Done) => {
                self.ledger.extend(key, *first, Some(*first), Some(*last), quiet).await?;
                return Ok(Effect::Already);
            }
            Ok(Claimed::Held) => return Err(Error::Held),
            // Towards a human: a page too many is better than one too few.
            Err(_) => {
                self.counters.ledger_bypassed += 1;
                false
            }
        };
        self.publish(page, key, claimed.then_some(&subject)).await?;
        Ok(Effect::Acted)
    }

    async fn resolve(
        &mut self,
        rule: &str,
        key: &str,
        at: Timestamp,
        notice: Option<&Page>,
    ) -> Result<Effect, Error> {
        let subject = Subject::Resolution { key, at, quiet: self.quiet(rule) };
        match self.ledger.claim(&subject).await? {
            Claimed::Ours => {}
            Claimed::Done => return Ok(Effect::Already),
            Claimed::Held => return Err(Error::Held),
        }
        match notice {
            Some(notice) => self.publish(notice, key, Some(&subject)).await?,
            None => self.ledger.finish(&subject, Vec::new()).await?,
        }
        Ok(Effect::Acted)
    }

    /// Sends a page, then marks its claim as done; gives the claim back if the page did not go out.
    async fn publish(&mut self, page: &Page, key: &str, claim: Option<&Subject<'_>>) -> Result<(), Error> {
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
        // The page is out: to fail now would only send it again.
        if self.ledger.finish(claim, Vec::new()).await.is_err() {
            self.counters.ledger_bypassed += 1;
        }
        Ok(())
    }

    fn quiet(&self, rule: &str) -> Span {
        self.rules.responses.get(rule).map(|response| response.quiet).unwrap_or_default()
    }
}

/// Codes with which ECS says that it will not deploy this service, now or later.
const REFUSALS: [&str; 8] = [
    "AccessDeniedException",
    "ClusterNotFoundException",
    "InvalidParameterException",
    "ClientException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "PlatformUnknownException",
    "UnsupportedFeatureException",
];

fn refusal(error: Error) -> Error {
    match error {
        Error::Call { failure, .. } if REFUSALS.iter().any(|code| failure.is(code)) => {
            Error::Refused(failure)
        }
        error => error,
    }
}
