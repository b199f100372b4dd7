//! The tests of one field: which values satisfy it.

use std::fmt::Write as _;

use super::flatten::Leaf;
use super::fold::Folded;
use super::ip::{DigitRange, digits};
use super::number::comparable;
use super::wildcard::Wildcard;

/// A text of a pattern: for people, and for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// As Java encodes it: a lone half of a surrogate pair is a question mark.
    pub(super) text: String,
    /// With lone halves kept apart.
    pub(super) exact: Vec<u8>,
}

/// One entry of a field's array. Texts are kept with the quotes the engine compares them with: a prefix has the first, a
/// suffix the last, so that (as there) a prefix that ends in a quote matches the end of a value.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// A string with its quotes, or `true`, `false`, `null`.
    Exact(Text),
    /// A string that is an IP address.
    Address(DigitRange, String),
    /// A number: its spelling, and what it compares by.
    Number(String, Option<f64>),
    /// `{"numeric": …}`: bounds, each with whether it is open, and the pattern's words.
    Range {
        low: (f64, bool),
        high: (f64, bool),
        words: String,
    },
    Prefix(String),
    Suffix(String),
    PrefixFolded(Folded, String),
    SuffixFolded(Folded, String),
    Folded(Folded, String),
    Wildcard(Wildcard, String),
    Cidr(DigitRange, String),
    Exists,
    Absent,
    NotStrings(Vec<String>),
    NotNumbers(Vec<(String, f64)>),
    NotPrefixes(Vec<String>),
    NotSuffixes(Vec<String>),
    NotFolded(Vec<(Folded, String)>),
    NotWildcards(Vec<(Wildcard, String)>),
}

/// One field of a pattern: its path, and its matchers, of which one must be satisfied.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) path: Vec<u8>,
    pub(super) slot: usize,
    pub(super) matchers: Vec<Matcher>,
    numbers: bool,
    addresses: bool,
    absent: bool,
}

/// What a value is taken for: the engine tries an address first, then a number, and a text only if it is no number.
#[derive(Clone, Copy)]
enum View<'v> {
    Digits(&'v [u8]),
    Number(f64),
    Text,
}

impl Field {
    /// A field with the tests it needs worked out.
    pub(super) fn new(path: Vec<u8>, slot: usize, matchers: Vec<Matcher>) -> Self {
        let numbers = matchers.iter().any(|matcher| {
            matches!(matcher, Matcher::Number(_, Some(_)) | Matcher::Range { .. } | Matcher::NotNumbers(_))
        });
        let addresses =
            matchers.iter().any(|matcher| matches!(matcher, Matcher::Address(..) | Matcher::Cidr(..)));
        let absent = matchers.iter().any(|matcher| matches!(matcher, Matcher::Absent));
        Self { path, slot, matchers, numbers, addresses, absent }
    }

    /// Whether the field may be absent.
    pub(super) fn may_be_absent(&self) -> bool {
        self.absent
    }

    /// Whether a value satisfies one of the matchers.
    pub(super) fn accepts(&self, leaf: &Leaf<'_>) -> bool {
        let text = &*leaf.text;
        if self.addresses {
            let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
            if let Ok(digits) = digits(inner)
                && self.any(leaf, View::Digits(&digits))
            {
                return true;
            }
        }
        match self.numbers.then(|| comparable(text)).flatten() {
            Some(number) => self.any(leaf, View::Number(number)),
            None => self.any(leaf, View::Text),
        }
    }

    fn any(&self, leaf: &Leaf<'_>, view: View<'_>) -> bool {
        self.matchers.iter().any(|matcher| matcher.accepts(leaf, view))
    }
}

