//! The engine's port over the models: every call takes a while, others run meanwhile, and some calls go wrong.

mod map;

use std::rc::Rc;

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::port::{
    ArnPage, AttributeValue, AwsPort, DescribedServices, DescribedTaskDefinition, FoundItems, ItemKey,
    ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange, UndescribedService, WriteResult,
};
use responder_engine::{CallFailure, EngineError, FailureCause};

use crate::cloud::{Asked, Cloud, Fault, Record, State, Told, refused};
use crate::sns::{Publish, shown_in_chats};

/// What one execution environment sees of the account.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) cloud: Rc<Cloud>,
    /// The number of the invocation that runs in it.
    pub(crate) invocation: u64,
}

/// One call: of what, and how long it usually takes.
#[derive(Clone, Copy)]
struct Call {
    service: &'static str,
    operation: &'static str,
    millis: i64,
    /// Whether the SDK repeats it after an answer that was lost. Modelled for the table alone, where it is one time and where it matters.
    repeats: bool,
}

const fn table(operation: &'static str) -> Call {
    Call { service: "dynamodb", operation, millis: 6, repeats: true }
}

const fn ecs(operation: &'static str) -> Call {
    Call { service: "ecs", operation, millis: 60, repeats: false }
}

const fn secrets(operation: &'static str) -> Call {
    Call { service: "secretsmanager", operation, millis: 25, repeats: false }
}

impl Port {
    /// Makes a call. It has its effect at one instant of its time.
    async fn call<T>(
        &self,
        call: Call,
        until: Timestamp,
        mut effect: impl FnMut(&mut State, Timestamp) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let Call { service, operation, millis, repeats } = call;
        let clock = &self.cloud.clock;
        let (before, after, fault) = {
            let state = &mut *self.cloud.state.borrow_mut();
            *state.record.calls.entry(operation).or_default() += 1;
            let fault = state.fault(repeats);
            if fault.is_some() && matches!(service, "dynamodb" | "sns") {
                state.record.disturbed.insert(self.invocation);
            }
            (state.about(millis), state.about(millis), fault)
        };
        let answered = clock.now().plus(before);
        clock.sleep_until(answered.min(until)).await;
        if answered > until {
            self.disturb(service);
            return Err(EngineError::DeadlineReached(operation));
        }
        let mut act = || effect(&mut self.cloud.state.borrow_mut(), clock.now());
        let answer = match fault {
            None => Some(act()),
            Some(Fault::Repeated) => {
                drop(act());
                clock.sleep_until(clock.now().plus(after)).await;
                Some(act())
            }
            Some(fault) => {
                if fault.has_effect() {
                    drop(act());
                }
                if matches!(fault, Fault::Hangs { .. }) {
                    clock.sleep_until(until).await;
                }
                fault.error(service, operation).map(Err)
            }
        };
        clock.sleep_until(clock.now().plus(after).min(until)).await;
        let answer = answer.filter(|_| clock.now() < until || fault.is_some());
        if answer.is_none() {
            self.disturb(service);
        }
        let answer = answer.unwrap_or(Err(EngineError::DeadlineReached(operation)));
        if let Err(error) = &answer {
            self.cloud.note(|| {
                let fault = fault.map_or("", Fault::name);
                format!("#{} {operation}: {error} ({fault})", self.invocation)
            });
        }
        answer
    }

    fn disturb(&self, service: &str) {
        if matches!(service, "dynamodb" | "sns") {
            self.cloud.state.borrow_mut().record.disturbed.insert(self.invocation);
        }
    }

    fn here(&self, region: &Region) -> bool {
        region.as_str() == self.cloud.state.borrow().ecs.place.region
    }

