//! A compiled pattern, and whether an event matches it.

use crate::array_consistency::{FieldCandidates, can_hold_together};
use crate::field_matcher::FieldMatcher;
use crate::field_paths::FieldPathTree;
use crate::flat_event::{FlatEvent, FlatValue};

/// A pattern as data: fields with their matchers, and the combinations of fields that match an event.
#[derive(Clone, Debug)]
pub(crate) struct CompiledPattern {
    /// The fields in document order.
    pub(crate) fields: Vec<FieldMatcher>,
    /// The combinations that `$or` makes: indices of fields, sorted by path. All fields of one of them must hold.
    pub(crate) alternatives: Vec<Vec<usize>>,
    /// The paths of the fields.
    pub(crate) paths: FieldPathTree,
    /// Whether some path has an empty step. If none has, the engine does not look into field names that do.
    pub(crate) looks_at_empty_steps: bool,
    /// How much of the text is the pattern, in bytes; what follows is ignored.
    pub(crate) length: usize,
}

impl CompiledPattern {
    /// Whether an event matches.
    ///
    /// An alternative is checked in two steps:
    ///
    /// 1. Each of its fields must hold alone. This settles most alternatives, and all of them if the event has no array of
    ///    objects or arrays.
    /// 2. The fields must hold together, within the same element of every array they share.
    pub(crate) fn matches(&self, event: &FlatEvent<'_>) -> bool {
        self.alternatives.iter().any(|fields| {
            self.fields_hold_alone(fields, event)
                && (!event.elements.has_elements() || self.fields_hold_together(fields, event))
        })
    }

    /// Whether a field would hold if it were the only one of the pattern.
    pub(crate) fn field_holds_alone(&self, field: &FieldMatcher, event: &FlatEvent<'_>) -> bool {
        let mut is_absent_somewhere = true;
        for value in &event.values[field.slot] {
            if !self.sees(value) {
                continue;
            }
            if field.accepts(value) {
                return true;
            }
            // A value outside of every array element is there whichever elements are chosen.
            is_absent_somewhere &= value.element != 0;
        }
        field.may_be_absent() && is_absent_somewhere
    }

    fn fields_hold_alone(&self, fields: &[usize], event: &FlatEvent<'_>) -> bool {
        fields.iter().all(|index| self.field_holds_alone(&self.fields[*index], event))
    }

    fn fields_hold_together(&self, fields: &[usize], event: &FlatEvent<'_>) -> bool {
        let mut candidates = Vec::with_capacity(fields.len());
        for index in fields {
            candidates.push(self.candidates_for(&self.fields[*index], event));
        }
        can_hold_together(&candidates, &event.elements)
    }

    /// The array elements that hold values of a field.
    fn candidates_for(&self, field: &FieldMatcher, event: &FlatEvent<'_>) -> FieldCandidates {
        let mut matching = Vec::new();
        let mut present = Vec::new();
        for value in &event.values[field.slot] {
            if !self.sees(value) {
                continue;
            }
            present.push(value.element);
            if field.accepts(value) {
                matching.push(value.element);
            }
        }
        for elements in [&mut matching, &mut present] {
            elements.sort_unstable();
            elements.dedup();
        }
        FieldCandidates { matching, present, may_be_absent: field.may_be_absent() }
    }

    fn sees(&self, value: &FlatValue<'_>) -> bool {
        self.looks_at_empty_steps || !value.has_empty_step
    }
}
