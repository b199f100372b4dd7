//! All states that were seen, each once: a hash table of their numbers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::process::{Number, count, place};
use super::state::State;

/// The states, by number.
#[derive(Debug, Default)]
pub(super) struct States {
    pub(super) all: Vec<State>,
    /// Their numbers, each at the place of the state's hash or after it.
    places: Vec<Option<Number>>,
}

impl States {
    /// Adds a state; whether it is new.
    pub(super) fn insert(&mut self, state: State) -> bool {
        if self.all.len() * 2 >= self.places.len() {
            self.grow();
        }
        let free = self.place(&state);
        if self.places[free].is_some() {
            return false;
        }
        self.all.push(state);
        self.places[free] = Some(count(self.all.len()));
        true
    }

    /// Where the state is, or belongs.
    fn place(&self, state: &State) -> usize {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let mask = self.places.len() - 1;
        let mut at = usize::try_from(hasher.finish() >> 16).unwrap_or_default() & mask;
        while self.places[at].is_some_and(|number| self.all[place(number)] != *state) {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        self.places = vec![None; (self.places.len() * 2).max(1 << 16)];
        for index in 0..self.all.len() {
            let free = self.place(&self.all[index]);
            self.places[free] = Some(count(index + 1));
        }
    }
}
