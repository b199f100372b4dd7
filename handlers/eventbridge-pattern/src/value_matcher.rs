//! The tests of single values: what one entry of a field's array accepts.

use crate::case_folding::CaseFoldedText;
use crate::cidr::AddressRange;
use crate::excluded_values::ExcludedValues;
use crate::flat_event::FlatValue;
use crate::value_reading::ValueReading;
use crate::wildcard::Wildcard;

/// One entry of a field's array, ready to be compared with values.
///
/// Texts are kept with the quotes that they have in a value. An exact string has both, the text of a prefix begins with the opening
/// quote, and the text of a suffix ends with the closing one. So the string `5` is not the number 5; and, as in the engine, the
/// prefix `x"` (the text `"x"` with a quote at its end) matches the value `x`.
///
/// The spelling beside a prepared form is what the pattern says, for explanations.
#[derive(Clone, Debug)]
pub(crate) enum ValueMatcher {
    /// A string with its quotes, or one of the words `true`, `false` and `null`.
    Exact(QuotedText),
    /// A string that is an IP address.
    Address { range: AddressRange, spelling: String },
    /// A number, and the double it compares by unless only its spelling matches.
    Number { spelling: String, value: Option<f64> },
    /// `{"numeric": …}`
    Numeric(NumericRange),
    /// `{"prefix": …}`, with the opening quote.
    Prefix(String),
    /// `{"suffix": …}`, with the closing quote.
    Suffix(String),
    /// `{"prefix": {"equals-ignore-case": …}}`
    PrefixIgnoringCase { folded: CaseFoldedText, spelling: String },
    /// `{"suffix": {"equals-ignore-case": …}}`
    SuffixIgnoringCase { folded: CaseFoldedText, spelling: String },
    /// `{"equals-ignore-case": …}`
    EqualsIgnoringCase { folded: CaseFoldedText, spelling: String },
    /// `{"wildcard": …}`, with both quotes.
    Wildcard { wildcard: Wildcard, spelling: String },
    /// `{"cidr": …}`
    Cidr { range: AddressRange, spelling: String },
    /// `{"exists": true}`
    Exists,
    /// `{"exists": false}`
    Absent,
    /// `{"anything-but": …}`
    AnythingBut(ExcludedValues),
}

/// A string of a pattern with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuotedText {
    /// The text as Java encodes it: a lone surrogate is a question mark.
    pub(crate) text: String,
    /// The bytes of the text with lone surrogates kept apart.
    pub(crate) bytes: Vec<u8>,
}

/// `{"numeric": …}`: a range of numbers.
#[derive(Clone, Debug)]
pub(crate) struct NumericRange {
    pub(crate) low: NumericBound,
    pub(crate) high: NumericBound,
    /// The range as the pattern spells it: `> 1 and <= 2`.
    pub(crate) spelling: String,
}

/// An end of a range of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumericBound {
    pub(crate) value: f64,
    /// Whether the value itself lies outside of the range.
    pub(crate) is_open: bool,
}

impl NumericRange {
    fn contains(&self, number: f64) -> bool {
        let is_above = if self.low.is_open { number > self.low.value } else { number >= self.low.value };
        let is_below = if self.high.is_open { number < self.high.value } else { number <= self.high.value };
        is_above && is_below
    }
}

impl ValueMatcher {
    /// Whether a value satisfies the matcher when it is taken for one thing.
    pub(crate) fn accepts(&self, value: &FlatValue<'_>, reading: ValueReading<'_>) -> bool {
        match (self, reading) {
            (Self::Exists, _) => true,
            (Self::Absent, _) => false,
            (Self::AnythingBut(excluded), _) => !excluded.contain(value, reading),
            (_, ValueReading::Address(digits)) => self.accepts_address(digits),
            (_, ValueReading::Number(number)) => self.accepts_number(number),
            (_, ValueReading::Text) => self.accepts_text(value),
        }
    }

    fn accepts_address(&self, digits: &[u8]) -> bool {
        match self {
            Self::Address { range, .. } | Self::Cidr { range, .. } => range.contains(digits),
            // The number 10000001 is spelled like the digits of the address 16.0.0.1. A quirk of the engine, kept.
            Self::Number { spelling, .. } => digits == spelling.as_bytes(),
            _ => false,
        }
    }

    fn accepts_number(&self, number: f64) -> bool {
        match self {
            Self::Number { value, .. } => *value == Some(number),
            Self::Numeric(range) => range.contains(number),
            _ => false,
        }
    }

    fn accepts_text(&self, value: &FlatValue<'_>) -> bool {
        let text = &*value.text;
        match self {
            Self::Exact(expected) => value.exact_bytes() == expected.bytes,
            Self::Number { spelling, .. } => text == spelling,
            // A string begins with its quote and is no digit. A number can be: the same quirk as above, from the other side.
            Self::Address { range, .. } | Self::Cidr { range, .. } => range.contains(text.as_bytes()),
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::PrefixIgnoringCase { folded, .. } => folded.starts(text),
            Self::SuffixIgnoringCase { folded, .. } => folded.ends(text),
            Self::EqualsIgnoringCase { folded, .. } => folded.equals(text),
            Self::Wildcard { wildcard, .. } => wildcard.matches(text),
            Self::Numeric(_) | Self::Exists | Self::Absent | Self::AnythingBut(_) => false,
        }
    }

    /// Whether the matcher needs values to be taken for numbers.
    pub(crate) fn compares_numbers(&self) -> bool {
        match self {
            Self::Number { value, .. } => value.is_some(),
            Self::Numeric(_) | Self::AnythingBut(ExcludedValues::Numbers(_)) => true,
            _ => false,
        }
    }

    /// Whether the matcher needs values to be taken for addresses.
    pub(crate) fn compares_addresses(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Cidr { .. })
    }

    /// Appends the wildcards of the matcher, for the complexity guard.
    pub(crate) fn push_wildcards<'m>(&'m self, wildcards: &mut Vec<&'m Wildcard>) {
        match self {
            Self::Wildcard { wildcard, .. } => wildcards.push(wildcard),
            Self::AnythingBut(ExcludedValues::Wildcards(excluded)) => {
                for (wildcard, _) in excluded {
                    wildcards.push(wildcard);
                }
            }
            _ => {}
        }
    }
}
