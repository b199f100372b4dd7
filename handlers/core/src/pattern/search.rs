//! Array consistency: values must come from the same element of every array they share.

use std::collections::BTreeSet;

use super::flatten::Tree;

/// What one field of a rule found in an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// The elements that hold a value which satisfies the field, ascending.
    pub(super) matching: Vec<u32>,
    /// The elements that hold any value of the field, ascending.
    pub(super) present: Vec<u32>,
    /// Whether the field may be absent.
    pub(super) absent: bool,
}

impl Candidates {
    /// Whether nothing about the event satisfies the field.
    pub(super) fn hopeless(&self) -> bool {
        self.matching.is_empty() && !self.absent
    }
}

/// Steps after which a search gives up and calls the event a match: only an event built for it gets there, and for a
/// detector a false alarm is the better error.
const MAX_STEPS: usize = 800_000;
/// Walking outwards through arrays is that much cheaper than noting a situation.
const WALK: usize = 256;

/// Whether every field finds a value so that no two of them are in different elements of one array.
///
/// The fields come in the engine's order (paths sorted); a field that may be absent is judged against the elements chosen for
/// the fields before it. The engine tries all combinations; here equal situations are tried once. A situation is the set of
/// chosen elements, without those whose array holds nothing that a later field could find.
pub(super) fn satisfiable(fields: &[&Candidates], tree: &Tree) -> bool {
    if fields.iter().any(|field| field.hopeless()) {
        return false;
    }
    let mut situations = BTreeSet::from([Vec::new()]);
    let mut steps = 0;
    for (index, field) in fields.iter().enumerate() {
        let later = &fields[index + 1..];
        let mut next = BTreeSet::new();
        for chosen in &situations {
            let forbidden = forbidden(chosen, tree);
            steps += 1 + forbidden.len() / WALK;
            for element in allowed(&field.matching, &forbidden) {
                next.insert(relevant(&join(chosen, element, tree), later, tree));
                steps += 1 + chosen.len();
                if steps > MAX_STEPS {
                    return true;
                }
            }
            if field.absent && allowed(&field.present, &forbidden).next().is_none() {
                next.insert(relevant(chosen, later, tree));
            }
        }
        if next.is_empty() {
            return false;
        }
        situations = next;
    }
    true
}

/// The elements ruled out by a choice: those of the same arrays, except the chosen ones. Ascending and disjoint.
fn forbidden(chosen: &[u32], tree: &Tree) -> Vec<(u32, u32)> {
    let mut before = Vec::new();
    let mut behind = Vec::new();
    let mut seen = BTreeSet::new();
    for &deepest in chosen {
        let mut at = deepest;
        // What lies around two chosen elements is walked once.
        while at != 0 && (chosen.len() == 1 || seen.insert(at)) {
            let element = tree.elements[at as usize];
            let (start, end) = tree.arrays[element.array as usize];
            before.extend(Some((start, at)).filter(|(from, to)| from < to));
            behind.extend(Some((element.end, end)).filter(|(from, to)| from < to));
            at = element.parent;
        }
    }
    // Outwards from one element, what lies before it was met from right to left.
    before.reverse();
    before.append(&mut behind);
    if chosen.len() > 1 {
        before.sort_unstable();
    }
    before
}

fn allowed<'a>(elements: &'a [u32], forbidden: &'a [(u32, u32)]) -> impl Iterator<Item = u32> + 'a {
    let mut at = 0;
    let mut ranges = forbidden.iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let element = *elements.get(at)?;
            while ranges.next_if(|(_, end)| *end <= element).is_some() {}
            match ranges.peek() {
                Some((start, end)) if *start <= element => {
                    at += elements[at..].partition_point(|element| element < end);
                }
                _ => {
                    at += 1;
                    return Some(element);
                }
            }
        }
    })
}

/// Adds an element to a choice, of which only the innermost elements are listed.
fn join(chosen: &[u32], element: u32, tree: &Tree) -> Vec<u32> {
    let inside =
        |inner: u32, outer: u32| outer == 0 || (inner >= outer && inner < tree.elements[outer as usize].end);
    if chosen.iter().any(|known| inside(*known, element)) || element == 0 {
        return chosen.to_vec();
    }
    let mut joined: Vec<u32> = chosen.iter().copied().filter(|known| !inside(element, *known)).collect();
    joined.push(element);
    joined.sort_unstable();
    joined
}

/// Leaves out the chosen elements whose array holds nothing of the later fields.
fn relevant(chosen: &[u32], later: &[&Candidates], tree: &Tree) -> Vec<u32> {
    let mut kept = BTreeSet::new();
    for &deepest in chosen {
        let mut at = deepest;
        while at != 0 {
            let (start, end) = tree.arrays[tree.elements[at as usize].array as usize];
            let holds = |field: &&Candidates| {
                let first = field.present.partition_point(|element| *element < start);
                field.present.get(first).is_some_and(|element| *element < end)
            };
            if later.iter().any(holds) {
                break;
            }
            at = tree.elements[at as usize].parent;
        }
        if at != 0 {
            kept.insert(at);
        }
    }
    // An element that lies around another kept one says nothing more.
    let around = |outer: u32| {
        let end = tree.elements[outer as usize].end;
        kept.range(outer + 1..end.max(outer + 1)).next().is_some()
    };
    kept.iter().copied().filter(|element| !around(*element)).collect()
}
