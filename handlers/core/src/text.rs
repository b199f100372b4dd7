//! Text that came from outside, and the only ways by which it may reach a person.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A string that an attacker may have chosen: a secret's name, a session name, a user agent, an error text.
///
/// It has no `Display`: a person sees it through [`Untrusted::show`] only. It serialises as it is, because JSON
/// output goes through [`to_json_line`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Wraps a string from outside.
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The string as it came: to compare it, hash it or hand it to an API. Never to print it.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether the string is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most `max_chars` characters (at least 1) that are safe in a subject, a body, a log, the text of HTML and a
    /// terminal.
    ///
    /// Letters and digits of any script, the space and ASCII punctuation pass, except `<`, `>` and the backslash;
    /// everything else (controls, line breaks, bidirectional and invisible marks) becomes `\u{hex}`. `://` becomes
    /// `[:]//`, so that no program makes a link of it. Where text is cut off, `...` stands in its place.
    pub fn show(&self, max_chars: usize) -> String {
        escape_for_display(&self.0, max_chars)
    }
}

/// The mark in place of text that is cut off.
const CUT_MARK: &str = "...";

fn escape_for_display(raw: &str, max_chars: usize) -> String {
    let max_chars = max_chars.max(1);
    let mut shown = String::new();
    let mut shown_chars = 0;
    // Where to cut, should the rest not fit: the last position that leaves room for the mark.
    let mut cut_at = 0;
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let (piece, taken_bytes) = if rest.starts_with("://") {
            ("[:]//".to_owned(), 3)
        } else if is_shown_as_it_is(c) {
            (c.to_string(), c.len_utf8())
        } else {
            (format!("\\u{{{:x}}}", u32::from(c)), c.len_utf8())
        };
        shown_chars += piece.chars().count();
        if shown_chars > max_chars {
            shown.truncate(cut_at);
            shown.extend(CUT_MARK.chars().take(max_chars));
            return shown;
        }
        shown.push_str(&piece);
        if shown_chars + CUT_MARK.len() <= max_chars {
            cut_at = shown.len();
        }
        rest = rest.get(taken_bytes..).unwrap_or_default();
    }
    shown
}

fn is_shown_as_it_is(c: char) -> bool {
    match c {
        '<' | '>' | '\\' => false,
        ' '..='~' => true,
        _ => c.is_alphanumeric(),
    }
}

/// One line of JSON without the newline. Characters that a terminal or an editor could act on (C1 controls,
/// bidirectional and invisible marks, line separators) are written as `\uXXXX`: the same JSON value, harmless to print.
///
/// # Errors
/// When the value cannot be serialised (a map with keys that are not strings).
pub fn to_json_line<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    if json.is_ascii() {
        return Ok(json.replace('\u{7f}', "\\u007f"));
    }
    let mut line = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' || c.is_alphanumeric() {
            line.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing to a string cannot fail.
            let _ = write!(line, "\\u{unit:04x}");
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_pass_unchanged() {
        for name in ["prod/billing/db", "rds!cluster-1a2b", "aws-cli/2.15 md/Botocore#1.34", "Zoë"] {
            assert_eq!(Untrusted::new(name).show(99), name);
        }
    }

    #[test]
    fn line_breaks_markup_and_direction_marks_become_visible() {
        let shown = Untrusted::new("a\r\nSubject: x<b>\u{202e}\u{9b}31m\u{200b}").show(200);
        assert_eq!(shown, "a\\u{d}\\u{a}Subject: x\\u{3c}b\\u{3e}\\u{202e}\\u{9b}31m\\u{200b}");
    }

    #[test]
    fn links_are_defanged_and_length_is_bounded() {
        assert_eq!(Untrusted::new("https://evil.example").show(99), "https[:]//evil.example");
        assert_eq!(Untrusted::new("x".repeat(10_000)).show(10), "xxxxxxx...");
        assert_eq!(Untrusted::new("exactly10c").show(10), "exactly10c");
    }

    proptest! {
        #[test]
        fn shown_text_is_harmless_and_bounded(raw in any::<String>(), max in 1usize..200) {
            let shown = Untrusted::new(raw).show(max);
            prop_assert!(shown.chars().count() <= max);
            prop_assert!(!shown.contains("://") && !shown.contains('<') && !shown.contains('>'));
            prop_assert!(shown.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric()));
        }

        #[test]
        fn a_json_line_is_one_harmless_line_with_the_same_value(raw in any::<String>()) {
            let line = to_json_line(&raw).unwrap();
            prop_assert!(line.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric()));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), raw);
        }
    }
}
