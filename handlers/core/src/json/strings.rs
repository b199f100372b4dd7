//! String tokens: where they end, and what they say once their escapes are undone.

use super::error::{JsonError, describe_unit};
use super::reader::Reader;

/// Longest name and longest string value Jackson reads (`StreamReadConstraints`), in UTF-16 units.
const MAX_NAME: usize = 50_000;
const MAX_STRING: usize = 20_000_000;

/// The text between the quotes of a string token, as spelled.
#[derive(Clone, Copy, Debug)]
pub struct RawText<'a> {
    /// The spelling, without the quotes.
    pub raw: &'a str,
    /// Whether the spelling holds escapes; without any it is also the text.
    pub escaped: bool,
}

impl<'a> RawText<'a> {
    /// The text as bytes: UTF-8, where half of a surrogate pair that stands alone takes the three bytes of its code point
    /// (WTF-8), so that no two different texts become equal. The flag tells whether there was one.
    pub fn decode_into(self, out: &mut Vec<u8>) -> bool {
        if !self.escaped {
            out.extend_from_slice(self.raw.as_bytes());
            return false;
        }
        let mut lone = false;
        let mut rest = self.raw;
        while let Some(at) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            let (unit, length) = unescape(&rest.as_bytes()[at..]);
            rest = &rest[at + length..];
            if !(0xd800..0xe000).contains(&unit) {
                push_code_point(out, unit);
                continue;
            }
            // Only an escape can supply the second half: raw text holds no surrogates.
            let low = (unit < 0xdc00 && rest.starts_with("\\u")).then(|| unescape(rest.as_bytes()));
            if let Some((low, length)) = low.filter(|(low, _)| (0xdc00..0xe000).contains(low)) {
                push_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                rest = &rest[length..];
            } else {
                push_code_point(out, unit);
                lone = true;
            }
        }
        out.extend_from_slice(rest.as_bytes());
        lone
    }

    /// The text as bytes, borrowed where the spelling is the text.
    pub fn decode(self) -> std::borrow::Cow<'a, [u8]> {
        if !self.escaped {
            return std::borrow::Cow::Borrowed(self.raw.as_bytes());
        }
        let mut out = Vec::with_capacity(self.raw.len());
        self.decode_into(&mut out);
        std::borrow::Cow::Owned(out)
    }

    /// The text with one replacement for every lone half of a surrogate pair.
    pub fn to_string_with(self, replacement: char) -> String {
        let mut out = Vec::with_capacity(self.raw.len());
        if self.decode_into(&mut out) {
            out = replace_lone(&out, replacement);
        }
        // Only lone halves are not UTF-8, and they are gone.
        String::from_utf8(out).unwrap_or_default()
    }
}

/// Puts a character in the place of every lone half of a surrogate pair in WTF-8 bytes.
pub(crate) fn replace_lone(wtf8: &[u8], replacement: char) -> Vec<u8> {
    let mut out = Vec::with_capacity(wtf8.len());
    let mut buffer = [0; 4];
    let mut at = 0;
    while at < wtf8.len() {
        if wtf8[at] == 0xed && wtf8.get(at + 1).is_some_and(|b| *b >= 0xa0) {
            out.extend_from_slice(replacement.encode_utf8(&mut buffer).as_bytes());
            at += 3;
        } else {
            out.push(wtf8[at]);
            at += 1;
        }
    }
    out
}

/// The UTF-16 unit of a checked escape, and the length of the escape.
fn unescape(escape: &[u8]) -> (u32, usize) {
    let unit = match escape.get(1) {
        Some(b'b') => 8,
        Some(b't') => 9,
        Some(b'n') => 10,
        Some(b'f') => 12,
        Some(b'r') => 13,
        Some(b'u') => {
            let hex = |b: &u8| char::from(*b).to_digit(16).unwrap_or(0);
            return (escape.iter().skip(2).take(4).fold(0, |value, b| value << 4 | hex(b)), 6);
        }
        other => u32::from(other.copied().unwrap_or(b'\\')),
    };
    (unit, 2)
}

/// How many bytes there are before a quote, a backslash or a control character. Eight at a time: most of an event is strings.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_byte = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = control
            | zero_byte(word ^ (ONES * u64::from(b'"')))
            | zero_byte(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            // A borrow can only mark bytes behind the first found one.
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

fn push_code_point(out: &mut Vec<u8>, code: u32) {
    if let Some(c) = char::from_u32(code) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.extend(
            [0xe0 | (code >> 12), 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f)]
                .map(|b| b.to_le_bytes()[0]),
        );
    }
}

