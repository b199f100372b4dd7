//! Deployments in the ledger: a place among the cluster's deployments in flight, then the service itself, are claimed
//! before ECS is asked. What was asked for is on record before the call, so that no death and no lost answer hides it.

use responder_core::progress::{Changed, How};
use responder_core::time::{Span, Timestamp};

use super::{DEPLOYMENTS_KEPT, Ledger, expiry};
use crate::error::Error;
use crate::port::Condition::{Absent, All, Any, Equal, Less};
use crate::port::{Aws, Condition, Item, Key, Update, Value, Written};

/// A deployment that is wished for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'w> {
    pub(crate) cluster: &'w str,
    pub(crate) service: &'w str,
    pub(crate) secrets: &'w [Changed],
    /// One that was asked for from this instant on makes it unnecessary.
    pub(crate) fresh_from: Timestamp,
    /// One that was asked for after this instant makes it wait.
    pub(crate) cooled_from: Timestamp,
    pub(crate) slot: u32,
    pub(crate) rollout: Span,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    /// Ask ECS, then say what came of it.
    Yes(Ticket),
    /// It was asked for already.
    Already,
    /// The place is taken, the service is cooling down, or somebody else is about to ask.
    Later,
}

/// A claim that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// When we ask: what changes while ECS answers may have been read too early.
    pub(crate) asked_at: Timestamp,
    /// Whether the place was free before.
    is_new: bool,
}

