//! The ledger in `DynamoDB`: one table, keys `pk` and `sk`, a `ttl` on every item, every write conditional or idempotent.
//!
//! | `pk` | `sk` | what |
//! | --- | --- | --- |
//! | `marks#<stream>` | `<start of ten minutes>#<hash>` | what one invocation counted of them: some marks |
//! | `incident#<key>` | `state` | what was said about an incident, and who is about to say more |
//! | `open#incidents` | `<key>` | that an incident was paged, until it is over and some days longer |
//! | `place#<account>/<region>` | `change#<secret>` | the last known change of a secret, and whether it is answered for |
//! | | `service#<arn>` | the last deployment that we asked for, and who is about to ask |
//! | | `slot#<cluster>#<n>` | a place among the cluster's deployments in flight |
//! | | `told#<arn>#<secret>` | up to which change a human was told of a consumer |
//! | `awaited#<role and secret>` | `reads` | the consumers that a read would prove |
//! | `proof#<secret>` | `<change>#<service>` | what became of one consumer of one change |
//! | `summary#<date>` | hash of the content | what one batch noted for the summary of a day |
//! | `seen#<principal>` | hash of the secret | when a principal last read a secret, to the day |
//! | `definition#<arn>` | `read` | what a task definition says |
//! | `role#<arn>` | `launches` | the secrets that the task definitions of an execution role refer to |

mod claims;
mod conditions;
mod definitions;
mod deployments;
mod item;
mod observations;
mod open;
mod progress;
mod proofs;
mod summary;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use responder_core::facts::Facts;
use responder_core::state::incident_state::is_part_of_occurrence;
use responder_core::time::{Span, Timestamp};

pub(crate) use claims::{ClaimResult, ClaimSubject};
pub(crate) use deployments::{DeploymentClaim, DeploymentClaimResult, DeploymentRequest};
pub(crate) use observations::ObservationQuery;
pub(crate) use proofs::ProvenDeployment;

use self::conditions::write_condition;
use crate::deadline::Deadline;
use crate::error::EngineError;
use crate::port::WriteCondition::{All, Less, More};
use crate::port::{AwsPort, ItemKey, ItemUpdate, TableItem, WriteResult};

/// How much longer than needed an item is kept: clocks differ, and deliveries are late.
const SLACK: Span = Span::from_secs(86_400);
/// How long deployments of ours are remembered.
const DEPLOYMENTS_KEPT: Span = Span::from_secs(90 * 86_400);
/// How long it is remembered what was said about an incident: what closes it may come months later.
const INCIDENTS_KEPT: Span = Span::from_secs(180 * 86_400);

/// The longest ARN of a role that is looked up: a key has at most 2,048 bytes, a role's ARN a third of that.
const ROLE_MAX: usize = 1_000;

/// The ledger, as one invocation sees it.
#[derive(Debug)]
pub(crate) struct Ledger<'l, A> {
    aws: &'l A,
    /// In whose name claims are made: the invocation's request id.
    owner: &'l str,
    lease: Span,
    deadline: Deadline,
    /// Whether a call had no answer in time: the others of this invocation then do not wait for one.
    down: AtomicBool,
}

/// What is remembered under some keys.
#[derive(Debug, Default)]
pub(crate) struct StoredFacts {
    /// What was said, by incident key; the last deployments that we asked for, by service; what is awaited, by key.
    pub(crate) facts: Facts,
    /// Incident keys, services and keys of what is awaited that nobody answered for.
    pub(crate) unanswered: BTreeSet<String>,
}

impl<'l, A: AwsPort> Ledger<'l, A> {
    /// The ledger, asked in the name of `owner`, who holds claims for as long as `lease`.
    pub(crate) fn new(aws: &'l A, owner: &'l str, lease: Span, deadline: Deadline) -> Self {
        Self { aws, owner, lease, deadline, down: AtomicBool::new(false) }
    }

    /// The same ledger with another deadline.
    pub(crate) fn until(self, deadline: Deadline) -> Self {
        // What was too slow for the other deadline may be quick enough for this one.
        Self { deadline, down: AtomicBool::new(false), ..self }
    }

