//! Texts with `*` for anything.

use std::str::FromStr;

/// A wildcard text: `*` stands for any text, `\*` and `\\` for themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    /// The texts between the stars.
    parts: Vec<String>,
}

impl Wildcard {
    /// Reads a wildcard text, given with its quotes (positions in messages count the first one).
    ///
    /// # Errors
    /// The engine's words for `**` and for other escapes.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let part = match (c, next) {
                ('*', Some('*')) => return Err(format!("Consecutive wildcard characters at pos {at}")),
                ('*', _) => {
                    parts.push(String::new());
                    continue;
                }
                ('\\', Some(literal @ ('*' | '\\'))) => {
                    chars.next();
                    literal
                }
                ('\\', _) => return Err(format!("Invalid escape character at pos {at}")),
                (c, _) => c,
            };
            if let Some(last) = parts.last_mut() {
                last.push(part);
            }
        }
        Ok(Self { parts })
    }

    /// Whether the whole value matches. Linear: between the fixed ends, the first place is always good enough.
    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = &self.parts[..] else {
            return self.parts.iter().all(|only| only == value);
        };
        let Some(rest) = value.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// The texts between the stars.
    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }
}

impl FromStr for Wildcard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Wildcard::new(pattern).unwrap().matches(value)
    }

    #[test]
    fn stars_and_escapes() {
        assert!(
            matches("a*b", "ab") && matches("a*b", "abb") && !matches("a*b", "abx") && !matches("a*a", "a")
        );
        assert!(
            matches("*", "") && matches("*x*y*", "zxzyz") && !matches("*x*y*z", "zyx") && !matches("", "x")
        );
        assert!(
            matches(r"a\*b", "a*b")
                && !matches(r"a\*b", "axb")
                && matches(r"a\\*b", r"a\xb")
                && matches(r"*\**", "x*y")
        );
        assert!(matches("caf*é", "caféé") && matches("*語*", "語"));
        assert_eq!(Wildcard::new("\"***\"").unwrap_err(), "Consecutive wildcard characters at pos 1");
        assert_eq!(Wildcard::new("\"é**\"").unwrap_err(), "Consecutive wildcard characters at pos 3");
        assert_eq!(Wildcard::new(r#""a\x""#).unwrap_err(), "Invalid escape character at pos 2");
        assert_eq!(Wildcard::new(r#""a\""#).unwrap_err(), "Invalid escape character at pos 2");
    }

    proptest! {
        #[test]
        fn agrees_with_backtracking(pattern in "[ab*]{0,8}", value in "[ab]{0,10}") {
            fn naive(pattern: &[u8], value: &[u8]) -> bool {
                match pattern.split_first() {
                    None => value.is_empty(),
                    Some((b'*', rest)) => (0..=value.len()).any(|i| naive(rest, &value[i..])),
                    Some((c, rest)) => value.split_first().is_some_and(|(v, tail)| v == c && naive(rest, tail)),
                }
            }
            if let Ok(wildcard) = Wildcard::new(&pattern) {
                prop_assert_eq!(wildcard.matches(&value), naive(pattern.as_bytes(), value.as_bytes()));
            }
        }
    }
}