impl<A: Aws> Ledger<'_, A> {
    /// Claims the place and the service.
    pub(crate) async fn claim_deployment(&self, wish: &Wish<'_>) -> Result<Granted, Error> {
        let now = self.aws.now();
        let is_new = match self.write(&self.take_slot(wish, now)).await? {
            Written::Yes => true,
            Written::No(Some(item)) if item.text("service") == Some(wish.service) => false,
            Written::No(_) => return Ok(Granted::Later),
        };
        let ticket = Ticket { asked_at: now, is_new };
        let known = match self.write(&self.request_deployment(wish, now)).await? {
            Written::Yes => return Ok(Granted::Yes(ticket)),
            Written::No(known) => known,
        };
        if known.as_ref().is_some_and(|item| self.is_own(item, now)) {
            return Ok(Granted::Yes(ticket));
        }
        self.give_back(wish, ticket).await;
        let asked = known.as_ref().and_then(|item| item.instant("asked_at"));
        let already = asked.is_some_and(|asked| asked >= wish.fresh_from);
        Ok(if already { Granted::Already } else { Granted::Later })
    }

    /// ECS has the wish.
    pub(crate) async fn deployed(
        &self,
        wish: &Wish<'_>,
        ticket: Ticket,
        deployment: Option<&str>,
    ) -> Result<(), Error> {
        // The place is kept for as long as a rollout may take; its end gives it back.
        let until = ticket.asked_at.plus(wish.rollout).millis();
        let kept = Update::of(Key::slot(wish.cluster, wish.slot))
            .number("until", until)
            .number("ttl", expiry(self.aws.now(), Timestamp::from_millis(until), Span::default()))
            .only_if(Equal("service", Value::Text(wish.service.to_owned())));
        let mut done = Update::of(Key::service(wish.service)).remove(["owner", "lease_until"]);
        if let Some(deployment) = deployment {
            done = done.text("deployment", deployment);
        }
        done = done
            .number("ttl", self.deployments_expiry())
            .only_if(Equal("asked_at", Value::Number(ticket.asked_at.millis())));
        let (kept, done) = futures_util::future::join(self.write(&kept), self.write(&done)).await;
        kept.and(done).map(|_| ())
    }

    /// ECS certainly did nothing: it is as if nobody had asked. Otherwise the lease runs out, if this is lost.
    pub(crate) async fn not_deployed(&self, wish: &Wish<'_>, ticket: Ticket) {
        let update = Update::of(Key::service(wish.service))
            .text("ended", how(How::Refused))
            .number("ended_at", self.aws.now().millis())
            .remove(["owner", "lease_until"])
            .only_if(Equal("asked_at", Value::Number(ticket.asked_at.millis())));
        drop(self.write(&update).await);
        self.give_back(wish, ticket).await;
    }

    /// A deployment of ours has ended: its place is free.
    pub(crate) async fn end_deployment(
        &self,
        service: &str,
        asked_at: Timestamp,
        (ended_at, ended): (Timestamp, How),
        slot: Option<(&str, u32)>,
    ) -> Result<(), Error> {
        let update = Update::of(Key::service(service))
            .text("ended", how(ended))
            .number("ended_at", ended_at.millis())
            .remove(["owner", "lease_until"])
            .only_if(All(vec![Equal("asked_at", Value::Number(asked_at.millis())), Absent("ended")]));
        if let Written::No(_) = self.write(&update).await? {
            // Somebody else said so, or asked for another one since, which keeps the place.
            return Ok(());
        }
        let Some((cluster, slot)) = slot else { return Ok(()) };
        self.free(Key::slot(cluster, slot), Equal("service", Value::Text(service.to_owned()))).await
    }

    /// The id of a deployment of ours became known.
    pub(crate) async fn adopt(&self, service: &str, asked_at: Timestamp, deployment: &str) -> Result<(), Error> {
        let same = Equal("asked_at", Value::Number(asked_at.millis()));
        let update = Update::of(Key::service(service))
            .text("deployment", deployment)
            .remove(["owner", "lease_until"])
            .only_if(All(vec![same, Absent("deployment")]));
        self.write(&update).await.map(|_| ())
    }

    /// A place is claimed for a lease first: who dies before asking does not keep it for a rollout.
    fn take_slot(&self, wish: &Wish<'_>, now: Timestamp) -> Update {
        let until = now.plus(self.lease);
        Update::of(Key::slot(wish.cluster, wish.slot))
            .text("service", wish.service)
            .text("owner", self.owner)
            .number("until", until.millis())
            .number("ttl", expiry(now, until, wish.rollout))
            .only_if(Any(vec![Absent("service"), Less("until", now.millis())]))
    }

    fn request_deployment(&self, wish: &Wish<'_>, now: Timestamp) -> Update {
        let free = Any(vec![Absent("lease_until"), Less("lease_until", now.millis())]);
        let refused = Equal("ended", Value::Text(how(How::Refused).to_owned()));
        let cooled = Less("asked_at", wish.cooled_from.millis().saturating_add(1));
        let undone = Any(vec![
            Absent("asked_at"),
            refused,
            All(vec![Less("asked_at", wish.fresh_from.millis()), cooled]),
        ]);
        Update::of(Key::service(wish.service))
            .text("owner", self.owner)
            .text("cluster", wish.cluster)
            .text("secrets", &serde_json::to_string(wish.secrets).unwrap_or_default())
            .number("slot", i64::from(wish.slot))
            .number("asked_at", now.millis())
            .number("lease_until", now.plus(self.lease).millis())
            .number("ttl", self.deployments_expiry())
            .remove(["deployment", "ended", "ended_at"])
            .only_if(All(vec![free, undone]))
    }

    /// Whether a request that had to be sent twice met itself. Another one of this invocation asked at another time.
    fn is_own(&self, item: &Item, now: Timestamp) -> bool {
        item.text("owner") == Some(self.owner) && item.instant("asked_at") == Some(now)
    }

    async fn give_back(&self, wish: &Wish<'_>, ticket: Ticket) {
        if ticket.is_new {
            let ours = Equal("owner", Value::Text(self.owner.to_owned()));
            drop(self.free(Key::slot(wish.cluster, wish.slot), ours).await);
        }
    }

    async fn free(&self, slot: Key, condition: Condition) -> Result<(), Error> {
        let update = Update::of(slot).remove(["service", "owner", "until"]).only_if(condition);
        self.write(&update).await.map(|_| ())
    }

    pub(super) fn deployments_expiry(&self) -> i64 {
        let now = self.aws.now();
        expiry(now, now, DEPLOYMENTS_KEPT)
    }
}

/// The word for an end.
fn how(how: How) -> &'static str {
    match how {
        How::Completed => "completed",
        How::Failed => "failed",
        How::Superseded => "superseded",
        How::Refused => "refused",
        How::Gone => "gone",
    }
}

/// The end that a word stands for.
pub(super) fn how_of(word: &str) -> Option<How> {
    let all = [How::Completed, How::Failed, How::Superseded, How::Refused, How::Gone];
    all.into_iter().find(|known| how(*known) == word)
}
