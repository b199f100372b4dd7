//! An event reduced to the values that some pattern looks at.

use std::borrow::Cow;

use crate::json::JsonToken;

/// The values of an event by the slot of their path, in document order.
#[derive(Clone, Debug)]
pub(crate) struct FlatEvent<'e> {
    /// For every slot, the values at its path.
    pub(crate) values: Vec<Vec<FlatValue<'e>>>,
    /// For every slot, the first thing at its path.
    pub(crate) shapes: Vec<Option<ValueShape>>,
    /// The array elements that the values lie in.
    pub(crate) elements: ArrayElementTree,
}

/// A string, number, `true`, `false` or `null` at a path.
///
/// A string keeps its quotes, because the engine compares it with them. The string `"5"` and the number `5` differ by nothing
/// else, and a pattern's `prefix` begins with the opening quote.
#[derive(Clone, Debug)]
pub(crate) struct FlatValue<'e> {
    /// The text as Java encodes it: a lone surrogate is a question mark.
    pub(crate) text: Cow<'e, str>,
    /// The bytes of the text with lone surrogates kept apart, if it has any.
    pub(crate) bytes_with_surrogates: Option<Vec<u8>>,
    /// The innermost array element around the value; see [`ArrayElementTree`].
    pub(crate) element: u32,
    /// Whether a field name on the path has an empty step; see [`has_empty_step`](crate::field_paths::has_empty_step).
    pub(crate) has_empty_step: bool,
}

impl FlatValue<'_> {
    /// The bytes that an exact string of a pattern is compared with.
    pub(crate) fn exact_bytes(&self) -> &[u8] {
        match &self.bytes_with_surrogates {
            Some(bytes) => bytes,
            None => self.text.as_bytes(),
        }
    }
}

/// The kind of thing that stands at a path, for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueShape {
    Scalar(JsonToken),
    Object,
    /// An array, with the number of its entries.
    Array(usize),
}

/// The elements of the arrays on the way to values, numbered in document order. Element 0 is the event itself.
///
/// In `{"a":[{"b":1},{"b":2}],"c":3}` the value 1 lies in element 1, the value 2 in element 2, and the value 3 in element 0.
/// An entry that is a string or number has no element of its own.
#[derive(Clone, Debug)]
pub(crate) struct ArrayElementTree {
    pub(crate) elements: Vec<ArrayElement>,
    pub(crate) arrays: Vec<ElementRange>,
}

/// One element of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayElement {
    /// The element around its array.
    pub(crate) parent: u32,
    /// The index of its array.
    pub(crate) array: u32,
    /// The first element that lies neither in this one nor before it.
    pub(crate) end: u32,
}

/// The elements of one array and everything in them: from `start` to just before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ElementRange {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl ArrayElementTree {
    /// A tree that has only the event itself.
    pub(crate) fn new() -> Self {
        let event = ArrayElement { parent: 0, array: u32::MAX, end: u32::MAX };
        Self { elements: vec![event], arrays: Vec::new() }
    }

    /// The number that the next element gets.
    pub(crate) fn next_element(&self) -> u32 {
        u32::try_from(self.elements.len()).unwrap_or(u32::MAX)
    }

    /// Whether the event has an array with objects or arrays in it, on the way to some path.
    pub(crate) fn has_elements(&self) -> bool {
        self.elements.len() > 1
    }

    /// The elements of the array that an element lies in.
    pub(crate) fn array_around(&self, element: u32) -> ElementRange {
        self.arrays[self.elements[element as usize].array as usize]
    }

    /// The element around the array of an element.
    pub(crate) fn parent_of(&self, element: u32) -> u32 {
        self.elements[element as usize].parent
    }

    /// The first element that lies neither in an element nor before it.
    pub(crate) fn end_of(&self, element: u32) -> u32 {
        self.elements[element as usize].end
    }

    /// Whether one element is another or lies in it.
    pub(crate) fn is_within(&self, inner: u32, outer: u32) -> bool {
        outer == 0 || (inner >= outer && inner < self.end_of(outer))
    }
}
