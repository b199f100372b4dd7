//! The next requests of a worker, learned from the engine: once for each history of answers.

use std::collections::BTreeSet;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use responder_core::facts::Settings;
use responder_core::rules::{Handler, RulesError};
use responder_engine::port::WriteResult;
use responder_engine::{Engine, Invocation};

use super::number::{LearnedMap, NumberedValues, ValueNumber, number_last, to_index};
use super::request::{RequestMeaning, WorkerAnswer, WorkerRequest};
use super::scene::ExploredScene;
use super::script::{WorkerPort, WorkerScript};
use super::time::{WorldMillis, to_timestamp, to_world_millis};

/// The number of a history of a worker: how it began, and which answers it got when.
pub(super) type HistoryNumber = ValueNumber;

/// Which delivery of each message an invocation got; 0 for none.
pub(super) type DeliveryCounts = [u8; 2];

/// All that is known of how the engine behaves.
#[derive(Debug)]
pub(super) struct WorkerModel {
    engine: Engine<WorkerPort>,
    script: Rc<WorkerScript>,
    scene: ExploredScene,
    histories: Vec<WorkerHistory>,
    beginnings: LearnedMap<InvocationStart, HistoryNumber>,
    /// The history that follows another one by an answer.
    followers: LearnedMap<LastAnswer, HistoryNumber>,
    answers: NumberedValues<WorkerAnswer>,
    requests: NumberedValues<WorkerRequest>,
    /// The incident keys of all pages.
    pub(super) incident_keys: BTreeSet<String>,
}

/// The messages that an invocation got, and when it began.
type InvocationStart = (DeliveryCounts, WorldMillis);

/// The history before an answer, the number of the request, the answer, and when it came.
type LastAnswer = (HistoryNumber, u8, ValueNumber, WorldMillis);

#[derive(Debug)]
struct WorkerHistory {
    start: InvocationStart,
    last: Option<LastAnswer>,
    standing: WorkerStanding,
    progress: WorkerProgress,
}

/// The progress of a worker, as far as the oracle looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkerProgress {
    pub(super) claim: ClaimStanding,
    /// How urgent a page is that SNS took and that is not marked; 0 for none.
    pub(super) unmarked: u8,
    /// Whether a call to the ledger failed.
    pub(super) is_disturbed: bool,
}

/// How the last claim of a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimStanding {
    /// It did not claim, or another worker had.
    None,
    /// The claim is its own.
    Ours,
    /// The ledger did not say.
    Unknown,
}

/// The standing of a worker.
#[derive(Clone, Debug)]
pub(super) enum WorkerStanding {
    /// It waits for answers.
    Waits(Vec<PendingRequest>),
    /// It has ended, and says of each message whether the queue must keep it.
    Ended([bool; 2]),
}

/// A request that waits for an answer.
#[derive(Clone, Debug)]
pub(super) struct PendingRequest {
    /// Its number in the invocation.
    pub(super) number: u8,
    pub(super) request: ValueNumber,
    pub(super) until: WorldMillis,
    pub(super) meaning: RequestMeaning,
}

impl WorkerModel {
    /// Knows nothing yet.
    pub(super) fn new(scene: &ExploredScene) -> Result<Self, RulesError> {
        let script = Rc::new(WorkerScript::new(scene.bug));
        let port = WorkerPort(Rc::clone(&script));
        let rules = scene.load_rules()?;
        Ok(Self {
            engine: Engine::new(port, Handler::Failure, rules, Settings::default(), scene.timing.lease),
            script,
            scene: scene.clone(),
            histories: Vec::new(),
            beginnings: LearnedMap::default(),
            followers: LearnedMap::default(),
            answers: NumberedValues::default(),
            requests: NumberedValues::default(),
            incident_keys: BTreeSet::new(),
        })
    }

    /// How many histories there are.
    pub(super) fn count_histories(&self) -> usize {
        self.histories.len()
    }

    pub(super) fn request(&self, request: ValueNumber) -> &WorkerRequest {
        self.requests.get(request)
    }

    pub(super) fn number_answer(&mut self, answer: WorkerAnswer) -> ValueNumber {
        self.answers.find_or_add(answer)
    }

    pub(super) fn standing(&self, history: HistoryNumber) -> &WorkerStanding {
        &self.history(history).standing
    }

    /// The requests that a worker waits for.
    pub(super) fn pending_requests(&self, history: HistoryNumber) -> &[PendingRequest] {
        match self.standing(history) {
            WorkerStanding::Waits(pending) => pending,
            WorkerStanding::Ended(_) => &[],
        }
    }

    pub(super) fn progress(&self, history: HistoryNumber) -> WorkerProgress {
        self.history(history).progress
    }

    pub(super) fn deliveries(&self, history: HistoryNumber) -> DeliveryCounts {
        self.history(history).start.0
    }

    /// Whether it got no answer yet.
    pub(super) fn is_new(&self, history: HistoryNumber) -> bool {
        self.history(history).last.is_none()
    }

    fn history(&self, history: HistoryNumber) -> &WorkerHistory {
        &self.histories[to_index(history)]
    }

    /// The history of an invocation that begins.
    pub(super) fn begin(&mut self, deliveries: DeliveryCounts, now: WorldMillis) -> HistoryNumber {
        let start = (deliveries, now);
        if let Some(known) = self.beginnings.get(&start) {
            return *known;
        }
        let progress = WorkerProgress { claim: ClaimStanding::None, unmarked: 0, is_disturbed: false };
        let history = self.learn(start, None, progress);
        self.beginnings.insert(start, history);
        history
    }

