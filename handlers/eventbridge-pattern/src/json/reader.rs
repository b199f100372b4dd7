//! The pull parser: one token at a time, lazy where Jackson is lazy.

use super::error::JsonError;
use super::text::JsonText;

/// The deepest nesting that Jackson reads (`StreamReadConstraints.getMaxNestingDepth`).
const MAX_NESTING_DEPTH: usize = 1000;

/// One step through a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonToken {
    /// `{`
    StartObject,
    /// `}`
    EndObject,
    /// `[`
    StartArray,
    /// `]`
    EndArray,
    /// The name of a field; [`JsonReader::field_name`] gives it.
    FieldName,
    /// A string; [`JsonReader::string_text`] reads it.
    String,
    /// A number; [`JsonReader::spelling`] gives it.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// The end of the text. Comes only between values at the root: inside a value the end is an error.
    End,
}

/// Reads a JSON text token by token.
///
/// ```
/// use eventbridge_pattern::json::{JsonReader, JsonToken};
///
/// let mut reader = JsonReader::new(r#"{"retries": 3e0}"#);
/// assert_eq!(reader.next_token()?, JsonToken::StartObject);
/// assert_eq!(reader.next_token()?, JsonToken::FieldName);
/// assert_eq!(reader.field_name().raw(), "retries");
/// assert_eq!(reader.next_token()?, JsonToken::Number);
/// assert_eq!(reader.spelling(), "3e0");
/// # Ok::<(), eventbridge_pattern::json::JsonError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsonReader<'a> {
    source: &'a str,
    /// The offset of the next byte to read.
    pub(super) position: usize,
    open: Vec<OpenBracket>,
    field_name: JsonText<'a>,
    /// The token of the value behind the field name that was given out last. Jackson looks at the value when it reads the name.
    value_after_name: Option<JsonToken>,
    /// Whether the string token that was given out last is still unread. As in Jackson, its faults come to light only when its
    /// text, or the next token, is asked for.
    has_unread_string: bool,
    /// Where the spelling of the last value starts and ends.
    span: (usize, usize),
}

/// An object or array that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenBracket {
    pub(super) is_array: bool,
    has_entries: bool,
    pub(super) start: usize,
}

impl<'a> JsonReader<'a> {
    /// A reader that stands before the first token.
    pub fn new(source: &'a str) -> Self {
        Self {
            source,
            position: 0,
            open: Vec::new(),
            field_name: JsonText::EMPTY,
            value_after_name: None,
            has_unread_string: false,
            span: (0, 0),
        }
    }

