//! The ledger in `DynamoDB`: one table, keys `pk` and `sk`, a `ttl` on every item, every write conditional or idempotent.
//!
//! | `pk` | `sk` | what |
//! | --- | --- | --- |
//! | `marks#<stream>` | start of ten minutes | what was counted: a set of marks |
//! | `incident#<key>` | `state` | what was said about an incident, and who is about to say more |
//! | `service#<arn>` | `deploy` | when a deployment was asked for, and who is about to ask |
//! | `rollout#<deployment>` | `asked` | a deployment of ours |

mod claims;
mod item;
mod marks;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use responder_core::facts::{IncidentState, Rollout};
use responder_core::time::{Span, Timestamp};

pub(crate) use claims::{Claimed, Subject};
pub(crate) use marks::Ask;

use crate::deadline::{Deadline, now};
use crate::error::{Error, Failure};
use item::{Item, Key};
use update::Update;

/// How much longer than needed an item is kept: clocks differ, and deliveries are late.
const SLACK: Span = Span::from_secs(86_400);
/// How long deployments of ours are remembered.
const DEPLOYMENTS_KEPT: Span = Span::from_secs(30 * 86_400);
/// How long it is remembered what was said about an incident: what closes it may come months later.
const INCIDENTS_KEPT: Span = Span::from_secs(180 * 86_400);

/// The ledger, as one invocation sees it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) client: Client,
    pub(crate) table: String,
    /// In whose name claims are made: the invocation's request id.
    pub(crate) owner: String,
    pub(crate) lease: Span,
    pub(crate) deadline: Deadline,
    /// Whether a call had no answer in time: the others of this invocation then do not wait for one.
    pub(crate) down: Arc<AtomicBool>,
}

/// What is remembered under some keys.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// What was said, by incident key.
    pub(crate) incidents: BTreeMap<String, IncidentState>,
    /// Deployments of ours, by id.
    pub(crate) rollouts: BTreeMap<String, Rollout>,
    /// Incident keys and deployment ids that nobody answered for.
    pub(crate) unanswered: BTreeSet<String>,
}

/// How a conditional write ended.
#[derive(Debug)]
enum Written {
    /// It was written.
    Yes,
    /// The condition did not hold; the item as it is, if the table said it.
    No(Option<Item>),
}

impl Ledger {
    /// The same ledger with another deadline.
    pub(crate) fn until(self, deadline: Deadline) -> Self {
        // What was too slow for the other deadline may be quick enough for this one.
        Self { deadline, down: Arc::default(), ..self }
    }

    /// What is known of incidents and deployments, read consistently.
    pub(crate) async fn remember(
        &self,
        incidents: &BTreeSet<String>,
        rollouts: &BTreeSet<String>,
    ) -> Remembered {
        let mut found = Remembered::default();
        let keys: Vec<Key> = incidents
            .iter()
            .map(|key| Key::incident(key))
            .chain(rollouts.iter().map(|deployment| Key::rollout(deployment)))
            .collect();
        // `BatchGetItem` takes at most 100 keys.
        for keys in keys.chunks(100) {
            match self.get(keys).await {
                Ok(items) => {
                    for item in items {
                        item.store(&mut found);
                    }
                }
                Err(_) => found.unanswered.extend(keys.iter().map(|key| key.name().to_owned())),
            }
        }
        found
    }

    /// Stretches a paged incident to what is known of it now.
    ///
    /// # Errors
    /// [`Error::Held`] if the incident, which began at `of`, was resolved meanwhile: the event must be looked at again,
    /// it may be another occurrence.
    pub(crate) async fn extend(
        &self,
        key: &str,
        of: Timestamp,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
        quiet: Span,
    ) -> Result<(), Error> {
        let same = "attribute_exists(#paged) AND (attribute_not_exists(#resolved) OR #resolved < :of)";
        let mut updates = Vec::new();
        if let Some(last) = last {
            let update = Update::of(Key::incident(key), "SET #last = :last, #ttl = :ttl")
                .only_if(format!("{same} AND #last < :last"))
                .number(":last", last.millis())
                .number(":ttl", expiry(last, quiet.max(INCIDENTS_KEPT)));
            updates.push(update);
        }
        if let Some(first) = first {
            let update = Update::of(Key::incident(key), "SET #first = :first")
                .only_if(format!("{same} AND #first > :first"))
                .number(":first", first.millis());
            updates.push(update);
        }
        for update in updates {
            if let Written::No(Some(item)) = self.write(update.number(":of", of.millis())).await?
                && item.instant("resolved").is_some_and(|resolved| resolved >= of)
            {
                return Err(Error::Held);
            }
        }
        Ok(())
    }

