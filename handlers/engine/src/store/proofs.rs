//! The proofs in the ledger: one item for each consumer of each change, from the decision to the read that proves it.

use responder_core::state::consumer_decision::{ConsumerDecision, is_decision};
use responder_core::state::deployment::{DeploymentOutcome, SecretChange};
use responder_core::time::Timestamp;

use super::conditions::write_condition;
use super::ledger::Ledger;
use super::schema::{
    self, CHANGED_AT, COMPLETED_AT, DECIDED_AT, DECISION, DEPLOYED_AT, DEPLOYMENT, FAILED_AT, FETCHED_AT,
    PROOF_LIFETIME, SECRET, SERVICE, SHARED, SUPERSEDED_AT, TTL, VERSION, WHY, expiry_seconds,
};
use crate::error::EngineError;
use crate::port::WriteCondition::Exists;
use crate::port::{AwsPort, ItemUpdate};

/// The attributes of a deployment that its successor does not inherit. That a deployment failed stays on record until one
/// completes.
const ATTRIBUTES_OF_ONE_DEPLOYMENT: [&str; 4] = [COMPLETED_AT, SUPERSEDED_AT, FETCHED_AT, SHARED];

/// The deployment that a decision rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProvenDeployment<'d> {
    pub(crate) id: &'d str,
    /// When it was requested or created.
    pub(crate) deployed_at: Timestamp,
    /// Whether ECS says that it completed.
    pub(crate) is_completed: bool,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Records a decision, if it replaces the one on record.
    pub(crate) async fn record_decision(
        &self,
        service: &str,
        change: &SecretChange,
        decision: ConsumerDecision,
        why: &str,
        deployment: Option<&ProvenDeployment<'_>>,
    ) -> Result<(), EngineError> {
        let update = decision_update(service, change, decision, why, deployment, self.aws.now());
        self.write_or_skip(&update).await
    }

    /// Records the end of our deployment. That a newer one superseded it hides no end that ECS reports, before or after.
    pub(crate) async fn record_rollout_end(
        &self,
        service: &str,
        change: &SecretChange,
        ended_at: Timestamp,
        outcome: DeploymentOutcome,
    ) -> Result<(), EngineError> {
        match rollout_end_update(service, change, ended_at, outcome) {
            Some(update) => self.write_or_skip(&update).await,
            None => Ok(()),
        }
    }

    /// Records that a new task read the secret. `is_shared` says that another consumer with a pending read has the same
    /// role, so that the task may be the other one's.
    pub(crate) async fn record_read_evidence(
        &self,
        service: &str,
        change: &SecretChange,
        is_shared: bool,
        read_at: Timestamp,
    ) -> Result<(), EngineError> {
        self.write_or_skip(&read_update(service, change, is_shared, read_at)).await
    }
}

/// Records a decision, if it replaces the one on record.
fn decision_update(
    service: &str,
    change: &SecretChange,
    decision: ConsumerDecision,
    why: &str,
    deployment: Option<&ProvenDeployment<'_>>,
    now: Timestamp,
) -> ItemUpdate {
    let mut update = ItemUpdate::new(schema::proof_key(service, change))
        .set_text(SERVICE, service)
        .set_text(SECRET, &serde_json::to_string(&change.secret).unwrap_or_default())
        .set_number(CHANGED_AT, change.at.millis())
        .set_number(DECIDED_AT, now.millis())
        .set_text(DECISION, decision.name())
        .set_number(TTL, expiry_seconds(now, change.at, PROOF_LIFETIME));
    if !why.is_empty() {
        update = update.set_text(WHY, why);
    }
    if let Some(version) = &change.version {
        update = update.set_text(VERSION, version);
    }
    if let Some(ProvenDeployment { id, deployed_at, is_completed }) = deployment {
        update = update.set_text(DEPLOYMENT, id).set_number(DEPLOYED_AT, deployed_at.millis());
        if *is_completed {
            // ECS says that it completed, but not when: at the latest now.
            update = update.set_number_if_absent(COMPLETED_AT, now.millis());
        }
    }
    if decision == ConsumerDecision::Redeploy {
        update = update.remove_attributes(ATTRIBUTES_OF_ONE_DEPLOYMENT);
    }
    let is_completed = deployment.is_some_and(|deployment| deployment.is_completed);
    let may_replace = decision.may_replace(deployment.is_some(), is_completed);
    update.only_if(write_condition(&may_replace))
}