    /// What is known of incidents, of services' last deployments, of what is awaited and of what roles launch, read
    /// consistently.
    pub(crate) async fn remember(
        &self,
        incidents: &BTreeSet<String>,
        services: &BTreeSet<String>,
        evidence: &BTreeSet<String>,
        roles: &BTreeSet<String>,
    ) -> StoredFacts {
        let mut found = StoredFacts::default();
        let incidents = incidents.iter().map(|key| (ItemKey::incident(key), key));
        let services = services.iter().map(|service| (ItemKey::service(service), service));
        let evidence = evidence.iter().map(|key| (ItemKey::evidence(key), key));
        // A longer key would be refused, and the others asked with it.
        let roles =
            roles.iter().filter(|role| role.len() <= ROLE_MAX).map(|role| (ItemKey::role(role), role));
        let (keys, names): (Vec<ItemKey>, Vec<&String>) =
            incidents.chain(services).chain(evidence).chain(roles).unzip();
        // `BatchGetItem` takes at most 100 keys.
        for (keys, names) in keys.chunks(100).zip(names.chunks(100)) {
            match self.get(keys).await {
                Ok(items) => items.iter().for_each(|item| item.store(&mut found.facts)),
                Err(_) => found.unanswered.extend(names.iter().map(|name| (*name).clone())),
            }
        }
        found
    }

    /// Stretches a paged incident to what is known of it now.
    ///
    /// # Errors
    /// [`EngineError::Held`] if the incident, which began at `of`, was resolved meanwhile: the event must be looked at again,
    /// it may be another occurrence.
    pub(crate) async fn extend(
        &self,
        key: &str,
        of: Timestamp,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
        resolve_after: Span,
    ) -> Result<(), EngineError> {
        let until = last.or(first).unwrap_or(of);
        let same = || write_condition(&is_part_of_occurrence(of, until));
        let mut updates = Vec::new();
        if let Some(last) = last {
            let update = ItemUpdate::of(ItemKey::incident(key))
                .number("last", last.millis())
                .number("ttl", expiry(self.aws.now(), last, resolve_after.max(INCIDENTS_KEPT)))
                .only_if(All(vec![same(), Less("last", last.millis())]));
            updates.push(update);
        }
        if let Some(first) = first {
            let update = ItemUpdate::of(ItemKey::incident(key))
                .number("first", first.millis())
                .only_if(All(vec![same(), More("first", first.millis())]));
            updates.push(update);
        }
        for update in updates {
            if let WriteResult::No(Some(item)) = self.write(&update).await?
                && item.instant("resolved").is_some_and(|resolved| resolved >= of && resolved < until)
            {
                return Err(EngineError::Held);
            }
        }
        Ok(())
    }

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<TableItem>, EngineError> {
        let mut items = Vec::new();
        let mut wanted = keys.to_vec();
        // What the table is too busy for comes back as unprocessed.
        for attempt in 0..5 {
            if attempt > 0 {
                self.pause(Span::from_millis(50 << attempt)).await?;
            }
            let got = self.call(self.aws.get(&wanted, self.deadline.at())).await?;
            items.extend(got.items);
            wanted = got.left;
            if wanted.is_empty() {
                return Ok(items);
            }
        }
        Err(EngineError::Unanswered)
    }

    async fn pause(&self, span: Span) -> Result<(), EngineError> {
        let left = self.deadline.left(self.aws);
        self.aws.sleep(span.min(left)).await;
        if span <= left { Ok(()) } else { Err(EngineError::Deadline("BatchGetItem")) }
    }

    async fn write(&self, update: &ItemUpdate) -> Result<WriteResult, EngineError> {
        self.call(self.aws.update(update, self.deadline.at())).await
    }

    /// Remembers that the table does not answer, so that this is waited for only once.
    async fn call<T>(&self, call: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        if self.down.load(Ordering::Relaxed) {
            return Err(EngineError::Unanswered);
        }
        let answer = call.await;
        if answer.as_ref().is_err_and(EngineError::is_silence) {
            self.down.store(true, Ordering::Relaxed);
        }
        answer
    }
}

