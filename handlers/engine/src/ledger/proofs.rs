//! The proof in the ledger: one item for each change and consumer, from the decision to the read that proves it.

use responder_core::progress::Changed;
use responder_core::time::{Span, Timestamp};

use super::{Ledger, expiry};
use crate::error::Error;
use crate::port::Condition::{Absent, All, Any, Equal, Exists};
use crate::port::{Aws, Key, Update, Value};

/// How long a proof is kept: auditors come once a year.
const PROOFS_KEPT: Span = Span::from_secs(400 * 86_400);

/// The deployment that a decision rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deployed<'d> {
    pub(crate) id: &'d str,
    pub(crate) at: Timestamp,
    /// Whether ECS says that it completed.
    pub(crate) completed: bool,
}

/// What was decided for a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It was redeployed.
    Redeploy,
    /// Its deployment was newer already.
    Newer,
    /// It waits.
    Held,
    /// A human was told.
    Told,
}

impl Decision {
    fn word(self) -> &'static str {
        match self {
            Self::Redeploy => "redeploy",
            Self::Newer => "newer",
            Self::Held => "held",
            Self::Told => "told",
        }
    }

    /// What it may take the place of: a decision that is nearer to the end stays.
    fn replaces(self) -> &'static [Decision] {
        match self {
            Self::Redeploy => &[Self::Held, Self::Told, Self::Newer],
            Self::Newer => &[Self::Held, Self::Told],
            Self::Told => &[Self::Held],
            Self::Held => &[],
        }
    }
}

impl<A: Aws> Ledger<'_, A> {
    /// Writes down what was decided.
    pub(crate) async fn decided(
        &self,
        service: &str,
        changed: &Changed,
        decision: Decision,
        why: &str,
        deployment: Option<&Deployed<'_>>,
    ) -> Result<(), Error> {
        let now = self.aws.now();
        let mut update = Update::of(key(service, changed))
            .text("service", service)
            .text("secret", &serde_json::to_string(&changed.secret).unwrap_or_default())
            .number("changed_at", changed.at.millis())
            .number("decided_at", now.millis())
            .text("decision", decision.word())
            .number("ttl", expiry(now, changed.at, PROOFS_KEPT));
        if !why.is_empty() {
            update = update.text("why", why);
        }
        if let Some(version) = &changed.version {
            update = update.text("version", version);
        }
        let completed = deployment.is_some_and(|deployment| deployment.completed);
        if let Some(Deployed { id, at, .. }) = deployment {
            update = update.text("deployment", id).number("deployed_at", at.millis());
        }
        if completed {
            // Nobody told us when: at the latest now.
            update = update.if_absent("completed_at", Value::Number(now.millis()));
        }
        let is = |known: &Decision| Equal("decision", Value::Text(known.word().to_owned()));
        let mut before = vec![Absent("decision")];
        before.extend(decision.replaces().iter().map(is));
        before.extend(completed.then(|| All(vec![is(&decision), Absent("completed_at")])));
        let condition = Any(before);
        self.write(&update.only_if(condition)).await.map(|_| ())
    }

    /// Its deployment ended.
    pub(crate) async fn rolled_out(
        &self,
        service: &str,
        changed: &Changed,
        completed: bool,
        at: Timestamp,
    ) -> Result<(), Error> {
        let update = Update::of(key(service, changed));
        let update = if completed {
            // It took long, and was told as failed.
            update.if_absent("completed_at", Value::Number(at.millis())).remove(["failed_at"])
        } else {
            update.if_absent("failed_at", Value::Number(at.millis()))
        };
        self.write(&update.only_if(Exists("decision"))).await.map(|_| ())
    }

    /// A new task read the secret; `shared` if its role is another awaited service's too.
    pub(crate) async fn fetched(
        &self,
        service: &str,
        changed: &Changed,
        shared: bool,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut update =
            Update::of(key(service, changed)).if_absent("fetched_at", Value::Number(at.millis()));
        if shared {
            update = update.if_absent("shared", Value::Number(1));
        }
        self.write(&update.only_if(Exists("decision"))).await.map(|_| ())
    }
}

fn key(service: &str, changed: &Changed) -> Key {
    Key { pk: format!("proof#{}", changed.secret.key()), sk: format!("{}#{service}", changed.at) }
}

#[cfg(test)]
mod tests {
    use responder_core::secret::SecretRef;

    use super::*;
    use crate::deadline::Deadline;
    use crate::fake::{Fake, block_on};

    const SERVICE: &str = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";

    #[test]
    fn what_took_long_and_completed_after_all_has_not_failed() {
        let instant = Timestamp::from_millis;
        for ends in [&[(false, 2_000)][..], &[(false, 2_000), (true, 1_000)], &[(true, 1_000), (true, 3_000)]]
        {
            let aws = Fake::default();
            let lease = Span::from_secs(60);
            let ledger = Ledger::new(&aws, "a", lease, Deadline::of(aws.now().plus(lease), lease, aws.now()));
            let secret = SecretRef::from_key("111122223333/us-west-2/prod/db").unwrap();
            let changed = Changed { secret, at: instant(500), version: None };
            block_on(ledger.decided(SERVICE, &changed, Decision::Redeploy, "it is older", None)).unwrap();
            for (completed, at) in ends {
                block_on(ledger.rolled_out(SERVICE, &changed, *completed, instant(*at))).unwrap();
            }
            let got = block_on(aws.get(&[key(SERVICE, &changed)], aws.now())).unwrap();
            let times = ["failed_at", "completed_at"].map(|name| got.items[0].instant(name));
            let completed = ends.iter().any(|(completed, _)| *completed);
            assert_eq!(times, [(!completed).then(|| instant(2_000)), completed.then(|| instant(1_000))]);
        }
    }
}
