//! The tokens of a pattern.

use crate::error::PatternError;
use crate::json::{JsonReader, JsonText, JsonToken};
use crate::value_matcher::QuotedText;
use crate::wildcard::Wildcard;

/// Reads a pattern token by token, and words the refusal where it stands.
pub(super) struct PatternReader<'a> {
    tokens: JsonReader<'a>,
}

impl<'a> PatternReader<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { tokens: JsonReader::new(pattern) }
    }

    pub(super) fn next_token(&mut self) -> Result<JsonToken, PatternError> {
        Ok(self.tokens.next_token()?)
    }

    /// The name that came with the last [`JsonToken::FieldName`].
    pub(super) fn field_name(&self) -> JsonText<'a> {
        self.tokens.field_name()
    }

    /// The last number or word, as it is spelled.
    pub(super) fn spelling(&self) -> &'a str {
        self.tokens.spelling()
    }

    /// The offset behind everything that has been read.
    pub(super) fn offset(&self) -> usize {
        self.tokens.offset()
    }

    /// The text of the last string as Java encodes it: a lone surrogate is a question mark.
    pub(super) fn string(&mut self) -> Result<String, PatternError> {
        Ok(self.tokens.string_text()?.decode_lossy('?'))
    }

    /// The text of the last string with its quotes.
    pub(super) fn quoted_string(&mut self) -> Result<QuotedText, PatternError> {
        let text = self.tokens.string_text()?;
        let mut bytes = vec![b'"'];
        text.decode_into(&mut bytes);
        bytes.push(b'"');
        Ok(QuotedText { text: format!("\"{}\"", text.decode_lossy('?')), bytes })
    }

    /// Parses the text of a wildcard. The engine counts the places of faults from the opening quote.
    pub(super) fn parse_wildcard(&self, text: &str) -> Result<Wildcard, PatternError> {
        match format!("\"{text}\"").parse() {
            Ok(wildcard) => Ok(wildcard),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    /// Refuses the pattern at the place where reading is.
    pub(super) fn refuse<T>(&self, message: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError::new(self.offset(), message))
    }

    /// Reads a token that must be the given one, or refuses the pattern with a message.
    pub(super) fn expect_token(&mut self, token: JsonToken, message: &str) -> Result<(), PatternError> {
        if self.next_token()? == token { Ok(()) } else { self.refuse(message) }
    }
}
