//! The pull parser: one token at a time, lazy where Jackson is lazy.

use super::error::{JsonError, describe_unit, location};
use super::strings::RawText;

/// Deepest nesting Jackson reads (`StreamReadConstraints.getMaxNestingDepth`).
const MAX_DEPTH: usize = 1000;

/// One step through a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{`
    StartObject,
    /// `}`
    EndObject,
    /// `[`
    StartArray,
    /// `]`
    EndArray,
    /// The name of a field; see [`Reader::name`].
    Field,
    /// A string; see [`Reader::string`].
    String,
    /// A number; see [`Reader::spelling`].
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// The text is over; only between values at the root.
    End,
}

/// Reads a JSON text token by token.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    source: &'a str,
    /// The next byte to read.
    pub(super) pos: usize,
    open: Vec<Open>,
    name: RawText<'a>,
    /// A name has been given out; its value was found right after the colon.
    after_name: Option<Token>,
    /// The string token given out last is still unread, as in Jackson: who does not ask for it hears of its faults later.
    unread_string: bool,
    span: (usize, usize),
}

#[derive(Clone, Copy, Debug)]
struct Open {
    array: bool,
    entries: bool,
    start: usize,
}

impl<'a> Reader<'a> {
    /// A reader before the first token.
    pub fn new(source: &'a str) -> Self {
        let name = RawText { raw: "", escaped: false };
        Self { source, pos: 0, open: Vec::new(), name, after_name: None, unread_string: false, span: (0, 0) }
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

    /// The next token; [`Token::End`] after the last value.
    ///
    /// # Errors
    /// The text stops being JSON before the next token is whole.
    pub fn next_token(&mut self) -> Result<Token, JsonError> {
        if let Some(token) = self.after_name.take() {
            return self.enter(token);
        }
        if self.unread_string {
            self.string()?;
        }
        let Some(mut byte) = self.next_byte()? else {
            let Some(open) = self.open.last() else { return Ok(Token::End) };
            let kind = if open.array { "Array" } else { "Object" };
            let place = location(self.source, open.start);
            let message = format!(
                "Unexpected end-of-input: expected close marker for {kind} (start marker at {place})"
            );
            return Err(self.error("unexpected end", message));
        };
        if byte == b'}' || byte == b']' {
            return self.close(byte);
        }
        let Some(open) = self.open.last_mut() else {
            let token = self.value(byte)?;
            return self.enter(token);
        };
        let array = open.array;
        if std::mem::replace(&mut open.entries, true) {
            byte = self.after_comma(byte, array)?;
        }
        if array {
            let token = self.value(byte)?;
            return self.enter(token);
        }
        if byte != b'"' {
            self.pos -= 1;
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.name = self.scan_name()?;
        let byte = self.after_colon()?;
        self.after_name = Some(self.value(byte)?);
        Ok(Token::Field)
    }

    /// Goes past the value whose first token was just given out: to its closing token if it is an object or an array.
    ///
    /// # Errors
    /// As [`Reader::next_token`].
    pub fn skip_value(&mut self, first: Token) -> Result<(), JsonError> {
        if !matches!(first, Token::StartObject | Token::StartArray) {
            return Ok(());
        }
        let depth = self.open.len() - 1;
        while self.open.len() > depth {
            self.next_token()?;
        }
        Ok(())
    }

    /// The name of the last [`Token::Field`].
    pub fn name(&self) -> RawText<'a> {
        self.name
    }

    /// The text of the last [`Token::String`].
    ///
    /// # Errors
    /// The string has no end, an unknown escape, or a raw control character.
    #[inline]
    pub fn string(&mut self) -> Result<RawText<'a>, JsonError> {
        let start = self.span.0;
        if self.unread_string {
            self.unread_string = false;
            let text = self.scan_string()?;
            self.span = (start, self.pos);
            return Ok(text);
        }
        let raw = self.source.get(start + 1..self.span.1.saturating_sub(1)).unwrap_or_default();
        Ok(RawText { raw, escaped: raw.contains('\\') })
    }

