//! Number tokens, and the unquoted words that are mistaken for values.

use super::error::{JsonError, continues_identifier, describe_unit, starts_identifier};
use super::reader::{Reader, Token};

/// Longest number Jackson reads (`StreamReadConstraints.getMaxNumberLength`), in digits.
const MAX_DIGITS: usize = 1000;
/// Longest word an error repeats (`ErrorReportConfiguration.getMaxErrorTokenLength`).
const MAX_WORD: usize = 256;
const VALID: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

impl Reader<'_> {
    /// Reads a number whose first character, a digit or a minus sign, is behind.
    pub(super) fn scan_number(&mut self, first: u8) -> Result<Token, JsonError> {
        let start = self.pos - 1;
        if first == b'-' {
            match self.peek() {
                None => return Err(self.end_of_number("No digit following sign")),
                Some(b'0'..=b'9') => self.pos += 1,
                Some(b'.') => {
                    self.pos += 1;
                    return Err(self.odd_value(b'.'));
                }
                Some(_) => return Err(self.bad_number_start(true)),
            }
        }
        if self.bytes()[self.pos - 1] == b'0' && matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("leading zero", "Invalid numeric value: Leading zeroes not allowed"));
        }
        let mut digits = 1 + self.skip_digits();
        if self.peek() == Some(b'.') {
            self.pos += 1;
            let fraction = self.skip_digits();
            if fraction == 0 {
                // At the end of the text Jackson still holds, and reports, the point itself.
                let unit = self.unit_at(self.pos).unwrap_or(u32::from(b'.'));
                return Err(self.bad_digit(unit, "Decimal point not followed by a digit"));
            }
            digits += fraction;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            let exponent = self.skip_digits();
            if exponent == 0 {
                let Some(unit) = self.unit_at(self.pos) else {
                    return Err(self.end_of_number("expected a digit for number exponent"));
                };
                return Err(self.bad_digit(unit, "Exponent indicator not followed by a digit"));
            }
            digits += exponent;
        }
        if self.at_root() && self.peek().is_some_and(|next| !matches!(next, b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(self.unexpected("Expected space separating root-level values"));
        }
        if digits > MAX_DIGITS {
            let message = format!(
                "Number value length ({digits}) exceeds the maximum allowed ({MAX_DIGITS}, from \
                 `StreamReadConstraints.getMaxNumberLength()`)"
            );
            return Err(self.error("number too long", message));
        }
        self.set_span(start);
        Ok(Token::Number)
    }

    /// Reads the rest of `true`, `false` or `null`, whose first letter is behind.
    pub(super) fn scan_literal(&mut self, literal: &'static str, token: Token) -> Result<Token, JsonError> {
        let start = self.pos - 1;
        self.match_word(literal, 1)?;
        self.set_span(start);
        Ok(token)
    }

    /// The complaint about a character that starts no value; the character is behind.
    pub(super) fn odd_value(&mut self, byte: u8) -> JsonError {
        let start = self.pos - 1;
        match byte {
            b'N' => return self.non_standard("NaN", 1),
            b'I' => return self.non_standard("Infinity", 1),
            b'+' => {
                if self.peek().is_none() {
                    return self.error("unexpected end", "Unexpected end-of-input in a Number value");
                }
                return self.bad_number_start(false);
            }
            _ => {}
        }
        let unit = self.unit_at(start).unwrap_or(0);
        self.pos = start;
        if starts_identifier(unit) {
            return self.unrecognized(start);
        }
        self.unexpected(&format!("expected a valid value {VALID}"))
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        self.pos - start
    }

    fn bad_number_start(&mut self, negative: bool) -> JsonError {
        if self.peek() == Some(b'I') {
            match self.bytes().get(self.pos + 1) {
                None => return self.error("unexpected end", "Unexpected end-of-input in a Number value"),
                Some(b'N') => return self.signed_word(if negative { "-INF" } else { "+INF" }),
                Some(b'n') => return self.signed_word(if negative { "-Infinity" } else { "+Infinity" }),
                Some(_) => self.pos += 1,
            }
        }
        if negative {
            let unit = self.unit_at(self.pos).unwrap_or(0);
            return self
                .bad_digit(unit, "expected digit (0-9) to follow minus sign, for valid numeric value");
        }
        let reason = "JSON spec does not allow numbers to have plus signs: enable \
                      `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow";
        self.bad_digit(u32::from(b'+'), reason)
    }

    fn signed_word(&mut self, word: &'static str) -> JsonError {
        self.pos += 2;
        self.non_standard(word, 3)
    }

    fn non_standard(&mut self, word: &'static str, matched: usize) -> JsonError {
        if let Err(error) = self.match_word(word, matched) {
            return error;
        }
        let message = format!(
            "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
        );
        self.error("not a JSON value", message)
    }

    /// Goes on after the first `matched` letters of a word, which are behind.
    fn match_word(&mut self, word: &'static str, matched: usize) -> Result<(), JsonError> {
        let start = self.pos - matched;
        for letter in word.bytes().skip(matched) {
            if self.peek() != Some(letter) {
                return Err(self.unrecognized(start));
            }
            self.pos += 1;
        }
        let joined = |b: u8| b >= b'0' && b != b']' && b != b'}';
        if self.peek().is_some_and(joined) && self.unit_at(self.pos).is_some_and(continues_identifier) {
            return Err(self.unrecognized(start));
        }
        Ok(())
    }

    fn unrecognized(&mut self, start: usize) -> JsonError {
        let rest = self.source().get(self.pos..).unwrap_or_default();
        let mut length = self.pos - start;
        let mut cut = "";
        for (i, c) in rest.char_indices() {
            // What starts a word belongs to it even if it could not go on one.
            if (i > 0 || self.pos > start) && !continues_identifier(u32::from(c)) {
                break;
            }
            length += c.len_utf8();
            if length >= MAX_WORD {
                cut = "...";
                break;
            }
        }
        let word = self.source().get(start..start + length).unwrap_or_default();
        self.error("not a JSON value", format!("Unrecognized token '{word}{cut}': was expecting {VALID}"))
    }

    fn bad_digit(&self, unit: u32, reason: &str) -> JsonError {
        let shown = describe_unit(unit);
        self.error("malformed number", format!("Unexpected character ({shown}) in numeric value: {reason}"))
    }

    fn end_of_number(&self, reason: &str) -> JsonError {
        // Jackson has no separator here either.
        self.error("unexpected end", format!("Unexpected end-of-input{reason}"))
    }
}
