//! The text of a pattern without the white space that counts against its length.

/// A JSON text without the white space outside strings; otherwise identical.
pub(super) fn minify(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\r' | '\n') {
            continue;
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_white_space_outside_strings_only() {
        assert_eq!(minify(" { \"a b\\\" c\" :\n\t[ \"\\\\\" , 1 ] } "), "{\"a b\\\" c\":[\"\\\\\",1]}");
    }
}
