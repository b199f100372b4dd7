//! Finds where a JSON value ends without parsing it, so that one broken record costs only itself.

/// A value that does not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BrokenValue {
    /// Where it went wrong.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) why: &'static str,
    /// Whether it ends there for certain, because a line does.
    pub(crate) at_line: bool,
}

/// The end (exclusive) of the object or array that starts at `start`.
///
/// Counts brackets and steps over strings. A raw line break inside a string, a closing bracket of the wrong kind and
/// a line that starts a new object where none can stand each end the value as broken, so that in a file of one event
/// a line a broken line does not swallow its neighbours.
pub(crate) fn value_end(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    let mut open = Vec::new();
    let mut last = 0;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at)? - 1,
            b'{' | b'[' => {
                let fits = at == start || matches!(last, b'[' | b',' | b':');
                if !fits && at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\n') {
                    return Err(BrokenValue {
                        at,
                        why: "the value before this line does not end",
                        at_line: true,
                    });
                }
                open.push(byte);
            }
            b'}' | b']' => {
                let opener = if byte == b'}' { b'{' } else { b'[' };
                if open.pop() != Some(opener) {
                    return Err(BrokenValue {
                        at,
                        why: "a closing bracket of the wrong kind",
                        at_line: false,
                    });
                }
                if open.is_empty() {
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
    Err(BrokenValue { at: bytes.len(), why: "the input ends inside a value (truncated?)", at_line: false })
}

/// The end (exclusive) of the string whose opening quote is at `start`.
pub(crate) fn string_end(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => at += 1,
            b'\n' => return Err(BrokenValue { at, why: "a line break inside a string", at_line: true }),
            _ => {}
        }
        at += 1;
    }
    Err(BrokenValue { at: bytes.len(), why: "the input ends inside a string (truncated?)", at_line: false })
}

/// The end (exclusive) of the value of any kind that starts at `start`; words and numbers are not looked into.
pub(crate) fn skip_value(bytes: &[u8], start: usize) -> Result<usize, BrokenValue> {
    match bytes.get(start) {
        Some(b'{' | b'[') => value_end(bytes, start),
        Some(b'"') => string_end(bytes, start),
        _ => {
            let rest = bytes.get(start..).unwrap_or_default();
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n');
            Ok(rest.iter().position(ends).map_or(bytes.len(), |length| start + length.max(1)))
        }
    }
}

/// The first byte at or after `at` that is not white space, nor a mark that stands before a text: a byte order mark,
/// or the record separator of JSON text sequences (RFC 7464).
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_whitespace() || *byte == 0x1e => at += 1,
            Some(0xef) if bytes.get(at..at + 3) == Some(b"\xef\xbb\xbf") => at += 3,
            _ => return at,
        }
    }
}

/// The start of the line after that of `at`, or the end of the input.
pub(crate) fn next_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1)
}

/// The first object from `at` on, before `limit`, that stands where an element of a list or a line begins.
pub(crate) fn next_object(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let bytes = bytes.get(..limit)?;
    let mut from = at;
    while let Some(found) = bytes.get(from..)?.iter().position(|byte| matches!(byte, b',' | b'\n' | b'[')) {
        let after = skip_space(bytes, from + found + 1);
        if bytes.get(after) == Some(&b'{') {
            return Some(after);
        }
        from += found + 1;
    }
    None
}
