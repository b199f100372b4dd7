//! Deployments in the ledger: a place among the cluster's deployments in flight, then the service itself, are claimed
//! before ECS is asked. What was asked for is on record before the call, so that no death and no lost answer hides it.

use responder_core::state::deployment::{
    DeploymentOutcome, SecretChange, is_outcome_news, is_request_due, is_requested_at,
};
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::{DEPLOYMENTS_KEPT, Ledger, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::{Absent, All, Any, Equal, Less};
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate, TableItem, WriteCondition, WriteResult};

/// A deployment that is wished for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeploymentRequest<'w> {
    pub(crate) cluster: &'w str,
    pub(crate) service: &'w str,
    pub(crate) secrets: &'w [SecretChange],
    /// One that was asked for from this instant on makes it unnecessary.
    pub(crate) fresh_from: Timestamp,
    /// One that was asked for after this instant makes it wait.
    pub(crate) cooled_from: Timestamp,
    pub(crate) slot: u32,
    pub(crate) rollout: Span,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentClaimResult {
    /// Ask ECS, then say what came of it.
    Yes(DeploymentClaim),
    /// It was asked for already.
    Already,
    /// The place is taken, the service is cooling down, or somebody else is about to ask.
    Later,
}

/// A claim that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeploymentClaim {
    /// When we ask: what changes while ECS answers may have been read too early.
    pub(crate) requested_at: Timestamp,
    /// Whether the place was free before.
    is_new: bool,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Claims the place for a moment, then the service, and then keeps the place for as long as a rollout may take: who dies
    /// on the way does not keep it for long, and whose call's answer is lost does not lose it.
    pub(crate) async fn claim_deployment(
        &self,
        wish: &DeploymentRequest<'_>,
    ) -> Result<DeploymentClaimResult, EngineError> {
        let now = self.aws.now();
        let is_new = match self.write(&self.take_slot(wish, now)).await? {
            WriteResult::Yes => true,
            WriteResult::No(Some(item)) if item.text("service") == Some(wish.service) => false,
            WriteResult::No(_) => return Ok(DeploymentClaimResult::Later),
        };
        let ticket = DeploymentClaim { requested_at: now, is_new };
        let known = match self.write(&self.request_deployment(wish, now)).await? {
            WriteResult::Yes => return self.keep_slot(wish, ticket).await,
            WriteResult::No(known) => known,
        };
        if known.as_ref().is_some_and(|item| self.is_own(item, now)) {
            return self.keep_slot(wish, ticket).await;
        }
        self.give_back(wish, ticket).await;
        let requested = known.as_ref().and_then(|item| item.instant("asked_at"));
        let already = requested.is_some_and(|requested| requested >= wish.fresh_from);
        Ok(if already { DeploymentClaimResult::Already } else { DeploymentClaimResult::Later })
    }

    /// ECS has the wish.
    pub(crate) async fn deployed(
        &self,
        wish: &DeploymentRequest<'_>,
        ticket: DeploymentClaim,
        deployment: Option<&str>,
    ) -> Result<(), EngineError> {
        let mut done = ItemUpdate::of(ItemKey::service(wish.service)).remove(["owner", "lease_until"]);
        if let Some(deployment) = deployment {
            done = done.text("deployment", deployment);
        }
        done = done
            .number("ttl", self.deployments_expiry())
            .only_if(write_condition(&is_requested_at(ticket.requested_at)));
        self.write(&done).await.map(|_| ())
    }

    /// ECS certainly did nothing: it is as if nobody had asked. Otherwise the lease runs out, if this is lost.
    pub(crate) async fn not_deployed(
        &self,
        wish: &DeploymentRequest<'_>,
        ticket: DeploymentClaim,
        ended: DeploymentOutcome,
    ) {
        let update = ItemUpdate::of(ItemKey::service(wish.service))
            .text("ended", ended.name())
            .number("ended_at", self.aws.now().millis())
            .remove(["owner", "lease_until"])
            .only_if(write_condition(&is_requested_at(ticket.requested_at)));
        drop(self.write(&update).await);
        // Kept, it is ours alone.
        self.give_back(wish, DeploymentClaim { is_new: true, ..ticket }).await;
    }

    /// A deployment of ours has ended: its place is free. Returns whether that is how it ended: somebody else may know better.
    pub(crate) async fn end_deployment(
        &self,
        service: &str,
        requested_at: Timestamp,
        (ended_at, ended): (Timestamp, DeploymentOutcome),
        slot: Option<(&str, u32)>,
    ) -> Result<bool, EngineError> {
        let update = ItemUpdate::of(ItemKey::service(service))
            .text("ended", ended.name())
            .number("ended_at", ended_at.millis())
            .remove(["owner", "lease_until"])
            .only_if(write_condition(&is_outcome_news(requested_at, ended)));
        if let WriteResult::No(known) = self.write(&update).await? {
            // Somebody else said so, or asked for another one since, which keeps the place.
            let same = |item: &TableItem| {
                item.instant("asked_at") == Some(requested_at) && item.text("ended") == Some(ended.name())
            };
            return Ok(known.as_ref().is_some_and(same));
        }
        if let Some((cluster, slot)) = slot {
            let ours = Equal("service", AttributeValue::Text(service.to_owned()));
            self.free(ItemKey::slot(cluster, slot), ours).await?;
        }
        Ok(true)
    }

    /// The id of a deployment of ours became known.
    pub(crate) async fn adopt(
        &self,
        service: &str,
        requested_at: Timestamp,
        deployment: &str,
    ) -> Result<(), EngineError> {
        let same = write_condition(&is_requested_at(requested_at));
        let update = ItemUpdate::of(ItemKey::service(service))
            .text("deployment", deployment)
            .remove(["owner", "lease_until"])
            .only_if(All(vec![same, Absent("deployment")]));
        self.write(&update).await.map(|_| ())
    }

    /// A place is claimed for a lease first: who dies before asking does not keep it for a rollout.
    fn take_slot(&self, wish: &DeploymentRequest<'_>, now: Timestamp) -> ItemUpdate {
        let until = now.plus(self.lease);
        ItemUpdate::of(ItemKey::slot(wish.cluster, wish.slot))
            .text("service", wish.service)
            .text("owner", self.owner)
            .number("until", until.millis())
            .number("ttl", expiry(now, until, wish.rollout))
            .only_if(Any(vec![Absent("service"), Less("until", now.millis())]))
    }

    /// Keeps the place until the rollout's end gives it back. Another invocation that claimed the same place for the same
    /// service, and was too late, may have given it back, and a third may have taken it.
    async fn keep_slot(
        &self,
        wish: &DeploymentRequest<'_>,
        ticket: DeploymentClaim,
    ) -> Result<DeploymentClaimResult, EngineError> {
        let until = ticket.requested_at.plus(wish.rollout);
        let mine = Equal("service", AttributeValue::Text(wish.service.to_owned()));
        let free = Less("until", ticket.requested_at.millis());
        let update = ItemUpdate::of(ItemKey::slot(wish.cluster, wish.slot))
            .text("service", wish.service)
            .text("owner", self.owner)
            .number("until", until.millis())
            .number("ttl", expiry(self.aws.now(), until, Span::default()))
            .only_if(Any(vec![Absent("service"), free, mine]));
        if self.write(&update).await? == WriteResult::Yes {
            return Ok(DeploymentClaimResult::Yes(ticket));
        }
        self.not_deployed(wish, ticket, DeploymentOutcome::Refused).await;
        Ok(DeploymentClaimResult::Later)
    }

    fn request_deployment(&self, wish: &DeploymentRequest<'_>, now: Timestamp) -> ItemUpdate {
        let free = Any(vec![Absent("lease_until"), Less("lease_until", now.millis())]);
        let due = write_condition(&is_request_due(wish.fresh_from, wish.cooled_from));
        ItemUpdate::of(ItemKey::service(wish.service))
            .text("owner", self.owner)
            .text("cluster", wish.cluster)
            .text("secrets", &serde_json::to_string(wish.secrets).unwrap_or_default())
            .number("slot", i64::from(wish.slot))
            .number("asked_at", now.millis())
            .number("lease_until", now.plus(self.lease).millis())
            .number("ttl", self.deployments_expiry())
            .remove(["deployment", "ended", "ended_at"])
            .only_if(All(vec![free, due]))
    }

    /// Whether a request that had to be sent twice met itself. Another one of this invocation asked at another time.
    fn is_own(&self, item: &TableItem, now: Timestamp) -> bool {
        item.text("owner") == Some(self.owner) && item.instant("asked_at") == Some(now)
    }

    async fn give_back(&self, wish: &DeploymentRequest<'_>, ticket: DeploymentClaim) {
        if ticket.is_new {
            let ours = Equal("owner", AttributeValue::Text(self.owner.to_owned()));
            drop(self.free(ItemKey::slot(wish.cluster, wish.slot), ours).await);
        }
    }

    async fn free(&self, slot: ItemKey, condition: WriteCondition) -> Result<(), EngineError> {
        let update = ItemUpdate::of(slot).remove(["service", "owner", "until"]).only_if(condition);
        self.write(&update).await.map(|_| ())
    }

    pub(super) fn deployments_expiry(&self) -> i64 {
        let now = self.aws.now();
        expiry(now, now, DEPLOYMENTS_KEPT)
    }
}

