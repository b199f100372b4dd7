//! Numbers, the words `true`, `false` and `null`, and what may be mistaken for either.

use super::error::JsonError;
use super::error_words::{continues_identifier, describe_unit, starts_identifier};
use super::reader::{JsonReader, JsonToken};

/// The most digits of a number that Jackson reads (`StreamReadConstraints.getMaxNumberLength`).
const MAX_NUMBER_DIGITS: usize = 1000;
/// The longest word that an error repeats, in bytes (`ErrorReportConfiguration.getMaxErrorTokenLength`).
const MAX_ERROR_WORD_LENGTH: usize = 256;
const EXPECTED_VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

impl JsonReader<'_> {
    /// Reads a number whose first character, a digit or a minus sign, has been taken.
    pub(super) fn scan_number(&mut self, first: u8) -> Result<JsonToken, JsonError> {
        let start = self.position - 1;
        if first == b'-' {
            self.scan_digit_after_minus()?;
        }
        if self.bytes()[self.position - 1] == b'0' && matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("leading zero", "Invalid numeric value: Leading zeroes not allowed"));
        }
        let digits = 1 + self.skip_digits() + self.scan_fraction()? + self.scan_exponent()?;
        let next_is_glued =
            matches!(self.peek(), Some(next) if !matches!(next, b' ' | b'\t' | b'\r' | b'\n'));
        if self.is_at_root() && next_is_glued {
            return Err(self.unexpected("Expected space separating root-level values"));
        }
        if digits > MAX_NUMBER_DIGITS {
            let message = format!(
                "Number value length ({digits}) exceeds the maximum allowed ({MAX_NUMBER_DIGITS}, from \
                 `StreamReadConstraints.getMaxNumberLength()`)"
            );
            return Err(self.error("number too long", message));
        }
        self.set_span_from(start);
        Ok(JsonToken::Number)
    }

    fn scan_digit_after_minus(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.position += 1;
                Ok(())
            }
            Some(b'.') => {
                self.position += 1;
                Err(self.no_value(b'.'))
            }
            Some(_) => Err(self.bad_number_start(true)),
            None => Err(self.end_of_number("No digit following sign")),
        }
    }

    /// Reads a decimal point and the digits behind it, if there is one, and counts the digits.
    fn scan_fraction(&mut self) -> Result<usize, JsonError> {
        if self.peek() != Some(b'.') {
            return Ok(0);
        }
        self.position += 1;
        let digits = self.skip_digits();
        if digits == 0 {
            // At the end of the text Jackson still holds, and reports, the point itself.
            let unit = self.unit_at(self.position).unwrap_or(u32::from(b'.'));
            return Err(self.bad_digit(unit, "Decimal point not followed by a digit"));
        }
        Ok(digits)
    }

    /// Reads an exponent, if there is one, and counts its digits.
    fn scan_exponent(&mut self) -> Result<usize, JsonError> {
        if !matches!(self.peek(), Some(b'e' | b'E')) {
            return Ok(0);
        }
        self.position += 1;
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.position += 1;
        }
        let digits = self.skip_digits();
        if digits == 0 {
            return Err(match self.unit_at(self.position) {
                Some(unit) => self.bad_digit(unit, "Exponent indicator not followed by a digit"),
                None => self.end_of_number("expected a digit for number exponent"),
            });
        }
        Ok(digits)
    }

    /// Reads the rest of `true`, `false` or `null`, whose first letter has been taken.
    pub(super) fn scan_literal(
        &mut self,
        literal: &'static str,
        token: JsonToken,
    ) -> Result<JsonToken, JsonError> {
        let start = self.position - 1;
        self.match_word(literal, 1)?;
        self.set_span_from(start);
        Ok(token)
    }

    /// The complaint about a character that starts no value. The character has been taken.
    #[cold]
    pub(super) fn no_value(&mut self, byte: u8) -> JsonError {
        match byte {
            b'N' => return self.non_standard_word("NaN", 1),
            b'I' => return self.non_standard_word("Infinity", 1),
            b'+' if self.peek().is_none() => return self.end_in_number(),
            b'+' => return self.bad_number_start(false),
            _ => {}
        }
        self.position -= 1;
        let unit = self.unit_at(self.position).unwrap_or(0);
        if starts_identifier(unit) {
            return self.unrecognized_word(self.position);
        }
        self.unexpected(&format!("expected a valid value {EXPECTED_VALUES}"))
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.position;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        self.position - start
    }

    /// The complaint about what follows a sign: a word that Jackson could be made to accept, or no digit.
    fn bad_number_start(&mut self, is_negative: bool) -> JsonError {
        if self.peek() == Some(b'I') {
            match self.bytes().get(self.position + 1) {
                None => return self.end_in_number(),
                Some(b'N') => return self.signed_word(if is_negative { "-INF" } else { "+INF" }),
                Some(b'n') => return self.signed_word(if is_negative { "-Infinity" } else { "+Infinity" }),
                Some(_) => self.position += 1,
            }
        }
        if is_negative {
            let unit = self.unit_at(self.position).unwrap_or(0);
            return self
                .bad_digit(unit, "expected digit (0-9) to follow minus sign, for valid numeric value");
        }
        let reason = "JSON spec does not allow numbers to have plus signs: enable \
                      `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
        self.bad_digit(u32::from(b'+'), reason)
    }

    fn signed_word(&mut self, word: &'static str) -> JsonError {
        self.position += 2;
        self.non_standard_word(word, 3)
    }

    fn non_standard_word(&mut self, word: &'static str, matched: usize) -> JsonError {
        if let Err(error) = self.match_word(word, matched) {
            return error;
        }
        let message = format!(
            "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
        );
        self.error("not a JSON value", message)
    }

    /// Goes on behind the first `matched` letters of a word, which have been taken.
    fn match_word(&mut self, word: &'static str, matched: usize) -> Result<(), JsonError> {
        let start = self.position - matched;
        for letter in word.bytes().skip(matched) {
            if self.peek() != Some(letter) {
                return Err(self.unrecognized_word(start));
            }
            self.position += 1;
        }
        // `nullx` is one unknown word, while `null` before `,`, `]` or white space is whole. The first test is Jackson's
        // shortcut: bytes below `0` end a word, whatever Java thinks of them.
        let may_go_on = matches!(self.peek(), Some(next) if next >= b'0' && next != b']' && next != b'}');
        if may_go_on && self.unit_at(self.position).is_some_and(continues_identifier) {
            return Err(self.unrecognized_word(start));
        }
        Ok(())
    }

    fn unrecognized_word(&mut self, start: usize) -> JsonError {
        let rest = self.source().get(self.position..).unwrap_or_default();
        let mut length = self.position - start;
        let mut ellipsis = "";
        for (index, c) in rest.char_indices() {
            // The character that starts a word belongs to it even if it could not go on one.
            let starts_word = index == 0 && self.position == start;
            if !starts_word && !continues_identifier(u32::from(c)) {
                break;
            }
            length += c.len_utf8();
            if length >= MAX_ERROR_WORD_LENGTH {
                ellipsis = "...";
                break;
            }
        }
        let word = self.source().get(start..start + length).unwrap_or_default();
        let message = format!("Unrecognized token '{word}{ellipsis}': was expecting {EXPECTED_VALUES}");
        self.error("not a JSON value", message)
    }

    fn bad_digit(&self, unit: u32, reason: &str) -> JsonError {
        let shown = describe_unit(unit);
        self.error("malformed number", format!("Unexpected character ({shown}) in numeric value: {reason}"))
    }

    fn end_in_number(&self) -> JsonError {
        self.error("unexpected end", "Unexpected end-of-input in a Number value")
    }

    fn end_of_number(&self, reason: &str) -> JsonError {
        // Jackson has no separator between the two either.
        self.error("unexpected end", format!("Unexpected end-of-input{reason}"))
    }
}