impl Matcher {
    fn accepts(&self, leaf: &Leaf<'_>, view: View<'_>) -> bool {
        // Seen as digits or as a number, a value has no text left to compare.
        let text = if let View::Text = view { Some(&*leaf.text) } else { None };
        let number = if let View::Number(number) = view { Some(number) } else { None };
        // A number that is a text of digits can be taken for an address: a quirk of the engine, kept.
        let digits = match view {
            View::Digits(digits) => Some(digits),
            View::Text => Some(leaf.text.as_bytes()),
            View::Number(_) => None,
        };
        match self {
            Self::Exact(expected) => text.is_some_and(|text| match &leaf.exact {
                Some(exact) => *exact == expected.exact,
                None => text.as_bytes() == expected.exact,
            }),
            Self::Number(spelling, value) => match view {
                View::Number(number) => *value == Some(number),
                View::Text => leaf.text == spelling.as_str(),
                View::Digits(digits) => digits == spelling.as_bytes(),
            },
            Self::Range { low, high, .. } => number.is_some_and(|number| {
                let above = number > low.0 || (number >= low.0 && !low.1);
                above && (number < high.0 || (number <= high.0 && !high.1))
            }),
            Self::Address(range, _) | Self::Cidr(range, _) => {
                digits.is_some_and(|digits| range.contains(digits))
            }
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
            Self::PrefixFolded(folded, _) => text.is_some_and(|text| folded.starts(text)),
            Self::SuffixFolded(folded, _) => text.is_some_and(|text| folded.ends(text)),
            Self::Folded(folded, _) => text.is_some_and(|text| folded.equals(text)),
            Self::Wildcard(wildcard, _) => text.is_some_and(|text| wildcard.matches(text)),
            Self::Exists => true,
            Self::Absent => false,
            Self::NotStrings(list) => !text.is_some_and(|text| list.iter().any(|s| s == text)),
            Self::NotNumbers(list) => {
                !number.is_some_and(|number| list.iter().any(|(_, n)| n.total_cmp(&number).is_eq()))
            }
            Self::NotPrefixes(list) => {
                !text.is_some_and(|text| list.iter().any(|s| text.starts_with(s.as_str())))
            }
            Self::NotSuffixes(list) => {
                !text.is_some_and(|text| list.iter().any(|s| text.ends_with(s.as_str())))
            }
            Self::NotFolded(list) => {
                !text.is_some_and(|text| list.iter().any(|(folded, _)| folded.equals(text)))
            }
            Self::NotWildcards(list) => !text.is_some_and(|text| list.iter().any(|(w, _)| w.matches(text))),
        }
    }

    /// The wildcards in here, for the complexity guard.
    pub(super) fn wildcards(&self) -> Vec<&Wildcard> {
        match self {
            Self::Wildcard(wildcard, _) => vec![wildcard],
            Self::NotWildcards(list) => list.iter().map(|(wildcard, _)| wildcard).collect(),
            _ => Vec::new(),
        }
    }

    /// The matcher in words, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Exact(text) => text.text.clone(),
            Self::Address(_, text) => format!("\"{text}\""),
            Self::Number(spelling, _) => spelling.clone(),
            Self::Range { words, .. } => format!("a number {words}"),
            Self::Prefix(text) => format!("starting with {text}\""),
            Self::Suffix(text) => format!("ending with \"{text}"),
            Self::PrefixFolded(_, text) => format!("starting, in any case, with \"{text}\""),
            Self::SuffixFolded(_, text) => format!("ending, in any case, with \"{text}\""),
            Self::Folded(_, text) => format!("\"{text}\" in any case"),
            Self::Wildcard(_, text) => format!("like \"{text}\""),
            Self::Cidr(_, text) => format!("an address in {text}"),
            Self::Exists => "present".to_owned(),
            Self::Absent => "absent".to_owned(),
            Self::NotStrings(list) => {
                format!("anything but {}", join(list.iter().map(String::as_str), "", ""))
            }
            Self::NotNumbers(list) => {
                format!("anything but {}", join(list.iter().map(|(s, _)| s.as_str()), "", ""))
            }
            Self::NotPrefixes(list) => {
                format!("anything but starting with {}", join(list.iter().map(String::as_str), "", "\""))
            }
            Self::NotSuffixes(list) => {
                format!("anything but ending with {}", join(list.iter().map(String::as_str), "\"", ""))
            }
            Self::NotFolded(list) => {
                format!(
                    "anything but, in any case, {}",
                    join(list.iter().map(|(_, s)| s.as_str()), "\"", "\"")
                )
            }
            Self::NotWildcards(list) => {
                format!("anything but like {}", join(list.iter().map(|(_, s)| s.as_str()), "\"", "\""))
            }
        }
    }
}

fn join<'a>(items: impl Iterator<Item = &'a str>, before: &str, after: &str) -> String {
    let mut out = String::new();
    for (i, item) in items.enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(out, "{separator}{before}{item}{after}");
    }
    out
}
