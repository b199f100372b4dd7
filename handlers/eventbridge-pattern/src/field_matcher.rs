//! The test of one field: its path, and what its values may be.

use crate::comparable_number::comparable_number;
use crate::flat_event::FlatValue;
use crate::ip_address::ip_address_digits;
use crate::value_matcher::ValueMatcher;
use crate::value_reading::ValueReading;

/// One field of a pattern: a path, and matchers of which one must be satisfied.
#[derive(Clone, Debug)]
pub(crate) struct FieldMatcher {
    /// The dotted path, in WTF-8.
    pub(crate) path: Vec<u8>,
    /// The slot of the path in the tree that events are read along.
    pub(crate) slot: usize,
    /// The entries of the field's array.
    pub(crate) matchers: Vec<ValueMatcher>,
    compares_numbers: bool,
    compares_addresses: bool,
    may_be_absent: bool,
}

impl FieldMatcher {
    /// A field, with what its matchers need worked out.
    pub(crate) fn new(path: Vec<u8>, slot: usize, matchers: Vec<ValueMatcher>) -> Self {
        let mut field = Self {
            path,
            slot,
            matchers: Vec::new(),
            compares_numbers: false,
            compares_addresses: false,
            may_be_absent: false,
        };
        for matcher in &matchers {
            field.compares_numbers |= matcher.compares_numbers();
            field.compares_addresses |= matcher.compares_addresses();
            field.may_be_absent |= matches!(matcher, ValueMatcher::Absent);
        }
        field.matchers = matchers;
        field
    }

    /// Whether the field may be absent from the event.
    pub(crate) fn may_be_absent(&self) -> bool {
        self.may_be_absent
    }

    /// Whether a value satisfies one of the matchers.
    ///
    /// The engine takes a value for up to two of three things, in this order:
    ///
    /// 1. An address, if some matcher of the field is an address or a CIDR and the value spells an address. It is enough if a
    ///    matcher accepts it as that; otherwise the value is tried again.
    /// 2. A number, if some matcher of the field compares numbers and the value is a comparable number. That is final: a
    ///    value that is taken for a number is not compared as a text.
    /// 3. A text.
    pub(crate) fn accepts(&self, value: &FlatValue<'_>) -> bool {
        let text = &*value.text;
        // 1.
        if self.compares_addresses
            && let Some(digits) = ip_address_digits(without_quotes(text))
            && self.some_matcher_accepts(value, ValueReading::Address(&digits))
        {
            return true;
        }
        // 2.
        if self.compares_numbers
            && let Some(number) = comparable_number(text)
        {
            return self.some_matcher_accepts(value, ValueReading::Number(number));
        }
        // 3.
        self.some_matcher_accepts(value, ValueReading::Text)
    }

    fn some_matcher_accepts(&self, value: &FlatValue<'_>, reading: ValueReading<'_>) -> bool {
        self.matchers.iter().any(|matcher| matcher.accepts(value, reading))
    }
}

fn without_quotes(text: &str) -> &str {
    let inner = text.strip_prefix('"').unwrap_or(text);
    inner.strip_suffix('"').unwrap_or(inner)
}
