//! Strings: where they end, and the text they stand for.

use std::borrow::Cow;

use super::error::JsonError;
use super::error_words::{describe_unit, utf16_length};
use super::reader::JsonReader;

/// The longest field name that Jackson reads, in UTF-16 units (`StreamReadConstraints.getMaxNameLength`).
const MAX_NAME_UNITS: usize = 50_000;
/// The longest string that Jackson reads, in UTF-16 units (`StreamReadConstraints.getMaxStringLength`).
const MAX_STRING_UNITS: usize = 20_000_000;

/// The text between the quotes of a string or field name, as spelled.
#[derive(Clone, Copy, Debug)]
pub struct JsonText<'a> {
    raw: &'a str,
    has_escapes: bool,
}

impl<'a> JsonText<'a> {
    pub(super) const EMPTY: Self = Self { raw: "", has_escapes: false };

    pub(super) fn new(raw: &'a str, has_escapes: bool) -> Self {
        Self { raw, has_escapes }
    }

    /// The spelling, without the quotes.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether the spelling has escapes. Without any, it is also the text.
    pub fn has_escapes(self) -> bool {
        self.has_escapes
    }

    /// Appends the text to bytes, and says whether it has a lone surrogate.
    ///
    /// The bytes are UTF-8. Half of a surrogate pair that stands alone, such as `\ud800`, is no character: it becomes the three
    /// bytes of its code point (WTF-8), so that two different texts never become equal.
    pub fn decode_into(self, out: &mut Vec<u8>) -> bool {
        if !self.has_escapes {
            out.extend_from_slice(self.raw.as_bytes());
            return false;
        }
        let mut has_lone_surrogate = false;
        let mut rest = self.raw;
        while let Some(at) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            let (unit, length) = unescape(&rest.as_bytes()[at..]);
            rest = &rest[at + length..];
            if let Some((low, length)) = low_surrogate_behind(unit, rest) {
                push_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                rest = &rest[length..];
            } else {
                push_code_point(out, unit);
                has_lone_surrogate |= is_surrogate(unit);
            }
        }
        out.extend_from_slice(rest.as_bytes());
        has_lone_surrogate
    }

    /// The text as bytes, as [`JsonText::decode_into`] has it; borrowed if the spelling is the text.
    pub fn decode(self) -> Cow<'a, [u8]> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw.as_bytes());
        }
        let mut text = Vec::with_capacity(self.raw.len());
        self.decode_into(&mut text);
        Cow::Owned(text)
    }

    /// The text with a replacement for every lone surrogate.
    pub fn decode_lossy(self, replacement: char) -> String {
        let mut text = Vec::with_capacity(self.raw.len());
        if self.decode_into(&mut text) {
            text = replace_lone_surrogates(&text, replacement);
        }
        // Only lone surrogates are not UTF-8, and they have been replaced.
        String::from_utf8(text).unwrap_or_default()
    }
}

/// The second half of a surrogate pair, and the length of its escape, if a unit is a first half and the text goes on with a second.
/// Only an escape can supply it: the text around escapes is UTF-8, which has no surrogates.
fn low_surrogate_behind(unit: u32, rest: &str) -> Option<(u32, usize)> {
    if !(0xd800..0xdc00).contains(&unit) || !rest.starts_with("\\u") {
        return None;
    }
    let (low, length) = unescape(rest.as_bytes());
    (0xdc00..0xe000).contains(&low).then_some((low, length))
}

fn is_surrogate(unit: u32) -> bool {
    (0xd800..0xe000).contains(&unit)
}

/// Puts a character in the place of every lone surrogate in WTF-8 bytes.
fn replace_lone_surrogates(wtf8: &[u8], replacement: char) -> Vec<u8> {
    let mut out = Vec::with_capacity(wtf8.len());
    let mut at = 0;
    while let Some(&byte) = wtf8.get(at) {
        // The code points from U+D800 to U+DFFF are the ones whose bytes begin with 0xed and then 0xa0 or more.
        if byte == 0xed && matches!(wtf8.get(at + 1), Some(0xa0..)) {
            out.extend_from_slice(replacement.encode_utf8(&mut [0; 4]).as_bytes());
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

/// The UTF-16 unit of an escape that the reader has accepted, and the length of the escape.
fn unescape(escape: &[u8]) -> (u32, usize) {
    let unit = match escape.get(1) {
        Some(b'b') => 8,
        Some(b't') => 9,
        Some(b'n') => 10,
        Some(b'f') => 12,
        Some(b'r') => 13,
        Some(b'u') => {
            let mut unit = 0;
            for digit in escape.iter().skip(2).take(4) {
                unit = unit << 4 | char::from(*digit).to_digit(16).unwrap_or(0);
            }
            return (unit, 6);
        }
        Some(literal) => u32::from(*literal),
        None => u32::from(b'\\'),
    };
    (unit, 2)
}

fn push_code_point(out: &mut Vec<u8>, code: u32) {
    if let Some(c) = char::from_u32(code) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    // A lone surrogate, in the three bytes that UTF-8 would give its code point.
    for byte in [0xe0 | (code >> 12), 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f)] {
        out.push(byte.to_le_bytes()[0]);
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

impl<'a> JsonReader<'a> {
    /// Reads up to and with the closing quote of a field name, whose opening quote has been taken.
    pub(super) fn scan_name(&mut self) -> Result<JsonText<'a>, JsonError> {
        let name = self.scan_quoted("name", " in field name")?;
        if name.raw.len() > MAX_NAME_UNITS {
            self.check_length("Name", name.raw, MAX_NAME_UNITS, "getMaxNameLength")?;
        }
        Ok(name)
    }

    /// Reads up to and with the closing quote of a string, whose opening quote has been taken.
    pub(super) fn scan_string(&mut self) -> Result<JsonText<'a>, JsonError> {
        let text = self.scan_quoted("string value", ": was expecting closing quote for a string value")?;
        if text.raw.len() > MAX_STRING_UNITS {
            self.check_length("String value", text.raw, MAX_STRING_UNITS, "getMaxStringLength")?;
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
                    return Ok(JsonText { raw, has_escapes });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(raw: &str) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let has_lone_surrogate = JsonText::new(raw, raw.contains('\\')).decode_into(&mut out);
        (out, has_lone_surrogate)
    }

    #[test]
    fn decoding_undoes_escapes() {
        assert_eq!(decode(r#"a\n\"\\\/\u0041b"#), (b"a\n\"\\/Ab".to_vec(), false));
        assert_eq!(decode(r"\ud83d\ude00"), ("\u{1f600}".as_bytes().to_vec(), false));
    }

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

    #[test]
    fn lone_surrogates_stay_apart() {
        assert_eq!(decode(r"\ud800x"), (vec![0xed, 0xa0, 0x80, b'x'], true));
        assert_eq!(decode(r"\ude00\ud83d"), (vec![0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd], true));
        assert!(decode(r"\ud83d\n").1);
        assert_eq!(JsonText::new(r"a\ud800", true).decode_lossy('?'), "a?");
    }
}
