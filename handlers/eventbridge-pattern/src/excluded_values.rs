//! The values that an `anything-but` excludes.

use crate::case_folding::CaseFoldedText;
use crate::flat_event::FlatValue;
use crate::value_reading::ValueReading;
use crate::wildcard::Wildcard;

/// The values that an `anything-but` excludes: all of one kind. Texts have their quotes, as in
/// [`ValueMatcher`](crate::value_matcher::ValueMatcher); a `String` beside a prepared form is what the pattern says.
#[derive(Clone, Debug)]
pub(crate) enum ExcludedValues {
    Strings(Vec<String>),
    Numbers(Vec<(f64, String)>),
    Prefixes(Vec<String>),
    Suffixes(Vec<String>),
    IgnoringCase(Vec<(CaseFoldedText, String)>),
    Wildcards(Vec<(Wildcard, String)>),
}

impl ExcludedValues {
    /// Whether a value is excluded when it is taken for one thing.
    ///
    /// Only a value that is taken for a number is an excluded number, and only one that is taken for a text is an excluded text.
    /// So a string that is an IP address passes `anything-but` if another entry of the field compares addresses: it does so when
    /// it is taken for an address, before it is taken for a text.
    pub(crate) fn contain(&self, value: &FlatValue<'_>, reading: ValueReading<'_>) -> bool {
        match reading {
            ValueReading::Address(_) => false,
            ValueReading::Number(number) => self.contain_number(number),
            ValueReading::Text => self.contain_text(&value.text),
        }
    }

    fn contain_number(&self, number: f64) -> bool {
        let Self::Numbers(excluded) = self else { return false };
        excluded.iter().any(|(value, _)| value.total_cmp(&number).is_eq())
    }

    fn contain_text(&self, text: &str) -> bool {
        match self {
            Self::Strings(excluded) => excluded.iter().any(|string| string == text),
            Self::Numbers(_) => false,
            Self::Prefixes(excluded) => excluded.iter().any(|prefix| text.starts_with(prefix.as_str())),
            Self::Suffixes(excluded) => excluded.iter().any(|suffix| text.ends_with(suffix.as_str())),
            Self::IgnoringCase(excluded) => excluded.iter().any(|(folded, _)| folded.equals(text)),
            Self::Wildcards(excluded) => excluded.iter().any(|(wildcard, _)| wildcard.matches(text)),
        }
    }
}
