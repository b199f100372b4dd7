//! The steps from one state to the next.

use responder_core::time::Timestamp;

use super::choice::{CallEnding, ChoiceContext, ExplorationChoice};
use super::number::{LearnedMap, NumberedValues, ValueNumber, to_index};
use super::oracle::{CallEffect, judge_effect, note_end, note_late_page, note_no_effect};
use super::request::{CallBreakage, RequestMeaning};
use super::scene::ExploredScene;
use super::state::{ExploredState, MessageFate};
use super::time::{WorldMillis, to_world_millis};
use super::worker::{PendingRequest, WorkerModel, WorkerStanding};
use crate::table::SimulatedTable;

/// The world apart from its state: what has been learned of the engine and of the table.
#[derive(Debug)]
pub(super) struct ExploredWorld {
    pub(super) scene: ExploredScene,
    pub(super) workers: WorkerModel,
    tables: NumberedValues<SimulatedTable>,
    /// By table: when the claims in it are free again.
    leases: Vec<Vec<WorldMillis>>,
    /// By table and request: the table after it, and the answer.
    effects: LearnedMap<(ValueNumber, ValueNumber), (ValueNumber, ValueNumber)>,
    failures: LearnedMap<(ValueNumber, CallBreakage), ValueNumber>,
    /// How often one more page was sent, by the cause that allowed it.
    pub(super) repeats: [u64; 4],
}

impl ExploredWorld {
    pub(super) fn new(scene: &ExploredScene, workers: WorkerModel) -> Self {
        let mut world = Self {
            scene: scene.clone(),
            workers,
            tables: NumberedValues::default(),
            leases: Vec::new(),
            effects: LearnedMap::default(),
            failures: LearnedMap::default(),
            repeats: [0; 4],
        };
        world.number_table(SimulatedTable::default());
        world
    }

