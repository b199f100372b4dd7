//! The guard that refuses wildcards which would make a matching machine slow.

use std::collections::{BTreeSet, VecDeque};

use super::wildcard::Wildcard;

/// The most places a machine for the wildcards of one field may be in at once.
///
/// The API of `EventBridge` refuses patterns above a limit that is documented nowhere. Recorded answers: 11 refused, 7 the
/// highest accepted. We refuse what is above 10.
pub(super) const LIMIT: usize = 10;

/// AWS's words for a pattern above the limit.
pub(super) const MESSAGE: &str = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";

/// Sets of places looked at before giving up the search for a worse one: keeps reading a rule cheap.
const MAX_SETS: usize = 4_000;

/// Whether some value brings a machine for these wildcards into more than [`LIMIT`] places at once.
///
/// A place is a wildcard and how much of it has been read; "before a star" and "inside it" are one place. The idea is that of
/// event-ruler's `MachineComplexityEvaluator`: the number of wildcards, or beginnings of them, that one value can keep alive.
pub(super) fn too_complex(wildcards: &[&Wildcard]) -> bool {
    let machine = Machine::new(wildcards);
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([machine.start()]);
    while let Some(places) = queue.pop_front() {
        if places.len() > LIMIT {
            return true;
        }
        if seen.len() >= MAX_SETS {
            return false;
        }
        for byte in &machine.alphabet {
            let next = machine.step(&places, *byte);
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    false
}

struct Machine {
    /// Every wildcard, one after the other.
    symbols: Vec<Symbol>,
    starts: Vec<usize>,
    alphabet: Vec<Option<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Byte(u8),
    Star,
    End,
}

impl Machine {
    fn new(wildcards: &[&Wildcard]) -> Self {
        let mut machine = Self { symbols: Vec::new(), starts: Vec::new(), alphabet: Vec::new() };
        for wildcard in wildcards {
            machine.starts.push(machine.symbols.len());
            for (i, part) in wildcard.parts().iter().enumerate() {
                if i > 0 {
                    machine.symbols.push(Symbol::Star);
                }
                machine.symbols.extend(part.bytes().map(Symbol::Byte));
            }
            machine.symbols.push(Symbol::End);
        }
        let bytes: BTreeSet<u8> = machine
            .symbols
            .iter()
            .filter_map(|s| if let Symbol::Byte(b) = s { Some(*b) } else { None })
            .collect();
        // One byte that no wildcard names stands for all of them.
        machine.alphabet = bytes.into_iter().map(Some).chain([None]).collect();
        machine
    }

    fn start(&self) -> Vec<usize> {
        Self::tidy(self.starts.clone())
    }

    fn step(&self, places: &[usize], byte: Option<u8>) -> Vec<usize> {
        let mut next = Vec::new();
        for &place in places {
            // Inside a star: stay, or read what follows it. A star's own index is the place inside it.
            if self.symbols[place] == Symbol::Star {
                next.push(place);
                self.advance(place + 1, byte, &mut next);
            } else {
                self.advance(place, byte, &mut next);
            }
        }
        Self::tidy(next)
    }

    fn advance(&self, place: usize, byte: Option<u8>, next: &mut Vec<usize>) {
        if let Symbol::Byte(expected) = self.symbols[place]
            && byte == Some(expected)
        {
            next.push(place + 1);
        }
    }

    fn tidy(mut places: Vec<usize>) -> Vec<usize> {
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(patterns: &[&str]) -> bool {
        let wildcards: Vec<Wildcard> = patterns.iter().map(|p| Wildcard::new(p).unwrap()).collect();
        too_complex(&wildcards.iter().collect::<Vec<_>>())
    }

    #[test]
    fn accepts_rules_as_people_write_them() {
        assert!(!refused(&["\"prod/*\"", "\"arn:aws:secretsmanager:*:*:secret:prod/*\""]));
        assert!(!refused(&["\"arn:aws:sts::*:assumed-role/app-*/*\""]));
        assert!(!refused(&["\"*not authorized*\""]));
    }

    #[test]
    fn refuses_many_stars_over_repeated_characters() {
        assert!(refused(&["\"*a*a*a*a*a*a*a*a*a*a*a*\""]));
        assert!(refused(&["\"*aaaaaaaaaaaaaaaaaaaa\""]));
        assert!(!refused(&["\"*aaaa\""]));
    }
}