    /// A reader of bytes, which must be UTF-8.
    ///
    /// # Errors
    /// At the first byte that is not UTF-8.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, JsonError> {
        match std::str::from_utf8(bytes) {
            Ok(source) => Ok(Self::new(source)),
            Err(error) => {
                let offset = error.valid_up_to();
                let byte = bytes.get(offset).copied().unwrap_or(0);
                Err(JsonError::new(offset, "invalid UTF-8", format!("Invalid UTF-8 byte 0x{byte:02x}")))
            }
        }
    }

    /// Reads the next token; [`JsonToken::End`] after the last value.
    ///
    /// # Errors
    /// The text stops being JSON before the next token is whole.
    pub fn next_token(&mut self) -> Result<JsonToken, JsonError> {
        // 1. The value of the field whose name was given out last.
        if let Some(token) = self.value_after_name.take() {
            return self.enter(token);
        }
        if self.has_unread_string {
            self.string_text()?;
        }
        // 2. The end of the text.
        let Some(mut byte) = self.next_byte()? else {
            let Some(open) = self.open.last() else { return Ok(JsonToken::End) };
            return Err(self.unclosed(*open));
        };
        // 3. A closing bracket.
        if byte == b'}' || byte == b']' {
            return self.close(byte);
        }
        // 4. A value at the root.
        let Some(open) = self.open.last_mut() else {
            let token = self.value(byte)?;
            return self.enter(token);
        };
        let is_array = open.is_array;
        if std::mem::replace(&mut open.has_entries, true) {
            byte = self.after_comma(byte, is_array)?;
        }
        // 5. An entry of an array.
        if is_array {
            let token = self.value(byte)?;
            return self.enter(token);
        }
        // 6. The name of a field.
        if byte != b'"' {
            self.position -= 1;
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.field_name = self.scan_name()?;
        let byte = self.after_colon()?;
        self.value_after_name = Some(self.value(byte)?);
        Ok(JsonToken::FieldName)
    }

    /// Goes past the value whose first token was just given out: up to and with its closing bracket if it is an object or array.
    ///
    /// # Errors
    /// As [`JsonReader::next_token`].
    pub fn skip_value(&mut self, first: JsonToken) -> Result<(), JsonError> {
        if !matches!(first, JsonToken::StartObject | JsonToken::StartArray) {
            return Ok(());
        }
        let depth_outside = self.open.len() - 1;
        while self.open.len() > depth_outside {
            self.next_token()?;
        }
        Ok(())
    }

    /// The name that came with the last [`JsonToken::FieldName`].
    pub fn field_name(&self) -> JsonText<'a> {
        self.field_name
    }

    /// Reads the text of the last [`JsonToken::String`].
    ///
    /// # Errors
    /// The string has no end, an unknown escape, or a control character that is not escaped.
    #[inline]
    pub fn string_text(&mut self) -> Result<JsonText<'a>, JsonError> {
        let (start, end) = self.span;
        if self.has_unread_string {
            self.has_unread_string = false;
            let text = self.scan_string()?;
            self.span = (start, self.position);
            return Ok(text);
        }
        let raw = self.source.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
        Ok(JsonText::new(raw, raw.contains('\\')))
    }

    /// The last value as it is spelled: a number, a word, or a string with its quotes (once [`JsonReader::string_text`] has read
    /// it).
    pub fn spelling(&self) -> &'a str {
        self.source.get(self.span.0..self.span.1).unwrap_or_default()
    }

    /// The offset in bytes behind everything that has been read.
    pub fn offset(&self) -> usize {
        self.position
    }

    pub(super) fn source(&self) -> &'a str {
        self.source
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.source.as_bytes()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes().get(self.position).copied()
    }

    pub(super) fn is_at_root(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn set_span_from(&mut self, start: usize) {
        self.span = (start, self.position);
    }

    /// Takes the next byte that is not white space.
    #[inline]
    fn next_byte(&mut self) -> Result<Option<u8>, JsonError> {
        match self.peek() {
            // Nearly always: neither white space nor a control character nor a comment.
            Some(byte) if byte > b' ' && byte != b'/' => {
                self.position += 1;
                Ok(Some(byte))
            }
            _ => self.next_byte_after_space(),
        }
    }

    fn next_byte_after_space(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            let Some(byte) = self.peek() else { return Ok(None) };
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => {}
                b'/' => return Err(self.comment()),
                0..0x20 => return Err(self.control_character(byte)),
                _ => {
                    self.position += 1;
                    return Ok(Some(byte));
                }
            }
            self.position += 1;
        }
    }

    #[inline]
    fn after_comma(&mut self, byte: u8, is_array: bool) -> Result<u8, JsonError> {
        let kind = if is_array { "Array" } else { "Object" };
        if byte != b',' {
            self.position -= 1;
            return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
        }
        match self.next_byte()? {
            Some(byte) => Ok(byte),
            None => Err(self.end_within_entries(kind)),
        }
    }

    #[inline]
    fn after_colon(&mut self) -> Result<u8, JsonError> {
        match self.next_byte()? {
            Some(b':') => {}
            Some(_) => {
                self.position -= 1;
                return Err(self.unexpected("was expecting a colon to separate field name and value"));
            }
            None => return Err(self.end_within_entries("Object")),
        }
        match self.next_byte()? {
            Some(byte) => Ok(byte),
            None => Err(self.end_within_entries("Object")),
        }
    }

    /// Recognises a value by its first byte, which has been taken.
    #[inline]
    fn value(&mut self, byte: u8) -> Result<JsonToken, JsonError> {
        match byte {
            b'"' => {
                self.has_unread_string = true;
                self.set_span_from(self.position - 1);
                Ok(JsonToken::String)
            }
            b'{' | b'[' => {
                self.set_span_from(self.position - 1);
                Ok(if byte == b'{' { JsonToken::StartObject } else { JsonToken::StartArray })
            }
            b'}' => {
                self.position -= 1;
                Err(self.unexpected("expected a value"))
            }
            b't' => self.scan_literal("true", JsonToken::True),
            b'f' => self.scan_literal("false", JsonToken::False),
            b'n' => self.scan_literal("null", JsonToken::Null),
            b'-' | b'0'..=b'9' => self.scan_number(byte),
            _ => Err(self.no_value(byte)),
        }
    }

    #[inline]
    fn enter(&mut self, token: JsonToken) -> Result<JsonToken, JsonError> {
        if matches!(token, JsonToken::StartObject | JsonToken::StartArray) {
            let is_array = token == JsonToken::StartArray;
            self.open.push(OpenBracket { is_array, has_entries: false, start: self.span.0 });
            if self.open.len() > MAX_NESTING_DEPTH {
                return Err(self.nested_too_deeply(self.open.len(), MAX_NESTING_DEPTH));
            }
        }
        Ok(token)
    }

    fn close(&mut self, byte: u8) -> Result<JsonToken, JsonError> {
        let closes_array = byte == b']';
        match self.open.last() {
            Some(open) if open.is_array == closes_array => {
                self.open.pop();
                self.set_span_from(self.position - 1);
                Ok(if closes_array { JsonToken::EndArray } else { JsonToken::EndObject })
            }
            open => Err(self.mismatched_bracket(byte, open.copied())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(mut reader) = JsonReader::from_bytes(&bytes) {
                while let Ok(token) = reader.next_token() {
                    if token == JsonToken::End {
                        break;
                    }
                }
            }
        }
    }
}