    /// The write, and what it means for the record.
    fn write(&self, state: &mut State, update: &ItemUpdate) -> WriteResult {
        let frees = update.key.sk.starts_with("slot#") && update.remove.contains("service");
        if frees && state.keeps_places {
            return WriteResult::Written;
        }
        let one = std::slice::from_ref(&update.key);
        let before = state.store.get(one).pop();
        let written = state.store.update(update);
        let after = state.store.get(one).pop();
        state.record.meter.write(before.as_ref(), after.as_ref());
        if written == WriteResult::Written && update.set.contains_key("paged") {
            let by = self.invocation;
            let key = update.key.pk.strip_prefix("incident#").unwrap_or_default();
            let notified =
                state.record.pages.iter_mut().rev().find(|notified| notified.by == by && notified.key == key);
            if let Some(notified) = notified {
                notified.marked = true;
            }
        }
        written
    }
}

impl AwsPort for Port {
    fn now(&self) -> Timestamp {
        self.cloud.clock.now()
    }

    async fn sleep(&self, span: Span) {
        self.cloud.clock.sleep_until(self.now().plus(span)).await;
    }

    fn print_line(&self, line: &str) {
        self.cloud.state.borrow_mut().record.meter.line(line);
        if !line.starts_with("{\"_aws\"") && !line.contains("EventsReceived") {
            self.cloud.note(|| format!("#{} {line}", self.invocation));
        }
    }

    async fn update_item(&self, update: &ItemUpdate, until: Timestamp) -> Result<WriteResult, EngineError> {
        let written = self.call(table("UpdateItem"), until, |state, _| Ok(self.write(state, update))).await?;
        self.cloud.note(|| {
            let said = if written == WriteResult::Written { "written" } else { "condition does not hold" };
            format!("#{} {} {} {}: {said}", self.invocation, update.key.pk, update.key.sk, changes(update))
        });
        Ok(written)
    }

    async fn get_items(&self, keys: &[ItemKey], until: Timestamp) -> Result<FoundItems, EngineError> {
        self.call(table("BatchGetItem"), until, |state, _| {
            let busy = keys.len() > 1 && state.random.chance(state.faulty / 2);
            let (now, left) = keys.split_at(if busy { keys.len() / 2 } else { keys.len() });
            let items = state.store.get(now);
            state.record.meter.get(now.len(), &items);
            Ok(FoundItems { items, unprocessed_keys: left.to_vec() })
        })
        .await
    }

    async fn query_items(&self, range: &SortKeyRange, until: Timestamp) -> Result<ItemPage, EngineError> {
        self.call(table("Query"), until, |state, _| {
            let page = state.store.query(range);
            state.record.meter.query(&page.items);
            Ok(page)
        })
        .await
    }

    async fn list_clusters(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        let call = ecs("ListClusters");
        if !self.here(region) {
            return Ok(ArnPage::default());
        }
        self.call(call, until, |state, now| {
            refused("ecs", call.operation, state.ecs.list_clusters(Some(100), token, now)).map(map::listed)
        })
        .await
    }

    async fn list_services(
        &self,
        _: &Region,
        cluster: &str,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        let call = ecs("ListServices");
        self.call(call, until, |state, now| {
            let page = state.ecs.list_services(Some(cluster), Some(100), token, now);
            refused("ecs", call.operation, page).map(map::listed)
        })
        .await
    }

    async fn describe_services(
        &self,
        _: &Region,
        cluster: &str,
        services: &[String],
        until: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        let call = ecs("DescribeServices");
        self.call(call, until, |state, now| {
            let answer = state.ecs.describe_services(Some(cluster), services, now);
            let answer = refused("ecs", call.operation, answer)?;
            let failures = answer.failures.into_iter();
            Ok(DescribedServices {
                services: answer.services.iter().map(map::described).collect(),
                failures: failures
                    .map(|failure| UndescribedService {
                        arn: Some(failure.arn),
                        reason: Some(failure.reason),
                    })
                    .collect(),
            })
        })
        .await
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        arn: &str,
        until: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        let call = ecs("DescribeTaskDefinition");
        self.call(call, until, |state, now| {
            let definition = state.ecs.describe_task_definition(arn, now);
            refused("ecs", call.operation, definition).map(|definition| map::definition(&definition))
        })
        .await
    }

