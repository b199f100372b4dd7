//! The proof in the ledger: one item for each change and consumer, from the decision to the read that proves it.

use responder_core::state::consumer_decision::{ConsumerDecision, is_decision};
use responder_core::state::deployment::{DeploymentOutcome, SecretChange};
use responder_core::time::{Span, Timestamp};

use super::conditions::write_condition;
use super::{Ledger, expiry};
use crate::error::EngineError;
use crate::port::WriteCondition::Exists;
use crate::port::{AttributeValue, AwsPort, ItemKey, ItemUpdate};

/// How long a proof is kept: auditors come once a year.
const PROOFS_KEPT: Span = Span::from_secs(400 * 86_400);

/// What is noted of a deployment after it began, and is not the next one's. A failure stays until one completes.
const PAST: [&str; 4] = ["completed_at", "superseded_at", "fetched_at", "shared"];

/// The deployment that a decision rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProvenDeployment<'d> {
    pub(crate) id: &'d str,
    pub(crate) at: Timestamp,
    /// Whether ECS says that it completed.
    pub(crate) completed: bool,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Writes down what was decided.
    pub(crate) async fn decided(
        &self,
        service: &str,
        changed: &SecretChange,
        decision: ConsumerDecision,
        why: &str,
        deployment: Option<&ProvenDeployment<'_>>,
    ) -> Result<(), EngineError> {
        let now = self.aws.now();
        let mut update = ItemUpdate::of(key(service, changed))
            .text("service", service)
            .text("secret", &serde_json::to_string(&changed.secret).unwrap_or_default())
            .number("changed_at", changed.at.millis())
            .number("decided_at", now.millis())
            .text("decision", decision.name())
            .number("ttl", expiry(now, changed.at, PROOFS_KEPT));
        if !why.is_empty() {
            update = update.text("why", why);
        }
        if let Some(version) = &changed.version {
            update = update.text("version", version);
        }
        let completed = deployment.is_some_and(|deployment| deployment.completed);
        if let Some(ProvenDeployment { id, at, .. }) = deployment {
            update = update.text("deployment", id).number("deployed_at", at.millis());
        }
        if completed {
            // Nobody told us when: at the latest now.
            update = update.if_absent("completed_at", AttributeValue::Number(now.millis()));
        }
        if decision == ConsumerDecision::Redeploy {
            update = update.remove(PAST);
        }
        let condition = write_condition(&decision.may_replace(deployment.is_some(), completed));
        self.write(&update.only_if(condition)).await.map(|_| ())
    }

    /// Our deployment ended. That somebody's newer one took its place hides no end that ECS tells, before or after.
    pub(crate) async fn rolled_out(
        &self,
        service: &str,
        changed: &SecretChange,
        (at, how): (Timestamp, DeploymentOutcome),
    ) -> Result<(), EngineError> {
        let (update, at) = (ItemUpdate::of(key(service, changed)), AttributeValue::Number(at.millis()));
        let update = match how {
            // It took long, and was told as failed.
            DeploymentOutcome::Completed => update.if_absent("completed_at", at).remove(["failed_at"]),
            DeploymentOutcome::Failed => update.if_absent("failed_at", at),
            DeploymentOutcome::Superseded => update.if_absent("superseded_at", at),
            DeploymentOutcome::Refused
            | DeploymentOutcome::Denied
            | DeploymentOutcome::Unseen
            | DeploymentOutcome::Gone => return Ok(()),
        };
        let known = if how == DeploymentOutcome::Superseded {
            write_condition(&is_decision(ConsumerDecision::Redeploy))
        } else {
            Exists("decision")
        };
        self.write(&update.only_if(known)).await.map(|_| ())
    }

    /// A new task read the secret; `shared` if its role is another awaited service's too.
    pub(crate) async fn fetched(
        &self,
        service: &str,
        changed: &SecretChange,
        shared: bool,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let mut update = ItemUpdate::of(key(service, changed))
            .if_absent("fetched_at", AttributeValue::Number(at.millis()));
        if shared {
            update = update.if_absent("shared", AttributeValue::Number(1));
        }
        self.write(&update.only_if(Exists("decision"))).await.map(|_| ())
    }
}

fn key(service: &str, changed: &SecretChange) -> ItemKey {
    ItemKey { pk: format!("proof#{}", changed.secret.key()), sk: format!("{}#{service}", changed.at) }
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_ref::SecretRef;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fake::{EngineFake, block_on};

    const SERVICE: &str = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";

    fn instant(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn changed() -> SecretChange {
        let secret = SecretRef::from_key("111122223333/us-west-2/prod/db").unwrap();
        SecretChange { secret, at: instant(500), version: None }
    }

    /// What is known after these steps: the decision, the deployment, and when what was noted.
    fn known(steps: &[Noted]) -> (String, String, [Option<i64>; 4]) {
        let aws = EngineFake::default();
        let lease = Span::from_secs(60);
        let ledger = Ledger::new(&aws, "a", lease, Deadline::of(aws.now().plus(lease), lease, aws.now()));
        for (second, step) in (1..).zip(steps) {
            aws.clock.set(instant(second * 1_000));
            let deployed = |id, completed| ProvenDeployment { id, at: aws.now(), completed };
            let decided = |decision, deployment: Option<ProvenDeployment<'_>>| {
                block_on(ledger.decided(SERVICE, &changed(), decision, "why", deployment.as_ref())).unwrap();
            };
            match step {
                Noted::Ours(id) => decided(ConsumerDecision::Redeploy, Some(deployed(id, false))),
                Noted::Theirs(id, completed) => {
                    decided(ConsumerDecision::Newer, Some(deployed(id, *completed)))
                }
                Noted::Only(decision) => decided(*decision, None),
                Noted::Ended(how) => {
                    block_on(ledger.rolled_out(SERVICE, &changed(), (aws.now(), *how))).unwrap();
                }
                Noted::Read => block_on(ledger.fetched(SERVICE, &changed(), false, aws.now())).unwrap(),
            }
        }
        let got = block_on(aws.get(&[key(SERVICE, &changed())], aws.now())).unwrap();
        let text = |name| got.items[0].text(name).unwrap_or_default().to_owned();
        let second = |name: &str| got.items[0].instant(name).map(|at| at.millis() / 1_000);
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
