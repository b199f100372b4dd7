//! The guard that refuses wildcards which would make a matching machine slow.

use std::collections::{BTreeSet, VecDeque};

use crate::wildcard::Wildcard;

/// The most states that a machine for the wildcards of one field may be in at once.
///
/// EventBridge's API refuses patterns above a limit that is not documented. Of the recorded answers, 11 is refused and 7 is the
/// highest that is accepted. We refuse what is above 10.
const MAX_STATES_AT_ONCE: usize = 10;

/// AWS's words for a pattern above the limit.
pub(crate) const TOO_COMPLEX: &str = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";

/// How many sets of states are looked at before the search for a worse one ends. It bounds the time to read a pattern.
const MAX_STATE_SETS: usize = 4_000;

/// Whether some value brings a machine for these wildcards into more than [`MAX_STATES_AT_ONCE`] states.
///
/// A state is a wildcard and how much of it has been read; "before a star" and "inside the star" are one state. `*a*b` has three:
/// nothing read, `a` read, `b` read; and the value `ab` brings it into all three at once, for each star may go on. This is the
/// idea of event-ruler's `MachineComplexityEvaluator`: how many wildcards, or beginnings of them, can one value keep alive?
pub(crate) fn are_too_complex(wildcards: &[&Wildcard]) -> bool {
    let automaton = WildcardAutomaton::new(wildcards);
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([automaton.start_states()]);
    while let Some(states) = queue.pop_front() {
        if states.len() > MAX_STATES_AT_ONCE {
            return true;
        }
        if seen.len() >= MAX_STATE_SETS {
            return false;
        }
        for byte in &automaton.alphabet {
            let next = automaton.states_after(&states, *byte);
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    false
}

/// All wildcards of a field as one automaton. A state is the index of the symbol to be read next.
struct WildcardAutomaton {
    /// The symbols of every wildcard, one wildcard after the other.
    symbols: Vec<WildcardSymbol>,
    /// The first symbol of every wildcard.
    starts: Vec<usize>,
    /// The bytes that some wildcard names, and `None` for all others: they lead to the same states.
    alphabet: Vec<Option<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WildcardSymbol {
    Byte(u8),
    Star,
    End,
}

impl WildcardAutomaton {
    fn new(wildcards: &[&Wildcard]) -> Self {
        let mut automaton = Self { symbols: Vec::new(), starts: Vec::new(), alphabet: Vec::new() };
        let mut named_bytes = BTreeSet::new();
        for wildcard in wildcards {
            automaton.starts.push(automaton.symbols.len());
            for (index, literal) in wildcard.literals().iter().enumerate() {
                if index > 0 {
                    automaton.symbols.push(WildcardSymbol::Star);
                }
                for byte in literal.bytes() {
                    automaton.symbols.push(WildcardSymbol::Byte(byte));
                    named_bytes.insert(byte);
                }
            }
            automaton.symbols.push(WildcardSymbol::End);
        }
        for byte in named_bytes {
            automaton.alphabet.push(Some(byte));
        }
        automaton.alphabet.push(None);
        automaton
    }

    fn start_states(&self) -> Vec<usize> {
        sorted_and_distinct(self.starts.clone())
    }

    fn states_after(&self, states: &[usize], byte: Option<u8>) -> Vec<usize> {
        let mut next = Vec::new();
        for &state in states {
            let mut expected = state;
            if self.symbols[state] == WildcardSymbol::Star {
                // The star can take the byte, or end before it.
                next.push(state);
                expected += 1;
            }
            if let WildcardSymbol::Byte(symbol) = self.symbols[expected]
                && byte == Some(symbol)
            {
                next.push(expected + 1);
            }
        }
        sorted_and_distinct(next)
    }
}

fn sorted_and_distinct(mut states: Vec<usize>) -> Vec<usize> {
    states.sort_unstable();
    states.dedup();
    states
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(patterns: &[&str]) -> bool {
        let wildcards: Vec<Wildcard> = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        are_too_complex(&wildcards.iter().collect::<Vec<_>>())
    }

    #[test]
    fn wildcards_as_people_write_them_are_accepted() {
        assert!(!is_refused(&["\"prod/*\"", "\"arn:aws:secretsmanager:*:*:secret:prod/*\""]));
        assert!(!is_refused(&["\"arn:aws:sts::*:assumed-role/app-*/*\""]));
        assert!(!is_refused(&["\"*not authorized*\""]));
    }

    #[test]
    fn many_stars_over_repeated_characters_are_refused() {
        assert!(is_refused(&["\"*a*a*a*a*a*a*a*a*a*a*a*\""]));
        assert!(is_refused(&["\"*aaaaaaaaaaaaaaaaaaaa\""]));
        assert!(!is_refused(&["\"*aaaa\""]));
    }
}