    async fn describe_secret(
        &self,
        region: &Region,
        id: &str,
        until: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        let call = secrets("DescribeSecret");
        self.call(call, until, |state, now| match state.secrets.describe_secret(region.as_str(), id, now) {
            Err(refusal) if refusal.code == "ResourceNotFoundException" => {
                Ok(SecretMetadata { missing: true, ..SecretMetadata::default() })
            }
            answer => refused("secretsmanager", call.operation, answer).map(|found| map::metadata(&found)),
        })
        .await
    }

    async fn list_secrets(
        &self,
        region: &Region,
        token: Option<&str>,
        until: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        let call = secrets("ListSecrets");
        self.call(call, until, |state, now| {
            let page = state.secrets.list_secrets(region.as_str(), Some(100), token, now);
            let page = refused("secretsmanager", call.operation, page)?;
            let secrets = page.secrets.iter().map(map::metadata).collect();
            Ok(SecretPage { secrets, next_token: page.next_token })
        })
        .await
    }

    async fn force_deployment(
        &self,
        _: &Region,
        cluster: &str,
        service: &str,
        until: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        let (call, called_at) = (ecs("UpdateService"), self.now());
        self.cloud.state.borrow_mut().record.updates.push(called_at);
        let answer = self
            .call(call, until, |state, now| {
                let updated = state.ecs.update_service(Some(cluster), service, true, now);
                let updated = refused("ecs", call.operation, updated)?;
                let id = updated.primary().map(|primary| primary.id.clone());
                state.record.deployments.push(Asked {
                    service: service.to_owned(),
                    cluster: cluster.to_owned(),
                    deployment: id.clone().unwrap_or_default(),
                    called_at,
                    by: self.invocation,
                    answered: false,
                });
                Ok(id)
            })
            .await;
        if let Ok(Some(id)) = &answer {
            let deployments = &mut self.cloud.state.borrow_mut().record.deployments;
            if let Some(requested) = deployments.iter_mut().find(|requested| requested.deployment == *id) {
                requested.answered = true;
            }
        }
        answer
    }

    async fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let call = Call { service: "sns", operation: "Publish", millis: 25, repeats: false };
        let refused = Publish::page(page, key).accepted().err();
        self.call(call, until, |state, at| {
            if let Some(why) = &refused {
                return Err(unpublished(&mut state.record, why));
            }
            let (key, page) = (key.to_owned(), page.clone());
            state.record.pages.push(Told { at, by: self.invocation, key, page, marked: false });
            Ok(())
        })
        .await?;
        self.cloud.note(|| format!("#{} page {key}: {}", self.invocation, page.subject));
        Ok(())
    }

    async fn publish_chat(&self, page: &Notification, until: Timestamp) -> Result<(), EngineError> {
        let call = Call { service: "sns", operation: "Publish (chat)", millis: 25, repeats: false };
        let chat = Publish::chat(page);
        let refused = chat.accepted().err().or_else(|| shown_in_chats(&chat.message).err());
        self.call(call, until, |state, _| match &refused {
            Some(why) => Err(unpublished(&mut state.record, why)),
            None => Ok(()),
        })
        .await
    }
}

/// SNS says no: on record, so that no world ends well with it.
fn unpublished(record: &mut Record, why: &str) -> EngineError {
    record.unpublished.push(why.to_owned());
    let failure =
        CallFailure { cause: FailureCause::ServiceError, code: Some("InvalidParameter".to_owned()) };
    EngineError::CallFailed { service: "sns", operation: "Publish", failure }
}

/// What an update changes, for the trace.
fn changes(update: &ItemUpdate) -> String {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) if *number > 1_000_000_000_000 => {
            Timestamp::from_millis(*number).to_string()
        }
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Set(set) => format!("{} entries", set.len()),
    };
    let set = update.set.iter().filter(|(name, _)| **name != "ttl");
    let set = set.map(|(name, known)| format!("{name}={}", value(known)));
    let removed = update.remove.iter().map(|name| format!("-{name}"));
    set.chain(removed).collect::<Vec<_>>().join(" ")
}
