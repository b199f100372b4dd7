//! The text that a string stands for.

use std::borrow::Cow;

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
    fn lone_surrogates_stay_apart() {
        assert_eq!(decode(r"\ud800x"), (vec![0xed, 0xa0, 0x80, b'x'], true));
        assert_eq!(decode(r"\ude00\ud83d"), (vec![0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd], true));
        assert!(decode(r"\ud83d\n").1);
        assert_eq!(JsonText::new(r"a\ud800", true).decode_lossy('?'), "a?");
    }
}
