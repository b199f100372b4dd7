//! What becomes of a state when something happens.

use responder_core::time::Timestamp;

use super::choice::{Choice, How, hanging, next};
use super::oracle;
use super::process::{Ask, Interned, Known, Local, Millis, Number, Processes, millis, place};
use super::request::{Failed, Meaning};
use super::scene::Scene;
use super::state::{Fate, State};
use crate::store::Store;

/// The world apart from its state: what has been learned of the engine and of the table.
#[derive(Debug)]
pub(super) struct World {
    pub(super) scene: Scene,
    pub(super) processes: Processes,
    tables: Interned<Store>,
    /// By table: when a claim in it is free again.
    pub(super) leases: Vec<Vec<Millis>>,
    /// By table and request: the table after it, and the answer.
    effects: Known<(Number, Number), (Number, Number)>,
    failures: Known<(Number, Failed), Number>,
    /// How often another page was sent, by what allowed it.
    pub(super) again: [u64; 4],
}

impl World {
    pub(super) fn new(scene: &Scene, processes: Processes) -> Self {
        let mut world = Self {
            scene: scene.clone(),
            processes,
            tables: Interned::default(),
            leases: Vec::new(),
            effects: Known::default(),
            failures: Known::default(),
            again: [0; 4],
        };
        world.table(Store::default());
        world
    }

    /// The state after a choice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn step(&mut self, mut state: State, choice: Choice) -> Result<State, String> {
        match choice {
            Choice::Receive(messages) => self.begin(&mut state, messages),
            Choice::Copy(messages) => {
                state.left.copies -= 1;
                self.begin(&mut state, messages);
            }
            Choice::Call(worker, call, how) => {
                self.call(&mut state, usize::from(worker), usize::from(call), how)?;
            }
            Choice::Die(worker) => {
                state.left.deaths -= 1;
                state.workers[usize::from(worker)] = None;
            }
            Choice::Land => {
                if let Some(request) = state.late.take() {
                    state.table = self.perform(state.table, request).0;
                    if let Meaning::Page(tells) = self.processes.request(request).meaning() {
                        oracle::late(&mut state.notified, tells);
                    }
                }
            }
            Choice::Wait => {
                let leases = &self.leases[place(state.table)];
                if let Some(until) = next(&self.scene, &self.processes, leases, &state) {
                    state.left.faults -= hanging(&self.processes, &state, until);
                    state.now = until;
                }
            }
        }
        for number in 0..state.workers.len() {
            self.report(&mut state, number);
        }
        state.put_aside(self.scene.timing.receives);
        // Which worker is which does not matter.
        state.workers.sort_unstable();
        Ok(state)
    }

    fn begin(&mut self, state: &mut State, messages: u8) {
        let visibility = Millis::try_from(self.scene.timing.visibility.millis()).unwrap_or(Millis::MAX);
        let deliveries = state.receive(messages, visibility);
        let history = self.processes.begin(deliveries, state.now);
        if let Some(idle) = state.workers.iter_mut().find(|worker| worker.is_none()) {
            *idle = Some(history);
        }
    }

    /// Tells the queue what became of the messages of an invocation that has ended.
    fn report(&self, state: &mut State, number: usize) {
        let Some(worker) = state.workers[number] else { return };
        let Local::Ended(kept) = self.processes.local(worker) else { return };
        state.workers[number] = None;
        oracle::ended(&mut state.notified, self.processes.work(worker));
        let deliveries = self.processes.deliveries(worker);
        for (index, message) in state.messages.iter_mut().enumerate() {
            if deliveries[index] > 0 && !kept[index] && message.fate == Fate::Queued {
                message.fate = Fate::Deleted;
            }
        }
    }

    fn call(&mut self, state: &mut State, number: usize, call: usize, how: How) -> Result<(), String> {
        let Some(worker) = state.workers[number] else { return Ok(()) };
        let ask = self.processes.asks(worker)[call].clone();
        state.left.deaths -= u8::from(how.dies());
        state.left.faults -= u8::from(how.is_fault());
        let answer = self.happen(state, &ask, how);
        let work = self.processes.work(worker);
        let other = state.workers[1 - number].map(|other| self.processes.work(other));
        if how.has_effect() {
            let cause = oracle::effect(&mut state.notified, work, other, ask.meaning, how)?;
            if let Some(cause) = cause {
                self.again[cause as usize] += 1;
            }
        } else {
            oracle::no_effect(&mut state.notified, work, ask.meaning);
        }
        state.workers[number] = answer.map(|answer| self.processes.follow(worker, &ask, answer, state.now));
        Ok(())
    }

    /// The effect of a call on the table, and what the worker hears if it lives.
    fn happen(&mut self, state: &mut State, ask: &Ask, how: How) -> Option<Number> {
        let request = ask.request;
        let mut answer = None;
        for _ in 0..how.times() {
            let (table, said) = self.perform(state.table, request);
            (state.table, answer) = (table, Some(said));
        }
        if matches!(how, How::Late | How::Adrift) {
            state.late = Some(request);
        }
        match how {
            How::Well | How::Twice => answer,
            How::Unheard | How::Adrift => None,
            How::Failed => Some(self.fail(request, Failed::Refused)),
            How::Lost | How::Late => Some(self.fail(request, Failed::Broken)),
            How::Hung | How::HungLost => Some(self.fail(request, Failed::Silent)),
        }
    }

    /// A request meets a table: the table after it, and the answer.
    fn perform(&mut self, table: Number, request: Number) -> (Number, Number) {
        if let Some(known) = self.effects.get(&(table, request)) {
            return *known;
        }
        let mut store = self.tables.get(table).clone();
        let answer = self.processes.request(request).perform(&mut store);
        let effect = (self.table(store), self.processes.intern(answer));
        self.effects.insert((table, request), effect);
        effect
    }

    fn table(&mut self, store: Store) -> Number {
        // A lease is over when it has passed.
        let over = store.items().filter_map(|item| item.number("lease_until")?.checked_add(1));
        let over = over.map(|until| millis(Timestamp::from_millis(until))).collect();
        let number = self.tables.intern(store);
        if place(number) == self.leases.len() {
            self.leases.push(over);
        }
        number
    }

    fn fail(&mut self, request: Number, failed: Failed) -> Number {
        if let Some(known) = self.failures.get(&(request, failed)) {
            return *known;
        }
        let answer = self.processes.request(request).fail(failed);
        let answer = self.processes.intern(answer);
        self.failures.insert((request, failed), answer);
        answer
    }
}
