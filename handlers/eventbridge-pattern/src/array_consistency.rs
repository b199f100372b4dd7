//! Array consistency: the values of a match come from the same element of every array they share.
//!
//! The pattern `{"a":{"b":[1],"c":[2]}}` matches `{"a":[{"b":1,"c":2}]}` but not `{"a":[{"b":1},{"c":2}]}`: choosing the value 1
//! chooses the first element of `a`, and that rules out the second. The engine tries the fields in the order of their paths. For
//! each it chooses a value that satisfies the field and lies in no element that is ruled out; if it finds none, it goes back. A
//! field that may be absent must be absent from the elements that are not ruled out yet, so the order of the paths counts:
//! `{"r":{"k":["A"],"v":[{"exists":false}]}}` matches `{"r":[{"k":"A"},{"k":"B","v":1}]}`, because `v` is looked for in the
//! element that `k` chose, and with `k` and `v` exchanged nothing is chosen yet when absence is judged.

use std::collections::BTreeSet;

use crate::flat_event::{ArrayElementTree, ElementRange};

/// The elements in which one field of a pattern finds values.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldCandidates {
    /// The elements that hold a value which satisfies the field, ascending.
    pub(crate) matching: Vec<u32>,
    /// The elements that hold any value of the field, ascending.
    pub(crate) present: Vec<u32>,
    /// Whether the field may be absent.
    pub(crate) may_be_absent: bool,
}

/// After so many steps the search ends and the event counts as a match.
///
/// This guard is ours. Only an event that is built for it gets there: thousands of objects in two arrays under one name. A pattern
/// that detects something is better wrong by a false alarm than evaded.
const MAX_SEARCH_STEPS: usize = 800_000;
/// Walking outwards through arrays is that much cheaper than keeping a choice.
const WALK_DISCOUNT: usize = 256;

/// Whether every field finds a value so that no two of the values lie in different elements of one array.
///
/// The fields come in the engine's order. The engine tries all combinations of values. Here the search goes field by field over
/// the distinct choices of elements: two combinations that leave the later fields the same elements are tried once. For that a
/// choice forgets the elements in whose array no later field could find anything.
pub(crate) fn can_hold_together(fields: &[FieldCandidates], tree: &ArrayElementTree) -> bool {
    for field in fields {
        if field.matching.is_empty() && !field.may_be_absent {
            return false;
        }
    }
    let mut choices = BTreeSet::from([Vec::new()]);
    let mut steps = 0;
    for (index, field) in fields.iter().enumerate() {
        let later_fields = &fields[index + 1..];
        let mut next_choices = BTreeSet::new();
        for chosen in &choices {
            let ruled_out = ruled_out_by(chosen, tree);
            steps += 1 + ruled_out.len() / WALK_DISCOUNT;
            for element in AllowedElements::new(&field.matching, &ruled_out) {
                let joined = add_to_choice(chosen, element, tree);
                next_choices.insert(relevant_for(later_fields, &joined, tree));
                steps += 1 + chosen.len();
                if steps > MAX_SEARCH_STEPS {
                    return true;
                }
            }
            // Absent means: no value of the field, satisfying or not, lies in an element that is not ruled out.
            if field.may_be_absent && AllowedElements::new(&field.present, &ruled_out).next().is_none() {
                next_choices.insert(relevant_for(later_fields, chosen, tree));
            }
        }
        if next_choices.is_empty() {
            return false;
        }
        choices = next_choices;
    }
    true
}

/// The elements that a choice rules out, ascending and disjoint: all elements of the arrays around the chosen ones, except the
/// chosen elements themselves.
fn ruled_out_by(chosen: &[u32], tree: &ArrayElementTree) -> Vec<ElementRange> {
    let mut ranges = Vec::new();
    let mut ranges_behind = Vec::new();
    let mut walked = BTreeSet::new();
    for &innermost in chosen {
        let mut element = innermost;
        // Arrays around two chosen elements are walked once.
        while element != 0 && (chosen.len() == 1 || walked.insert(element)) {
            let array = tree.array_around(element);
            if array.start < element {
                ranges.push(ElementRange { start: array.start, end: element });
            }
            let end = tree.end_of(element);
            if end < array.end {
                ranges_behind.push(ElementRange { start: end, end: array.end });
            }
            element = tree.parent_of(element);
        }
    }
    // On the way outwards from one element, the ranges before it come from right to left, and those behind it from left to right.
    ranges.reverse();
    ranges.append(&mut ranges_behind);
    if chosen.len() > 1 {
        ranges.sort_unstable();
    }
    ranges
}

/// The elements of a list that lie in none of some ranges. Lists and ranges are ascending.
struct AllowedElements<'a> {
    elements: &'a [u32],
    ruled_out: &'a [ElementRange],
}

impl<'a> AllowedElements<'a> {
    fn new(elements: &'a [u32], ruled_out: &'a [ElementRange]) -> Self {
        Self { elements, ruled_out }
    }
}

impl Iterator for AllowedElements<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let (&element, rest) = self.elements.split_first()?;
            while let [range, later @ ..] = self.ruled_out
                && range.end <= element
            {
                self.ruled_out = later;
            }
            match self.ruled_out.first() {
                Some(range) if range.start <= element => {
                    let inside = self.elements.partition_point(|element| *element < range.end);
                    self.elements = &self.elements[inside..];
                }
                _ => {
                    self.elements = rest;
                    return Some(element);
                }
            }
        }
    }
}

/// Adds an element to a choice, which lists innermost elements only: those around them are chosen with them.
fn add_to_choice(chosen: &[u32], element: u32, tree: &ArrayElementTree) -> Vec<u32> {
    if element == 0 {
        return chosen.to_vec();
    }
    let mut joined = Vec::with_capacity(chosen.len() + 1);
    for &known in chosen {
        if tree.is_within(known, element) {
            return chosen.to_vec();
        }
        if !tree.is_within(element, known) {
            joined.push(known);
        }
    }
    joined.push(element);
    joined.sort_unstable();
    joined
}

/// A choice without the elements whose array holds nothing that a later field could find.
fn relevant_for(later_fields: &[FieldCandidates], chosen: &[u32], tree: &ArrayElementTree) -> Vec<u32> {
    let mut kept = BTreeSet::new();
    for &innermost in chosen {
        let mut element = innermost;
        while element != 0 && !holds_any_of(later_fields, tree.array_around(element)) {
            element = tree.parent_of(element);
        }
        if element != 0 {
            kept.insert(element);
        }
    }
    let mut relevant = Vec::with_capacity(kept.len());
    for &element in &kept {
        // An element around another kept one says nothing more.
        let end = tree.end_of(element).max(element + 1);
        if kept.range(element + 1..end).next().is_none() {
            relevant.push(element);
        }
    }
    relevant
}

/// Whether an array holds any value of some fields.
fn holds_any_of(fields: &[FieldCandidates], array: ElementRange) -> bool {
    for field in fields {
        let first = field.present.partition_point(|element| *element < array.start);
        if matches!(field.present.get(first), Some(element) if *element < array.end) {
            return true;
        }
    }
    false
}
