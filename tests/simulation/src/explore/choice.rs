//! The choices in a state: everything that can happen next.

use super::request::RequestMeaning;
use super::scene::ExploredScene;
use super::state::{ExploredState, MessageFate};
use super::time::WorldMillis;
use super::worker::{HistoryNumber, PendingRequest, WorkerModel};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExplorationChoice {
    /// An invocation gets the messages of a set of bits.
    Receive(u8),
    /// A message that is hidden or deleted is delivered all the same.
    Copy(u8),
    /// The call of a worker, by its index among those that wait, ends.
    Call(u8, u8, CallEnding),
    /// A worker dies before its first call.
    Die(u8),
    /// The late request has its effect.
    Land,
    /// Time goes on to the next instant that matters.
    Wait,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEnding {
    /// It succeeds.
    Success,
    /// It has its effect, but the process dies before the answer.
    Unheard,
    /// It has no effect, and an error.
    Failed,
    /// It has its effect, and no answer.
    AnswerLost,
    /// The SDK sends it again after an answer that was lost; the second answer counts.
    Repeated,
    /// It has no answer, and its effect comes later.
    Late,
    /// The process dies, and the effect comes later.
    Adrift,
    /// It ends at its deadline, without an effect.
    Hung,
    /// It ends at its deadline, with its effect.
    HungAfterEffect,
}

impl CallEnding {
    /// How often the effect comes before the end of the call.
    pub(super) fn count_effects(self) -> u8 {
        match self {
            Self::Success | Self::Unheard | Self::AnswerLost | Self::HungAfterEffect => 1,
            Self::Repeated => 2,
            Self::Failed | Self::Late | Self::Adrift | Self::Hung => 0,
        }
    }

    pub(super) fn has_effect(self) -> bool {
        self.count_effects() > 0
    }

    pub(super) fn is_death(self) -> bool {
        matches!(self, Self::Unheard | Self::Adrift)
    }

    /// Whether it counts as a fault; that a call hangs is counted when time goes on.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Failed | Self::AnswerLost | Self::Repeated | Self::Late | Self::Adrift)
    }
}

/// Everything that the choices depend on beside the state.
pub(super) struct ChoiceContext<'c> {
    pub(super) scene: &'c ExploredScene,
    pub(super) workers: &'c WorkerModel,
    /// When the claims in the state's table are free again.
    pub(super) leases: &'c [WorldMillis],
}

impl ChoiceContext<'_> {
    /// Everything that can happen in a state.
    ///
    /// A process that dies after its last effect leaves the same behind whenever it does: its death is a choice when it begins and with each effect. When an invocation ends, the queue
    /// hears of it at once: otherwise it would be as if the process had died before.
    pub(super) fn list_choices(&self, state: &ExploredState) -> Vec<ExplorationChoice> {
        let mut choices = Vec::with_capacity(16);
        self.add_receives(state, &mut choices);
        // Whether a call has no more time.
        let mut is_overdue = false;
        for (number, worker) in (0..).zip(&state.workers) {
            let Some(worker) = worker else { continue };
            for (call, request) in (0..).zip(self.workers.pending_requests(*worker)) {
                is_overdue |= request.until <= state.now;
                for ending in list_endings(state, request).into_iter().flatten() {
                    choices.push(ExplorationChoice::Call(number, call, ending));
                }
            }
            if state.left.deaths > 0 && self.workers.is_new(*worker) {
                choices.push(ExplorationChoice::Die(number));
            }
        }
        if state.late_request.is_some() {
            choices.push(ExplorationChoice::Land);
        }
        if let (false, Some(next)) = (is_overdue, self.find_next_instant(state))
            && self.count_hanging(state, next) <= state.left.faults
        {
            choices.push(ExplorationChoice::Wait);
        }
        choices
    }

    /// How many workers have a call that hangs until an instant.
    pub(super) fn count_hanging(&self, state: &ExploredState, until: WorldMillis) -> u8 {
        let mut count = 0;
        for worker in state.workers.iter().flatten() {
            count += u8::from(self.hangs(*worker, until));
        }
        count
    }

    fn hangs(&self, worker: HistoryNumber, until: WorldMillis) -> bool {
        self.workers.pending_requests(worker).iter().any(|request| request.until <= until)
    }

    fn add_receives(&self, state: &ExploredState, choices: &mut Vec<ExplorationChoice>) {
        if state.workers.iter().all(Option::is_some) {
            return;
        }
        let mut visible = 0;
        for (index, message) in state.messages.iter().enumerate() {
            if message.fate == MessageFate::Queued && message.visible_at <= state.now {
                visible |= 1 << index;
            } else if message.fate != MessageFate::DeadLetter
                && state.left.copies > 0
                && (1..self.scene.timing.receives).contains(&message.receives)
            {
                choices.push(ExplorationChoice::Copy(1 << index));
            }
        }
        for set in 1..=visible {
            if set & !visible == 0 {
                choices.push(ExplorationChoice::Receive(set));
            }
        }
    }

    /// The next instant that matters: a message becomes visible, a claim free, or a call overdue.
    pub(super) fn find_next_instant(&self, state: &ExploredState) -> Option<WorldMillis> {
        let mut next = None;
        let mut consider = |at: WorldMillis| {
            if at > state.now && next.is_none_or(|next| at < next) {
                next = Some(at);
            }
        };
        for message in state.messages.iter().take(self.scene.messages.len()) {
            if message.fate == MessageFate::Queued {
                consider(message.visible_at);
            }
        }
        for lease in self.leases {
            consider(*lease);
        }
        for worker in state.workers.iter().flatten() {
            for request in self.workers.pending_requests(*worker) {
                consider(request.until);
            }
        }
        next
    }
}

/// How a call may end.
fn list_endings(state: &ExploredState, request: &PendingRequest) -> [Option<CallEnding>; 7] {
    let is_write = request.meaning != RequestMeaning::Read;
    let is_page = matches!(request.meaning, RequestMeaning::Page(_));
    let may_die = is_write && state.left.deaths > 0;
    let may_fail = state.left.faults > 0;
    let may_be_late = may_fail && is_write && state.late_request.is_none();
    if request.until <= state.now {
        return [
            Some(CallEnding::Hung),
            is_write.then_some(CallEnding::HungAfterEffect),
            may_die.then_some(CallEnding::Unheard),
            None,
            None,
            None,
            None,
        ];
    }
    [
        Some(CallEnding::Success),
        may_fail.then_some(CallEnding::Failed),
        (may_fail && is_write).then_some(CallEnding::AnswerLost),
        (may_fail && is_write && !is_page).then_some(CallEnding::Repeated),
        may_be_late.then_some(CallEnding::Late),
        may_die.then_some(CallEnding::Unheard),
        (may_be_late && may_die).then_some(CallEnding::Adrift),
    ]
}
