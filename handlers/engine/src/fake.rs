//! The smallest world for tests: a table, ECS, a topic and a clock in memory. A call takes no time; others may run while it
//! is on its way and while its answer is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};

use crate::error::{CallFailure, EngineError, FailureCause};
use crate::port::{
    ArnPage, AttributeValue, AwsPort, DescribedService, DescribedServices, DescribedTaskDefinition,
    FoundItems, ItemKey, ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange, TableItem,
    UndescribedService, WriteResult,
};

/// Items by invocation and partition.
type EarlierItems = BTreeMap<(usize, String), Vec<TableItem>>;

#[derive(Debug, Default)]
pub(crate) struct EngineFake {
    pub(crate) clock: Cell<Timestamp>,
    pub(crate) table: RefCell<BTreeMap<ItemKey, TableItem>>,
    /// How often the table was asked.
    pub(crate) requested: Cell<usize>,
    /// What the table answers instead of looking.
    pub(crate) broken: RefCell<Option<EngineError>>,
    /// The items that were to be written, with their bytes.
    pub(crate) written: RefCell<Vec<(ItemKey, usize)>>,
    /// Which of several invocations runs.
    pub(crate) running: Cell<usize>,
    /// A planted bug: what was counted, by invocation and partition, as it was before the invocation wrote to it.
    pub(crate) early: Option<RefCell<EarlierItems>>,
    /// How many reads leave all but one key.
    pub(crate) busy: Cell<usize>,
    pub(crate) clusters: BTreeMap<String, Vec<DescribedService>>,
    pub(crate) definitions: BTreeMap<String, DescribedTaskDefinition>,
    /// What Secrets Manager says, by ARN.
    pub(crate) secrets: BTreeMap<String, SecretMetadata>,
    /// The calls of ECS, by operation.
    pub(crate) calls: RefCell<Vec<&'static str>>,
    /// The keys of the pages.
    pub(crate) pages: RefCell<Vec<String>>,
    /// The subjects of the pages that were to go to the chats.
    pub(crate) chats: RefCell<Vec<String>>,
    /// Whether the topic of the chats is gone.
    pub(crate) no_chat: Cell<bool>,
    /// Their bodies.
    pub(crate) bodies: RefCell<Vec<String>>,
    /// Whether several invocations run at once.
    pub(crate) shared: bool,
    /// Their states.
    pub(crate) states: RefCell<Vec<String>>,
    /// How many calls of the table and the topic there were.
    pub(crate) turns: Cell<usize>,
    /// What happens at which of these calls.
    pub(crate) trouble: Cell<Option<(usize, PlannedFault)>>,
    pub(crate) lines: RefCell<Vec<String>>,
}

/// What can happen at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedFault {
    /// It fails, and changes nothing.
    Refused,
    /// It has its effect, and no answer.
    Unanswered,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it.
    DiesAfter,
}

/// Runs a future until it ends, or dies.
pub(crate) fn run_or_die<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Runs a future that the fake answers.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

impl EngineFake {
    /// Lets other invocations run, where there are any.
    async fn others_run(&self) {
        let mut waited = !self.shared;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn ask(&self) -> Result<(), EngineError> {
        self.requested.set(self.requested.get() + 1);
        self.broken.borrow().clone().map_or(Ok(()), Err)
    }

    /// A call of the table or the topic, and what goes wrong with it.
    async fn turn<T>(&self, act: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
        let turn = self.turns.replace(self.turns.get() + 1);
        let trouble = self.trouble.get().filter(|(at, _)| *at == turn).map(|(_, trouble)| trouble);
        match trouble {
            None => act(),
            Some(PlannedFault::Refused) => Err(refused("any", "any", "ThrottlingException")),
            Some(PlannedFault::Unanswered) => {
                act()?;
                Err(refused("any", "any", "InternalServerError"))
            }
            Some(PlannedFault::DiesBefore) => std::future::pending().await,
            Some(PlannedFault::DiesAfter) => {
                act()?;
                std::future::pending().await
            }
        }
    }

    fn write(&self, update: &ItemUpdate) -> Result<WriteResult, EngineError> {
        self.ask()?;
        let mut table = self.table.borrow_mut();
        let known = table.get(&update.key).cloned();
        let item = update.apply(known.clone());
        self.written.borrow_mut().push((update.key.clone(), size(&item)));
        if !update.condition.holds(known.as_ref()) {
            return Ok(WriteResult::ConditionFailed(known));
        }
        table.insert(update.key.clone(), item);
        Ok(WriteResult::Written)
    }

    fn read(&self, range: &SortKeyRange) -> Result<ItemPage, EngineError> {
        self.ask()?;
        let table = self.table.borrow();
        let inside = |key: &ItemKey| key.pk == range.pk && key.sk >= range.from && key.sk <= range.to;
        let after = |key: &ItemKey| range.after.as_ref().is_none_or(|after| key > after);
        // What the stream held when it was first looked at, for room, is all that is ever seen of it.
        if let Some(early) = self.early.as_ref().filter(|_| range.pk.starts_with("observations#")) {
            let items = table.values().filter(|item| item.key.pk == range.pk).cloned();
            let of = (self.running.get(), range.pk.clone());
            early.borrow_mut().entry(of).or_insert_with(|| items.collect());
        }
        let early = self.early.as_ref().map(RefCell::borrow);
        let early = early.as_ref().and_then(|early| early.get(&(self.running.get(), range.pk.clone())));
        // One item a page.
        let item = match early {
            Some(items) => items.iter().find(|item| inside(&item.key) && after(&item.key)).cloned(),
            None => table.values().find(|item| inside(&item.key) && after(&item.key)).cloned(),
        };
        Ok(ItemPage {
            next_key: item.as_ref().map(|item| item.key.clone()),
            items: item.into_iter().collect(),
        })
    }

    fn ecs(&self, operation: &'static str) {
        self.calls.borrow_mut().push(operation);
    }
}

impl AwsPort for EngineFake {
    fn now(&self) -> Timestamp {
        self.clock.get()
    }