/// The end that a word stands for.
pub(super) fn how_of(word: &str) -> Option<DeploymentOutcome> {
    DeploymentOutcome::ALL.into_iter().find(|outcome| outcome.name() == word)
}

#[cfg(test)]
mod tests {
    use responder_core::facts::Facts;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fake::{EngineFake, block_on};

    const CLUSTER: &str = "arn:aws:ecs:us-west-2:111122223333:cluster/shop";

    fn arn(name: &str) -> String {
        format!("arn:aws:ecs:us-west-2:111122223333:service/shop/{name}")
    }

    fn ledger<'l>(aws: &'l EngineFake, owner: &'l str) -> Ledger<'l, EngineFake> {
        let lease = Span::from_secs(60);
        Ledger::new(aws, owner, lease, Deadline::of(aws.now().plus(lease), lease, aws.now()))
    }

    fn wish(service: &str, slot: u32, fresh_from: i64, cooled_from: i64) -> DeploymentRequest<'_> {
        let at = |second| Timestamp::from_millis(second * 1_000);
        let (fresh_from, cooled_from, rollout) = (at(fresh_from), at(cooled_from), Span::from_secs(600));
        DeploymentRequest { cluster: CLUSTER, service, secrets: &[], fresh_from, cooled_from, slot, rollout }
    }

    fn at(aws: &EngineFake, second: i64) {
        aws.clock.set(Timestamp::from_millis(second * 1_000));
    }

    fn claim(aws: &EngineFake, owner: &str, wish: &DeploymentRequest<'_>) -> DeploymentClaimResult {
        block_on(ledger(aws, owner).claim_deployment(wish)).unwrap()
    }

    fn ticket(granted: DeploymentClaimResult) -> DeploymentClaim {
        let DeploymentClaimResult::Yes(ticket) = granted else { panic!("{granted:?}") };
        ticket
    }

    fn known(aws: &EngineFake) -> Facts {
        let mut facts = Facts::default();
        block_on(ledger(aws, "reader").progress("111122223333", "us-west-2", &mut facts)).unwrap();
        facts
    }

    #[test]
    fn a_place_is_taken_by_one_service_until_its_deployment_ends() {
        let (aws, web, api) = (EngineFake::default(), arn("web"), arn("api"));
        at(&aws, 1_000);
        let first = wish(&web, 0, 900, 0);
        let granted = ticket(claim(&aws, "a", &first));
        assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Later);
        block_on(ledger(&aws, "a").deployed(&first, granted, Some("ecs-svc/1"))).unwrap();
        // Long after the lease.
        at(&aws, 1_300);
        assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Later);
        let facts = known(&aws);
        let requested = &facts.deployments[&web];
        assert_eq!(
            (requested.deployment.as_deref(), requested.slot, requested.is_open()),
            (Some("ecs-svc/1"), Some(0), true)
        );
        assert_eq!(facts.concurrency_slots[CLUSTER][&0].service, web);
        let end = (Timestamp::from_millis(1_400_000), DeploymentOutcome::Completed);
        block_on(ledger(&aws, "c").end_deployment(&web, requested.requested_at, end, Some((CLUSTER, 0))))
            .unwrap();
        assert!(known(&aws).concurrency_slots.is_empty() && !known(&aws).deployments[&web].is_open());
        assert!(matches!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Yes(_)));
    }

    #[test]
    fn a_service_is_asked_for_once_a_change_and_not_while_it_cools_down() {
        let (aws, web) = (EngineFake::default(), arn("web"));
        at(&aws, 1_000);
        let granted = ticket(claim(&aws, "a", &wish(&web, 0, 900, 700)));
        block_on(ledger(&aws, "a").deployed(&wish(&web, 0, 900, 700), granted, None)).unwrap();
        assert_eq!(claim(&aws, "b", &wish(&web, 1, 990, 700)), DeploymentClaimResult::Already);
        assert_eq!(claim(&aws, "b", &wish(&web, 1, 1_050, 999)), DeploymentClaimResult::Later);
        assert!(
            !known(&aws).concurrency_slots[CLUSTER].contains_key(&1),
            "what was not granted keeps no place"
        );
        at(&aws, 1_300);
        assert!(
            matches!(claim(&aws, "b", &wish(&web, 0, 1_050, 1_000)), DeploymentClaimResult::Yes(_)),
            "its own place"
        );
    }

    #[test]
    fn what_ecs_refused_is_as_if_nobody_had_asked() {
        let (aws, web) = (EngineFake::default(), arn("web"));
        at(&aws, 1_000);
        let wish = wish(&web, 0, 900, 700);
        let granted = ticket(claim(&aws, "a", &wish));
        block_on(ledger(&aws, "a").not_deployed(&wish, granted, DeploymentOutcome::Refused));
        assert!(known(&aws).concurrency_slots.is_empty() && !known(&aws).deployments[&web].was_requested());
        at(&aws, 1_001);
        assert!(matches!(claim(&aws, "b", &wish), DeploymentClaimResult::Yes(_)));
    }

    #[test]
    fn a_death_about_the_call_keeps_the_place_for_a_rollout_and_the_service_on_record() {
        let (aws, web, api) = (EngineFake::default(), arn("web"), arn("api"));
        at(&aws, 1_000);
        let granted = ticket(claim(&aws, "dead", &wish(&web, 0, 900, 700)));
        let requested = known(&aws).deployments[&web].clone();
        assert_eq!(
            (requested.requested_at, requested.deployment, requested.end),
            (granted.requested_at, None, None)
        );
        // Nobody knows whether ECS was asked. The sweep finds out, and gives the place back.
        at(&aws, 1_061);
        assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 700)), DeploymentClaimResult::Later);
        let end = (Timestamp::from_millis(1_100_000), DeploymentOutcome::Unseen);
        block_on(ledger(&aws, "sweep").end_deployment(&web, granted.requested_at, end, Some((CLUSTER, 0))))
            .unwrap();
        assert!(matches!(claim(&aws, "b", &wish(&api, 0, 900, 700)), DeploymentClaimResult::Yes(_)));
    }

    #[test]
    fn what_ecs_tells_corrects_what_was_inferred_and_nothing_else_does() {
        for (known_as, ends) in [
            (DeploymentOutcome::Superseded, &[DeploymentOutcome::Completed, DeploymentOutcome::Failed][..]),
            (DeploymentOutcome::Unseen, &[DeploymentOutcome::Completed, DeploymentOutcome::Failed]),
            (DeploymentOutcome::Failed, &[DeploymentOutcome::Completed]),
            (DeploymentOutcome::Completed, &[]),
        ] {
            for then in [
                DeploymentOutcome::Completed,
                DeploymentOutcome::Failed,
                DeploymentOutcome::Superseded,
                DeploymentOutcome::Unseen,
                DeploymentOutcome::Gone,
            ] {
                let (aws, web) = (EngineFake::default(), arn("web"));
                at(&aws, 1_000);
                let requested = ticket(claim(&aws, "a", &wish(&web, 0, 900, 700))).requested_at;
                let holds = [(1_100, known_as), (1_200, then)].map(|(second, how)| {
                    let end = (Timestamp::from_millis(second * 1_000), how);
                    block_on(ledger(&aws, "b").end_deployment(&web, requested, end, None)).unwrap()
                });
                let expected = if ends.contains(&then) { then } else { known_as };
                assert_eq!(
                    known(&aws).deployments[&web].end.unwrap().outcome,
                    expected,
                    "{known_as:?}, {then:?}"
                );
                assert_eq!(holds, [true, then == expected], "{known_as:?}, {then:?}");
            }
        }
    }

    #[test]
    fn a_request_that_was_sent_twice_finds_itself_and_another_of_the_same_invocation_does_not() {
        let (aws, web) = (EngineFake::default(), arn("web"));
        at(&aws, 1_000);
        let wish = wish(&web, 0, 900, 700);
        assert!(matches!(claim(&aws, "a", &wish), DeploymentClaimResult::Yes(_)));
        assert!(
            matches!(claim(&aws, "a", &wish), DeploymentClaimResult::Yes(_)),
            "the same instant: the SDK repeated it"
        );
        at(&aws, 1_001);
        assert_eq!(claim(&aws, "a", &wish), DeploymentClaimResult::Already);
    }

    #[test]
    fn an_id_is_adopted_once_and_only_of_the_deployment_that_was_asked_for() {
        let (aws, web) = (EngineFake::default(), arn("web"));
        at(&aws, 1_000);
        let granted = ticket(claim(&aws, "dead", &wish(&web, 0, 900, 700)));
        let adopt = |at, id| block_on(ledger(&aws, "b").adopt(&web, at, id)).unwrap();
        adopt(Timestamp::from_millis(1), "ecs-svc/0");
        assert_eq!(known(&aws).deployments[&web].deployment, None);
        adopt(granted.requested_at, "ecs-svc/1");
        adopt(granted.requested_at, "ecs-svc/2");
        assert_eq!(known(&aws).deployments[&web].deployment.as_deref(), Some("ecs-svc/1"));
    }
}