/// Records the end of a deployment, if it belongs into the proof.
fn rollout_end_update(
    service: &str,
    change: &SecretChange,
    ended_at: Timestamp,
    outcome: DeploymentOutcome,
) -> Option<ItemUpdate> {
    let update = ItemUpdate::new(schema::proof_key(service, change));
    let ended_at = ended_at.millis();
    match outcome {
        // A rollout that took too long was recorded as failed, and may complete after all.
        DeploymentOutcome::Completed => Some(
            update
                .set_number_if_absent(COMPLETED_AT, ended_at)
                .remove_attributes([FAILED_AT])
                .only_if(Exists(DECISION)),
        ),
        DeploymentOutcome::Failed => {
            Some(update.set_number_if_absent(FAILED_AT, ended_at).only_if(Exists(DECISION)))
        }
        DeploymentOutcome::Superseded => Some(
            update
                .set_number_if_absent(SUPERSEDED_AT, ended_at)
                .only_if(write_condition(&is_decision(ConsumerDecision::Redeploy))),
        ),
        DeploymentOutcome::Refused
        | DeploymentOutcome::Denied
        | DeploymentOutcome::Declined
        | DeploymentOutcome::Unseen
        | DeploymentOutcome::Gone => None,
    }
}

fn read_update(service: &str, change: &SecretChange, is_shared: bool, read_at: Timestamp) -> ItemUpdate {
    let mut update = ItemUpdate::new(schema::proof_key(service, change))
        .set_number_if_absent(FETCHED_AT, read_at.millis());
    if is_shared {
        update = update.set_number_if_absent(SHARED, 1);
    }
    update.only_if(Exists(DECISION))
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_ref::SecretRef;

    use super::*;
    use crate::port::TableItem;

    const SERVICE: &str = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";

    fn instant(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn changed() -> SecretChange {
        let secret = SecretRef::from_key("111122223333/us-west-2/prod/db").unwrap();
        SecretChange { secret, at: instant(500), version: None }
    }

    /// The proof after these steps: the decision, the deployment, and in which second each end was recorded.
    fn known(steps: &[Noted]) -> (String, String, [Option<i64>; 4]) {
        let mut proof: Option<TableItem> = None;
        for (second, step) in (1..).zip(steps) {
            let Some(update) = step.update(instant(second * 1_000)) else { continue };
            if update.condition.holds(proof.as_ref()) {
                proof = Some(update.apply(proof));
            }
        }
        let proof = proof.unwrap();
        let text = |name| proof.text(name).unwrap_or_default().to_owned();
        let second = |name: &str| proof.timestamp(name).map(|at| at.millis() / 1_000);
        let times = ["superseded_at", "completed_at", "failed_at", "fetched_at"].map(second);
        (text("decision"), text("deployment"), times)
    }

    enum Noted {
        Ours(&'static str),
        Theirs(&'static str, bool),
        Only(ConsumerDecision),
        Ended(DeploymentOutcome),
        Read,
    }
    use Noted::{Ended, Only, Ours, Read, Theirs};

    impl Noted {
        fn update(&self, now: Timestamp) -> Option<ItemUpdate> {
            let (decision, deployment) = match self {
                Ours(id) => (ConsumerDecision::Redeploy, Some((*id, false))),
                Theirs(id, is_completed) => (ConsumerDecision::Newer, Some((*id, *is_completed))),
                Only(decision) => (*decision, None),
                Ended(outcome) => return rollout_end_update(SERVICE, &changed(), now, *outcome),
                Read => return Some(read_update(SERVICE, &changed(), false, now)),
            };
            let proven =
                deployment.map(|(id, is_completed)| ProvenDeployment { id, deployed_at: now, is_completed });
            Some(decision_update(SERVICE, &changed(), decision, "why", proven.as_ref(), now))
        }
    }

    fn noted(steps: &[Noted], decision: ConsumerDecision, id: &str, times: [Option<i64>; 4]) {
        assert_eq!(known(steps), (decision.name().to_owned(), id.to_owned(), times));
    }

    #[test]
    fn a_newer_deployment_takes_the_place_of_one_of_ours_only_if_that_was_superseded() {
        let (ours, theirs) = (Ours("ours"), Theirs("theirs", true));
        noted(&[ours, theirs], ConsumerDecision::Redeploy, "ours", [None; 4]);
        let superseded = [Ours("ours"), Ended(DeploymentOutcome::Superseded), Read, Theirs("theirs", true)];
        noted(&superseded, ConsumerDecision::Newer, "theirs", [Some(2), Some(4), None, Some(3)]);
        let later = [
            Ours("ours"),
            Ended(DeploymentOutcome::Superseded),
            Theirs("theirs", false),
            Theirs("theirs", true),
        ];
        noted(&later, ConsumerDecision::Newer, "theirs", [Some(2), Some(4), None, None]);
        // Nobody knows of a newer one, or only that something waits.
        for decision in [ConsumerDecision::Newer, ConsumerDecision::Deferred] {
            let vague = [Ours("ours"), Ended(DeploymentOutcome::Superseded), Only(decision)];
            noted(&vague, ConsumerDecision::Redeploy, "ours", [Some(2), None, None, None]);
        }
        // The newer one failed as well.
        let notified = [Ours("ours"), Ended(DeploymentOutcome::Superseded), Only(ConsumerDecision::Notified)];
        noted(&notified, ConsumerDecision::Notified, "ours", [Some(2), None, None, None]);
    }

    #[test]
    fn what_ecs_tells_of_a_deployment_is_not_hidden_by_what_took_its_place() {
        for (how, times) in [
            (DeploymentOutcome::Failed, [Some(2), None, Some(3), None]),
            (DeploymentOutcome::Completed, [Some(2), Some(3), None, None]),
        ] {
            let before =
                [Ours("ours"), Ended(DeploymentOutcome::Superseded), Ended(how), Theirs("theirs", true)];
            noted(&before, ConsumerDecision::Redeploy, "ours", times);
        }
        let first = [
            Ours("ours"),
            Ended(DeploymentOutcome::Failed),
            Ended(DeploymentOutcome::Superseded),
            Theirs("theirs", true),
        ];
        noted(&first, ConsumerDecision::Redeploy, "ours", [Some(3), None, Some(2), None]);
        let after = [
            Ours("ours"),
            Ended(DeploymentOutcome::Superseded),
            Theirs("theirs", false),
            Ended(DeploymentOutcome::Failed),
        ];
        noted(&after, ConsumerDecision::Newer, "theirs", [Some(2), None, Some(4), None]);
    }

    #[test]
    fn another_deployment_of_ours_begins_anew_after_one_that_was_superseded() {
        let again = [Ours("first"), Ended(DeploymentOutcome::Superseded), Read, Ours("second")];
        noted(&again, ConsumerDecision::Redeploy, "second", [None; 4]);
        // The newer one was rolled back since: that it completed is not the end of ours.
        let between =
            [Ours("first"), Ended(DeploymentOutcome::Superseded), Theirs("theirs", true), Ours("second")];
        noted(&between, ConsumerDecision::Redeploy, "second", [None; 4]);
        noted(&[Ours("first"), Ours("second")], ConsumerDecision::Redeploy, "first", [None; 4]);
    }

    #[test]
    fn what_took_long_and_completed_after_all_has_not_failed() {
        let completed = [
            Ours("ours"),
            Ended(DeploymentOutcome::Failed),
            Ended(DeploymentOutcome::Completed),
            Ended(DeploymentOutcome::Completed),
        ];
        noted(&completed[..2], ConsumerDecision::Redeploy, "ours", [None, None, Some(2), None]);
        noted(&completed, ConsumerDecision::Redeploy, "ours", [None, Some(3), None, None]);
        let at_once = [Ours("ours"), Ended(DeploymentOutcome::Completed)];
        noted(&at_once, ConsumerDecision::Redeploy, "ours", [None, Some(2), None, None]);
    }
}