impl<'a> Reader<'a> {
    /// Reads to the closing quote of a name; the opening one is behind.
    pub(super) fn scan_name(&mut self) -> Result<RawText<'a>, JsonError> {
        let name = self.scan_quoted("name", " in field name")?;
        if name.raw.len() > MAX_NAME {
            self.check_length("Name", name.raw, MAX_NAME, "getMaxNameLength")?;
        }
        Ok(name)
    }

    /// Reads to the closing quote of a value; the opening one is behind.
    pub(super) fn scan_string(&mut self) -> Result<RawText<'a>, JsonError> {
        let text = self.scan_quoted("string value", ": was expecting closing quote for a string value")?;
        if text.raw.len() > MAX_STRING {
            self.check_length("String value", text.raw, MAX_STRING, "getMaxStringLength")?;
        }
        Ok(text)
    }

    #[cold]
    fn check_length(&self, what: &str, raw: &str, limit: usize, constraint: &str) -> Result<(), JsonError> {
        let units: usize = raw.chars().map(char::len_utf16).sum();
        if units <= limit {
            return Ok(());
        }
        let message = format!(
            "{what} length ({units}) exceeds the maximum allowed ({limit}, from `StreamReadConstraints.{constraint}()`)"
        );
        Err(self.error("text too long", message))
    }

    fn scan_quoted(&mut self, place: &str, at_end: &str) -> Result<RawText<'a>, JsonError> {
        let start = self.pos;
        let mut escaped = false;
        loop {
            self.pos += plain_run(self.bytes().get(self.pos..).unwrap_or_default());
            let Some(&byte) = self.bytes().get(self.pos) else {
                return Err(self.error("unexpected end", format!("Unexpected end-of-input{at_end}")));
            };
            match byte {
                b'"' => {
                    let raw = &self.source()[start..self.pos];
                    self.pos += 1;
                    return Ok(RawText { raw, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.pos += 1;
                    self.scan_escape()?;
                }
                0..0x20 => {
                    let unit = describe_unit(u32::from(byte));
                    let message = format!(
                        "Illegal unquoted character ({unit}): has to be escaped using backslash to be included in {place}"
                    );
                    return Err(self.error("control character in a string", message));
                }
                _ => self.pos += 1,
            }
        }
    }

    fn scan_escape(&mut self) -> Result<(), JsonError> {
        match self.escaped_unit()? {
            b'b' | b't' | b'n' | b'f' | b'r' | b'"' | b'/' | b'\\' => self.pos += 1,
            b'u' => {
                self.pos += 1;
                for _ in 0..4 {
                    if !self.escaped_unit()?.is_ascii_hexdigit() {
                        return Err(self.unexpected("expected a hex-digit for character escape sequence"));
                    }
                    self.pos += 1;
                }
            }
            _ => {
                let unit = describe_unit(self.unit_at(self.pos).unwrap_or(0));
                return Err(self.error("unknown escape", format!("Unrecognized character escape {unit}")));
            }
        }
        Ok(())
    }

    fn escaped_unit(&self) -> Result<u8, JsonError> {
        let end = || self.error("unexpected end", "Unexpected end-of-input in character escape sequence");
        self.bytes().get(self.pos).copied().ok_or_else(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let lone = RawText { raw, escaped: raw.contains('\\') }.decode_into(&mut out);
        (out, lone)
    }

    #[test]
    fn undoes_escapes() {
        assert_eq!(decoded(r#"a\n\"\\\/\u0041b"#), (b"a\n\"\\/Ab".to_vec(), false));
        assert_eq!(decoded(r"\ud83d\ude00"), ("\u{1f600}".as_bytes().to_vec(), false));
    }

    #[test]
    fn finds_the_end_of_plain_text() {
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
            assert_eq!(plain_run(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn keeps_lone_halves_apart() {
        assert_eq!(decoded(r"\ud800x"), (vec![0xed, 0xa0, 0x80, b'x'], true));
        assert_eq!(decoded(r"\ude00\ud83d"), (vec![0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd], true));
        assert!(decoded(r"\ud83d\n").1);
        assert_eq!(RawText { raw: r"a\ud800", escaped: true }.to_string_with('?'), "a?");
    }
}