    async fn sleep(&self, span: Span) {
        self.clock.set(self.clock.get().plus(span));
    }

    fn print_line(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }

    async fn update_item(&self, update: &ItemUpdate, _: Timestamp) -> Result<WriteResult, EngineError> {
        self.others_run().await;
        let written = self.turn(|| self.write(update)).await;
        self.others_run().await;
        written
    }

    async fn get_items(&self, keys: &[ItemKey], _: Timestamp) -> Result<FoundItems, EngineError> {
        self.others_run().await;
        self.turn(|| {
            self.ask()?;
            let busy = self.busy.get();
            self.busy.set(busy.saturating_sub(1));
            let (now, left) = keys.split_at(if busy > 0 { 1 } else { keys.len() });
            let table = self.table.borrow();
            Ok(FoundItems {
                items: now.iter().filter_map(|key| table.get(key).cloned()).collect(),
                unprocessed_keys: left.to_vec(),
            })
        })
        .await
    }

    async fn query_items(&self, range: &SortKeyRange, _: Timestamp) -> Result<ItemPage, EngineError> {
        self.others_run().await;
        let read = self.turn(|| self.read(range)).await;
        self.others_run().await;
        read
    }

    async fn list_clusters(
        &self,
        _: &Region,
        token: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        self.ecs("ListClusters");
        Ok(listed(self.clusters.keys(), token, 1))
    }

    async fn list_services(
        &self,
        _: &Region,
        cluster: &str,
        token: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        self.ecs("ListServices");
        Ok(listed(self.clusters[cluster].iter().map(|service| &service.arn), token, 100))
    }

    async fn describe_services(
        &self,
        _: &Region,
        cluster: &str,
        services: &[String],
        _: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        self.ecs("DescribeServices");
        let mut answer = DescribedServices::default();
        for arn in services {
            let found = self.clusters[cluster].iter().find(|service| service.arn == *arn).unwrap();
            if found.status == "ACTIVE" {
                answer.services.push(found.clone());
            } else {
                let (arn, reason) = (Some(arn.clone()), Some(found.status.clone()));
                answer.failures.push(UndescribedService { arn, reason });
            }
        }
        Ok(answer)
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        arn: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        self.ecs("DescribeTaskDefinition");
        self.definitions.get(arn).cloned().ok_or_else(|| refused("ecs", "DescribeTaskDefinition", "Gone"))
    }

    async fn describe_secret(
        &self,
        _: &Region,
        id: &str,
        _: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        let denied = || refused("secretsmanager", "DescribeSecret", "AccessDeniedException");
        self.secrets.get(id).cloned().ok_or_else(denied)
    }

    async fn list_secrets(
        &self,
        _: &Region,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        Ok(SecretPage { secrets: self.secrets.values().cloned().collect(), next_token: None })
    }

    async fn force_deployment(
        &self,
        _: &Region,
        _: &str,
        service: &str,
        _: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        self.ecs("UpdateService");
        match service.rsplit_once('/') {
            Some((_, "draining")) => Err(refused("ecs", "UpdateService", "ServiceNotActiveException")),
            _ => Ok(Some(format!("ecs-svc/{}", self.calls.borrow().len()))),
        }
    }

    async fn publish_page(&self, page: &Notification, key: &str, _: Timestamp) -> Result<(), EngineError> {
        self.others_run().await;
        let published = self
            .turn(|| {
                self.bodies.borrow_mut().push(page.body.clone());
                self.states.borrow_mut().push(page.attributes["state"].clone());
                self.pages.borrow_mut().push(key.to_owned());
                Ok(())
            })
            .await;
        self.others_run().await;
        published
    }

    async fn publish_chat(&self, page: &Notification, _: Timestamp) -> Result<(), EngineError> {
        self.chats.borrow_mut().push(page.subject.clone());
        if self.no_chat.get() { Err(refused("sns", "Publish", "NotFound")) } else { Ok(()) }
    }
}

/// The bytes of an item, as `DynamoDB` charges for them; numbers as text.
fn size(item: &TableItem) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Number(number) => number.to_string().len(),
        AttributeValue::Set(set) => set.iter().map(String::len).sum(),
    };
    let values: usize = item.values.iter().map(|(name, known)| name.len() + value(known)).sum();
    values + item.key.pk.len() + item.key.sk.len() + 4
}

pub(crate) fn refused(service: &'static str, operation: &'static str, code: &str) -> EngineError {
    let failure = CallFailure { cause: FailureCause::ServiceError, code: Some(code.to_owned()) };
    EngineError::CallFailed { service, operation, failure }
}

fn listed<'a>(arns: impl Iterator<Item = &'a String>, token: Option<&str>, page: usize) -> ArnPage {
    let from: usize = token.map_or(0, |token| token.parse().unwrap());
    let mut left = arns.skip(from).cloned().peekable();
    let arns = left.by_ref().take(page).collect();
    ArnPage { arns, next_token: left.peek().map(|_| (from + page).to_string()) }
}
