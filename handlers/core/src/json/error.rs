//! Why a text is not JSON, in Jackson's words.

use std::fmt::Write as _;

/// Longest piece of the source that a location repeats: Jackson's `ErrorReportConfiguration.DEFAULT_MAX_RAW_CONTENT_LENGTH`.
const MAX_SNIPPET: usize = 500;
/// Above this many UTF-16 units Jackson reads through a `StringReader`, and its locations no longer repeat the source.
const MAX_IN_MEMORY: usize = 0x8000;

/// A text that is not JSON: where, and Jackson's description.
///
/// The message may repeat parts of the text. Where that must not happen (logs of events), use [`JsonError::kind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (byte {offset})")]
pub struct JsonError {
    /// Offset in bytes of the place where reading stopped.
    pub offset: usize,
    /// What is wrong, in Jackson's words.
    pub message: String,
    kind: &'static str,
}

impl JsonError {
    /// An error at a byte offset, with a description that repeats nothing of the text (`kind`) and one that may (`message`).
    pub(crate) fn new(offset: usize, kind: &'static str, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), kind }
    }

    /// What is wrong in a few fixed words, without any part of the text: safe to log.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// Describes one UTF-16 unit as Jackson does: `'x' (code 120)`, `(CTRL-CHAR, code 1)`.
pub(super) fn describe_unit(unit: u32) -> String {
    if unit < 0x20 || (0x7f..0xa0).contains(&unit) {
        return format!("(CTRL-CHAR, code {unit})");
    }
    // A lone half of a surrogate pair has no character of its own; Java prints a question mark.
    let shown = char::from_u32(unit).unwrap_or('?');
    if unit > 255 {
        format!("'{shown}' (code {unit} / 0x{unit:x})")
    } else {
        format!("'{shown}' (code {unit})")
    }
}

/// Java's `Character.isJavaIdentifierStart`, near enough for the words of an error message.
pub(super) fn starts_identifier(unit: u32) -> bool {
    char::from_u32(unit).is_some_and(|c| {
        c.is_alphabetic() || matches!(c, '_' | '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20c0}' | '\u{203f}' | '\u{2040}')
    })
}

/// Java's `Character.isJavaIdentifierPart`, near enough for the words of an error message.
pub(super) fn continues_identifier(unit: u32) -> bool {
    starts_identifier(unit)
        || matches!(unit, 0..=8 | 0xe..=0x1b | 0x7f..=0x9f | 0xad | 0x300..=0x36f | 0x200b..=0x200f | 0x202a..=0x202e)
        || matches!(unit, 0x2060..=0x2064 | 0xfeff)
        || char::from_u32(unit).is_some_and(char::is_numeric)
}

/// Jackson's `JsonLocation` of a byte offset: the source (cut at 500 characters), line and column, both from 1.
pub(super) fn location(source: &str, offset: usize) -> String {
    let (line, column) = line_and_column(source, offset);
    format!("[Source: {}; line: {line}, column: {column}]", describe_source(source))
}

fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let bytes = before.as_bytes();
    let ends = |i: usize| bytes[i] == b'\n' || (bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
    let lines = (0..bytes.len()).filter(|&i| ends(i)).count();
    let start = (0..bytes.len()).rev().find(|&i| ends(i)).map_or(0, |i| i + 1);
    (lines + 1, before.get(start..).map_or(0, utf16_len) + 1)
}

fn describe_source(source: &str) -> String {
    let units = utf16_len(source);
    if units > MAX_IN_MEMORY {
        return "(StringReader)".to_owned();
    }
    let mut out = "(String)\"".to_owned();
    let mut taken = 0;
    for c in source.chars() {
        taken += c.len_utf16();
        if taken > MAX_SNIPPET {
            break;
        }
        if c.is_control() && c != '\r' && c != '\n' {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out.push('"');
    if units > MAX_SNIPPET {
        let _ = write!(out, "[truncated {} chars]", units - MAX_SNIPPET);
    }
    out
}

fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_units() {
        assert_eq!(describe_unit(0x7d), "'}' (code 125)");
        assert_eq!(describe_unit(1), "(CTRL-CHAR, code 1)");
        assert_eq!(describe_unit(0xfeff), "'\u{feff}' (code 65279 / 0xfeff)");
        assert_eq!(describe_unit(0xd83d), "'?' (code 55357 / 0xd83d)");
    }

    #[test]
    fn locates_by_line_and_utf16_column() {
        assert_eq!(location("{", 0), "[Source: (String)\"{\"; line: 1, column: 1]");
        assert_eq!(line_and_column("a\r\nb\n\u{1f600}x", 9), (3, 3));
        let long = "x".repeat(501);
        assert!(location(&long, 0).ends_with("x\"[truncated 1 chars]; line: 1, column: 1]"));
        assert_eq!(location(&"x".repeat(40_000), 0), "[Source: (StringReader); line: 1, column: 1]");
    }
}
