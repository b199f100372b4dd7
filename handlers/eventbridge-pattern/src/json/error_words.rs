//! Jackson's words for characters and places in a text.

use std::fmt::Write as _;

/// The most UTF-16 units of the source that a location repeats
/// (`ErrorReportConfiguration.DEFAULT_MAX_RAW_CONTENT_LENGTH`).
const MAX_SOURCE_EXCERPT_UNITS: usize = 500;
/// Jackson reads a text with more UTF-16 units than this through a `StringReader`, and its locations no longer repeat the source.
const MAX_IN_MEMORY_UNITS: usize = 0x8000;

/// Describes one UTF-16 unit: `'x' (code 120)`, `(CTRL-CHAR, code 1)`.
pub(super) fn describe_unit(unit: u32) -> String {
    if unit < 0x20 || (0x7f..0xa0).contains(&unit) {
        return format!("(CTRL-CHAR, code {unit})");
    }
    // Half of a surrogate pair is no character, and Java prints a question mark for it.
    let shown = char::from_u32(unit).unwrap_or('?');
    if unit > 255 {
        format!("'{shown}' (code {unit} / 0x{unit:x})")
    } else {
        format!("'{shown}' (code {unit})")
    }
}

/// Whether a unit can start a Java identifier (`Character.isJavaIdentifierStart`), near enough for the words of an error.
pub(super) fn starts_identifier(unit: u32) -> bool {
    let Some(c) = char::from_u32(unit) else { return false };
    c.is_alphabetic()
        || matches!(c, '_' | '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20c0}' | '\u{203f}' | '\u{2040}')
}

/// Whether a unit can go on a Java identifier (`Character.isJavaIdentifierPart`), near enough for the words of an error.
pub(super) fn continues_identifier(unit: u32) -> bool {
    let is_ignorable = matches!(unit, 0..=8 | 0xe..=0x1b | 0x7f..=0x9f | 0xad | 0x300..=0x36f | 0x200b..=0x200f)
        || matches!(unit, 0x202a..=0x202e | 0x2060..=0x2064 | 0xfeff);
    starts_identifier(unit) || is_ignorable || char::from_u32(unit).is_some_and(char::is_numeric)
}

/// Describes a byte offset as Jackson's `JsonLocation`: an excerpt of the source, and the line and column, both counted from 1.
pub(super) fn describe_location(source: &str, offset: usize) -> String {
    let (line, column) = line_and_column(source, offset);
    format!("[Source: {}; line: {line}, column: {column}]", describe_source(source))
}

fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let bytes = before.as_bytes();
    let mut line = 1;
    let mut line_start = 0;
    for (index, byte) in bytes.iter().enumerate() {
        // `\r\n` is one end of a line, `\r` alone is one, too.
        let ends_line = *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
        if ends_line {
            line += 1;
            line_start = index + 1;
        }
    }
    (line, utf16_length(&before[line_start..]) + 1)
}

fn describe_source(source: &str) -> String {
    let length = utf16_length(source);
    if length > MAX_IN_MEMORY_UNITS {
        return "(StringReader)".to_owned();
    }
    let mut words = "(String)\"".to_owned();
    let mut taken = 0;
    for c in source.chars() {
        taken += c.len_utf16();
        if taken > MAX_SOURCE_EXCERPT_UNITS {
            break;
        }
        if c.is_control() && c != '\r' && c != '\n' {
            // Writing to a String cannot fail.
            let _ = write!(words, "\\u{:04X}", u32::from(c));
        } else {
            words.push(c);
        }
    }
    words.push('"');
    if length > MAX_SOURCE_EXCERPT_UNITS {
        let _ = write!(words, "[truncated {} chars]", length - MAX_SOURCE_EXCERPT_UNITS);
    }
    words
}

/// The length of a text as Java counts it.
pub(super) fn utf16_length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_described_as_by_jackson() {
        assert_eq!(describe_unit(0x7d), "'}' (code 125)");
        assert_eq!(describe_unit(1), "(CTRL-CHAR, code 1)");
        assert_eq!(describe_unit(0xfeff), "'\u{feff}' (code 65279 / 0xfeff)");
        assert_eq!(describe_unit(0xd83d), "'?' (code 55357 / 0xd83d)");
    }

    #[test]
    fn a_location_is_a_line_and_a_utf16_column() {
        assert_eq!(describe_location("{", 0), "[Source: (String)\"{\"; line: 1, column: 1]");
        assert_eq!(line_and_column("a\r\nb\n\u{1f600}x", 9), (3, 3));
        assert_eq!(line_and_column("a\rb", 3), (2, 2));
    }

    #[test]
    fn a_location_repeats_a_bounded_part_of_the_source() {
        let long = "x".repeat(501);
        assert!(describe_location(&long, 0).ends_with("x\"[truncated 1 chars]; line: 1, column: 1]"));
        let longer = "x".repeat(40_000);
        assert_eq!(describe_location(&longer, 0), "[Source: (StringReader); line: 1, column: 1]");
    }
}