    fn choice_context(&self, state: &ExploredState) -> ChoiceContext<'_> {
        ChoiceContext {
            scene: &self.scene,
            workers: &self.workers,
            leases: &self.leases[to_index(state.table)],
        }
    }

    /// Everything that can happen in a state.
    pub(super) fn list_choices(&self, state: &ExploredState) -> Vec<ExplorationChoice> {
        self.choice_context(state).list_choices(state)
    }

    /// The state after a choice.
    ///
    /// # Errors
    ///
    /// The violation in it.
    pub(super) fn take_step(
        &mut self,
        mut state: ExploredState,
        choice: ExplorationChoice,
    ) -> Result<ExploredState, String> {
        match choice {
            ExplorationChoice::Receive(messages) => self.begin_invocation(&mut state, messages),
            ExplorationChoice::Copy(messages) => {
                state.left.copies -= 1;
                self.begin_invocation(&mut state, messages);
            }
            ExplorationChoice::Call(worker, call, ending) => {
                self.end_call(&mut state, usize::from(worker), usize::from(call), ending)?;
            }
            ExplorationChoice::Die(worker) => {
                state.left.deaths -= 1;
                state.workers[usize::from(worker)] = None;
            }
            ExplorationChoice::Land => self.land_late_request(&mut state),
            ExplorationChoice::Wait => self.pass_time(&mut state),
        }
        for number in 0..state.workers.len() {
            self.report_end(&mut state, number);
        }
        state.move_dead_letters(self.scene.timing.receives);
        // It does not matter which worker is which.
        state.workers.sort_unstable();
        Ok(state)
    }

    fn begin_invocation(&mut self, state: &mut ExploredState, messages: u8) {
        let visibility = self.scene.timing.visibility.millis();
        let deliveries =
            state.receive(messages, WorldMillis::try_from(visibility).unwrap_or(WorldMillis::MAX));
        let history = self.workers.begin(deliveries, state.now);
        for worker in &mut state.workers {
            if worker.is_none() {
                *worker = Some(history);
                return;
            }
        }
    }

    fn land_late_request(&mut self, state: &mut ExploredState) {
        let Some(request) = state.late_request.take() else { return };
        let (table, _) = self.perform(state.table, request);
        state.table = table;
        if let RequestMeaning::Page(page) = self.workers.request(request).meaning() {
            note_late_page(&mut state.sent, page);
        }
    }

    fn pass_time(&self, state: &mut ExploredState) {
        let context = self.choice_context(state);
        if let Some(until) = context.find_next_instant(state) {
            let hanging = context.count_hanging(state, until);
            state.left.faults -= hanging;
            state.now = until;
        }
    }

    /// Reports to the queue what became of the messages of an invocation that has ended.
    fn report_end(&self, state: &mut ExploredState, number: usize) {
        let Some(worker) = state.workers[number] else { return };
        let WorkerStanding::Ended(kept) = self.workers.standing(worker) else { return };
        state.workers[number] = None;
        note_end(&mut state.sent, self.workers.progress(worker));
        let deliveries = self.workers.deliveries(worker);
        for (index, message) in state.messages.iter_mut().enumerate() {
            if deliveries[index] > 0 && !kept[index] && message.fate == MessageFate::Queued {
                message.fate = MessageFate::Deleted;
            }
        }
    }

    fn end_call(
        &mut self,
        state: &mut ExploredState,
        number: usize,
        call: usize,
        ending: CallEnding,
    ) -> Result<(), String> {
        let Some(worker) = state.workers[number] else { return Ok(()) };
        let request = self.workers.pending_requests(worker)[call].clone();
        state.left.deaths -= u8::from(ending.is_death());
        state.left.faults -= u8::from(ending.is_fault());
        let answer = self.apply_call(state, &request, ending);
        let caller = self.workers.progress(worker);
        let other = state.workers[1 - number].map(|other| self.workers.progress(other));
        if ending.has_effect() {
            let effect = CallEffect { meaning: request.meaning, ending, caller, other };
            if let Some(cause) = judge_effect(&mut state.sent, &effect)? {
                self.repeats[cause as usize] += 1;
            }
        } else {
            note_no_effect(&mut state.sent, caller, request.meaning);
        }
        state.workers[number] = answer.map(|answer| self.workers.follow(worker, &request, answer, state.now));
        Ok(())
    }

    /// The effect of a call on the table; returns the answer that the worker hears if it lives.
    fn apply_call(
        &mut self,
        state: &mut ExploredState,
        pending: &PendingRequest,
        ending: CallEnding,
    ) -> Option<ValueNumber> {
        let request = pending.request;
        let mut answer = None;
        for _ in 0..ending.count_effects() {
            let (table, given) = self.perform(state.table, request);
            state.table = table;
            answer = Some(given);
        }
        match ending {
            CallEnding::Success | CallEnding::Repeated => answer,
            CallEnding::Unheard => None,
            CallEnding::Adrift => {
                state.late_request = Some(request);
                None
            }
            CallEnding::Late => {
                state.late_request = Some(request);
                Some(self.fail(request, CallBreakage::Broken))
            }
            CallEnding::Failed => Some(self.fail(request, CallBreakage::Refused)),
            CallEnding::AnswerLost => Some(self.fail(request, CallBreakage::Broken)),
            CallEnding::Hung | CallEnding::HungAfterEffect => Some(self.fail(request, CallBreakage::Silent)),
        }
    }

    /// The table after a request, and the answer.
    fn perform(&mut self, table: ValueNumber, request: ValueNumber) -> (ValueNumber, ValueNumber) {
        if let Some(known) = self.effects.get(&(table, request)) {
            return *known;
        }
        let mut content = self.tables.get(table).clone();
        let answer = self.workers.request(request).perform(&mut content);
        let effect = (self.number_table(content), self.workers.number_answer(answer));
        self.effects.insert((table, request), effect);
        effect
    }

    fn number_table(&mut self, table: SimulatedTable) -> ValueNumber {
        let mut leases = Vec::new();
        for item in table.items() {
            // A lease is over when its last instant has passed.
            if let Some(until) = item.number("lease_until")
                && let Some(over) = until.checked_add(1)
            {
                leases.push(to_world_millis(Timestamp::from_millis(over)));
            }
        }
        let number = self.tables.find_or_add(table);
        if to_index(number) == self.leases.len() {
            self.leases.push(leases);
        }
        number
    }

    fn fail(&mut self, request: ValueNumber, breakage: CallBreakage) -> ValueNumber {
        if let Some(known) = self.failures.get(&(request, breakage)) {
            return *known;
        }
        let failure = self.workers.request(request).fail(breakage);
        let answer = self.workers.number_answer(failure);
        self.failures.insert((request, breakage), answer);
        answer
    }
}
