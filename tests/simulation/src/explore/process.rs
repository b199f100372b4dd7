//! What a worker does next, learned from the engine: once for each history of answers.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use responder_core::facts::Settings;
use responder_core::rules::{Handler, RulesError};
use responder_core::time::Timestamp;
use responder_engine::{Engine, Invocation};

use super::port::{Port, Script};
use super::request::{Answer, Meaning, Request};
use super::scene::{START, Scene};
use responder_engine::port::WriteResult;

/// Milliseconds since the world began.
pub(super) type Millis = u32;

/// The number of a history of a worker: how it began, and what it was answered when.
pub(super) type History = Number;

/// A number from 1 on: one that may be missing takes no more room.
pub(super) type Number = NonZeroU32;

/// All that is known of how the engine behaves.
#[derive(Debug)]
pub(super) struct Processes {
    engine: Engine<Port>,
    script: Rc<Script>,
    scene: Scene,
    histories: Vec<Past>,
    beginnings: Known<(Deliveries, Millis), History>,
    /// What follows a history when a request of it is answered at an instant.
    followers: Known<Last, History>,
    answers: Interned<Answer>,
    requests: Interned<Request>,
    /// The incident keys of all pages.
    pub(super) keys: BTreeSet<String>,
}

/// Which delivery of each message an invocation got; 0 for none.
pub(super) type Deliveries = [u8; 2];

/// What came before, and then the answer to which request at which instant.
type Last = (History, u8, Number, Millis);

/// What was learned. Nobody goes through it, so its order does not matter.
#[expect(clippy::disallowed_types, reason = "only looked up")]
pub(super) type Known<K, V> = std::collections::HashMap<K, V>;

#[derive(Debug)]
struct Past {
    begun: (Deliveries, Millis),
    last: Option<Last>,
    local: Local,
    work: Work,
}

/// What a worker has done that matters to what must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) claim: Claim,
    /// A page that SNS took and that is not marked: how urgent, and 0 for none.
    pub(super) unmarked: u8,
    /// Whether a call to the ledger failed.
    pub(super) disturbed: bool,
}

/// How the last claim of a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It did not claim, or somebody else had.
    None,
    /// The claim is its own.
    Ours,
    /// The ledger did not say.
    Unknown,
}

/// Where a worker stands.
#[derive(Clone, Debug)]
pub(super) enum Local {
    /// It waits for answers.
    Asks(Vec<Ask>),
    /// It is done, and says of each message whether the queue must keep it.
    Ended([bool; 2]),
}

/// A request that waits for an answer.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The how manieth of its invocation.
    pub(super) number: u8,
    pub(super) request: Number,
    pub(super) until: Millis,
    pub(super) meaning: Meaning,
}

impl Processes {
    /// Knows nothing yet.
    pub(super) fn new(scene: &Scene) -> Result<Self, RulesError> {
        let script = Rc::new(Script::of(scene.plant));
        let port = Port(Rc::clone(&script));
        let (rules, lease) = (scene.rules()?, scene.timing.lease);
        Ok(Self {
            engine: Engine::new(port, Handler::Failure, rules, Settings::default(), lease),
            script,
            scene: scene.clone(),
            histories: Vec::new(),
            beginnings: Known::default(),
            followers: Known::default(),
            answers: Interned::default(),
            requests: Interned::default(),
            keys: BTreeSet::new(),
        })
    }

    /// How many histories there are.
    pub(super) fn count(&self) -> usize {
        self.histories.len()
    }

    pub(super) fn request(&self, request: Number) -> &Request {
        self.requests.get(request)
    }

    pub(super) fn intern(&mut self, answer: Answer) -> Number {
        self.answers.intern(answer)
    }

    pub(super) fn local(&self, history: History) -> &Local {
        &self.past(history).local
    }

    /// What a worker waits for.
    pub(super) fn asks(&self, history: History) -> &[Ask] {
        match self.local(history) {
            Local::Asks(asks) => asks,
            Local::Ended(_) => &[],
        }
    }

    pub(super) fn work(&self, history: History) -> Work {
        self.past(history).work
    }

    pub(super) fn deliveries(&self, history: History) -> Deliveries {
        self.past(history).begun.0
    }

    /// Whether it was not answered anything yet.
    pub(super) fn is_new(&self, history: History) -> bool {
        self.past(history).last.is_none()
    }

    fn past(&self, history: History) -> &Past {
        &self.histories[place(history)]
    }

    /// An invocation begins.
    pub(super) fn begin(&mut self, deliveries: Deliveries, now: Millis) -> History {
        let begun = (deliveries, now);
        if let Some(known) = self.beginnings.get(&begun) {
            return *known;
        }
        let work = Work { claim: Claim::None, unmarked: 0, disturbed: false };
        let history = self.learn(begun, None, work);
        self.beginnings.insert(begun, history);
        history
    }

    /// A request is answered.
    pub(super) fn follow(&mut self, history: History, ask: &Ask, answer: Number, now: Millis) -> History {
        let last = (history, ask.number, answer, now);
        if let Some(known) = self.followers.get(&last) {
            return *known;
        }
        let Past { begun, work, .. } = *self.past(history);
        let work = work.after(ask.meaning, self.answers.get(answer), &owner(begun.0));
        let follower = self.learn(begun, Some(last), work);
        self.followers.insert(last, follower);
        follower
    }