/// When an item may go, in seconds since 1970: `kept` after the present or `last`, whichever is later.
fn expiry(now: Timestamp, last: Timestamp, kept: Span) -> i64 {
    now.max(last).plus(kept).plus(SLACK).millis() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CallFailure, FailureCause};
    use crate::fake::{EngineFake, block_on, refused};
    use crate::port::AttributeValue;
    use responder_core::aws::secret_ref::SecretRef;
    use responder_core::state::deployment::{PendingReadEvidence, SecretChange};

    fn ledger(aws: &EngineFake) -> Ledger<'_, EngineFake> {
        let lease = Span::from_secs(60);
        Ledger::new(aws, "me", lease, Deadline::of(aws.now().plus(lease), lease, aws.now()))
    }

    fn keys(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_table_that_does_not_answer_is_asked_once_and_again_with_another_deadline() {
        let failure = CallFailure::of(FailureCause::ConnectionTimeout);
        let silent = EngineError::Call { service: "dynamodb", operation: "BatchGetItem", failure };
        for (broken, requested) in
            [(silent, 1), (EngineError::Deadline("x"), 1), (refused("dynamodb", "x", "x"), 2)]
        {
            let aws = EngineFake { broken: Some(broken).into(), ..EngineFake::default() };
            let ledger = ledger(&aws);
            let found = block_on(ledger.remember(&keys(&["i"]), &keys(&["d"]), &keys(&[]), &keys(&[])));
            assert_eq!(found.unanswered, keys(&["d", "i"]));
            assert!(block_on(ledger.adopt("d", aws.now(), "id")).is_err());
            assert_eq!(aws.requested.get(), requested);
            let deadline = ledger.deadline;
            assert!(block_on(ledger.until(deadline).adopt("d", aws.now(), "id")).is_err());
            assert_eq!(aws.requested.get(), requested + 1);
        }
    }

    #[test]
    fn a_late_event_is_part_of_an_incident_that_is_over_and_what_happened_since_is_looked_at_again() {
        let (aws, key, at) = (EngineFake::default(), ItemKey::incident("k"), Timestamp::from_millis);
        let values = [("first", 10), ("last", 20), ("paged", 3), ("resolved", 50)];
        let values = values.map(|(name, value)| (name.to_owned(), AttributeValue::Number(value)));
        aws.table.borrow_mut().insert(key.clone(), TableItem { key: key.clone(), values: values.into() });
        let extend =
            |last| block_on(ledger(&aws).extend("k", at(10), None, Some(at(last)), Span::from_secs(60)));
        assert_eq!((extend(30), extend(25), extend(60)), (Ok(()), Ok(()), Err(EngineError::Held)));
        assert_eq!(aws.table.borrow()[&key].number("last"), Some(30));
    }

    #[test]
    fn what_a_busy_table_leaves_is_asked_for_again_until_the_deadline() {
        let aws = EngineFake::default();
        let evidence = PendingReadEvidence {
            service: "s".to_owned(),
            change: SecretChange {
                secret: SecretRef::from_name_or_arn("prod/db", "111122223333", "us-west-2").unwrap(),
                at: Timestamp::from_millis(5),
                version: None,
            },
            since: Timestamp::from_millis(20),
        };
        for key in ["a", "b", "c"] {
            block_on(ledger(&aws).wait_for(key, &evidence)).unwrap();
        }
        let remember =
            || block_on(ledger(&aws).remember(&keys(&[]), &keys(&[]), &keys(&["a", "b", "c"]), &keys(&[])));
        aws.busy.set(2);
        let found = remember().facts.pending_evidence;
        assert_eq!(found.into_values().collect::<Vec<_>>(), vec![BTreeSet::from([evidence]); 3]);
        assert_eq!(aws.now().millis(), 100 + 200);
        // Not even the first pause fits.
        let soon = Deadline::of(aws.now().plus(Span::from_millis(100)), Span::from_secs(60), aws.now());
        aws.busy.set(1);
        let found =
            block_on(ledger(&aws).until(soon).remember(&keys(&["a"]), &keys(&[]), &keys(&["b"]), &keys(&[])));
        assert_eq!(found.unanswered, keys(&["a", "b"]));
        assert_eq!(aws.now(), soon.at());
    }

    #[test]
    fn an_incident_stretches_both_ways_unless_it_ended_meanwhile() {
        let aws = EngineFake::default();
        let at = Timestamp::from_millis;
        let resolve_after = Span::from_millis(100);
        let extend = |of, first, last| {
            block_on(ledger(&aws).extend("k", at(of), Some(at(first)), Some(at(last)), resolve_after))
        };
        extend(500, 500, 600).unwrap();
        assert!(aws.table.borrow().is_empty(), "nothing was said that could be stretched");
        let said = [("first", 500), ("last", 600), ("paged", 2)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::Number(value)));
        let item = TableItem { key: ItemKey::incident("k"), values: said.into() };
        aws.table.borrow_mut().insert(item.key.clone(), item);
        let known = || {
            let item = aws.table.borrow()[&ItemKey::incident("k")].clone();
            (item.number("first"), item.number("last"))
        };
        extend(450, 450, 550).unwrap();
        assert_eq!(known(), (Some(450), Some(600)));
        extend(450, 460, 700).unwrap();
        assert_eq!(known(), (Some(450), Some(700)));
        let ended =
            |item: &mut TableItem| item.values.insert("resolved".to_owned(), AttributeValue::Number(650));
        aws.table.borrow_mut().values_mut().for_each(|item| drop(ended(item)));
        assert_eq!(extend(450, 400, 800), Err(EngineError::Held));
        assert_eq!(known(), (Some(450), Some(700)));
    }
}
