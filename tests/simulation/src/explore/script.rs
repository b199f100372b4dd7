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
    ArnPage, AwsPort, DescribedDaemon, DescribedDaemonRevision, DescribedServices, DescribedTaskDefinition,
    FoundItems, ItemKey, ItemPage, ItemUpdate, Region, SecretPage, SortKeyRange, WriteResult,
};

use super::protocol_bug::ProtocolBug;
use super::request::{RequestMeaning, WorkerAnswer, WorkerRequest};

/// The requests of a worker, and their answers.
#[derive(Debug, Default)]
pub(super) struct WorkerScript {
    pub(super) now: Cell<Timestamp>,
    bug: Option<ProtocolBug>,
    calls: RefCell<Vec<ScriptedCall>>,
    /// A page that waits for its mark, if that is the planted bug.
    deferred: RefCell<Option<WorkerRequest>>,
}

/// One request, and its answer.
#[derive(Debug)]
struct ScriptedCall {
    request: WorkerRequest,
    until: Timestamp,
    answer: Option<WorkerAnswer>,
    is_answered: bool,
    waker: Option<Waker>,
}

/// A request that waits for its answer.
pub(super) struct OpenRequest {
    /// Its number in the invocation.
    pub(super) number: usize,
    pub(super) request: WorkerRequest,
    pub(super) until: Timestamp,
}

impl WorkerScript {
    /// An empty one.
    pub(super) fn new(bug: Option<ProtocolBug>) -> Self {
        Self { bug, ..Self::default() }
    }

    /// Forgets everything.
    pub(super) fn restart(&self, now: Timestamp) {
        self.now.set(now);
        self.calls.borrow_mut().clear();
        self.deferred.take();
    }

    /// Answers the request of this number.
    pub(super) fn answer(&self, number: usize, answer: WorkerAnswer) {
        if let Some(call) = self.calls.borrow_mut().get_mut(number) {
            call.answer = Some(answer);
            call.is_answered = true;
            if let Some(waker) = call.waker.take() {
                waker.wake();
            }
        }
    }

    /// The requests that wait for an answer.
    pub(super) fn list_open(&self) -> Vec<OpenRequest> {
        let mut open = Vec::new();
        for (number, call) in self.calls.borrow().iter().enumerate() {
            if !call.is_answered {
                open.push(OpenRequest { number, request: call.request.clone(), until: call.until });
            }
        }
        open
    }

    fn ask(&self, request: WorkerRequest, until: Timestamp) -> ScriptedReply<'_> {
        let mut calls = self.calls.borrow_mut();
        calls.push(ScriptedCall { request, until, answer: None, is_answered: false, waker: None });
        ScriptedReply { script: self, number: calls.len() - 1 }
    }
}

/// An answer that is to come.
struct ScriptedReply<'s> {
    script: &'s WorkerScript,
    number: usize,
}

impl Future for ScriptedReply<'_> {
    type Output = WorkerAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<WorkerAnswer> {
        let mut calls = self.script.calls.borrow_mut();
        let Some(call) = calls.get_mut(self.number) else { return Poll::Pending };
        if let Some(answer) = call.answer.take() {
            return Poll::Ready(answer);
        }
        call.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The port of a worker.
#[derive(Clone, Debug)]
pub(super) struct WorkerPort(pub(super) Rc<WorkerScript>);

/// The paging path makes no other calls.
fn refuse_other_call<T>() -> Result<T, EngineError> {
    Err(EngineError::StoreUnavailable)
}

impl AwsPort for WorkerPort {
    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    async fn sleep(&self, span: Span) {
        let wakes = self.now().plus(span);
        self.0.ask(WorkerRequest::Sleep, wakes).await;
    }

    fn print_line(&self, _: &str) {}

    async fn update_item(&self, update: &ItemUpdate, until: Timestamp) -> Result<WriteResult, EngineError> {
        let mut update = update.clone();
        // Nothing reads it, and nothing expires here: worlds that differ in it alone are one.
        update.set.remove("ttl");
        if let Some(bug) = self.0.bug {
            update = bug.rewrite(update, self.now().millis());
        }
        let request = WorkerRequest::Update(update.clone());
        let is_mark = request.meaning() == RequestMeaning::Mark;
        let answer = self.0.ask(request, until).await;
        let deferred = self.0.deferred.take();
        if let (true, Some(page)) = (is_mark, deferred) {
            self.0.ask(page, until).await;
        }
        match (answer, self.0.bug) {
            (WorkerAnswer::Written(Ok(written)), Some(bug)) => Ok(bug.answer(&update, written)),
            (WorkerAnswer::Written(answer), _) => answer,
            _ => refuse_other_call(),
        }
    }

    async fn get_items(&self, keys: &[ItemKey], until: Timestamp) -> Result<FoundItems, EngineError> {
        match self.0.ask(WorkerRequest::Get(keys.to_vec()), until).await {
            WorkerAnswer::Got(answer) => answer,
            _ => refuse_other_call(),
        }
    }

    async fn query_items(&self, range: &SortKeyRange, until: Timestamp) -> Result<ItemPage, EngineError> {
        match self.0.ask(WorkerRequest::Query(range.clone()), until).await {
            WorkerAnswer::Items(answer) => answer,
            _ => refuse_other_call(),
        }
    }

    async fn list_clusters(&self, _: &Region, _: Option<&str>, _: Timestamp) -> Result<ArnPage, EngineError> {
        refuse_other_call()
    }

    async fn list_services(
        &self,
        _: &Region,
        _: &str,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        refuse_other_call()
    }

    async fn describe_services(
        &self,
        _: &Region,
        _: &str,
        _: &[String],
        _: Timestamp,
    ) -> Result<DescribedServices, EngineError> {
        refuse_other_call()
    }

    async fn describe_task_definition(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        refuse_other_call()
    }

    async fn list_daemons(
        &self,
        _: &Region,
        _: &str,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<ArnPage, EngineError> {
        refuse_other_call()
    }

    async fn describe_daemon(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedDaemon, EngineError> {
        refuse_other_call()
    }

    async fn describe_daemon_revisions(
        &self,
        _: &Region,
        _: &[String],
        _: Timestamp,
    ) -> Result<Vec<DescribedDaemonRevision>, EngineError> {
        refuse_other_call()
    }

    async fn describe_daemon_task_definition(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<DescribedTaskDefinition, EngineError> {
        refuse_other_call()
    }

    async fn describe_secret(
        &self,
        _: &Region,
        _: &str,
        _: Timestamp,
    ) -> Result<SecretMetadata, EngineError> {
        refuse_other_call()
    }

    async fn list_secrets(
        &self,
        _: &Region,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<SecretPage, EngineError> {
        refuse_other_call()
    }

    async fn force_deployment(
        &self,
        _: &Region,
        _: &str,
        _: &str,
        _: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        refuse_other_call()
    }

    async fn publish_page(
        &self,
        page: &Notification,
        key: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let request = WorkerRequest::Publish(page.clone(), key.to_owned());
        if self.0.bug == Some(ProtocolBug::MarksBeforeSending) {
            self.0.deferred.replace(Some(request));
            return Ok(());
        }
        match self.0.ask(request, until).await {
            WorkerAnswer::Sent(answer) => answer,
            _ => refuse_other_call(),
        }
    }

    /// There is no chat in the explored world: its result changes nothing (the engine's own tests show that).
    async fn publish_chat(&self, _: &Notification, _: Timestamp) -> Result<(), EngineError> {
        Ok(())
    }
}
