//! All states that were seen, each once: a hash table of their numbers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::number::{ValueNumber, number_last, to_index};
use super::state::ExploredState;

/// The states, by number.
#[derive(Debug, Default)]
pub(super) struct StateIndex {
    pub(super) states: Vec<ExploredState>,
    /// Their numbers, each in the slot of the state's hash or after it.
    slots: Vec<Option<ValueNumber>>,
}

/// How many slots there are at first.
const FIRST_SLOTS: usize = 1 << 16;

impl StateIndex {
    /// Adds a state; says whether it is new.
    pub(super) fn insert(&mut self, state: ExploredState) -> bool {
        if self.states.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let slot = self.find_slot(&state);
        if self.slots[slot].is_some() {
            return false;
        }
        self.states.push(state);
        self.slots[slot] = Some(number_last(self.states.len()));
        true
    }

    /// The slot where the state is, or belongs.
    fn find_slot(&self, state: &ExploredState) -> usize {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let mask = self.slots.len() - 1;
        let mut slot = usize::try_from(hasher.finish() >> 16).unwrap_or_default() & mask;
        while let Some(number) = self.slots[slot] {
            if self.states[to_index(number)] == *state {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![None; (self.slots.len() * 2).max(FIRST_SLOTS)];
        for index in 0..self.states.len() {
            let slot = self.find_slot(&self.states[index]);
            self.slots[slot] = Some(number_last(index + 1));
        }
    }
}
