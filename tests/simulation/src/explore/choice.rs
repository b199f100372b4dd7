//! What can happen next.

use super::process::{Ask, History, Millis, Processes, place};
use super::request::Meaning;
use super::scene::Scene;
use super::state::{Fate, State};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// An invocation gets the messages of a set of bits.
    Receive(u8),
    /// A message that is hidden or deleted is delivered all the same.
    Copy(u8),
    /// The call of a worker, by its place among those that wait, ends.
    Call(u8, u8, How),
    /// A worker dies before its first call.
    Die(u8),
    /// The late request has its effect.
    Land,
    /// Time goes on to the next instant that matters.
    Wait,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// As it should.
    Well,
    /// With its effect, but the process dies before the answer.
    Unheard,
    /// Without an effect, with an error.
    Failed,
    /// With its effect, without an answer.
    Lost,
    /// Sent again by the SDK after an answer that was lost; the second answer counts.
    Twice,
    /// Without an answer, and its effect comes later.
    Late,
    /// The process dies, and the effect comes later.
    Adrift,
    /// At its deadline, without an effect.
    Hung,
    /// At its deadline, with its effect.
    HungLost,
}

impl How {
    /// How often the effect comes before the end of the call.
    pub(super) fn times(self) -> u8 {
        match self {
            Self::Well | Self::Unheard | Self::Lost | Self::HungLost => 1,
            Self::Twice => 2,
            Self::Failed | Self::Late | Self::Adrift | Self::Hung => 0,
        }
    }

    pub(super) fn has_effect(self) -> bool {
        self.times() > 0
    }

    pub(super) fn dies(self) -> bool {
        matches!(self, Self::Unheard | Self::Adrift)
    }

    /// Whether it counts as a fault; that a call hangs is counted when time goes on.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::Lost | Self::Twice | Self::Late | Self::Adrift)
    }
}

/// Everything that can happen in a state.
///
/// A process that dies after its last effect leaves the same behind whenever it does: that it dies is a choice when it begins and with each effect. When an invocation ends, the queue
/// hears of it at once: that it does not is as if the process had died before.
pub(super) fn choices(
    scene: &Scene,
    processes: &Processes,
    leases: &[Vec<Millis>],
    state: &State,
) -> Vec<Choice> {
    let mut choices = Vec::with_capacity(16);
    receives(scene, state, &mut choices);
    // Whether a call has no more time.
    let mut overdue = false;
    for (number, worker) in (0..).zip(&state.workers) {
        let Some(worker) = worker else { continue };
        let asks = processes.asks(*worker);
        overdue |= asks.iter().any(|ask| ask.until <= state.now);
        for (call, ask) in (0..).zip(asks) {
            let ways = ways(state, ask);
            choices.extend(ways.into_iter().flatten().map(|how| Choice::Call(number, call, how)));
        }
        if state.left.deaths > 0 && processes.is_new(*worker) {
            choices.push(Choice::Die(number));
        }
    }
    if state.late.is_some() {
        choices.push(Choice::Land);
    }
    let next = next(scene, processes, &leases[place(state.table)], state).filter(|_| !overdue);
    if next.is_some_and(|next| hanging(processes, state, next) <= state.left.faults) {
        choices.push(Choice::Wait);
    }
    choices
}

/// How many workers have a call that hangs until an instant.
pub(super) fn hanging(processes: &Processes, state: &State, until: Millis) -> u8 {
    let hangs = |worker: &History| processes.asks(*worker).iter().any(|ask| ask.until <= until);
    state.workers.iter().flatten().map(|worker| u8::from(hangs(worker))).sum()
}

fn receives(scene: &Scene, state: &State, choices: &mut Vec<Choice>) {
    if state.workers.iter().all(Option::is_some) {
        return;
    }
    let mut visible = 0;
    for (index, message) in state.messages.iter().enumerate() {
        if message.fate == Fate::Queued && message.visible_at <= state.now {
            visible |= 1 << index;
        } else if message.fate != Fate::Dead
            && state.left.copies > 0
            && (1..scene.timing.receives).contains(&message.receives)
        {
            choices.push(Choice::Copy(1 << index));
        }
    }
    let sets = (1..=visible).filter(|set| set & !visible == 0);
    choices.extend(sets.map(Choice::Receive));
}

/// How a call may end.
fn ways(state: &State, ask: &Ask) -> [Option<How>; 7] {
    let reads = ask.meaning == Meaning::Read;
    let page = matches!(ask.meaning, Meaning::Page(_));
    let (deaths, faults) = (state.left.deaths > 0, state.left.faults > 0);
    let some = |holds: bool, how| holds.then_some(how);
    if ask.until <= state.now {
        return [
            Some(How::Hung),
            some(!reads, How::HungLost),
            some(!reads && deaths, How::Unheard),
            None,
            None,
            None,
            None,
        ];
    }
    [
        Some(How::Well),
        some(faults, How::Failed),
        some(faults && !reads, How::Lost),
        some(faults && !reads && !page, How::Twice),
        some(faults && !reads && state.late.is_none(), How::Late),
        some(!reads && deaths, How::Unheard),
        some(faults && deaths && !reads && state.late.is_none(), How::Adrift),
    ]
}

/// The next instant that matters.
pub(super) fn next(scene: &Scene, processes: &Processes, leases: &[Millis], state: &State) -> Option<Millis> {
    let hidden = |index: &usize| state.messages[*index].fate == Fate::Queued;
    let messages = (0..scene.messages.len()).filter(hidden).map(|index| state.messages[index].visible_at);
    let asks = state.workers.iter().flatten().flat_map(|worker| processes.asks(*worker));
    let calls = asks.map(|ask| ask.until);
    messages.chain(leases.iter().copied()).chain(calls).filter(|at| *at > state.now).min()
}
