//! Strings: where they end, and what may not stand in them.

use super::error::JsonError;
use super::error_words::{describe_unit, utf16_length};
use super::reader::JsonReader;
use super::text::JsonText;

/// The longest field name that Jackson reads, in UTF-16 units (`StreamReadConstraints.getMaxNameLength`).
const MAX_NAME_UNITS: usize = 50_000;
/// The longest string that Jackson reads, in UTF-16 units (`StreamReadConstraints.getMaxStringLength`).
const MAX_STRING_UNITS: usize = 20_000_000;

impl<'a> JsonReader<'a> {
    /// Reads up to and with the closing quote of a field name, whose opening quote has been taken.
    pub(super) fn scan_name(&mut self) -> Result<JsonText<'a>, JsonError> {
        let name = self.scan_quoted("name", " in field name")?;
        if name.raw().len() > MAX_NAME_UNITS {
            self.check_length("Name", name.raw(), MAX_NAME_UNITS, "getMaxNameLength")?;
        }
        Ok(name)
    }

    /// Reads up to and with the closing quote of a string, whose opening quote has been taken.
    pub(super) fn scan_string(&mut self) -> Result<JsonText<'a>, JsonError> {
        let text = self.scan_quoted("string value", ": was expecting closing quote for a string value")?;
        if text.raw().len() > MAX_STRING_UNITS {
            self.check_length("String value", text.raw(), MAX_STRING_UNITS, "getMaxStringLength")?;
        }
        Ok(text)
    }

    #[cold]
    fn check_length(&self, what: &str, raw: &str, limit: usize, constraint: &str) -> Result<(), JsonError> {
        let units = utf16_length(raw);
        if units <= limit {
            return Ok(());
        }
        let message = format!(
            "{what} length ({units}) exceeds the maximum allowed ({limit}, from `StreamReadConstraints.{constraint}()`)"
        );
        Err(self.error("text too long", message))
    }

    fn scan_quoted(&mut self, place: &str, words_at_end: &str) -> Result<JsonText<'a>, JsonError> {
        let start = self.position;
        let mut has_escapes = false;
        loop {
            self.position += plain_run_length(self.bytes().get(self.position..).unwrap_or_default());
            let Some(&byte) = self.bytes().get(self.position) else {
                return Err(self.error("unexpected end", format!("Unexpected end-of-input{words_at_end}")));
            };
            match byte {
                b'"' => {
                    let raw = &self.source()[start..self.position];
                    self.position += 1;
                    return Ok(JsonText::new(raw, has_escapes));
                }
                b'\\' => {
                    has_escapes = true;
                    self.position += 1;
                    self.scan_escape()?;
                }
                0..0x20 => {
                    let unit = describe_unit(u32::from(byte));
                    let message = format!(
                        "Illegal unquoted character ({unit}): has to be escaped using backslash to be included in {place}"
                    );
                    return Err(self.error("control character in a string", message));
                }
                _ => self.position += 1,
            }
        }
    }

    fn scan_escape(&mut self) -> Result<(), JsonError> {
        match self.byte_of_escape()? {
            b'b' | b't' | b'n' | b'f' | b'r' | b'"' | b'/' | b'\\' => self.position += 1,
            b'u' => {
                self.position += 1;
                for _ in 0..4 {
                    if !self.byte_of_escape()?.is_ascii_hexdigit() {
                        return Err(self.unexpected("expected a hex-digit for character escape sequence"));
                    }
                    self.position += 1;
                }
            }
            _ => {
                let unit = describe_unit(self.unit_at(self.position).unwrap_or(0));
                return Err(self.error("unknown escape", format!("Unrecognized character escape {unit}")));
            }
        }
        Ok(())
    }

    fn byte_of_escape(&self) -> Result<u8, JsonError> {
        match self.peek() {
            Some(byte) => Ok(byte),
            None => Err(self.error("unexpected end", "Unexpected end-of-input in character escape sequence")),
        }
    }
}

/// How many bytes there are before a quote, a backslash or a control character.
///
/// Looks at eight bytes at a time, because most of an event is strings. `word - 0x0101…` borrows in a byte that is zero, so
/// after `word ^ 0x2222…` the bytes that were a quote (0x22) have their high bit set; the same goes for the other two.
fn plain_run_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let found = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        let found = found & HIGH_BITS;
        if found != 0 {
            // A borrow can only mark bytes behind the first one that counts.
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let mut length = words.len() * 8;
    for byte in rest {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_run_ends_at_a_quote_a_backslash_or_a_control_character() {
        for text in [
            "",
            "\"",
            "a\\",
            "éé日本語\u{1f600}\u{7f}\u{80}\"x",
            "abcdefgh\n",
            "abcdefg\"h\"",
            "01234567012345670123456",
        ] {
            let expected = text.find(['"', '\\', '\n']).unwrap_or(text.len());
            assert_eq!(plain_run_length(text.as_bytes()), expected, "{text}");
        }
    }
}
