//! Turns UTF-16 text, as Windows programs save it, into UTF-8.

/// How many bytes show whether a text is UTF-16.
const SAMPLE_BYTES: usize = 64;

/// Returns the text as UTF-8 if it is UTF-16, else the bytes as they are. Halves of surrogate pairs become U+FFFD.
///
/// UTF-16 is known by its byte order mark, or by the zeros beside the ASCII letters with which JSON and tables begin.
pub(super) fn decode_utf16(bytes: Vec<u8>) -> Vec<u8> {
    let is_big_endian = match bytes.as_slice() {
        [0xfe, 0xff, ..] => true,
        [0xff, 0xfe, ..] => false,
        sample if has_zeros_at(sample, 0) => true,
        sample if has_zeros_at(sample, 1) => false,
        _ => return bytes,
    };
    let mut units = Vec::with_capacity(bytes.len() / 2);
    for pair in bytes.chunks_exact(2) {
        if let [a, b] = *pair {
            let unit = if is_big_endian { [a, b] } else { [b, a] };
            units.push(u16::from_be_bytes(unit));
        }
    }
    String::from_utf16_lossy(&units).into_bytes()
}

/// Whether the bytes begin with pairs of a zero, at this place of the pair, and an ASCII character.
fn has_zeros_at(bytes: &[u8], place: usize) -> bool {
    let sample = bytes.get(..bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
    if sample.len() < 4 {
        return false;
    }
    for (index, byte) in sample.iter().enumerate() {
        let is_zero_expected = index % 2 == place;
        if is_zero_expected != (*byte == 0) || !byte.is_ascii() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_with_and_without_a_mark_become_utf8() {
        let text = "{\"a\": \"\u{e9}\u{1f600}\"}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], bytes: &[u8]| decode_utf16([mark, bytes].concat());
        let with_mark = format!("\u{feff}{text}").into_bytes();
        assert_eq!(marked(&[0xff, 0xfe], &little), with_mark);
        assert_eq!(marked(&[0xfe, 0xff], &big), with_mark);
        let ascii: Vec<u8> = "[1]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode_utf16(ascii), b"[1]");
        assert_eq!(decode_utf16(text.as_bytes().to_vec()), text.as_bytes());
    }
}
