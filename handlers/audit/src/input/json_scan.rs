//! Finds where a JSON value ends without parsing it, so that one broken record costs only itself.

/// A value that does not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenValue {
    /// The position at which the scanner noticed it.
    pub(super) at: usize,
    /// One phrase about what is wrong.
    pub(super) why: &'static str,
    /// Whether the value ends at this position for certain, because a line ends or begins there.
    pub(super) ends_at_line: bool,
}

impl BrokenValue {
    /// The problem as a sentence with its position.
    pub(super) fn describe(&self) -> String {
        format!("{} at byte {}", self.why, self.at)
    }
}

/// Returns the end (exclusive) of the object or array that starts at `start`.
///
/// The scanner counts brackets and steps over strings. Three things end the value as broken, so that a broken line of
/// a file with one event a line does not swallow the lines after it:
///
/// 1. a raw line break inside a string,
/// 2. a closing bracket of the wrong kind,
/// 3. a line that begins with a bracket where no value can stand.
pub(super) fn find_value_end(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    let mut open_brackets = Vec::new();
    let mut last = 0;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = find_string_end(bytes, at)? - 1,
            b'{' | b'[' => {
                let fits = at == start || matches!(last, b'[' | b',' | b':');
                if !fits && begins_line(bytes, at) {
                    let why = "the value before this line does not end";
                    return Err(BrokenValue { at, why, ends_at_line: true });
                }
                open_brackets.push(byte);
            }
            b'}' | b']' => {
                let opener = if byte == b'}' { b'{' } else { b'[' };
                if open_brackets.pop() != Some(opener) {
                    let why = "a closing bracket of the wrong kind";
                    return Err(BrokenValue { at, why, ends_at_line: false });
                }
                if open_brackets.is_empty() {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at += 1;
    }
    let why = "the input ends inside a value (truncated?)";
    Err(BrokenValue { at: bytes.len(), why, ends_at_line: false })
}

/// Returns the end (exclusive) of the string whose opening quote is at `start`.
pub(super) fn find_string_end(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            // The character after a backslash never ends the string.
            b'\\' => at += 1,
            b'\n' => {
                let why = "a line break inside a string";
                return Err(BrokenValue { at, why, ends_at_line: true });
            }
            _ => {}
        }
        at += 1;
    }
    let why = "the input ends inside a string (truncated?)";
    Err(BrokenValue { at: bytes.len(), why, ends_at_line: false })
}

/// Returns the end (exclusive) of the value of any kind that starts at `start`. Words and numbers are not checked:
/// they end before the next comma, closing bracket or line break.
pub(super) fn skip_value(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    match bytes.get(start) {
        Some(b'{' | b'[') => find_value_end(bytes, start),
        Some(b'"') => find_string_end(bytes, start),
        _ => {
            let rest = bytes.get(start..).unwrap_or_default();
            let length = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n'));
            Ok(length.map_or(bytes.len(), |length| start + length.max(1)))
        }
    }
}

/// Returns the first position at or after `at` that holds neither white space, nor a byte order mark, nor the record separator
/// of JSON text sequences (RFC 7464).
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_whitespace() || *byte == 0x1e => at += 1,
            Some(0xef) if bytes.get(at..at + 3) == Some(b"\xef\xbb\xbf") => at += 3,
            _ => return at,
        }
    }
}

/// How far from the start of a line its JSON may begin.
const LOG_PREFIX_BYTES_MAX: usize = 512;

/// Returns the position of the object behind the time in a line of a log, as an export task of CloudWatch Logs, `aws logs
/// tail` and `--output text` write it: `2026-01-02T03:04:05.000Z {…}`.
pub(super) fn find_logged_value(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..bytes.len().min(at + LOG_PREFIX_BYTES_MAX))?;
    let is_dated = matches!(rest, [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', ..]);
    if !is_dated && !rest.starts_with(b"EVENTS\t") {
        return None;
    }
    let length = rest.iter().position(|byte| matches!(byte, b'{' | b'"' | b'\n'))?;
    (rest.get(length) == Some(&b'{')).then_some(at + length)
}

/// Returns the start of the line after the one that `at` is in, or the end of the input.
pub(super) fn find_next_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1)
}

/// Whether a line of the input begins at this position.
pub(super) fn begins_line(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_none_or(|before| bytes.get(before) == Some(&b'\n'))
}

/// Returns the first object from `at` on and before `limit` that stands where an element of a list or a line begins.
pub(super) fn find_next_object(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let bytes = bytes.get(..limit)?;
    let mut from = at;
    while let Some(byte) = bytes.get(from) {
        if matches!(byte, b',' | b'\n' | b'[') {
            let after = skip_space(bytes, from + 1);
            if bytes.get(after) == Some(&b'{') {
                return Some(after);
            }
        }
        from += 1;
    }
    None
}
