//! The three readings of a value: as an address, a number or a text.

/// A reading under which a value is compared; see [`FieldMatcher::accepts`](crate::field_matcher::FieldMatcher::accepts).
#[derive(Clone, Copy)]
pub(crate) enum ValueReading<'v> {
    /// An IP address, as hexadecimal digits.
    Address(&'v [u8]),
    /// A number.
    Number(f64),
    /// A text.
    Text,
}
