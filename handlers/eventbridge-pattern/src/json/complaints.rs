//! The complaints of the reader, in Jackson's words.

use super::error::JsonError;
use super::error_words::{describe_location, describe_unit};
use super::reader::{JsonReader, OpenBracket};

impl JsonReader<'_> {
    /// The UTF-16 unit that starts at a byte offset, for error messages.
    pub(super) fn unit_at(&self, offset: usize) -> Option<u32> {
        let code = u32::from(self.source().get(offset..)?.chars().next()?);
        // Beyond U+FFFF Java sees the first half of a surrogate pair.
        Some(if code > 0xffff { 0xd800 + ((code - 0x10000) >> 10) } else { code })
    }

    pub(super) fn error(&self, kind: &'static str, message: impl Into<String>) -> JsonError {
        JsonError::new(self.position, kind, message)
    }

    /// The complaint about the character ahead.
    pub(super) fn unexpected(&self, reason: &str) -> JsonError {
        let unit = describe_unit(self.unit_at(self.position).unwrap_or(0));
        self.error("unexpected character", format!("Unexpected character ({unit}): {reason}"))
    }

    #[cold]
    pub(super) fn unclosed(&self, open: OpenBracket) -> JsonError {
        let kind = if open.is_array { "Array" } else { "Object" };
        let place = describe_location(self.source(), open.start);
        let message =
            format!("Unexpected end-of-input: expected close marker for {kind} (start marker at {place})");
        self.error("unexpected end", message)
    }

    #[cold]
    pub(super) fn end_within_entries(&self, kind: &str) -> JsonError {
        self.error("unexpected end", format!("Unexpected end-of-input within/between {kind} entries"))
    }

    #[cold]
    pub(super) fn mismatched_bracket(&self, byte: u8, open: Option<OpenBracket>) -> JsonError {
        let (kind, place) = match open {
            // To Jackson the root starts before the first column.
            None => {
                let start = describe_location(self.source(), 0);
                ("root", start.replace("line: 1, column: 1]", "line: 1, column: 0]"))
            }
            Some(open) if open.is_array => ("Array", describe_location(self.source(), open.start)),
            Some(open) => ("Object", describe_location(self.source(), open.start)),
        };
        let found = char::from(byte);
        let expected = if byte == b']' { '}' } else { ']' };
        let message = format!(
            "Unexpected close marker '{found}': expected '{expected}' (for {kind} starting at {place})"
        );
        JsonError::new(self.position - 1, "mismatched close marker", message)
    }

    #[cold]
    pub(super) fn comment(&self) -> JsonError {
        self.unexpected(
            "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)",
        )
    }

    /// The complaint about a control character between tokens.
    #[cold]
    pub(super) fn control_character(&self, byte: u8) -> JsonError {
        let unit = describe_unit(u32::from(byte));
        let message = format!(
            "Illegal character ({unit}): only regular white space (\\r, \\n, \\t) is allowed between tokens"
        );
        self.error("control character", message)
    }

    #[cold]
    pub(super) fn nested_too_deeply(&self, depth: usize, limit: usize) -> JsonError {
        let message = format!(
            "Document nesting depth ({depth}) exceeds the maximum allowed ({limit}, from \
             `StreamReadConstraints.getMaxNestingDepth()`)"
        );
        self.error("nested too deeply", message)
    }
}
