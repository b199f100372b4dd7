//! Texts in which `*` stands for anything.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A text in which `*` stands for any text, the empty one included. `\*` and `\\` stand for a star and a backslash.
///
/// This is the language of the operator `wildcard`, for code that wants to compare other texts in the same way:
///
/// ```
/// use eventbridge_pattern::Wildcard;
///
/// let production: Wildcard = "prod/*/password".parse()?;
/// assert!(production.matches("prod/shop/password"));
/// assert!(!production.matches("stage/shop/password"));
/// # Ok::<(), eventbridge_pattern::WildcardError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    /// The literal texts between the stars, one more than there are stars.
    literals: Vec<String>,
}

impl Wildcard {
    /// Whether the whole value matches.
    ///
    /// Takes time linear in the length of the value for each literal. The first and the last literal are fixed to the ends; for
    /// the ones between them the first place is always good enough, because it leaves the most text for those behind it.
    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = &self.literals[..] else {
            // Without a star there is one literal.
            return self.literals.first().is_some_and(|only| only == value);
        };
        let Some(rest) = value.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for literal in middle {
            match rest.find(literal.as_str()) {
                Some(at) => rest = &rest[at + literal.len()..],
                None => return false,
            }
        }
        true
    }

    /// The literal texts between the stars.
    pub(crate) fn literals(&self) -> &[String] {
        &self.literals
    }
}

impl FromStr for Wildcard {
    type Err = WildcardError;

    fn from_str(text: &str) -> Result<Self, WildcardError> {
        let mut literals = Vec::new();
        let mut literal = String::new();
        let mut chars = text.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let next = chars.peek().copied();
            match (c, next) {
                ('*', Some((_, '*'))) => return Err(WildcardError::ConsecutiveStars { offset }),
                ('*', _) => literals.push(std::mem::take(&mut literal)),
                ('\\', Some((_, escaped @ ('*' | '\\')))) => {
                    literal.push(escaped);
                    chars.next();
                }
                ('\\', _) => return Err(WildcardError::InvalidEscape { offset }),
                _ => literal.push(c),
            }
        }
        literals.push(literal);
        Ok(Self { literals })
    }
}

/// A text that is not a wildcard. `Display` gives AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WildcardError {
    /// Two stars stand side by side.
    ConsecutiveStars {
        /// The offset of the first star in bytes.
        offset: usize,
    },
    /// A backslash stands before something other than a star or a backslash.
    InvalidEscape {
        /// The offset of the backslash in bytes.
        offset: usize,
    },
}

impl fmt::Display for WildcardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveStars { offset } => write!(f, "Consecutive wildcard characters at pos {offset}"),
            Self::InvalidEscape { offset } => write!(f, "Invalid escape character at pos {offset}"),
        }
    }
}

impl Error for WildcardError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        pattern.parse::<Wildcard>().unwrap().matches(value)
    }

    fn refusal(pattern: &str) -> String {
        pattern.parse::<Wildcard>().unwrap_err().to_string()
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("a*b", "ab") && matches("a*b", "abb") && !matches("a*b", "abx"));
        assert!(!matches("a*a", "a"), "the ends do not overlap");
        assert!(matches("*", "") && matches("*x*y*", "zxzyz"));
        assert!(!matches("*x*y*z", "zyx") && !matches("", "x") && matches("", ""));
        assert!(matches("caf*é", "caféé") && matches("*語*", "語"));
    }

    #[test]
    fn an_escape_stands_for_itself() {
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(matches(r"a\\*b", r"a\xb") && matches(r"*\**", "x*y"));
    }

    #[test]
    fn faults_are_named_in_aws_words_with_their_place() {
        assert_eq!(refusal("\"***\""), "Consecutive wildcard characters at pos 1");
        assert_eq!(refusal("\"é**\""), "Consecutive wildcard characters at pos 3");
        assert_eq!(refusal(r#""a\x""#), "Invalid escape character at pos 2");
        assert_eq!(refusal(r#""a\""#), "Invalid escape character at pos 2");
    }

    /// The definition, by trying everything that a star can stand for.
    fn matches_by_definition(pattern: &[u8], value: &[u8]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some((b'*', rest)) => (0..=value.len()).any(|taken| matches_by_definition(rest, &value[taken..])),
            Some((c, rest)) => value.first() == Some(c) && matches_by_definition(rest, &value[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "[ab*]{0,8}", value in "[ab]{0,10}") {
            if let Ok(wildcard) = pattern.parse::<Wildcard>() {
                prop_assert_eq!(
                    wildcard.matches(&value),
                    matches_by_definition(pattern.as_bytes(), value.as_bytes())
                );
            }
        }
    }
}
