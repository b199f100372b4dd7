//! The steps of rotations: deployments, and what is remembered of them.

use futures_util::future::join_all;
use responder_core::arn::Arn;
use responder_core::decide::LONGEST_WAIT;
use responder_core::facts::Facts;
use responder_core::plan::{SkipReason, Step};
use responder_core::progress::{Awaited, Changed, Consumer, How, awaited_key};
use responder_core::service::RolloutState;
use responder_core::time::{Span, Timestamp};

use super::{Effect, Executor};
use crate::deadline::between;
use crate::error::{Cause, Error, Failure};
use crate::ledger::{Decision, Deployed, Granted, Ticket, Wish};
use crate::port::{Aws, Region};

/// What must be left of the invocation after waiting.
const LEFT_AFTER_WAIT: Span = Span::from_secs(5);

impl<A: Aws> Executor<'_, A> {
    /// Deploys a service anew, if nobody did.
    pub(super) async fn redeploy(&mut self, step: &Step) -> Result<Effect, Error> {
        let Step::Redeploy {
            cluster,
            service,
            secrets,
            not_before,
            fresh_from,
            cooled_from,
            slot,
            rollout,
            ..
        } = step
        else {
            return Ok(Effect::Already);
        };
        self.wait(*not_before).await?;
        let region = Arn::of("ecs", service).and_then(|arn| Region::of(arn.region));
        let Some(region) = region else {
            return Err(Error::Refused(Failure::of(Cause::NoRegion)));
        };
        let until = self.deadline.sooner(super::MARKING).at();
        let (fresh_from, cooled_from, slot, rollout) = (*fresh_from, *cooled_from, *slot, *rollout);
        let wish = Wish { cluster, service, secrets, fresh_from, cooled_from, slot, rollout };
        let ticket = match self.ledger.claim_deployment(&wish).await? {
            Granted::Yes(ticket) => ticket,
            Granted::Already => return Ok(Effect::Already),
            // The change is on record: the sweep looks again.
            Granted::Later => {
                self.counters.deployments_held += 1;
                return Ok(Effect::Already);
            }
        };
        // What could not be asked for in time was not asked for.
        if let Err(error) = self.cache.deploy_slot(self.aws, &region, service, until).await {
            self.ledger.not_deployed(&wish, ticket, How::Refused).await;
            return Err(error);
        }
        let answer =
            self.aws.force_deployment(&region, cluster, service, until).await.map_err(super::refusal);
        let deployment = match answer {
            Ok(deployment) => deployment,
            Err(error) => {
                let denied = matches!(error, Error::Refused(_));
                self.counters.redeploys_refused += usize::from(denied);
                // After anything but a clear no, ECS may be at it: that shows within minutes.
                if error.had_no_effect() {
                    let ended = if denied { How::Denied } else { How::Refused };
                    self.ledger.not_deployed(&wish, ticket, ended).await;
                }
                return Err(error);
            }
        };
        self.counters.deployments_forced += 1;
        self.ledger.deployed(&wish, ticket, deployment.as_deref()).await?;
        self.prove(step, deployment.as_deref(), ticket).await?;
        Ok(Effect::Acted)
    }

    /// A deployment that is too early may start with the old value.
    async fn wait(&self, not_before: Timestamp) -> Result<(), Error> {
        let wait = between(self.aws.now(), not_before);
        let left = between(self.aws.now().plus(wait), self.deadline.at());
        if wait > LONGEST_WAIT || wait > Span::default() && left < LEFT_AFTER_WAIT {
            return Err(Error::Early);
        }
        self.aws.sleep(wait).await;
        Ok(())
    }

    /// Writes down what was deployed for which change, and whose reads will prove it.
    async fn prove(&self, step: &Step, deployment: Option<&str>, ticket: Ticket) -> Result<(), Error> {
        let Step::Redeploy { service, secrets, roles, why, .. } = step else { return Ok(()) };
        let at = ticket.asked_at;
        let known = deployment.map(|id| Deployed { id, at, completed: false });
        let decided = secrets
            .iter()
            .map(|changed| self.ledger.decided(service, changed, Decision::Redeploy, why, known.as_ref()));
        let pairs = roles.iter().flat_map(|role| secrets.iter().map(move |changed| (role, changed)));
        let awaited: Vec<(String, Awaited)> = pairs
            .map(|(role, changed)| {
                let awaited = Awaited { service: service.clone(), changed: changed.clone(), since: at };
                (awaited_key(role, &changed.secret), awaited)
            })
            .collect();
        let waits = awaited.iter().map(|(key, awaited)| self.ledger.wait_for(key, awaited));
        let (decided, waits) = futures_util::future::join(join_all(decided), join_all(waits)).await;
        decided.into_iter().chain(waits).collect()
    }

    /// The steps that remember what became of a deployment.
    pub(super) async fn remember(&mut self, step: &Step, facts: &Facts) -> Result<(), Error> {
        match step {
            Step::Adopt { service, asked_at, deployment } => {
                self.ledger.adopt(service, *asked_at, deployment).await
            }
            Step::End { service, cluster, asked_at, slot, secrets, ended, .. } => {
                let slot = slot.map(|slot| (cluster.as_str(), slot));
                if !self.ledger.end_deployment(service, *asked_at, (ended.at, ended.how), slot).await? {
                    return Ok(());
                }
                let end = (ended.at, ended.how);
                let proofs = secrets.iter().map(|changed| self.ledger.rolled_out(service, changed, end));
                join_all(proofs).await.into_iter().collect()
            }
            Step::Prove { key, awaited, at } => {
                let took = between(awaited.changed.at, *at);
                // The proof first: what is awaited no more is never proved.
                let waiting = facts.awaited.get(key).into_iter().flatten();
                let shared = waiting.into_iter().any(|other| other.service != awaited.service);
                self.ledger.fetched(&awaited.service, &awaited.changed, shared, *at).await?;
                self.ledger.came(key, awaited).await?;
                self.counters.seconds_to_consume.push(took.millis() / 1_000);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The steps that are only written down, in any order.
    pub(super) async fn record(&self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Note { changed } => self.ledger.note(changed).await,
            Step::Settle { changed } => self.ledger.settle(changed).await,
            Step::Skip { service, secrets, deployment, reason, why } => {
                let decision = match reason {
                    SkipReason::AlreadyNewer => Decision::Newer,
                    reason if reason.needs_human() => Decision::Told,
                    _ => return Ok(()),
                };
                let primary = deployment.as_ref().filter(|_| decision == Decision::Newer);
                let primary = primary.map(|deployment| Deployed {
                    id: &deployment.id,
                    at: deployment.created_at,
                    completed: deployment.state == Some(RolloutState::Completed),
                });
                self.decided(service, secrets, decision, why, primary.as_ref()).await
            }
            Step::Hold { service, secrets, why, .. } => {
                self.decided(service, secrets, Decision::Held, why, None).await
            }
            _ => Ok(()),
        }
    }

    async fn decided(
        &self,
        service: &str,
        secrets: &[Changed],
        decision: Decision,
        why: &str,
        deployment: Option<&Deployed<'_>>,
    ) -> Result<(), Error> {
        let proofs =
            secrets.iter().map(|changed| self.ledger.decided(service, changed, decision, why, deployment));
        join_all(proofs).await.into_iter().collect()
    }

    /// A human was told of these consumers.
    pub(super) async fn told(&self, about: &[Consumer]) -> Result<(), Error> {
        join_all(about.iter().map(|consumer| self.ledger.told(consumer))).await.into_iter().collect()
    }
}
