//! Values by number: a state holds numbers, and is small by that.

use std::fmt::Debug;
use std::num::NonZeroU32;

/// A number from 1 on: one that may be missing takes no more room.
pub(super) type ValueNumber = NonZeroU32;

/// A map of what was learned. Nothing iterates over it, so its order does not matter.
#[expect(clippy::disallowed_types, reason = "only looked up")]
pub(super) type LearnedMap<K, V> = std::collections::HashMap<K, V>;

/// Values by number: equal ones have the same.
#[derive(Debug)]
pub(super) struct NumberedValues<T> {
    numbers: LearnedMap<String, ValueNumber>,
    values: Vec<T>,
}

impl<T> Default for NumberedValues<T> {
    fn default() -> Self {
        Self { numbers: LearnedMap::default(), values: Vec::new() }
    }
}

impl<T: Debug> NumberedValues<T> {
    pub(super) fn get(&self, number: ValueNumber) -> &T {
        &self.values[to_index(number)]
    }

    /// The number of a value, which it gets if it is new.
    pub(super) fn find_or_add(&mut self, value: T) -> ValueNumber {
        let name = format!("{value:?}");
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        self.values.push(value);
        let number = number_last(self.values.len());
        self.numbers.insert(name, number);
        number
    }
}

/// The number of the last of so many values. There is less memory than numbers.
pub(super) fn number_last(length: usize) -> ValueNumber {
    let Ok(length) = u32::try_from(length) else { return ValueNumber::MAX };
    ValueNumber::new(length).unwrap_or(ValueNumber::MAX)
}

pub(super) fn to_index(number: ValueNumber) -> usize {
    number.get() as usize - 1
}
