//! Finds where a JSON value ends without parsing it, so that one broken record costs only itself.

/// A value that does not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where it went wrong.
    pub(super) at: usize,
    /// What is wrong.
    pub(super) why: &'static str,
}

/// The end (exclusive) of the object or array that starts at `start`.
///
/// Counts brackets and steps over strings. A raw line break inside a string, a closing bracket of the wrong kind and
/// a line that starts a new object where none can stand each end the value as broken, so that in a file of one event
/// a line a broken line does not swallow its neighbours.
pub(super) fn value_end(bytes: &[u8], start: usize) -> Result<usize, Broken> {
    let mut open = Vec::new();
    let mut last = 0;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at)? - 1,
            b'{' | b'[' => {
                let fits = at == start || matches!(last, b'[' | b',' | b':');
                if !fits && at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\n') {
                    return Err(Broken { at, why: "the value before this line does not end" });
                }
                open.push(byte);
            }
            b'}' | b']' => {
                let opener = if byte == b'}' { b'{' } else { b'[' };
                if open.pop() != Some(opener) {
                    return Err(Broken { at, why: "a closing bracket of the wrong kind" });
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
    Err(Broken { at: bytes.len(), why: "the input ends inside a value (truncated?)" })
}

/// The end (exclusive) of the string whose opening quote is at `start`.
pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<usize, Broken> {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => at += 1,
            b'\n' => return Err(Broken { at, why: "a line break inside a string" }),
            _ => {}
        }
        at += 1;
    }
    Err(Broken { at: bytes.len(), why: "the input ends inside a string (truncated?)" })
}

/// The first byte at or after `at` that is not white space.
pub(super) fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The start of the first line after `at` that begins with an opening bracket; the end of the input if none does.
pub(super) fn next_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let found = rest.windows(2).position(|pair| pair[0] == b'\n' && matches!(pair[1], b'{' | b'['));
    found.map_or(bytes.len(), |found| at + found + 1)
}

/// The start of the first object after `at` that follows `},` as the next element of a list does.
pub(super) fn next_element(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let mut from = 0;
    while let Some(found) = rest.get(from..)?.windows(2).position(|pair| pair == b"},") {
        let after = skip_space(rest, from + found + 2);
        if rest.get(after) == Some(&b'{') {
            return Some(at + after);
        }
        from += found + 2;
    }
    None
}