    /// Remembers a deployment of ours.
    pub(crate) async fn record_rollout(&self, deployment: &str, rollout: &Rollout) -> Result<(), Error> {
        let secret = serde_json::to_string(&rollout.secret).unwrap_or_default();
        let expression = "SET #service = :service, #secret = :secret, #changed_at = :changed_at, #ttl = :ttl";
        let update = Update::of(Key::rollout(deployment), expression)
            .text(":service", &rollout.service)
            .text(":secret", &secret)
            .number(":changed_at", rollout.changed_at.millis())
            .number(":ttl", expiry(now(), DEPLOYMENTS_KEPT));
        self.write(update).await.map(|_| ())
    }

    /// Notes that a deployment of ours is done.
    pub(crate) async fn complete(&self, deployment: &str, at: Timestamp) -> Result<(), Error> {
        let update = Update::of(
            Key::rollout(deployment),
            "SET #completed_at = if_not_exists(#completed_at, :at), #ttl = :ttl",
        )
        .only_if("attribute_exists(#service)")
        .number(":at", at.millis())
        .number(":ttl", expiry(now(), DEPLOYMENTS_KEPT));
        self.write(update).await.map(|_| ())
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let mut wanted: Vec<_> = keys.iter().map(Key::attributes).collect();
        // What the table is too busy for comes back as unprocessed.
        for attempt in 0..5u64 {
            if attempt > 0 {
                let pause = tokio::time::sleep(std::time::Duration::from_millis(50 << attempt));
                self.deadline.bound("BatchGetItem", pause).await?;
            }
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let request = request.map_err(|error| unsent("BatchGetItem", error))?;
            let call = self.client.batch_get_item().request_items(&self.table, request).send();
            let output = self.call("BatchGetItem", call).await?;
            items.extend(output.responses.unwrap_or_default().into_values().flatten().map(Item));
            let left = output.unprocessed_keys.unwrap_or_default().into_values();
            wanted = left.flat_map(|left| left.keys).collect();
            if wanted.is_empty() {
                return Ok(items);
            }
        }
        Err(Error::Unanswered)
    }

    async fn write(&self, update: Update) -> Result<Written, Error> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Error::Unanswered);
        }
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key.attributes()))
            .set_expression_attribute_names(Some(update.names()))
            .set_expression_attribute_values(Some(update.values))
            .update_expression(update.expression)
            .set_condition_expression(update.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match self.observe(self.deadline.bound("UpdateItem", call.send()).await)? {
            Ok(_) => Ok(Written::Yes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Written::No(failed.item().cloned().map(Item)))
                }
                _ => Err(failed("UpdateItem", &error)),
            },
        }
    }

    fn call<T, E: ProvideErrorMetadata>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> impl Future<Output = Result<T, Error>> {
        let bounded = self.deadline.bound(operation, call);
        async move {
            if self.down.load(Ordering::Relaxed) {
                return Err(Error::Unanswered);
            }
            self.observe(bounded.await)?.map_err(|error| failed(operation, &error))
        }
    }

    /// Remembers that the table does not answer, so that this is waited for only once.
    fn observe<T, E>(
        &self,
        answer: Result<Result<T, SdkError<E>>, Error>,
    ) -> Result<Result<T, SdkError<E>>, Error> {
        let silent = match &answer {
            Err(_) | Ok(Err(SdkError::TimeoutError(_) | SdkError::DispatchFailure(_))) => true,
            Ok(_) => false,
        };
        if silent {
            self.down.store(true, Ordering::Relaxed);
        }
        answer
    }
}

/// When an item may go, in seconds since 1970: `kept` after the present or `last`, whichever is later.
fn expiry(last: Timestamp, kept: Span) -> i64 {
    now().max(last).plus(kept).plus(SLACK).millis() / 1_000
}

fn failed<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E>) -> Error {
    Error::Call { service: "dynamodb", operation, failure: Failure::of(error) }
}

fn unsent(operation: &'static str, error: aws_sdk_dynamodb::error::BuildError) -> Error {
    failed(operation, &SdkError::<UpdateItemError>::construction_failure(error))
}