    /// The history after an answer to a request.
    pub(super) fn follow(
        &mut self,
        history: HistoryNumber,
        request: &PendingRequest,
        answer: ValueNumber,
        now: WorldMillis,
    ) -> HistoryNumber {
        let last = (history, request.number, answer, now);
        if let Some(known) = self.followers.get(&last) {
            return *known;
        }
        let WorkerHistory { start, progress, .. } = *self.history(history);
        let owner = name_owner(start.0);
        let progress_after = progress.after_answer(request.meaning, self.answers.get(answer), &owner);
        let follower = self.learn(start, Some(last), progress_after);
        self.followers.insert(last, follower);
        follower
    }

    /// Learns what a worker with a new history does next.
    fn learn(
        &mut self,
        start: InvocationStart,
        last: Option<LastAnswer>,
        progress: WorkerProgress,
    ) -> HistoryNumber {
        let mut answers = Vec::new();
        let mut link = last;
        while let Some(answer) = link {
            answers.push(answer);
            link = self.history(answer.0).last;
        }
        answers.reverse();
        let standing = self.run_engine(start, &answers);
        self.histories.push(WorkerHistory { start, last, standing, progress });
        number_last(self.histories.len())
    }

    /// Runs the engine from its beginning, along these answers.
    fn run_engine(&mut self, (deliveries, at): InvocationStart, answers: &[LastAnswer]) -> WorkerStanding {
        let script = &self.script;
        script.restart(to_timestamp(at));
        let invocation = Invocation {
            until: to_timestamp(at).plus(self.scene.timing.timeout),
            owner: name_owner(deliveries),
            account: "111122223333".to_owned(),
            function_arn: String::new(),
            keeps_facts: false,
        };
        let delivered: Vec<usize> = (0..2).filter(|message| deliveries[*message] > 0).collect();
        let mut texts = Vec::new();
        for message in &delivered {
            texts.push(self.scene.messages[*message].1.as_str());
        }
        let mut future = pin!(self.engine.process_batch(&invocation, &texts));
        let mut context = Context::from_waker(Waker::noop());
        let mut polled = future.as_mut().poll(&mut context);
        for (_, number, answer, at) in answers {
            script.now.set(to_timestamp(*at));
            script.answer(usize::from(*number), self.answers.get(*answer).clone());
            polled = future.as_mut().poll(&mut context);
        }
        if let Poll::Ready((results, _)) = polled {
            let mut kept = [false; 2];
            for (message, result) in delivered.iter().zip(&results) {
                kept[*message] = result.is_kept();
            }
            return WorkerStanding::Ended(kept);
        }
        let mut pending = Vec::new();
        for open in script.list_open() {
            if let WorkerRequest::Publish(_, key) = &open.request {
                self.incident_keys.insert(key.clone());
            }
            pending.push(PendingRequest {
                number: u8::try_from(open.number).unwrap_or(u8::MAX),
                meaning: open.request.meaning(),
                request: self.requests.find_or_add(open.request),
                until: to_world_millis(open.until),
            });
        }
        WorkerStanding::Waits(pending)
    }
}

impl WorkerProgress {
    /// Whether it may page without a claim: it knows that the ledger does not answer.
    pub(super) fn bypasses_ledger(self) -> bool {
        match self.claim {
            ClaimStanding::Unknown => true,
            ClaimStanding::None => self.is_disturbed,
            ClaimStanding::Ours => false,
        }
    }

    fn after_answer(self, meaning: RequestMeaning, answer: &WorkerAnswer, owner: &str) -> Self {
        let mut progress = self;
        match (meaning, answer) {
            (RequestMeaning::Page(page), answer) => {
                let is_taken = matches!(answer, WorkerAnswer::Sent(Ok(())));
                if is_taken && progress.claim == ClaimStanding::Ours {
                    progress.unmarked = page.rank();
                }
                return progress;
            }
            (RequestMeaning::Claim, WorkerAnswer::Written(Ok(WriteResult::Written))) => {
                progress.claim = ClaimStanding::Ours;
            }
            (RequestMeaning::Claim, WorkerAnswer::Written(Ok(WriteResult::ConditionFailed(item)))) => {
                // A request that was sent twice finds its own claim.
                let is_own = item.as_ref().is_some_and(|item| item.text("owner") == Some(owner));
                progress.claim = if is_own { ClaimStanding::Ours } else { ClaimStanding::None };
            }
            (RequestMeaning::Claim, _) => progress.claim = ClaimStanding::Unknown,
            (RequestMeaning::Mark | RequestMeaning::Release, answer) if answer.is_error() => {
                progress.unmarked = 0;
                progress.claim = ClaimStanding::Unknown;
            }
            (RequestMeaning::Mark, _) => progress.unmarked = 0,
            (RequestMeaning::Release, _) => progress.claim = ClaimStanding::None,
            (RequestMeaning::Write | RequestMeaning::Read, _) => {}
        }
        progress.is_disturbed |= answer.is_error();
        progress
    }
}

/// Every delivery is an invocation with a request id of its own.
fn name_owner(deliveries: DeliveryCounts) -> String {
    format!("{}.{}", deliveries[0], deliveries[1])
}
