//! The engine's port as a script: requests are written down, and answered when the search says so.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::notify::Notification;
use responder_core::time::{Span, Timestamp};
use responder_engine::EngineError;
use responder_engine::port::{
    ArnPage, AwsPort, DescribedServices, DescribedTaskDefinition, FoundItems, ItemKey, ItemPage, ItemUpdate,
    Region, SecretPage, SortKeyRange, WriteResult,
};

use super::plant::Plant;
use super::request::{Answer, Meaning, Request};

/// What a worker sees of the world.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) now: Cell<Timestamp>,
    plant: Option<Plant>,
    slots: RefCell<Vec<Slot>>,
    /// A page that waits for its mark, if that is the planted bug.
    deferred: RefCell<Option<Request>>,
}

/// One request.
#[derive(Debug)]
struct Slot {
    request: Request,
    until: Timestamp,
    answer: Option<Answer>,
    answered: bool,
    waker: Option<Waker>,
}

impl Script {
    /// An empty one.
    pub(super) fn of(plant: Option<Plant>) -> Self {
        Self { plant, ..Self::default() }
    }

    /// Forgets everything.
    pub(super) fn begin(&self, now: Timestamp) {
        self.now.set(now);
        self.slots.borrow_mut().clear();
        self.deferred.take();
    }

    /// Answers the request of this number.
    pub(super) fn answer(&self, number: usize, answer: Answer) {
        if let Some(slot) = self.slots.borrow_mut().get_mut(number) {
            slot.answer = Some(answer);
            slot.answered = true;
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    /// The requests that wait for an answer, with their numbers and deadlines.
    pub(super) fn open(&self) -> Vec<(usize, Request, Timestamp)> {
        let slots = self.slots.borrow();
        let open = slots.iter().enumerate().filter(|(_, slot)| !slot.answered);
        open.map(|(number, slot)| (number, slot.request.clone(), slot.until)).collect()
    }

    fn ask(&self, request: Request, until: Timestamp) -> Reply<'_> {
        let mut slots = self.slots.borrow_mut();
        slots.push(Slot { request, until, answer: None, answered: false, waker: None });
        Reply { script: self, number: slots.len() - 1 }
    }
}

/// An answer that is to come.
struct Reply<'s> {
    script: &'s Script,
    number: usize,
}

impl Future for Reply<'_> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slots = self.script.slots.borrow_mut();
        let Some(slot) = slots.get_mut(self.number) else { return Poll::Pending };
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The port of a worker.
#[derive(Clone, Debug)]
pub(super) struct Port(pub(super) Rc<Script>);

/// The paging path asks for nothing else.
fn elsewhere<T>() -> Result<T, EngineError> {
    Err(EngineError::StoreUnavailable)
}

impl AwsPort for Port {
    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    async fn sleep(&self, span: Span) {
        let wakes = self.now().plus(span);
        self.0.ask(Request::Sleep, wakes).await;
    }

    fn print_line(&self, _: &str) {}

    async fn update_item(&self, update: &ItemUpdate, until: Timestamp) -> Result<WriteResult, EngineError> {
        let mut update = update.clone();
        // Nobody reads it, and nothing expires here: worlds that differ in it alone are one.
        update.set.remove("ttl");
        if let Some(plant) = self.0.plant {
            update = plant.rewrite(update, self.now().millis());
        }
        let request = Request::Update(update.clone());
        let observations = request.meaning() == Meaning::Mark;
        let answer = self.0.ask(request, until).await;
        let deferred = self.0.deferred.take().filter(|_| observations);
        if let Some(page) = deferred {
            self.0.ask(page, until).await;
        }
        match (answer, self.0.plant) {
            (Answer::Written(Ok(written)), Some(plant)) => Ok(plant.answer(&update, written)),
            (Answer::Written(answer), _) => answer,
            _ => elsewhere(),
        }
    }

    async fn get_items(&self, keys: &[ItemKey], until: Timestamp) -> Result<FoundItems, EngineError> {
        match self.0.ask(Request::Get(keys.to_vec()), until).await {
            Answer::Got(answer) => answer,
            _ => elsewhere(),
        }
    }

    async fn query_items(&self, range: &SortKeyRange, until: Timestamp) -> Result<ItemPage, EngineError> {
        match self.0.ask(Request::Query(range.clone()), until).await {
            Answer::Items(answer) => answer,
            _ => elsewhere(),
        }
    }

    async fn list_clusters(&self, _: &Region, _: Option<&str>, _: Timestamp) -> Result<ArnPage, EngineError> {
        elsewhere()
    }

    async fn list_services(
        &self,
        _: &Region,
        _: &str,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        elsewhere()
    }

    async fn describe_services(
        &self,
        _: &Region,
        _: &str,
        _: &[String],
        _: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        elsewhere()
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        elsewhere()
    }

    async fn describe_secret(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        elsewhere()
    }

    async fn list_secrets(
        &self,
        _: &Region,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        elsewhere()
    }

    async fn force_deployment(
        &self,
        _: &Region,
        _: &str,
        _: &str,
        _: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        elsewhere()
    }

    async fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let request = Request::Publish(page.clone(), key.to_owned());
        if self.0.plant == Some(Plant::MarkBeforeSend) {
            self.0.deferred.replace(Some(request));
            return Ok(());
        }
        match self.0.ask(request, until).await {
            Answer::Sent(answer) => answer,
            _ => elsewhere(),
        }
    }

    /// There is no chat in the explored world: what comes of it changes nothing (the engine's own tests show that).
    async fn publish_chat(&self, _: &Notification, _: Timestamp) -> Result<(), EngineError> {
        Ok(())
    }
}