    /// The last value as it is spelled: a number, a word, or a string (once read) with its quotes.
    pub fn spelling(&self) -> &'a str {
        self.source.get(self.span.0..self.span.1).unwrap_or_default()
    }

    /// The byte offset behind what has been read.
    pub fn offset(&self) -> usize {
        self.pos
    }

    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.source.as_bytes()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes().get(self.pos).copied()
    }

    pub(super) fn at_root(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn set_span(&mut self, start: usize) {
        self.span = (start, self.pos);
    }

    /// The UTF-16 unit that starts at a byte offset, for error messages.
    pub(super) fn unit_at(&self, offset: usize) -> Option<u32> {
        let c = u32::from(self.source.get(offset..)?.chars().next()?);
        Some(if c > 0xffff { 0xd800 + ((c - 0x10000) >> 10) } else { c })
    }

    pub(super) fn error(&self, kind: &'static str, message: impl Into<String>) -> JsonError {
        JsonError::new(self.pos, kind, message)
    }

    /// The complaint about the character ahead.
    pub(super) fn unexpected(&self, reason: &str) -> JsonError {
        let unit = describe_unit(self.unit_at(self.pos).unwrap_or(0));
        self.error("unexpected character", format!("Unexpected character ({unit}): {reason}"))
    }

    /// The next byte that is not white space, which is then behind.
    #[inline]
    fn next_byte(&mut self) -> Result<Option<u8>, JsonError> {
        match self.peek() {
            // Nearly always: neither white space nor a control character nor a comment.
            Some(byte) if byte > b' ' && byte != b'/' => {
                self.pos += 1;
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
                b'/' => {
                    let reason = "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' \
                                  not enabled for parser)";
                    return Err(self.unexpected(reason));
                }
                0..0x20 => {
                    let unit = describe_unit(u32::from(byte));
                    let message = format!(
                        "Illegal character ({unit}): only regular white space (\\r, \\n, \\t) is allowed between tokens"
                    );
                    return Err(self.error("control character", message));
                }
                _ => {
                    self.pos += 1;
                    return Ok(Some(byte));
                }
            }
            self.pos += 1;
        }
    }

    #[inline]
    fn after_comma(&mut self, byte: u8, array: bool) -> Result<u8, JsonError> {
        let kind = if array { "Array" } else { "Object" };
        if byte != b',' {
            self.pos -= 1;
            return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
        }
        let end = |reader: &Self| {
            reader.error("unexpected end", format!("Unexpected end-of-input within/between {kind} entries"))
        };
        self.next_byte()?.ok_or_else(|| end(self))
    }

    #[inline]
    fn after_colon(&mut self) -> Result<u8, JsonError> {
        let end = |reader: &Self| {
            reader.error("unexpected end", "Unexpected end-of-input within/between Object entries")
        };
        if self.next_byte()?.ok_or_else(|| end(self))? != b':' {
            self.pos -= 1;
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.next_byte()?.ok_or_else(|| end(self))
    }

    /// Recognises a value by its first byte, which is behind.
    #[inline]
    fn value(&mut self, byte: u8) -> Result<Token, JsonError> {
        match byte {
            b'"' => {
                self.unread_string = true;
                self.span = (self.pos - 1, self.pos);
                Ok(Token::String)
            }
            b'{' | b'[' => {
                self.span = (self.pos - 1, self.pos);
                Ok(if byte == b'{' { Token::StartObject } else { Token::StartArray })
            }
            b'}' => {
                self.pos -= 1;
                Err(self.unexpected("expected a value"))
            }
            b't' => self.scan_literal("true", Token::True),
            b'f' => self.scan_literal("false", Token::False),
            b'n' => self.scan_literal("null", Token::Null),
            b'-' | b'0'..=b'9' => self.scan_number(byte),
            _ => Err(self.odd_value(byte)),
        }
    }

    #[inline]
    fn enter(&mut self, token: Token) -> Result<Token, JsonError> {
        if matches!(token, Token::StartObject | Token::StartArray) {
            self.open.push(Open { array: token == Token::StartArray, entries: false, start: self.span.0 });
            let depth = self.open.len();
            if depth > MAX_DEPTH {
                let message = format!(
                    "Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH}, from \
                     `StreamReadConstraints.getMaxNestingDepth()`)"
                );
                return Err(self.error("nested too deeply", message));
            }
        }
        Ok(token)
    }

    fn close(&mut self, byte: u8) -> Result<Token, JsonError> {
        let array = byte == b']';
        if self.open.last().is_some_and(|open| open.array == array) {
            self.open.pop();
            self.span = (self.pos - 1, self.pos);
            return Ok(if array { Token::EndArray } else { Token::EndObject });
        }
        let (kind, place) = match self.open.last() {
            // Jackson's root starts before the first column.
            None => ("root", location(self.source, 0).replace("line: 1, column: 1]", "line: 1, column: 0]")),
            Some(open) => (if open.array { "Array" } else { "Object" }, location(self.source, open.start)),
        };
        let expected = if array { '}' } else { ']' };
        let found = char::from(byte);
        let message = format!(
            "Unexpected close marker '{found}': expected '{expected}' (for {kind} starting at {place})"
        );
        self.pos -= 1;
        Err(self.error("mismatched close marker", message))
    }
}