    fn learn(&mut self, begun: (Deliveries, Millis), last: Option<Last>, work: Work) -> History {
        let mut events = Vec::new();
        let mut link = last;
        while let Some((before, number, answer, at)) = link {
            events.push((number, answer, at));
            link = self.past(before).last;
        }
        events.reverse();
        let local = self.run(begun, &events);
        self.histories.push(Past { begun, last, local, work });
        count(self.histories.len())
    }

    /// Runs the engine from its beginning.
    fn run(&mut self, (deliveries, at): (Deliveries, Millis), events: &[(u8, Number, Millis)]) -> Local {
        let script = &self.script;
        script.begin(instant(at));
        let turn = Invocation {
            until: instant(at).plus(self.scene.timing.timeout),
            owner: owner(deliveries),
            account: "111122223333".to_owned(),
            keeps_facts: false,
        };
        let got: Vec<usize> = (0..2).filter(|message| deliveries[*message] > 0).collect();
        let texts: Vec<&str> = got.iter().map(|message| self.scene.messages[*message].1.as_str()).collect();
        let mut future = pin!(self.engine.process_batch(&turn, &texts));
        let mut context = Context::from_waker(Waker::noop());
        let mut polled = future.as_mut().poll(&mut context);
        for (number, answer, at) in events {
            script.now.set(instant(*at));
            script.answer(usize::from(*number), self.answers.get(*answer).clone());
            polled = future.as_mut().poll(&mut context);
        }
        match polled {
            Poll::Ready((ended, _)) => {
                let mut kept = [false; 2];
                for (message, ended) in got.iter().zip(&ended) {
                    kept[*message] = ended.is_kept();
                }
                Local::Ended(kept)
            }
            Poll::Pending => {
                let mut asks = Vec::new();
                for (number, request, until) in script.open() {
                    if let Request::Publish(_, key) = &request {
                        self.keys.insert(key.clone());
                    }
                    let (meaning, request) = (request.meaning(), self.requests.intern(request));
                    let number = u8::try_from(number).unwrap_or(u8::MAX);
                    asks.push(Ask { number, request, until: millis(until), meaning });
                }
                Local::Asks(asks)
            }
        }
    }
}

impl Work {
    /// Whether it may page without a claim: it knows that the ledger does not answer.
    pub(super) fn bypasses(self) -> bool {
        self.claim == Claim::Unknown || self.claim == Claim::None && self.disturbed
    }

    fn after(self, meaning: Meaning, answer: &Answer, owner: &str) -> Self {
        let mut work = self;
        match (meaning, answer) {
            (Meaning::Page(tells), answer) => {
                let taken = matches!(answer, Answer::Sent(Ok(()))) && work.claim == Claim::Ours;
                work.unmarked = if taken { tells.rank() } else { work.unmarked };
                return work;
            }
            (Meaning::Claim, Answer::Written(Ok(WriteResult::Written))) => work.claim = Claim::Ours,
            (Meaning::Claim, Answer::Written(Ok(WriteResult::ConditionFailed(item)))) => {
                // A request that was sent twice finds its own claim.
                let own = item.as_ref().is_some_and(|item| item.text("owner") == Some(owner));
                work.claim = if own { Claim::Ours } else { Claim::None };
            }
            (Meaning::Claim, _) => work.claim = Claim::Unknown,
            (Meaning::Mark | Meaning::Release, answer) if answer.is_error() => {
                (work.unmarked, work.claim) = (0, Claim::Unknown);
            }
            (Meaning::Mark, _) => work.unmarked = 0,
            (Meaning::Release, _) => work.claim = Claim::None,
            (Meaning::Write | Meaning::Read, _) => {}
        }
        work.disturbed |= answer.is_error();
        work
    }
}

/// Every delivery is an invocation with a request id of its own.
fn owner(deliveries: Deliveries) -> String {
    format!("{}.{}", deliveries[0], deliveries[1])
}

pub(super) fn instant(at: Millis) -> Timestamp {
    Timestamp::from_millis(START + i64::from(at))
}

pub(super) fn millis(at: Timestamp) -> Millis {
    let since = at.millis().saturating_sub(START).max(0);
    Millis::try_from(since).unwrap_or(Millis::MAX)
}

/// Values by number: equal ones have the same.
#[derive(Debug)]
pub(super) struct Interned<T> {
    numbers: Known<String, Number>,
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { numbers: Known::default(), values: Vec::new() }
    }
}

impl<T: std::fmt::Debug> Interned<T> {
    pub(super) fn get(&self, number: Number) -> &T {
        &self.values[place(number)]
    }

    pub(super) fn intern(&mut self, value: T) -> Number {
        let name = format!("{value:?}");
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        self.values.push(value);
        let number = count(self.values.len());
        self.numbers.insert(name, number);
        number
    }
}

/// The number of the last of so many. There is less memory than numbers.
pub(super) fn count(length: usize) -> Number {
    u32::try_from(length).ok().and_then(Number::new).unwrap_or(Number::MAX)
}

pub(super) fn place(number: Number) -> usize {
    number.get() as usize - 1
}
